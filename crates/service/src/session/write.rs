//! Writing a session that was drawn up, for a user who is known by now, and ending what must make room for it.

use std::num::NonZeroU32;

use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{AuditId, SessionId, UserId},
    session::Session,
};
use countersign_storage::{
    Conn, audit,
    changes::{self, Change, What},
    error::Result,
    sessions::{self, NewSession},
};

use super::{
    draft::{Draft, Terms},
    room::{MadeRoom, make_room},
};
use crate::{
    Service,
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    token::TokenPair,
};

/// What it takes, drawn up before: the transaction may run several times and must come to the same.
pub(crate) struct Writing {
    pub(crate) draft: Draft,
    pub(crate) cap: NonZeroU32,
    pub(crate) entropy: Entropy,
    pub(crate) request: String,
}

/// A session on record, and what every node must hear.
pub(crate) struct WrittenSession {
    pub(crate) session: Session,
    pub(crate) changes: Vec<Change>,
}

impl Service {
    pub(crate) fn writing(
        &self,
        project: &ProjectView,
        client: &ClientView,
        terms: Terms,
        caller: &Caller,
        now: Timestamp,
    ) -> Writing {
        Writing {
            draft: self.draft(project, client, terms, now),
            cap: client.settings.session_cap,
            entropy: self.entropy.clone(),
            request: caller.request_id.clone(),
        }
    }

    /// After the commit: this node knows at once, and the app gets its tokens.
    pub(crate) async fn written(
        &self,
        project: &ProjectView,
        writing: &Writing,
        written: &WrittenSession,
    ) -> std::result::Result<TokenPair, Outage> {
        for change in &written.changes {
            self.apply(change).await;
        }
        self.first_pair(project, &writing.draft, &written.session)
    }
}

impl Writing {
    pub(crate) async fn run(&self, conn: &mut Conn<'_>, user: UserId, generation: u32) -> Result<WrittenSession> {
        let session = self.draft.of(user, generation);
        let gone = make_room(conn, &session, self.cap).await?;
        let row = NewSession { session, secret_hash: self.draft.secret.hash() };
        sessions::insert_many(conn, &[&row]).await?;
        let session = row.session;
        let entries = self.entries(&session, &gone);
        audit::insert_many(conn, &entries.iter().collect::<Vec<_>>()).await?;
        let news = |made: MadeRoom| Change {
            project: session.project.clone(),
            what: What::SessionEnded(made.session),
            expires_at: made.until,
        };
        let changes: Vec<Change> = gone.into_iter().map(news).collect();
        for change in &changes {
            changes::insert(conn, change).await?;
        }
        Ok(WrittenSession { session, changes })
    }

    fn entries(&self, session: &Session, gone: &[MadeRoom]) -> Vec<AuditEntry> {
        let ended = |made: &MadeRoom| {
            let reason = vec![("reason", made.reason.as_str().to_owned())];
            self.entry(session, Act::SessionEnded, made.session, reason)
        };
        gone.iter().map(ended).chain([self.opened(session)]).collect()
    }

    /// What the audit trail says of the session.
    pub(crate) fn opened(&self, session: &Session) -> AuditEntry {
        let bound = ("bound", session.dpop_jkt.is_some().to_string());
        self.entry(session, Act::SessionOpened, session.id, vec![bound])
    }

    fn entry(&self, opened: &Session, act: Act, id: SessionId, detail: Vec<(&'static str, String)>) -> AuditEntry {
        AuditEntry {
            project: opened.project.clone(),
            id: AuditId::new(opened.created_at, self.entropy.bytes()),
            at: opened.created_at,
            act,
            actor: Actor::User(opened.user),
            subject: Subject {
                user: Some(opened.user),
                client: Some(opened.client.clone()),
                session: Some(id),
                key: opened.vouched_by.map(|key| key.to_string()),
            },
            request: Some(self.request.clone()),
            detail,
        }
    }
}
