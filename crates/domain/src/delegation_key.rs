//! Keys by which a customer's backend (the service provider) signs and opens delegated calls.

use crate::{
    clock::Timestamp,
    id::{ClientId, KeyId, ProjectId},
};

/// A pair of a service provider, of which only the public halves are known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegationKey {
    /// Where.
    pub project: ProjectId,
    /// Its name: `kid` of its credential, and `X-Key-Id` of its calls. No other key of the deployment has it.
    pub id: KeyId,
    /// Whose calls it signs.
    pub client: ClientId,
    /// The pair of ours that its holder was given: it signs what we answer.
    pub idp_key: KeyId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Since when it is worthless.
    pub revoked_at: Option<Timestamp>,
    /// The key that took its place at a rotation.
    pub replaced_by: Option<KeyId>,
}

impl DelegationKey {
    /// Does it still work?
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.expires_at.is_some_and(|end| end.is_past(now))
    }
}
