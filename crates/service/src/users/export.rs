//! A copy of all that is kept of a user, for the user.

use countersign_domain::{
    audit::{Act, Actor, Subject},
    browser_session::BrowserSession,
    clock::Timestamp,
    id::{AuditId, ClientId, KeyId, ProjectId, UserId},
    identity::{Identity, IdentityRecord},
    mfa::{Factor, Preference},
    proof::{Method, Proof},
    session::Session,
    user::User,
};
use countersign_storage::{
    audit::{self, ReadEntry},
    browser_sessions,
    consents::{self, Consent},
    contact_changes, identities, mfa_preferences,
    passkeys::{self, StoredPasskey},
    recovery_codes, second_factors, sessions,
    sign_in_places::{self, SeenPlace},
    users,
};
use serde_json::{Value, json};

use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
};

/// What of the trail is looked through. Nothing finds a user's entries but looking at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looking {
    /// At so many of the newest entries as don't keep others waiting.
    Newest,
    /// At all.
    Everywhere,
}

/// How many entries are looked at at a time.
const STEP: u32 = 5_000;
/// At how many the user's own page looks.
const NEWEST: u64 = 500_000;
/// The most of anything that is given out.
const MOST: u32 = 10_000;

impl Service {
    /// Everything that is kept of a user but what would let somebody in. `caller`: the user; none: an operator.
    pub async fn export_user(
        &self,
        project: &ProjectId,
        id: UserId,
        looking: Looking,
        caller: Option<&Caller>,
    ) -> Result<Value, Refused> {
        let now = self.now();
        self.note_export(project, id, caller).await?;
        let mut reader = self.db.reader().await?;
        let conn = &mut reader.conn();
        let user = users::find(conn, project, id).await?.ok_or_else(|| Refused::not_found("user", id))?;
        let known_as = identities::list(conn, project, id).await?;
        let pending = contact_changes::list(conn, project, id).await?;
        let sessions = sessions::list_live(conn, project, id, MOST).await?;
        let browsers = browser_sessions::list(conn, project, id, now, MOST).await?;
        let passkeys = passkeys::list(conn, project, id).await?;
        let consents = consents::list(conn, project, id).await?;
        let places = sign_in_places::list(conn, project, id).await?;
        let factors = second_factors::list(conn, project, id).await?;
        let preference = mfa_preferences::find(conn, project, id).await?;
        let recovery_codes = recovery_codes::count(conn, project, id).await?;
        drop(reader);
        let (entries, is_complete) = self.entries_about(project, &user, looking).await?;
        Ok(json!({
            "exported_at": now.rfc3339(),
            "project": project.as_str(),
            "user": of_user(&user),
            "identities": known_as.iter().map(of_identity).collect::<Vec<_>>(),
            "unproved_contacts": pending.iter().map(|it| json!({
                "kind": it.to.kind().as_str(),
                "value": it.to.value(),
                "asked_at": it.created_at.rfc3339(),
            })).collect::<Vec<_>>(),
            "sessions": sessions.iter().map(of_session).collect::<Vec<_>>(),
            "browser_sessions": browsers.iter().map(|it| of_browser(&it.session)).collect::<Vec<_>>(),
            "passkeys": passkeys.iter().map(of_passkey).collect::<Vec<_>>(),
            "consents": consents.iter().map(of_consent).collect::<Vec<_>>(),
            "second_factors": factors.iter().map(|it| of_factor(&it.factor)).collect::<Vec<_>>(),
            "second_factor_wanted": preference.map(Preference::as_str),
            "recovery_codes_left": recovery_codes,
            "places": places.iter().map(of_place).collect::<Vec<_>>(),
            "audit": { "complete": is_complete, "entries": entries.iter().map(of_entry).collect::<Vec<_>>() },
        }))
    }

    async fn note_export(&self, project: &ProjectId, id: UserId, caller: Option<&Caller>) -> Result<(), Refused> {
        let deed = Deed {
            project: project.clone(),
            act: Act::UserExported,
            subject: Subject { user: Some(id), ..Subject::default() },
            detail: Vec::new(),
        };
        let (project, actor) = (project.clone(), caller.map_or(Actor::Operator, |_| Actor::User(id)));
        let noted = self.perform(deed, actor, caller, move |conn| {
            let project = project.clone();
            Box::pin(async move {
                let found = users::find(conn, &project, id).await?;
                Ok(found.map(|_| ((), Vec::new())).ok_or_else(|| Refused::not_found("user", id)))
            })
        });
        noted.await
    }

