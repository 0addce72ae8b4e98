//! Counting what came of proofs, by kind and reason.

use std::sync::OnceLock;

use metrics::{Counter, counter};

/// What was to be proved.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof {
    SecretKey,
    Vouch,
    AccessToken,
    RefreshToken,
    ClientCall,
    CodeRequest,
    Code,
    Client,
    Grant,
    SignIn,
    Passkey,
    Delegation,
}

/// The reason of those that were no refusal.
pub(crate) const ACCEPTED: &str = "accepted";

impl Proof {
    const fn label(self) -> &'static str {
        match self {
            Self::SecretKey => "secret_key",
            Self::Vouch => "vouch",
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::ClientCall => "client_call",
            Self::CodeRequest => "code_request",
            Self::Code => "code",
            Self::Client => "client",
            Self::Grant => "grant",
            Self::SignIn => "sign_in",
            Self::Passkey => "passkey",
            Self::Delegation => "delegation",
        }
    }

    /// Counts a verdict. The counters of the accepted are kept: they count most, and looking one up costs as much as a verdict.
    pub(crate) fn count(self, reason: &'static str) {
        static KEPT: [OnceLock<Counter>; 12] = [const { OnceLock::new() }; 12];
        let find = || counter!("countersign_verdicts_total", "proof" => self.label(), "reason" => reason);
        if reason == ACCEPTED {
            KEPT[self as usize].get_or_init(find).increment(1);
        } else {
            find().increment(1);
        }
    }
}
