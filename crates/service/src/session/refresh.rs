//! Refreshing: the rule is in `countersign_domain::refresh`; here it meets the row.
//!
//! The row is read, the rule is asked, and the row moves on, in one transaction that is shared with whoever else waits. The rule is a function,
//! so it is asked again afterwards for the answer: from the same row it says the same.
//!
//! A session that is bound to a key doesn't rotate: the key is the proof, and its refresh token is worth nothing without it.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{caller_marks::caller_marks, refresh_token::RefreshToken};
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::{ClockState, Timestamp},
    id::{AuditId, ClientId, MacKeyId},
    oauth::scope::Scopes,
    refresh::{Attempt, CallerMarks, Event, Judgement, Outcome, Rotation},
    session::{EndReason, Over, Session},
    thumbprint::Thumbprint,
};
use countersign_storage::{
    hot::{Moving, Written},
    sessions::{RotationUpdate, StoredSession},
};

use super::end::Ending;
use crate::{
    Service,
    address::Address,
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
    proof::{
        possession::{PossessionRefused, ShownKey, UnverifiedPossession},
        refresh_token::{AuthenticToken, NotAuthentic},
    },
    tally::Refusal,
    token::{Generation, TokenPair, access_expiry},
    verdicts::{ACCEPTED, Proof},
};

/// Why a refresh is refused.
#[derive(Debug, thiserror::Error)]
pub enum RefreshRefused {
    /// Not a refresh token of this project.
    #[error("not a refresh token of this project")]
    NotOurs,
    /// The session is bound to a key, and whoever calls showed no proof of it. A copied refresh token looks like this: nothing may come of it,
    /// neither a token nor the end of the session.
    #[error("the session is bound to a key that was not shown")]
    OtherKey,
    /// The session is another client's than the one that calls, or of a client that must authenticate itself and didn't.
    #[error("the session is another client's")]
    OtherClient,
    /// More was asked for than was granted.
    #[error("more was asked for than was granted")]
    Scope,
    /// The key of the session was shown, by a proof that won't do.
    #[error(transparent)]
    Possession(#[from] PossessionRefused),
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

/// A refresh token that is shown, and with what.
pub(crate) struct RefreshCall<'a> {
    pub(crate) unverified: &'a str,
    pub(crate) possession: Option<&'a UnverifiedPossession>,
    /// The client that calls; none: a door at which clients don't say who they are.
    pub(crate) by: Option<&'a ByClient>,
}

/// A client that refreshes.
#[derive(Clone)]
pub(crate) struct ByClient {
    pub(crate) client: ClientId,
    /// What it wants; none: all that was granted.
    pub(crate) scope: Option<Scopes>,
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

impl Service {
    /// Gives the next pair of tokens for a refresh token; for one of a session that is bound to a key, only together with a proof of it.
    pub async fn refresh(
        &self,
        address: &Address,
        unverified: &str,
        possession: Option<&UnverifiedPossession>,
        caller: &Caller,
    ) -> Result<TokenPair, RefreshRefused> {
        self.refresh_by(address, &RefreshCall { unverified, possession, by: None }, caller).await
    }

    /// The same for whoever calls as a client, or as none.
    pub(crate) async fn refresh_by(
        &self,
        address: &Address,
        call: &RefreshCall<'_>,
        caller: &Caller,
    ) -> Result<TokenPair, RefreshRefused> {
        let refreshed = self.refresh_uncounted(address, call, caller).await;
        let reason = refreshed.as_ref().map_or_else(RefreshRefused::reason, |_| ACCEPTED);
        Proof::RefreshToken.count(reason);
        refreshed
    }

    async fn refresh_uncounted(
        &self,
        address: &Address,
        call: &RefreshCall<'_>,
        caller: &Caller,
    ) -> Result<TokenPair, RefreshRefused> {
        self.fresh()?;
        let AuthenticToken { project, token } = self.prove_refresh_token(address, call.unverified, caller)?;
        let shown = call.possession.and_then(|shown| self.shown_key(&project, shown, None).ok()).map(Arc::new);
        let marks = caller_marks(project.caller_marks_key(), caller.address, &caller.user_agent);
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let refresh = Arc::new(Refresh {
                project: Arc::clone(&project),
                token: token.clone(),
                by: call.by.cloned(),
                shown: shown.clone(),
                marks,
                now,
                since_leap: self.time.since_leap(),
                audit: self.audit_id(now),
                request: caller.request_id.clone(),
            });
            if let Some(pair) = self.attempt(refresh).await? {
                return Ok(pair);
            }
        }
        Err(Outage::Unavailable("the session changes faster than it can be read".to_owned()).into())
    }

