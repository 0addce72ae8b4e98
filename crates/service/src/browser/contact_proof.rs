//! The code for another address, or number, is shown: what one transaction does with it.

use countersign_crypto::{
    entropy::Entropy,
    one_time_code::{OneTimeCode, OneTimeCodeKey},
};
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    generations::Generations,
    id::{AuditId, BrowserSessionId, ProjectId, UserId},
    identity::{IdentityRecord, IdentitySource},
    sign_in::TRIES,
};
use countersign_storage::{
    Conn, audit, browser_sessions,
    changes::{self, Change},
    contact_changes::{self, ContactChange, Tried},
    error::Result as StorageResult,
    identities,
    messages::{self, OutgoingMessage},
    users,
};

use crate::Service;

/// Nobody signs the browser out until the transaction ends.
pub(super) async fn is_still_signed_in(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    browser: BrowserSessionId,
    project_generation: u32,
    now: Timestamp,
) -> StorageResult<bool> {
    let held = browser_sessions::hold(conn, project, browser).await?;
    Ok(held.is_some_and(|held| {
        let current = Generations { user: held.user_generation, project: project_generation, ..Generations::default() };
        held.session.user == user && held.session.is_live(current, now)
    }))
}

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
pub(super) struct Proving {
    pub(super) tried: Tried,
    pub(super) code: OneTimeCode,
    pub(super) key: OneTimeCodeKey,
    pub(super) generation: u32,
    /// What the code was sent for, as far as was read before.
    pub(super) pending: ContactChange,
    pub(super) notices: Vec<OutgoingMessage>,
    pub(super) entropy: Entropy,
    pub(super) request: String,
    pub(super) now: Timestamp,
}

pub(super) enum Done {
    Known(Vec<Change>),
    /// It isn't the code.
    Wrong,
    /// There is no code that could be shown here.
    Over,
    /// Somebody else is known by it.
    Taken,
    SignedOut,
}

impl Proving {
    pub(super) async fn run(&self, conn: &mut Conn<'_>) -> StorageResult<Done> {
        let Tried { project, user, browser, .. } = &self.tried;
        if !is_still_signed_in(conn, project, *user, *browser, self.generation, self.now).await? {
            return Ok(Done::SignedOut);
        }
        let Some(change) = contact_changes::count_try(conn, &self.tried, TRIES, self.now).await? else {
            return Ok(Done::Over);
        };
        if !self.key.matches(change.challenge, &self.code, &change.code_hash) {
            if change.tries >= TRIES {
                messages::withdraw_codes(conn, &change.project, &[change.challenge], self.now).await?;
            }
            return Ok(Done::Wrong);
        }
        // It works once, whatever comes of it.
        contact_changes::delete(conn, &change, self.now).await?;
        // What is told to whom was drawn up for another wish: whoever made that one sends it again.
        if change.to != self.pending.to || change.replaces != self.pending.replaces {
            return Ok(Done::Over);
        }
        self.become_known(conn, &change).await
    }

    async fn become_known(&self, conn: &mut Conn<'_>, change: &ContactChange) -> StorageResult<Done> {
        let (project, user) = (&change.project, change.user);
        let (mut entries, mut news) = (Vec::new(), Vec::new());
        users::lock(conn, project, user).await?;
        match identities::find(conn, project, &change.to).await? {
            Some(record) if record.user == user => {
                identities::prove(conn, project, user, &change.to, self.now).await?;
            }
            Some(record) => {
                if !self.is_merely_said(conn, &record).await?
                    || !identities::delete_unproved(conn, project, record.user, &change.to).await?
                {
                    return Ok(Done::Taken);
                }
                entries.push(self.entry(Act::IdentityRemoved, record.user, Some("proved_by_another")));
                news.push(Service::user_news(project, record.user, self.now));
                self.add(conn, change).await?;
            }
            None => self.add(conn, change).await?,
        }
        entries.push(self.entry(Act::IdentityAdded, user, None));
        if let Some(old) = change.replaces.as_ref().filter(|old| **old != change.to)
            && identities::delete(conn, project, user, old).await?
        {
            entries.push(self.entry(Act::IdentityRemoved, user, None));
        }
        news.push(Service::user_news(project, user, self.now));
        for notice in &self.notices {
            messages::insert(conn, notice).await?;
        }
        for change in &news {
            changes::insert(conn, change).await?;
        }
        audit::insert_many(conn, &entries.iter().collect::<Vec<_>>()).await?;
        Ok(Done::Known(news))
    }

    /// Somebody who is known by other things, too, merely said that it was theirs.
    async fn is_merely_said(&self, conn: &mut Conn<'_>, record: &IdentityRecord) -> StorageResult<bool> {
        if record.verified_at.is_some() {
            return Ok(false);
        }
        let all = identities::list(conn, &self.tried.project, record.user).await?;
        Ok(all.iter().any(|other| other.identity != record.identity))
    }

    async fn add(&self, conn: &mut Conn<'_>, change: &ContactChange) -> StorageResult<()> {
        let record = IdentityRecord {
            identity: change.to.clone(),
            user: change.user,
            source: IdentitySource::Proof,
            verified_at: Some(self.now),
            created_at: self.now,
        };
        identities::insert_many(conn, &[(&change.project, &record)]).await
    }

    fn entry(&self, act: Act, of: UserId, reason: Option<&'static str>) -> AuditEntry {
        let reason = reason.map(|reason| ("reason", reason.to_owned()));
        AuditEntry {
            project: self.tried.project.clone(),
            id: AuditId::new(self.now, self.entropy.bytes()),
            at: self.now,
            act,
            actor: Actor::User(self.tried.user),
            subject: Subject { user: Some(of), ..Subject::default() },
            request: Some(self.request.clone()),
            detail: [("kind", self.tried.kind.to_string())].into_iter().chain(reason).collect(),
        }
    }
}
