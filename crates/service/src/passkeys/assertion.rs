//! Proving a user by a passkey that the server doesn't know yet whose it is.

use std::sync::Arc;

use countersign_crypto::encoding;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    id::UserId,
    passkey::{LONGEST_CREDENTIAL_ID, Passkey},
    proof::{Level, Proof},
};
use countersign_storage::{
    Conn, audit,
    error::Result as StorageResult,
    passkeys::{self, StoredPasskey, Use},
    users,
};
use webauthn_rs::prelude::{AuthenticationResult, Credential, DiscoverableAuthentication, PublicKeyCredential};

use super::{
    Flaw, PasskeyChallenge, PasskeyRefused,
    client_data::{Ceremony, check},
    kept_challenge::{Purpose, Spending},
    registration::read_response,
    relying_party::RelyingParty,
};
use crate::{
    Service,
    caller::Caller,
    directory::ProjectView,
    error::Outage,
    verdicts::{ACCEPTED, Proof as Verdict},
};

/// Somebody has proved to be a user. It counts once it is recorded.
#[derive(Debug, Clone)]
pub struct PasskeyProof {
    /// The user.
    pub user: UserId,
    /// The passkey, as it stood before.
    pub passkey: Passkey,
    /// How and how strongly the user was proved: the passkey is one factor, and what opens it is another.
    pub proof: Proof,
    used: Use,
    spending: Spending,
}

/// What came of recording a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is the user, whose revocation counter stands at this.
    User {
        /// The counter.
        generation: u32,
    },
    /// The user is locked out.
    Disabled,
    /// The challenge was spent, the passkey is gone or revoked, or it was used in the meantime: nobody is proved.
    Late,
}

impl Service {
    /// Can browsers have passkeys at the address of this project?
    pub fn has_passkeys(&self, project: &ProjectView) -> bool {
        RelyingParty::of(project).is_ok()
    }

    /// The first half of proving a user by a passkey. Nobody has said yet who it is: the authenticator offers what it has.
    pub fn begin_assertion(&self, project: &ProjectView) -> Result<PasskeyChallenge, PasskeyRefused> {
        let party = RelyingParty::of(project)?;
        let begun = party.webauthn.start_discoverable_authentication();
        let (mut options, state) = begun.map_err(|error| Outage::Fault(error.to_string()))?;
        let (challenge, kept) = purpose(project).challenge(&self.entropy, self.now(), "ast", &state)?;
        options.public_key.challenge = challenge;
        // Whether a page asks by a button or in a form field is the page's to say.
        options.mediation = None;
        Ok(PasskeyChallenge {
            options: serde_json::to_value(options).map_err(|error| Outage::Fault(error.to_string()))?,
            state: kept.to_text()?,
            expires_at: kept.expires_at(),
        })
    }

    /// The other half: who shows a passkey. What comes of it must be written by [`PasskeyProof::record`] in the transaction that it buys
    /// something in.
    pub async fn prove_passkey(
        &self,
        project: &ProjectView,
        state: &str,
        response: &str,
        caller: &Caller,
    ) -> Result<PasskeyProof, PasskeyRefused> {
        let proved = self.proved_passkey(project, state, response, caller).await;
        Verdict::Passkey.count(proved.as_ref().map_or_else(PasskeyRefused::reason, |_| ACCEPTED));
        proved
    }

    async fn proved_passkey(
        &self,
        project: &ProjectView,
        state: &str,
        response: &str,
        caller: &Caller,
    ) -> Result<PasskeyProof, PasskeyRefused> {
        let (party, now) = (RelyingParty::of(project)?, self.now());
        let (kept, state) = purpose(project).take_up::<DiscoverableAuthentication>(state, now)?;
        let response: PublicKeyCredential = read_response(response)?;
        check(&response.response.client_data_json, &kept, Ceremony::Assertion, &party.origin)?;
        let stored = self.passkey_shown(project, &response).await?;
        let result = match verify(&party, &response, state, &stored)? {
            Ok(result) => result,
            Err(flaw) => {
                if flaw == Flaw::Cloned {
                    self.note_clone(&stored.passkey, caller).await?;
                }
                return Err(flaw.into());
            }
        };
        let passkey = stored.passkey;
        let used = Use {
            project: passkey.project.clone(),
            id: passkey.id,
            user: passkey.user,
            sign_count: result.counter(),
            is_backed_up: result.backup_state(),
            user_agent: caller.agent(),
            at: now,
        };
        if passkey.revoked_at.is_some() {
            self.note_attempt(used).await?;
            return Err(Flaw::Revoked.into());
        }
        Ok(PasskeyProof {
            user: passkey.user,
            proof: Proof { methods: passkey.methods(), level: Level::TwoFactors, at: now },
            used,
            spending: kept.spending(&passkey.project),
            passkey,
        })
    }

