//! Refreshing: the rule is in `countersign_domain::refresh`; here it meets the row.

use countersign_crypto::{caller_marks::caller_marks, refresh_token::RefreshToken};
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::{ClockState, Timestamp},
    refresh::{Attempt, Event, Judgement, Outcome, Rotation},
    session::{EndReason, Over},
};
use countersign_storage::{
    sessions::{self, RotationUpdate, StoredSession},
    writer::{HotRow, HotUnit, Written},
};
use metrics::counter;

use super::end::Ending;
use crate::{
    Service,
    address::Address,
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
    proof::refresh_token::{AuthenticToken, NotAuthentic},
    token::{Generation, TokenPair, access_expiry},
};

/// Why a refresh is refused.
#[derive(Debug, thiserror::Error)]
pub enum RefreshRefused {
    /// Not a refresh token of this project.
    #[error("not a refresh token of this project")]
    NotOurs,
    /// Another part of the app holds a newer token; the session lives.
    #[error("another part of the app holds a newer token")]
    Replaced,
    /// The session is over.
    #[error("the session has ended")]
    Ended,
    /// The session wasn't refreshed for too long.
    #[error("the session was idle for too long")]
    Idle,
    /// Too many failed calls from this network.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl From<NotAuthentic> for RefreshRefused {
    fn from(refused: NotAuthentic) -> Self {
        match refused {
            NotAuthentic::NotOurs => Self::NotOurs,
            NotAuthentic::TooMany(too_many) => Self::TooMany(too_many),
        }
    }
}

/// How often a row may change under our hands before we give up: each time, somebody else got through.
const ATTEMPTS: usize = 16;

/// A session that may be refreshed, as it was read, with what the answer needs.
struct Standing<'a> {
    project: &'a ProjectView,
    client: &'a ClientView,
    stored: StoredSession,
    now: Timestamp,
}

impl Service {
    /// Gives the next pair of tokens for a refresh token.
    pub async fn refresh(
        &self,
        address: &Address,
        unverified: &str,
        caller: &Caller,
    ) -> Result<TokenPair, RefreshRefused> {
        let refreshed = self.refresh_uncounted(address, unverified, caller).await;
        let reason = refreshed.as_ref().map_or_else(RefreshRefused::reason, |_| "accepted");
        counter!("countersign_verdicts_total", "proof" => "refresh_token", "reason" => reason).increment(1);
        refreshed
    }

    async fn refresh_uncounted(
        &self,
        address: &Address,
        unverified: &str,
        caller: &Caller,
    ) -> Result<TokenPair, RefreshRefused> {
        self.fresh()?;
        let AuthenticToken { project, token } = self.prove_refresh_token(address, unverified, caller)?;
        for _ in 0..ATTEMPTS {
            let standing = self.standing(&project, &token).await?;
            if let Some(pair) = self.attempt(&standing, &token, caller).await? {
                return Ok(pair);
            }
        }
        Err(Outage::Unavailable("the session changes faster than it can be read".to_owned()).into())
    }

