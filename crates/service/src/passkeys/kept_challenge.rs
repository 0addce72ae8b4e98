//! What is kept of the first half of a ceremony until the second.

use countersign_crypto::{digest::sha256, encoding, entropy::Entropy};
use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, UserId},
    passkey::CHALLENGE_LIFETIME,
};
use countersign_storage::{Conn, error::Result as StorageResult, spent};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{PasskeyRefused, client_data::Ceremony};
use crate::error::Outage;

/// For what challenges are spent.
const PURPOSE: &str = "passkey_challenge";

/// A challenge that is waiting for its answer.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptChallenge {
    ceremony: String,
    project: String,
    /// Who is to have the passkey; nobody knows who will show one.
    user: Option<String>,
    /// In base64url.
    pub(super) challenge: String,
    expires_at: i64,
    /// The library's own notes.
    state: Value,
}

/// For what a challenge is drawn up.
pub(super) struct Purpose<'a> {
    pub(super) ceremony: Ceremony,
    pub(super) project: &'a ProjectId,
    pub(super) user: Option<UserId>,
}

impl Purpose<'_> {
    /// A challenge of ours in the place of the one that the library drew from a generator of its own: randomness is an argument. `inner` is
    /// the member that holds the library's notes of this ceremony. Were it another one day, options and notes would disagree, and nothing be proved.
    pub(super) fn challenge(
        &self,
        entropy: &Entropy,
        now: Timestamp,
        inner: &str,
        state: &impl Serialize,
    ) -> Result<(Vec<u8>, KeptChallenge), PasskeyRefused> {
        let bytes = entropy.bytes::<32>();
        let challenge = encoding::encode(bytes);
        let mut state = serde_json::to_value(state).map_err(|error| Outage::Fault(error.to_string()))?;
        state[inner]["challenge"] = challenge.clone().into();
        let kept = KeptChallenge {
            ceremony: self.ceremony.as_str().to_owned(),
            project: self.project.to_string(),
            user: self.user.map(|user| user.to_string()),
            challenge,
            expires_at: now.plus(CHALLENGE_LIFETIME).micros(),
            state,
        };
        Ok((bytes.to_vec(), kept))
    }

    /// Takes up what was kept, with the library's notes. It must be of the same purpose, and its time not be over.
    pub(super) fn take_up<S: DeserializeOwned>(
        &self,
        kept: &str,
        now: Timestamp,
    ) -> Result<(KeptChallenge, S), PasskeyRefused> {
        let unreadable = |_| Outage::Fault("a kept challenge can't be read".to_owned());
        let mut kept: KeptChallenge = serde_json::from_str(kept).map_err(unreadable)?;
        let is_same = kept.ceremony == self.ceremony.as_str()
            && kept.project == self.project.as_str()
            && kept.user == self.user.map(|user| user.to_string());
        if !is_same || kept.expires_at() <= now {
            return Err(PasskeyRefused::ChallengeOver);
        }
        let state = serde_json::from_value(kept.state.take()).map_err(unreadable)?;
        Ok((kept, state))
    }
}

impl KeptChallenge {
    pub(super) fn expires_at(&self) -> Timestamp {
        Timestamp::from_micros(self.expires_at)
    }

    pub(super) fn to_text(&self) -> Result<String, PasskeyRefused> {
        serde_json::to_string(self).map_err(|error| Outage::Fault(error.to_string()).into())
    }

    pub(super) fn spending(&self, project: &ProjectId) -> Spending {
        Spending {
            project: project.clone(),
            hash: encoding::encode(sha256(&self.challenge)),
            expires_at: self.expires_at(),
        }
    }
}

/// A challenge, to be spent.
#[derive(Debug, Clone)]
pub(super) struct Spending {
    project: ProjectId,
    hash: String,
    expires_at: Timestamp,
}

impl Spending {
    /// `false`: it was spent before.
    pub(super) async fn run(&self, conn: &mut Conn<'_>) -> StorageResult<bool> {
        spent::spend(conn, &self.project, PURPOSE, &self.hash, self.expires_at).await
    }
}