    /// The passkey of this project that is shown. The authenticator must know it as the same user's as we do (WebAuthn §7.2, step 6).
    async fn passkey_shown(
        &self,
        project: &ProjectView,
        response: &PublicKeyCredential,
    ) -> Result<StoredPasskey, PasskeyRefused> {
        if response.raw_id.len() > LONGEST_CREDENTIAL_ID {
            return Err(Flaw::UnknownCredential.into());
        }
        let credential_id = encoding::encode(&response.raw_id);
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = passkeys::find_by_credential(&mut reader.conn(), &project.project.id, &credential_id).await;
        let stored = found.map_err(Outage::from)?.ok_or(Flaw::UnknownCredential)?;
        if response.get_user_unique_id() == Some(&stored.passkey.user.to_bytes()) {
            Ok(stored)
        } else {
            Err(Flaw::OtherUser.into())
        }
    }

    /// Whoever locked a passkey out wants to know whether it is still shown.
    async fn note_attempt(&self, shown: Use) -> Result<(), PasskeyRefused> {
        let shown = Arc::new(shown);
        let written = self.db.write(move |mut conn| {
            let shown = Arc::clone(&shown);
            Box::pin(async move { passkeys::record_attempt(&mut conn, &shown).await })
        });
        Ok(written.await.map_err(Outage::from)?)
    }

    /// Two authenticators seem to hold a key that none gives away: somebody should know.
    async fn note_clone(&self, passkey: &Passkey, caller: &Caller) -> Result<(), PasskeyRefused> {
        let now = self.now();
        let entry = AuditEntry {
            project: passkey.project.clone(),
            id: self.audit_id(now),
            at: now,
            act: Act::PasskeyCloned,
            actor: Actor::Anonymous,
            subject: Subject { user: Some(passkey.user), key: Some(passkey.id.to_string()), ..Subject::default() },
            request: Some(caller.request_id.clone()),
            detail: Vec::new(),
        };
        let written = self.db.write(move |mut conn| {
            let entry = entry.clone();
            Box::pin(async move { audit::insert_many(&mut conn, &[&entry]).await })
        });
        Ok(written.await.map_err(Outage::from)?)
    }
}

/// The key of a row never changes; what moves stands beside it.
fn verify(
    party: &RelyingParty,
    response: &PublicKeyCredential,
    state: DiscoverableAuthentication,
    stored: &StoredPasskey,
) -> Result<Result<AuthenticationResult, Flaw>, PasskeyRefused> {
    let read = serde_json::from_str::<Credential>(&stored.credential);
    let unreadable = |_| Outage::Fault(format!("the credential of passkey {} can't be read", stored.passkey.id));
    let mut credential = read.map_err(unreadable)?;
    credential.counter = stored.passkey.sign_count;
    credential.backup_state = stored.passkey.backed_up_at.is_some();
    let verified = party.webauthn.finish_discoverable_authentication_v2(response, state, &credential);
    Ok(verified.map_err(Flaw::from).and_then(|result| {
        // The library was asked to see to it. Nobody is let in because of a mistake in the asking.
        if result.user_verified() { Ok(result) } else { Err(Flaw::UserNotVerified) }
    }))
}

fn purpose(project: &ProjectView) -> Purpose<'_> {
    Purpose { ceremony: Ceremony::Assertion, project: &project.project.id, user: None }
}

impl PasskeyProof {
    /// Spends the challenge and writes the use down, in the transaction of what is bought. Only then is it known that nobody else did, and that
    /// the user may still come in.
    pub async fn record(&self, conn: &mut Conn<'_>) -> StorageResult<Recorded> {
        let is_first = self.spending.run(conn).await? && passkeys::record_use(conn, &self.used).await?;
        if !is_first {
            return Ok(Recorded::Late);
        }
        Ok(match users::find(conn, &self.used.project, self.user).await? {
            None => Recorded::Late,
            Some(user) if user.disabled_at.is_some() => Recorded::Disabled,
            Some(user) => Recorded::User { generation: user.generation },
        })
    }
}
