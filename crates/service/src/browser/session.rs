//! Who is signed in, in a browser.

use std::{sync::Arc, time::Duration};

use countersign_crypto::browser_cookie::{CookieHash, SessionCookie};
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    browser_session::BrowserSession,
    generations::Generations,
    id::{AuditId, BrowserSessionId, PasskeyId, UserId},
    proof::Proof,
};
use countersign_storage::{Conn, audit, browser_sessions, error::Result as StorageResult, identities};

use super::{Browser, NewCookie};
use crate::{Service, caller::Caller, directory::ProjectView, error::Outage};

/// Where nobody stays signed in, this long is enough to say yes to an app, or to look at one's own account.
const SHORTEST: Duration = Duration::from_mins(30);

/// A browser in which somebody is signed in now.
#[derive(Clone)]
pub(crate) struct LiveBrowser {
    /// The session.
    pub(crate) session: BrowserSession,
    pub(crate) cookie: SessionCookie,
}

/// A browser session that is to be opened once it is known for whom.
pub(crate) struct BrowserDraft {
    pub(crate) cookie: SessionCookie,
    session: BrowserSession,
    /// Whoever was signed in there before is no longer.
    before: Option<(BrowserSessionId, CookieHash)>,
    entries: [AuditId; 2],
    request: String,
}

impl BrowserDraft {
    /// For somebody who is proved by this passkey, if by any.
    #[must_use]
    pub(crate) const fn by(mut self, passkey: Option<PasskeyId>) -> Self {
        self.session.passkey = passkey;
        self
    }

    /// In the transaction of whoever knows the user. `false`: nobody may be signed in as this one.
    pub(crate) async fn open(&self, conn: &mut Conn<'_>, user: UserId) -> StorageResult<bool> {
        let session = BrowserSession { user, ..self.session.clone() };
        let project = &session.project;
        let mut entries = Vec::new();
        if let Some((id, cookie)) = self.before
            && let Some(before) = browser_sessions::find(conn, project, id, cookie).await?
        {
            let before = before.session;
            browser_sessions::end(conn, project, before.user, id, session.created_at).await?;
            entries.push(self.entry(Act::BrowserSessionEnded, self.entries[0], before.user, id));
        }
        if !browser_sessions::insert(conn, &session, self.cookie.hash()).await? {
            return Ok(false);
        }
        entries.push(self.entry(Act::BrowserSessionOpened, self.entries[1], user, session.id));
        audit::insert_many(conn, &entries.iter().collect::<Vec<_>>()).await?;
        Ok(true)
    }

    fn entry(&self, act: Act, id: AuditId, user: UserId, session: BrowserSessionId) -> AuditEntry {
        AuditEntry {
            project: self.session.project.clone(),
            id,
            at: self.session.created_at,
            act,
            actor: Actor::User(user),
            subject: Subject { user: Some(user), ..Subject::default() },
            request: Some(self.request.clone()),
            detail: vec![("browser_session", session.to_string())],
        }
    }
}

impl Service {
    /// Draws up a browser session for whoever it turns out to be.
    pub(crate) fn draw_up_browser(
        &self,
        project: &ProjectView,
        proof: Proof,
        before: Option<&SessionCookie>,
        caller: &Caller,
    ) -> BrowserDraft {
        let now = self.now();
        let id = BrowserSessionId::new(now, self.entropy.bytes());
        BrowserDraft {
            cookie: SessionCookie::generate(id, &self.entropy),
            session: BrowserSession {
                project: project.project.id.clone(),
                id,
                user: UserId::from_bytes([0; 16]),
                proof,
                passkey: None,
                generations: Generations { project: project.project.generation, ..Generations::default() },
                user_agent: caller.agent(),
                created_at: now,
                expires_at: now.plus(lifetime(project)),
                ended_at: None,
            },
            before: before.map(|cookie| (cookie.unverified_id, cookie.hash())),
            entries: [AuditId::new(now, self.entropy.bytes()), AuditId::new(now, self.entropy.bytes())],
            request: caller.request_id.clone(),
        }
    }

    /// Who is signed in, in this browser.
    pub(crate) async fn live_browser(
        &self,
        project: &Arc<ProjectView>,
        browser: Browser<'_>,
    ) -> Result<Option<LiveBrowser>, Outage> {
        let Some(cookie) = browser.session.and_then(SessionCookie::read) else {
            return Ok(None);
        };
        let mut reader = self.db.reader().await?;
        let id = &project.project.id;
        let found = browser_sessions::find(&mut reader.conn(), id, cookie.unverified_id, cookie.hash()).await?;
        let now = self.now();
        let is_live = |stored: &browser_sessions::StoredBrowserSession| {
            let current = Generations {
                user: stored.user_generation,
                project: project.project.generation,
                ..Generations::default()
            };
            stored.session.is_live(current, now)
        };
        Ok(found.filter(is_live).map(|stored| LiveBrowser { session: stored.session, cookie }))
    }

    /// What somebody is called on their own pages: the address by which they know themselves, or what else there is.
    pub(crate) async fn known_as(&self, project: &ProjectView, user: UserId) -> Result<String, Outage> {
        if let Some(email) = self.email_of(project, user).await? {
            return Ok(email.address);
        }
        let mut reader = self.db.reader().await?;
        let all = identities::list(&mut reader.conn(), &project.project.id, user).await?;
        Ok(all.first().map_or_else(|| user.to_string(), |record| record.identity.value().to_owned()))
    }
}

/// How long a browser session lives.
fn lifetime(project: &ProjectView) -> Duration {
    project.settings.browser_lifetime.max(SHORTEST)
}

/// The cookie of a session that was just opened.
pub(crate) fn new_cookie(project: &ProjectView, cookie: &SessionCookie) -> NewCookie {
    NewCookie { value: cookie.to_cookie(), max_age: project.settings.browser_lifetime }
}