    /// One attempt; none where the row changed meanwhile.
    async fn attempt(&self, refresh: Arc<Refresh>) -> Result<Option<TokenPair>, RefreshRefused> {
        let deciding = Arc::clone(&refresh);
        let (project, session) = (&refresh.project.project.id, refresh.token.session);
        let moved = self.db.move_session(project, session, move |stored| deciding.decide(stored)).await;
        let (stored, written) = moved.map_err(Outage::from)?;
        let stored = stored.ok_or(RefreshRefused::Ended)?;
        let weighed = refresh.weigh(&stored).inspect_err(|refused| self.count_other_key(&refresh, refused))?;
        if let Outcome::Ends(reason) = weighed.judgement.outcome {
            self.end_for(&refresh, &stored.session, reason, weighed.judgement.event).await?;
            return Err(RefreshRefused::Ended);
        }
        match (weighed.judgement.outcome, written) {
            (_, Written::Lost) => Ok(None),
            (Outcome::Token { generation, mac_key }, _) => {
                let expires_at = refresh.access_expiry(&stored.session, &weighed);
                let mac_key = refresh.live_mac_key(mac_key);
                let of = Generation { secret: &refresh.token.secret, number: generation, mac_key };
                let pair =
                    self.issue(&refresh.project, &refresh.narrowed(&stored.session), &of, expires_at, refresh.now);
                pair.map(Some).ok_or_else(|| Outage::Fault("the newest MAC key is missing".to_owned()).into())
            }
            (Outcome::Replaced | Outcome::Ends(_), _) => Err(RefreshRefused::Replaced),
        }
    }

    /// A refresh token in other hands than its key is worth knowing of.
    fn count_other_key(&self, refresh: &Refresh, refused: &RefreshRefused) {
        if let RefreshRefused::OtherKey = refused {
            let (project, reason) = (refresh.project.project.id.clone(), refused.reason());
            self.tally.refused(Refusal { project, act: Act::RefreshRefused, reason, key: None });
        }
    }

    async fn end_for(
        &self,
        refresh: &Refresh,
        session: &Session,
        reason: EndReason,
        event: Option<Event>,
    ) -> Result<(), Outage> {
        let act = event.map_or(Act::SessionEnded, act_of);
        let request = Some(refresh.request.clone());
        self.end_session(session, Ending { reason, actor: Actor::System, act, request }).await
    }
}

/// One use of an authentic refresh token: all that is needed to judge it, whatever the row turns out to say.
struct Refresh {
    project: Arc<ProjectView>,
    token: RefreshToken,
    by: Option<ByClient>,
    /// The key that the call shows.
    shown: Option<Arc<ShownKey>>,
    marks: CallerMarks,
    now: Timestamp,
    /// How long ago the clock leapt.
    since_leap: Option<Duration>,
    audit: AuditId,
    request: String,
}

/// What the rule says of a session that may be refreshed.
struct Weighed<'a> {
    client: &'a ClientView,
    judgement: Judgement,
}

