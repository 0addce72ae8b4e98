//! Giving a user a passkey.

use std::sync::Arc;

use countersign_crypto::encoding;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    generations::Generations,
    id::{BrowserSessionId, PasskeyId, ProjectId, UserId},
    identity::IdentityRecord,
    locale::Locale,
    passkey::{Kept, LONGEST_CREDENTIAL_ID, MOST, Passkey, name_from},
    text::Name,
    user::User,
};
use countersign_storage::{
    Conn, audit, browser_sessions,
    error::{Error as StorageError, Result as StorageResult},
    identities,
    messages::{self, OutgoingMessage},
    passkeys::{self, StoredPasskey},
    users,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    CreationChallengeResponse, Credential, PasskeyRegistration, RegisterPublicKeyCredential, Uuid,
};

use super::{
    Flaw, PasskeyChallenge, PasskeyRefused,
    client_data::{Ceremony, check},
    kept_challenge::{Purpose, Spending},
    relying_party::RelyingParty,
};
use crate::{Service, caller::Caller, deliver::letter::Letter, directory::ProjectView, error::Outage};

/// The second half of giving a user a passkey.
pub struct Registration<'a> {
    /// Who is to have it. That it is this user who asks must have been proved lately.
    pub user: UserId,
    /// What was kept of the first half.
    pub state: &'a str,
    /// What the authenticator said: `PublicKeyCredential.toJSON()` as text.
    pub response: &'a str,
    /// What its user calls it; empty: by the browser.
    pub name: Name,
    /// In which language the user is told.
    pub locale: Locale,
    /// In which browser the user asks, who must still be signed in there when the passkey is written.
    pub browser: Option<BrowserSessionId>,
}

/// The longest answer that is looked at. With an attestation and its certificates some are a few kilobytes long.
const LONGEST_RESPONSE: usize = 64 * 1024;

/// Reads what `PublicKeyCredential.toJSON()` gave.
pub(super) fn read_response<T: DeserializeOwned>(response: &str) -> Result<T, Flaw> {
    if response.len() > LONGEST_RESPONSE {
        return Err(Flaw::Unreadable);
    }
    serde_json::from_str(response).map_err(|_| Flaw::Unreadable)
}

/// What the transaction writes, drawn up before.
struct Addition {
    stored: StoredPasskey,
    spending: Spending,
    entry: AuditEntry,
    notices: Vec<OutgoingMessage>,
    browser: Option<BrowserSessionId>,
    project_generation: u32,
}

enum Decided {
    Added,
    Refused(PasskeyRefused),
}

impl Service {
    /// The first half of giving a user a passkey. That it is this user who asks must have been proved lately.
    pub async fn begin_registration(
        &self,
        project: &ProjectView,
        user: UserId,
    ) -> Result<PasskeyChallenge, PasskeyRefused> {
        let party = RelyingParty::of(project)?;
        let (user, known_as, having) = self.owner(&project.project.id, user).await?;
        if having.len() >= MOST {
            return Err(PasskeyRefused::TooMany);
        }
        let (name, display_name) = names(&user, &known_as);
        let handle = Uuid::from_bytes(user.id.to_bytes());
        let begun = party.webauthn.start_passkey_registration(handle, &name, &display_name, None);
        let (mut options, state) = begun.map_err(|error| Outage::Fault(error.to_string()))?;
        let purpose = purpose(project, user.id);
        let (challenge, kept) = purpose.challenge(&self.entropy, self.now(), "rs", &state)?;
        options.public_key.challenge = challenge;
        Ok(PasskeyChallenge {
            options: finished(&options, &having)?,
            state: kept.to_text()?,
            expires_at: kept.expires_at(),
        })
    }

    /// The other half: the user has the passkey, and is told so.
    pub async fn finish_registration(
        &self,
        project: &ProjectView,
        registration: Registration<'_>,
        caller: &Caller,
    ) -> Result<Passkey, PasskeyRefused> {
        let party = RelyingParty::of(project)?;
        let purpose = purpose(project, registration.user);
        let (kept, state) = purpose.take_up::<PasskeyRegistration>(registration.state, self.now())?;
        let response: RegisterPublicKeyCredential = read_response(registration.response)?;
        check(&response.response.client_data_json, &kept, Ceremony::Registration, &party.origin)?;
        let made = party.webauthn.finish_passkey_registration(&response, &state).map_err(Flaw::from)?;
        let (_, known_as, _) = self.owner(&project.project.id, registration.user).await?;
        let stored = self.drawn_up(project, &registration, &made.into(), caller)?;
        let passkey = stored.passkey.clone();
        let letter = Letter::PasskeyAdded { name: passkey.name.clone() };
        let addition = Arc::new(Addition {
            entry: self.passkey_entry(&passkey, Act::PasskeyAdded, Actor::User(passkey.user), Some(caller)),
            notices: self.account_notices(project, &known_as, registration.locale, &letter),
            spending: kept.spending(&project.project.id),
            browser: registration.browser,
            project_generation: project.project.generation,
            stored,
        });
        let written = self.db.write(move |mut conn| {
            let addition = Arc::clone(&addition);
            Box::pin(async move { write(&mut conn, &addition).await })
        });
        match written.await {
            Ok(Decided::Added) => Ok(passkey),
            Ok(Decided::Refused(refused)) => Err(refused),
            Err(StorageError::Taken(_)) => Err(PasskeyRefused::Duplicate),
            Err(problem) => Err(Outage::from(problem).into()),
        }
    }

