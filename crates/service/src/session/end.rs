//! Ending a session: its row, the news of it, and the entry in the trail, at once.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    session::{EndReason, Session},
};
use countersign_storage::{
    audit,
    changes::{self, Change, What},
    sessions,
};

use crate::{Service, error::Outage};

/// Who ends a session, and why.
pub(crate) struct Ending {
    pub(crate) reason: EndReason,
    pub(crate) actor: Actor,
    pub(crate) act: Act,
    pub(crate) request: Option<String>,
}

impl Service {
    /// Ends a session; nothing happens where it is over already. Once this returns, no node of this process takes its tokens, and within a
    /// second none anywhere.
    pub(crate) async fn end_session(&self, session: &Session, ending: Ending) -> Result<(), Outage> {
        let now = self.now();
        let entry = AuditEntry {
            project: session.project.clone(),
            id: self.audit_id(now),
            at: now,
            act: ending.act,
            actor: ending.actor,
            subject: Subject {
                user: Some(session.user),
                client: Some(session.client.clone()),
                session: Some(session.id),
                key: None,
            },
            request: ending.request,
            detail: vec![("reason", ending.reason.as_str().to_owned())],
        };
        let (project, id, reason) = (session.project.clone(), session.id, ending.reason);
        let entry = Arc::new(entry);
        let written = self.db.write(move |mut conn| {
            let (project, entry) = (project.clone(), Arc::clone(&entry));
            Box::pin(async move {
                let Some(expires_at) = sessions::end(&mut conn, &project, id, reason, now).await? else {
                    return Ok(None);
                };
                let change = Change { project, what: What::SessionEnded(id), expires_at };
                changes::insert(&mut conn, &change).await?;
                audit::insert_many(&mut conn, &[&entry]).await?;
                Ok(Some(change))
            })
        });
        if let Some(change) = written.await? {
            self.apply(&change).await;
        }
        Ok(())
    }
}