impl Refresh {
    /// The visible list of what a session must pass before the rule is asked, and what the rule says.
    fn weigh(&self, stored: &StoredSession) -> Result<Weighed<'_>, RefreshRefused> {
        if !stored.secret_hash.matches(&self.token.secret) {
            return Err(RefreshRefused::NotOurs);
        }
        let session = &stored.session;
        let shown = session.dpop_jkt.map(|key| self.shown_as(key)).transpose()?;
        let client = self.project.client(&session.client).filter(|view| view.client.disabled_at.is_none());
        let client = client.ok_or(RefreshRefused::Ended)?;
        self.check_client(session, client)?;
        let clock = ClockState::after_leap(self.since_leap, client.settings.refresh_overlap);
        check_over(session, self.now, clock)?;
        let current = self.project.generations(stored.user_generation, &session.client, session.vouched_by);
        if stored.user_disabled_at.is_some() || session.generations.overtaken_by(current).is_some() {
            return Err(RefreshRefused::Ended);
        }
        let mut rule = client.settings.refresh_rule();
        if let Some(shown) = shown {
            shown.require(client.nonce_policy())?;
            rule.rotates = false;
        }
        let attempt = Attempt {
            generation: self.token.generation,
            caller: self.marks,
            mac_key: self.project.mac_key(),
            now: self.now,
            clock,
        };
        let judgement = session.rotation.judge(&attempt, &rule);
        Ok(Weighed { client, judgement })
    }

    /// Whoever calls as a client must be the session's. Whoever calls as none must not get at a session that was opened for a client that
    /// authenticates itself: its refresh token is worth nothing without that.
    fn check_client(&self, session: &Session, client: &ClientView) -> Result<(), RefreshRefused> {
        let is_right = match &self.by {
            Some(by) => by.client == session.client,
            None => session.vouched_by.is_some() || !client.settings.oauth_auth_method.proves(),
        };
        if !is_right {
            return Err(RefreshRefused::OtherClient);
        }
        let granted = Scopes::parse(&session.scope).unwrap_or_default();
        let asked = self.by.as_ref().and_then(|by| by.scope.as_ref());
        if asked.is_some_and(|asked| !asked.is_within(&granted)) { Err(RefreshRefused::Scope) } else { Ok(()) }
    }

    /// The session as the answer is made of it: whoever asks for less gets less.
    fn narrowed(&self, session: &Session) -> Session {
        let mut session = session.clone();
        if let Some(asked) = self.by.as_ref().and_then(|by| by.scope.as_ref()) {
            session.scope = asked.to_string();
        }
        session
    }

    fn shown_as(&self, key: Thumbprint) -> Result<&ShownKey, RefreshRefused> {
        self.shown.as_deref().filter(|shown| shown.key() == key).ok_or(RefreshRefused::OtherKey)
    }

    /// What the row must say before the answer may be given.
    fn decide(&self, stored: &StoredSession) -> Option<Moving> {
        let weighed = self.weigh(stored).ok()?;
        let session = &stored.session;
        let moved = match weighed.judgement.outcome {
            Outcome::Token { .. } => self.moved(session, &weighed)?,
            Outcome::Replaced => weighed.judgement.next.clone()?,
            Outcome::Ends(_) => return None,
        };
        let is_use = matches!(weighed.judgement.outcome, Outcome::Token { .. });
        let idle = self.now.plus(weighed.client.settings.session_idle);
        let access_expires_at = self.access_expiry(session, &weighed).max(session.access_expires_at);
        let update = RotationUpdate {
            project: session.project.clone(),
            session: session.id,
            revision: stored.revision,
            rotation: moved,
            idle_expires_at: if is_use { idle } else { session.idle_expires_at },
            access_expires_at: if is_use { access_expires_at } else { session.access_expires_at },
        };
        Some(Moving { update, audit: self.entry(session, weighed.judgement.event) })
    }

    /// Where the row stands once a token has been given; none where it may stay as it is. A repeated answer needs no write as long as the expiry
    /// on record leaves the app something to work with.
    fn moved(&self, session: &Session, weighed: &Weighed<'_>) -> Option<Rotation> {
        let left = session.access_expires_at.since(self.now);
        let is_short = left < weighed.client.settings.access_lifetime / 2;
        weighed.judgement.next.clone().or_else(|| is_short.then(|| session.rotation.clone()))
    }

    /// Until when the access token lives that goes with the answer: never longer than the row will say, nor than the setting says now.
    fn access_expiry(&self, session: &Session, weighed: &Weighed<'_>) -> Timestamp {
        let expiry = access_expiry(weighed.client.settings.access_lifetime, session.expires_at, self.now);
        match self.moved(session, weighed) {
            Some(_) => expiry,
            None => expiry.min(session.access_expires_at),
        }
    }

    /// A token that was made under a key since revoked is made again under the newest.
    fn live_mac_key(&self, wanted: MacKeyId) -> MacKeyId {
        match self.project.refresh_token_key(wanted) {
            Some(_) => wanted,
            None => self.project.mac_key(),
        }
    }

    fn entry(&self, session: &Session, event: Option<Event>) -> AuditEntry {
        AuditEntry {
            project: session.project.clone(),
            id: self.audit,
            at: self.now,
            act: event.map_or(Act::SessionRefreshed, act_of),
            actor: Actor::User(session.user),
            subject: Subject {
                user: Some(session.user),
                client: Some(session.client.clone()),
                session: Some(session.id),
                key: None,
            },
            request: Some(self.request.clone()),
            detail: Vec::new(),
        }
    }
}

/// After a leap of the clock nothing is over because of a time.
fn check_over(session: &Session, now: Timestamp, clock: ClockState) -> Result<(), RefreshRefused> {
    match session.over(now) {
        Some(Over::Ended(_)) => Err(RefreshRefused::Ended),
        Some(Over::Expired) if clock == ClockState::Settled => Err(RefreshRefused::Ended),
        Some(Over::Idle) if clock == ClockState::Settled => Err(RefreshRefused::Idle),
        Some(Over::Expired | Over::Idle) | None => Ok(()),
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
            Self::OtherKey => "other_key",
            Self::OtherClient => "other_client",
            Self::Scope => "scope",
            Self::Possession(refused) => refused.reason(),
            Self::Replaced => "replaced",
            Self::Ended => "ended",
            Self::Idle => "idle",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}