    /// Entries about a user, the oldest first. `false`: there may be older ones.
    async fn entries_about(
        &self,
        project: &ProjectId,
        user: &User,
        looking: Looking,
    ) -> Result<(Vec<ReadEntry>, bool), Refused> {
        // None is older than the user, but for a clock that was set back.
        let oldest = AuditId::new(user.created_at.minus(std::time::Duration::from_hours(24)), [0; 10]);
        let (mut found, mut before, mut looked_at) = (Vec::new(), None, 0_u64);
        let is_complete = loop {
            // Each step with a reader of its own, so that others get theirs.
            let mut reader = self.db.reader().await?;
            let step = audit::about_user(&mut reader.conn(), project, user.id, before, STEP).await?;
            drop(reader);
            found.extend(step.entries);
            looked_at += u64::from(step.looked_at);
            match step.oldest {
                Some(id) if step.looked_at == STEP && id > oldest => before = Some(id),
                _ => break true,
            }
            if looking == Looking::Newest && looked_at >= NEWEST {
                break false;
            }
        };
        found.sort_by_key(|entry| entry.id);
        Ok((found, is_complete))
    }
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::rfc3339)
}

fn of_user(it: &User) -> Value {
    json!({
        "id": it.id.to_string(),
        "given_name": it.given_name.as_str(),
        "family_name": it.family_name.as_str(),
        "created_at": it.created_at.rfc3339(),
        "updated_at": it.updated_at.rfc3339(),
        "disabled_at": time(it.disabled_at),
        "merged_into": it.merged_into.map(|id| id.to_string()),
    })
}

fn of_identity(it: &IdentityRecord) -> Value {
    json!({
        "kind": it.identity.kind().as_str(),
        "value": it.identity.value(),
        "source": it.source.as_str(),
        "verified_at": time(it.verified_at),
        "created_at": it.created_at.rfc3339(),
    })
}

fn of_proof(it: &Proof) -> Value {
    json!({
        "amr": it.methods.iter().map(Method::as_str).collect::<Vec<_>>(),
        "acr": it.level.as_str(),
        "auth_time": it.at.rfc3339(),
    })
}

fn of_session(it: &Session) -> Value {
    json!({
        "id": it.id.to_string(),
        "client": it.client.as_str(),
        "device_id": it.device.as_ref().map(|device| device.as_str().to_owned()),
        "scope": it.scope,
        "vouched_by": it.vouched_by.as_ref().map(KeyId::to_string),
        "proof": of_proof(&it.proof),
        "created_at": it.created_at.rfc3339(),
        "expires_at": it.expires_at.rfc3339(),
    })
}

fn of_browser(it: &BrowserSession) -> Value {
    json!({
        "id": it.id.to_string(),
        "user_agent": it.user_agent,
        "passkey": it.passkey.map(|id| id.to_string()),
        "proof": of_proof(&it.proof),
        "created_at": it.created_at.rfc3339(),
        "expires_at": it.expires_at.rfc3339(),
    })
}

fn of_passkey(it: &StoredPasskey) -> Value {
    let passkey = &it.passkey;
    json!({
        "id": passkey.id.to_string(),
        "credential_id": it.credential_id,
        "name": passkey.name.as_str(),
        "kept": passkey.kept.as_str(),
        "user_agent": passkey.user_agent,
        "sign_count": passkey.sign_count,
        "created_at": passkey.created_at.rfc3339(),
        "last_used_at": time(passkey.last_used_at),
        "last_attempted_at": time(passkey.last_attempted_at),
        "revoked_at": time(passkey.revoked_at),
    })
}

fn of_consent(it: &Consent) -> Value {
    json!({ "client": ClientId::as_str(&it.client), "scope": it.scope.to_string(), "given_at": it.given_at.rfc3339() })
}

fn of_factor(it: &Factor) -> Value {
    json!({
        "kind": it.kind.as_str(),
        "contact": it.contact.as_ref().map(Identity::value),
        "created_at": it.created_at.rfc3339(),
        "last_used_at": time(it.last_used_at),
    })
}

fn of_place(it: &SeenPlace) -> Value {
    json!({
        "network_mark": it.network,
        "device_mark": it.device,
        "first_seen_at": it.first_seen_at.rfc3339(),
        "last_seen_at": it.last_seen_at.rfc3339(),
    })
}

fn of_entry(it: &ReadEntry) -> Value {
    json!({
        "id": it.id.to_string(),
        "at": Timestamp::from_micros(it.at).rfc3339(),
        "act": it.act,
        "actor_kind": it.actor_kind,
        "actor_id": it.actor_id,
        "client": it.client_id,
        "session": it.session_id,
        "key": it.key_id,
        "request": it.request_id,
        "detail": it.detail,
    })
}
