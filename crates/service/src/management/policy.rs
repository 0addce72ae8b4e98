//! How users of a project sign in.

use countersign_domain::mfa::MfaPolicy;

use crate::{Service, proof::manager::Manager};

/// How users sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInPolicy {
    /// The ways there are.
    pub methods: Vec<&'static str>,
    /// Whether users are asked for a second factor.
    pub mfa: MfaPolicy,
    /// May whoever proves an address become a user?
    pub is_open: bool,
}

impl Service {
    /// How users of the manager's project sign in.
    pub fn sign_in_policy(&self, manager: &Manager) -> SignInPolicy {
        let has_passkeys = self.has_passkeys(&manager.project);
        let methods = [("email_code", true), ("email_link", true), ("passkey", has_passkeys)];
        SignInPolicy {
            methods: methods.into_iter().filter(|(_, there)| *there).map(|(method, _)| method).collect(),
            mfa: manager.project.settings.mfa_policy,
            is_open: manager.project.settings.signup,
        }
    }
}