    /// The visible list of what a session must pass before the rule is asked.
    async fn standing<'a>(
        &self,
        project: &'a ProjectView,
        token: &RefreshToken,
    ) -> Result<Standing<'a>, RefreshRefused> {
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = sessions::find(&mut reader.conn(), &project.project.id, token.session).await;
        drop(reader);
        let stored = found.map_err(Outage::from)?.ok_or(RefreshRefused::Ended)?;
        if !stored.secret_hash.matches(&token.secret) {
            return Err(RefreshRefused::NotOurs);
        }
        let session = &stored.session;
        let client = project
            .client(&session.client)
            .filter(|view| view.client.disabled_at.is_none());
        let client = client.ok_or(RefreshRefused::Ended)?;
        let now = self.now();
        self.check_over(&stored, client, now)?;
        let current = project.generations(stored.user_generation, &session.client, session.vouched_by);
        if stored.user_disabled_at.is_some() || session.generations.overtaken_by(current).is_some() {
            return Err(RefreshRefused::Ended);
        }
        Ok(Standing {
            project,
            client,
            stored,
            now,
        })
    }

    /// After a leap of the clock nothing is over because of a time.
    fn check_over(&self, stored: &StoredSession, client: &ClientView, now: Timestamp) -> Result<(), RefreshRefused> {
        let is_settled = self.clock(client.settings.refresh_overlap) == ClockState::Settled;
        match stored.session.over(now) {
            Some(Over::Ended(_)) => Err(RefreshRefused::Ended),
            Some(Over::Expired) if is_settled => Err(RefreshRefused::Ended),
            Some(Over::Idle) if is_settled => Err(RefreshRefused::Idle),
            Some(Over::Expired | Over::Idle) | None => Ok(()),
        }
    }

    /// One attempt by the rule; none where the row changed meanwhile.
    async fn attempt(
        &self,
        standing: &Standing<'_>,
        token: &RefreshToken,
        caller: &Caller,
    ) -> Result<Option<TokenPair>, RefreshRefused> {
        let settings = &standing.client.settings;
        let attempt = Attempt {
            generation: token.generation,
            caller: caller_marks(standing.project.caller_marks_key(), caller.address, &caller.user_agent),
            mac_key: standing.project.mac_key(),
            now: standing.now,
            clock: self.clock(settings.refresh_overlap),
        };
        let Judgement { outcome, next, event } = standing
            .stored
            .session
            .rotation
            .judge(&attempt, &settings.refresh_rule());
        match outcome {
            Outcome::Ends(reason) => {
                self.end_for(standing, reason, event, caller).await?;
                Err(RefreshRefused::Ended)
            }
            Outcome::Replaced => {
                let recorded = match next {
                    Some(next) => self.record(standing, next, None, event, caller).await?,
                    None => Written::Done,
                };
                if recorded == Written::Done {
                    Err(RefreshRefused::Replaced)
                } else {
                    Ok(None)
                }
            }
            Outcome::Token { generation, .. } => self.answer(standing, token, generation, next, event, caller).await,
        }
    }

    async fn answer(
        &self,
        standing: &Standing<'_>,
        token: &RefreshToken,
        generation: u32,
        next: Option<Rotation>,
        event: Option<Event>,
        caller: &Caller,
    ) -> Result<Option<TokenPair>, RefreshRefused> {
        let session = &standing.stored.session;
        let lifetime = standing.client.settings.access_lifetime;
        let fresh_expiry = access_expiry(lifetime, session.expires_at, standing.now);
        // A repeated answer needs no write as long as the expiry on record leaves the app something to work with.
        let is_short = session.access_expires_at.since(standing.now) < lifetime / 2;
        let rotation = next.as_ref().unwrap_or(&session.rotation);
        let mac_key = match standing.project.refresh_token_key(rotation.mac_key) {
            Some(_) => rotation.mac_key,
            None => standing.project.mac_key(),
        };
        let of = Generation {
            secret: &token.secret,
            number: generation,
            mac_key,
        };
        let moved = next.clone().or_else(|| is_short.then(|| session.rotation.clone()));
        let Some(moved) = moved else {
            return self.next_pair(standing, &of, session.access_expires_at).map(Some);
        };
        let signing = async { self.next_pair(standing, &of, fresh_expiry) };
        let writing = self.record(standing, moved, Some(fresh_expiry), event, caller);
        let (written, pair) = futures_util::future::join(writing, signing).await;
        match written? {
            Written::Done => pair.map(Some),
            Written::Lost => Ok(None),
        }
    }

    fn next_pair(
        &self,
        standing: &Standing<'_>,
        of: &Generation<'_>,
        expires_at: Timestamp,
    ) -> Result<TokenPair, RefreshRefused> {
        let pair = self.issue(standing.project, &standing.stored.session, of, expires_at, standing.now);
        pair.ok_or_else(|| Outage::Fault("the newest MAC key is missing".to_owned()).into())
    }

    /// Moves the row on. An access token that goes with it expires at `access_expires_at`.
    async fn record(
        &self,
        standing: &Standing<'_>,
        rotation: Rotation,
        access_expires_at: Option<Timestamp>,
        event: Option<Event>,
        caller: &Caller,
    ) -> Result<Written, RefreshRefused> {
        let session = &standing.stored.session;
        let has_moved = rotation.generation != session.rotation.generation || access_expires_at.is_some();
        let idle = standing.now.plus(standing.client.settings.session_idle);
        let act = match event {
            Some(event) => act_of(event),
            None => Act::SessionRefreshed,
        };
        let update = RotationUpdate {
            project: session.project.clone(),
            session: session.id,
            revision: standing.stored.revision,
            rotation,
            idle_expires_at: if has_moved { idle } else { session.idle_expires_at },
            access_expires_at: access_expires_at
                .unwrap_or(session.access_expires_at)
                .max(session.access_expires_at),
        };
        let audit = vec![self.entry(standing, act, caller)];
        let unit = HotUnit {
            row: HotRow::Rotation(Box::new(update)),
            audit,
        };
        Ok(self.db.write_hot(unit).await.map_err(Outage::from)?)
    }

    fn entry(&self, standing: &Standing<'_>, act: Act, caller: &Caller) -> AuditEntry {
        let session = &standing.stored.session;
        AuditEntry {
            project: session.project.clone(),
            id: self.audit_id(standing.now),
            at: standing.now,
            act,
            actor: Actor::User(session.user),
            subject: Subject {
                user: Some(session.user),
                client: Some(session.client.clone()),
                session: Some(session.id),
                key: None,
            },
            request: Some(caller.request_id.clone()),
            detail: Vec::new(),
        }
    }

    async fn end_for(
        &self,
        standing: &Standing<'_>,
        reason: EndReason,
        event: Option<Event>,
        caller: &Caller,
    ) -> Result<(), Outage> {
        let act = event.map_or(Act::SessionEnded, act_of);
        let request = Some(caller.request_id.clone());
        self.end_session(
            &standing.stored.session,
            Ending {
                reason,
                actor: Actor::System,
                act,
                request,
            },
        )
        .await
    }
}

fn act_of(event: Event) -> Act {
    match event {
        Event::ForeignReplay | Event::ForeignStraggler => Act::SessionForeignReplay,
        Event::LostCommit => Act::SessionCommitLost,
        Event::Theft => Act::SessionTheft,
    }
}

impl RefreshRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::Replaced => "replaced",
            Self::Ended => "ended",
            Self::Idle => "idle",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}
