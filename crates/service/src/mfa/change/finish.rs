//! The code: it sets the factor, once.

use std::sync::Arc;

use countersign_crypto::one_time_code::{OneTimeCode, OneTimeCodeKey};
use countersign_domain::{
    audit::{Act, AuditEntry, Subject as AuditSubject},
    clock::Timestamp,
    id::{ChallengeId, UserId},
    locale::Locale,
    mfa::{Factor, FactorKind},
};
use countersign_storage::{
    Conn, audit,
    error::Result as StorageResult,
    messages::{self, OutgoingMessage},
    mfa_changes::{self, AwaitedCode, SoughtChange, StoredMfaChange},
    second_factors::{self, StoredFactor},
    users,
};

use super::{ChangeRefused, TRIES};
use crate::{
    Service,
    caller::Caller,
    delegation::subject::{NOBODY, Subject, SubjectRefused},
    error::Outage,
    proof::delegation::ServiceProvider,
};

/// What the transaction needs, drawn up before.
struct Plan {
    sought: SoughtChange,
    code: OneTimeCode,
    key: OneTimeCodeKey,
    /// What an app counts codes from, sealed, and the step whose code this is.
    counted: Option<(String, i64)>,
    /// For each kind that it could come to be.
    notices: Vec<(FactorKind, Vec<OutgoingMessage>)>,
    added: AuditEntry,
    removed: Vec<(FactorKind, AuditEntry)>,
    now: Timestamp,
}

enum Done {
    Set(FactorKind),
    Wrong,
    Disabled,
}

impl Service {
    /// Sets the factor, if the code is right: the user has no other from then on. Whoever isn't known has no such change.
    pub async fn finish_mfa_change(
        &self,
        provider: &ServiceProvider,
        userid: &str,
        unverified_id: &str,
        unverified_code: &str,
        locale: Locale,
        caller: &Caller,
    ) -> Result<FactorKind, ChangeRefused> {
        let subject = match self.subject(provider, userid).await {
            Ok(subject) => Some(subject),
            Err(ChangeRefused::Subject(SubjectRefused::NoSuchUser)) => None,
            Err(refused) => return Err(refused),
        };
        let id: ChallengeId = unverified_id.parse().map_err(|_| ChangeRefused::WrongCode)?;
        let code = OneTimeCode::unverified(unverified_code).ok_or(ChangeRefused::WrongCode)?;
        let plan = Arc::new(self.change_plan(provider, subject.as_ref(), id, code, locale, caller).await?);
        let done = self.db.write(move |mut conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move { plan.run(&mut conn).await })
        });
        match done.await.map_err(Outage::from)? {
            Done::Set(kind) => Ok(kind),
            Done::Wrong => Err(ChangeRefused::WrongCode),
            Done::Disabled => Err(ChangeRefused::UserDisabled),
        }
    }

    async fn change_plan(
        &self,
        provider: &ServiceProvider,
        subject: Option<&Subject>,
        id: ChallengeId,
        code: OneTimeCode,
        locale: Locale,
        caller: &Caller,
    ) -> Result<Plan, Outage> {
        let (project, now) = (&provider.project, self.now());
        let user = subject.map_or(NOBODY, |subject| subject.user.id);
        let sought = SoughtChange { project: project.project.id.clone(), id, user, client: provider.client.clone() };
        let mut reader = self.db.reader().await?;
        let waiting = mfa_changes::find(&mut reader.conn(), &sought).await?;
        let counted = match waiting.map(|change| change.proof) {
            Some(AwaitedCode::Counted(sealed)) => {
                let step = self.open_seed(&project.project.id, user, &sealed)?.step_of(&code, now);
                step.map(|step| (sealed, step))
            }
            Some(AwaitedCode::Sent(_)) | None => None,
        };
        let stored = second_factors::list(&mut reader.conn(), &project.project.id, user).await?;
        let before: Vec<Factor> = stored.into_iter().map(|stored| stored.factor).collect();
        let known_as = subject.map(|subject| subject.known_as.as_slice()).unwrap_or_default();
        let notices = |kind| (kind, self.factor_notices(project, known_as, &before, kind, locale));
        let entry = |act| self.change_entry(provider, user, act, now, caller);
        Ok(Plan {
            sought,
            counted,
            code,
            key: self.master_key.one_time_code_key(&project.project.id),
            notices: FactorKind::ALL.into_iter().map(notices).collect(),
            added: entry(Act::FactorAdded),
            removed: FactorKind::ALL.into_iter().map(|kind| (kind, entry(Act::FactorRemoved))).collect(),
            now,
        })
    }

    fn change_entry(
        &self,
        provider: &ServiceProvider,
        user: UserId,
        act: Act,
        now: Timestamp,
        caller: &Caller,
    ) -> AuditEntry {
        AuditEntry {
            project: provider.project.project.id.clone(),
            id: self.audit_id(now),
            at: now,
            act,
            actor: provider.actor(),
            subject: AuditSubject {
                user: Some(user),
                client: Some(provider.client.clone()),
                key: Some(provider.key.to_string()),
                ..AuditSubject::default()
            },
            request: Some(caller.request_id.clone()),
            detail: Vec::new(),
        }
    }
}

impl Plan {
    async fn run(&self, conn: &mut Conn<'_>) -> StorageResult<Done> {
        let Some(change) = mfa_changes::count_try(conn, &self.sought, TRIES, self.now).await? else {
            return Ok(Done::Wrong);
        };
        let Some(step) = self.step_of(&change) else { return Ok(Done::Wrong) };
        let user = users::find(conn, &change.project, change.user).await?;
        if user.is_none_or(|user| user.disabled_at.is_some()) {
            return Ok(Done::Disabled);
        }
        mfa_changes::delete(conn, &self.sought, self.now).await?;
        let kind = change.method;
        let sealed_seed = match change.proof {
            AwaitedCode::Counted(sealed) => Some(sealed),
            AwaitedCode::Sent(_) => None,
        };
        let factor = Factor { kind, contact: change.contact, created_at: self.now, last_used_at: None };
        let stored = StoredFactor { factor, sealed_seed, used_step: step };
        second_factors::put(conn, &change.project, change.user, &stored).await?;
        let gone = second_factors::delete_others(conn, &change.project, change.user, kind).await?;
        let removed = self.removed.iter().filter(|(kind, _)| gone.contains(kind));
        let mut entries: Vec<AuditEntry> = removed.map(|(kind, entry)| saying(entry, *kind)).collect();
        entries.push(saying(&self.added, kind));
        audit::insert_many(conn, &entries.iter().collect::<Vec<_>>()).await?;
        for message in self.notices.iter().filter(|(of, _)| *of == kind).flat_map(|(_, messages)| messages) {
            messages::insert(conn, message).await?;
        }
        Ok(Done::Set(kind))
    }

    /// None: it isn't the code. Else the step of it, which is used up.
    fn step_of(&self, change: &StoredMfaChange) -> Option<i64> {
        match &change.proof {
            AwaitedCode::Counted(sealed) => self.counted.as_ref().filter(|(of, _)| of == sealed).map(|(_, step)| *step),
            AwaitedCode::Sent(hash) => self.key.matches(change.id, &self.code, hash).then_some(0),
        }
    }
}

fn saying(entry: &AuditEntry, kind: FactorKind) -> AuditEntry {
    AuditEntry { detail: vec![("factor", kind.as_str().to_owned())], ..entry.clone() }
}
