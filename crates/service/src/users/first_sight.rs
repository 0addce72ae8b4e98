//! The user whom a customer's own id names: remembered, read, or, at the first call, made.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    id::{ProjectId, UserId},
    identity::{Identity, IdentityRecord, IdentitySource},
    text::{ExternalId, Name},
    user::User,
};
use countersign_storage::{
    Conn, audit,
    counters::{self, EVER},
    error::{Error as StorageError, Result as StorageResult},
    identities,
    users::{self, UserState},
};

use crate::{
    Service,
    caller::Caller,
    directory::ProjectView,
    error::Outage,
    known_users::KnownUser,
    limits::Rate,
    project_counts::Event,
    proof::client_call::{CallRefused, Flaw, UserProof},
};

/// The count of users that calls without proof have made, ever.
pub(crate) const MADE_UNPROVED: &str = "users_unproved";

/// What a first call draws up before it is known whether anybody came first.
struct Newcomer {
    user: User,
    identity: IdentityRecord,
    entry: AuditEntry,
    /// At most so many in all, where nothing was proved.
    unproved_limit: Option<u32>,
}

enum Made {
    Already,
    Now,
    BeyondLimit,
}

impl Service {
    pub(crate) async fn user_of(
        &self,
        project: &ProjectView,
        id: &ExternalId,
        proof: &UserProof,
        caller: &Caller,
    ) -> Result<KnownUser, CallRefused> {
        if let Some(known) = self.known_users.find(&project.project.id, id) {
            return Ok(known);
        }
        if let Some(known) = self.read_user(project, id).await? {
            return Ok(known);
        }
        if !project.settings.users_create {
            return Err(Flaw::NoSuchUser.into());
        }
        self.make_user(project, id, proof, caller).await?;
        self.read_user(project, id).await?.ok_or_else(|| Flaw::NoSuchUser.into())
    }

    async fn read_user(&self, project: &ProjectView, id: &ExternalId) -> Result<Option<KnownUser>, CallRefused> {
        let look = self.known_users.look();
        let project = &project.project.id;
        let mut reader = self.db.reader().await.map_err(outage)?;
        let state = users::find_by_external_id(&mut reader.conn(), project, id).await.map_err(outage)?;
        let Some(state) = state else { return Ok(None) };
        Ok(Some(self.known_users.keep(look, (project.clone(), id.clone()), state)))
    }

    /// The user whom an id names, without making or remembering anybody: for Explain.
    pub(crate) async fn look_for_user(
        &self,
        project: &ProjectId,
        id: &ExternalId,
    ) -> Result<Option<UserState>, Outage> {
        if let Some(KnownUser { user, generation, is_disabled, .. }) = self.known_users.find(project, id) {
            return Ok(Some(UserState { user, generation, is_disabled }));
        }
        let mut reader = self.db.reader().await?;
        Ok(users::find_by_external_id(&mut reader.conn(), project, id).await?)
    }

    /// Would a call be let make a user? Counts nothing: for Explain.
    pub(crate) async fn may_make_user(&self, project: &ProjectView, proof: &UserProof) -> Result<bool, Outage> {
        let rate = Rate::per_hour(project.settings.users_per_hour);
        let id = &project.project.id;
        if !self.limits.has_room(&("users", id), rate, self.time.monotonic()) {
            return Ok(false);
        }
        if *proof != UserProof::Unproved {
            return Ok(true);
        }
        let made = counters::find(&mut self.db.reader().await?.conn(), id, MADE_UNPROVED, EVER).await?;
        Ok(made < i64::from(project.settings.users_unproved))
    }

    async fn make_user(
        &self,
        project: &ProjectView,
        id: &ExternalId,
        proof: &UserProof,
        caller: &Caller,
    ) -> Result<(), CallRefused> {
        let rate = Rate::per_hour(project.settings.users_per_hour);
        let within = self.limits.take(&("users", &project.project.id), rate, self.time.monotonic());
        within.map_err(|_| Flaw::TooManyUsers)?;
        let newcomer = Arc::new(self.newcomer(project, id, proof, caller));
        let made = self.db.write(move |mut conn| {
            let newcomer = Arc::clone(&newcomer);
            Box::pin(async move { make(&mut conn, &newcomer).await })
        });
        let event = if *proof == UserProof::Unproved { Event::UserCreatedUnproved } else { Event::UserCreated };
        match made.await {
            Ok(Made::Now) => self.counts.add(&project.project.id, event),
            // On PostgreSQL the other of two first calls may have been quicker.
            Ok(Made::Already) | Err(StorageError::Taken(_)) => {}
            Ok(Made::BeyondLimit) => return Err(Flaw::TooManyUsers.into()),
            Err(problem) => return Err(outage(problem)),
        }
        Ok(())
    }

    fn newcomer(&self, project: &ProjectView, id: &ExternalId, proof: &UserProof, caller: &Caller) -> Newcomer {
        let now = self.now();
        let user = User {
            project: project.project.id.clone(),
            id: UserId::new(now, self.entropy.bytes()),
            given_name: Name::default(),
            family_name: Name::default(),
            generation: 0,
            created_at: now,
            updated_at: now,
            disabled_at: None,
            merged_into: None,
        };
        let (source, verified_at, by, key) = match proof {
            UserProof::Mac { key, .. } => (IdentitySource::Vouch, Some(now), "hmac", Some(key.to_string())),
            UserProof::Unproved => (IdentitySource::Claim, None, "unproved", None),
        };
        let identity = Identity::ExternalId(id.clone());
        let identity = IdentityRecord { identity, user: user.id, source, verified_at, created_at: now };
        let entry = AuditEntry {
            project: project.project.id.clone(),
            id: self.audit_id(now),
            at: now,
            act: Act::UserCreated,
            actor: Actor::User(user.id),
            subject: Subject { user: Some(user.id), key, ..Subject::default() },
            request: Some(caller.request_id.clone()),
            detail: vec![("proof", by.to_owned())],
        };
        let unproved_limit = (*proof == UserProof::Unproved).then_some(project.settings.users_unproved);
        Newcomer { user, identity, entry, unproved_limit }
    }
}

async fn make(conn: &mut Conn<'_>, newcomer: &Newcomer) -> StorageResult<Made> {
    let project = &newcomer.user.project;
    if identities::find(conn, project, &newcomer.identity.identity).await?.is_some() {
        return Ok(Made::Already);
    }
    if let Some(limit) = newcomer.unproved_limit {
        // The row is held until the transaction ends, so no two take the last place.
        let made = counters::add(conn, project, MADE_UNPROVED, EVER, 1).await?;
        if made > i64::from(limit) {
            counters::add(conn, project, MADE_UNPROVED, EVER, -1).await?;
            return Ok(Made::BeyondLimit);
        }
    }
    users::insert_many(conn, &[&newcomer.user]).await?;
    identities::insert_many(conn, &[(project, &newcomer.identity)]).await?;
    audit::insert_many(conn, &[&newcomer.entry]).await?;
    Ok(Made::Now)
}

fn outage(problem: StorageError) -> CallRefused {
    CallRefused::Outage(problem.into())
}
