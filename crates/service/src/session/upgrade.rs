//! A session for an app whose user was proved by a backend: from then on the app goes on alone, with tokens that are worthless without its key.

use countersign_crypto::{digest::sha256, encoding, user_mac::UnverifiedUserMac};
use countersign_domain::{
    clock::Timestamp,
    id::KeyId,
    proof::{Level, Method, Proof},
};
use countersign_storage::spent::Spend;

use super::open::{OpenRefused, Opening};
use crate::{
    Service,
    caller::Caller,
    proof::{
        actor::Actor,
        client_call::{ClientUser, UserProof},
        possession::{NoncePolicy, Possession, PossessionRefused, UnverifiedPossession},
    },
    token::TokenPair,
};

/// Why no session is opened.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeRefused {
    /// The caller showed no v2 proof. One that is good for ever could buy a new session for ever.
    #[error("only a v2 proof opens a session")]
    NotAnExpiringProof,
    /// The project has no such app, or it is closed, or is one that must authenticate itself.
    #[error("there is no such client")]
    UnknownClient,
    /// The proof of the user is bound to another key than the one that is shown.
    #[error("the user's proof is bound to another key")]
    OtherKey,
    /// Possession of a key isn't proved.
    #[error(transparent)]
    Possession(#[from] PossessionRefused),
    /// No session is opened.
    #[error(transparent)]
    Open(#[from] OpenRefused),
}

/// A user's proof that ends.
struct ExpiringProof<'a> {
    key: KeyId,
    mac: &'a UnverifiedUserMac,
    expires_at: Timestamp,
    jkt: Option<&'a str>,
}

impl Service {
    /// Opens a session for the user of a proved call, bound to the key that the app shows. The user's proof works once.
    pub async fn upgrade(
        &self,
        actor: &Actor,
        client: &str,
        possession: Option<&UnverifiedPossession>,
        caller: &Caller,
    ) -> Result<TokenPair, UpgradeRefused> {
        let Actor::Client(user) = actor else { return Err(UpgradeRefused::NotAnExpiringProof) };
        let proof = expiring(user).ok_or(UpgradeRefused::NotAnExpiringProof)?;
        let project = &user.project;
        let client = client.parse().map_err(|_| UpgradeRefused::UnknownClient)?;
        let app = project.client(&client).filter(|view| !view.client.kind.is_confidential());
        app.ok_or(UpgradeRefused::UnknownClient)?;
        let Some(possession) = possession else {
            return Err(PossessionRefused::UseNonce(self.dpop_nonce(project)).into());
        };
        let possession = self.prove_possession(project, possession, NoncePolicy::Required, None)?;
        if proof.jkt.is_some_and(|jkt| jkt != encoding::encode(possession.key.0)) {
            return Err(UpgradeRefused::OtherKey);
        }
        let opening = Opening {
            client,
            user: user.user(),
            proof: Proof { methods: vec![Method::hmac_v2()], level: Level::Vouched, at: self.now() },
            vouched_by: Some(proof.key),
            dpop_jkt: Some(possession.key),
            longest: None,
            scope: String::new(),
            session: None,
            as_of: None,
            spends: spends(user, &proof, &possession),
        };
        Ok(self.open_session(project, opening, caller).await?)
    }
}

fn expiring(user: &ClientUser) -> Option<ExpiringProof<'_>> {
    match &user.proof {
        UserProof::Mac { key, mac: mac @ UnverifiedUserMac::V2 { jkt, .. } } => {
            Some(ExpiringProof { key: *key, mac, expires_at: mac.expires_at()?, jkt: jkt.as_deref() })
        }
        UserProof::Mac { mac: UnverifiedUserMac::V1(_), .. } | UserProof::Unproved => None,
    }
}

/// The app's proof first: one that was used before must not use the user's up.
fn spends(user: &ClientUser, proof: &ExpiringProof<'_>, possession: &Possession) -> Vec<Spend> {
    let named = [user.external_id.as_str().as_bytes(), proof.mac.mac().as_slice()].concat();
    let of_user = Spend { purpose: "user_proof", hash: encoding::encode(sha256(named)), expires_at: proof.expires_at };
    vec![possession.spend(), of_user]
}