    /// Who is to have a passkey, what the user is known as, and the passkeys that the user has.
    async fn owner(
        &self,
        project: &ProjectId,
        id: UserId,
    ) -> Result<(User, Vec<IdentityRecord>, Vec<StoredPasskey>), PasskeyRefused> {
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let user = users::find(&mut reader.conn(), project, id).await.map_err(Outage::from)?;
        let user = user.filter(|user| user.disabled_at.is_none()).ok_or(PasskeyRefused::NoSuchUser)?;
        let known_as = identities::list(&mut reader.conn(), project, id).await.map_err(Outage::from)?;
        let having = passkeys::list(&mut reader.conn(), project, id).await.map_err(Outage::from)?;
        Ok((user, known_as, having))
    }

    fn drawn_up(
        &self,
        project: &ProjectView,
        registration: &Registration<'_>,
        credential: &Credential,
        caller: &Caller,
    ) -> Result<StoredPasskey, PasskeyRefused> {
        if credential.cred_id.len() > LONGEST_CREDENTIAL_ID {
            return Err(Flaw::LongCredentialId.into());
        }
        let now = self.now();
        let name = &registration.name;
        let passkey = Passkey {
            project: project.project.id.clone(),
            id: PasskeyId::new(now, self.entropy.bytes()),
            user: registration.user,
            name: if name.as_str().trim().is_empty() { name_from(&caller.user_agent) } else { name.clone() },
            kept: if credential.backup_eligible { Kept::Synced } else { Kept::OnDevice },
            sign_count: credential.counter,
            backed_up_at: credential.backup_state.then_some(now),
            created_at: now,
            last_used_at: None,
            last_attempted_at: None,
            revoked_at: None,
            user_agent: caller.agent(),
        };
        Ok(StoredPasskey {
            passkey,
            credential_id: encoding::encode(&credential.cred_id),
            credential: serde_json::to_string(credential).map_err(|error| Outage::Fault(error.to_string()))?,
        })
    }

    pub(super) fn passkey_entry(
        &self,
        passkey: &Passkey,
        act: Act,
        actor: Actor,
        caller: Option<&Caller>,
    ) -> AuditEntry {
        let now = self.now();
        AuditEntry {
            project: passkey.project.clone(),
            id: self.audit_id(now),
            at: now,
            act,
            actor,
            subject: Subject { user: Some(passkey.user), key: Some(passkey.id.to_string()), ..Subject::default() },
            request: caller.map(|caller| caller.request_id.clone()),
            detail: vec![("kept", passkey.kept.to_string())],
        }
    }
}

impl Addition {
    async fn is_still_signed_in(&self, conn: &mut Conn<'_>) -> StorageResult<bool> {
        let Some(browser) = self.browser else { return Ok(true) };
        let passkey = &self.stored.passkey;
        let held = browser_sessions::hold(conn, &passkey.project, browser).await?;
        Ok(held.is_some_and(|held| {
            let project = self.project_generation;
            let current = Generations { user: held.user_generation, project, ..Generations::default() };
            held.session.user == passkey.user && held.session.is_live(current, passkey.created_at)
        }))
    }
}

async fn write(conn: &mut Conn<'_>, addition: &Addition) -> StorageResult<Decided> {
    let passkey = &addition.stored.passkey;
    let (project, user) = (&passkey.project, passkey.user);
    // Held, so that two can't count the user's passkeys at once.
    users::lock(conn, project, user).await?;
    if users::find(conn, project, user).await?.is_none_or(|user| user.disabled_at.is_some()) {
        return Ok(Decided::Refused(PasskeyRefused::NoSuchUser));
    }
    // Whoever is signed out, or revoked, in this very moment must not leave a key behind.
    if !addition.is_still_signed_in(conn).await? {
        return Ok(Decided::Refused(PasskeyRefused::SignedOut));
    }
    if passkeys::list(conn, project, user).await?.len() >= MOST {
        return Ok(Decided::Refused(PasskeyRefused::TooMany));
    }
    if !addition.spending.run(conn).await? {
        return Ok(Decided::Refused(PasskeyRefused::ChallengeOver));
    }
    passkeys::insert(conn, &addition.stored).await?;
    audit::insert_many(conn, &[&addition.entry]).await?;
    for notice in &addition.notices {
        messages::insert(conn, notice).await?;
    }
    Ok(Decided::Added)
}

fn purpose(project: &ProjectView, user: UserId) -> Purpose<'_> {
    Purpose { ceremony: Ceremony::Registration, project: &project.project.id, user: Some(user) }
}

/// An authenticator must be able to find the passkey without being told which: nobody says who they are before they show it. The library
/// would rather have it otherwise, for the sake of security keys that hold few. One that holds a passkey of this user shall make no other.
fn finished(options: &CreationChallengeResponse, having: &[StoredPasskey]) -> Result<Value, Outage> {
    let mut options = serde_json::to_value(options).map_err(|error| Outage::Fault(error.to_string()))?;
    let asked = &mut options["publicKey"];
    asked["authenticatorSelection"]["residentKey"] = "required".into();
    asked["authenticatorSelection"]["requireResidentKey"] = true.into();
    asked["excludeCredentials"] =
        having.iter().map(|it| json!({ "type": "public-key", "id": it.credential_id })).collect();
    Ok(options)
}

/// What authenticators call the account: by what the user signs in with, and by what people say.
fn names(user: &User, known_as: &[IdentityRecord]) -> (String, String) {
    let by_kind = known_as.iter().min_by_key(|record| record.identity.kind());
    let name = by_kind.map_or_else(|| user.id.to_string(), |record| record.identity.value().to_owned());
    let full = format!("{} {}", user.given_name.as_str(), user.family_name.as_str()).trim().to_owned();
    let display_name = if full.is_empty() { name.clone() } else { full };
    (name, display_name)
}
