//! Ending what was opened with a device: the browsers in which somebody is signed in by it, the codes on their way from there to apps, and the
//! sessions of apps.

use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{AuditId, PasskeyId, ProjectId, UserId},
    session::EndReason,
};
use countersign_storage::{
    Conn, audit, browser_sessions,
    changes::{Change, What},
    device_sessions,
    error::Result,
    sessions,
};

use crate::{Service, passkeys::By};

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
pub(super) struct Ending {
    entropy: Entropy,
    pub(super) project: ProjectId,
    pub(super) user: UserId,
    pub(super) device: PasskeyId,
    actor: Actor,
    request: Option<String>,
    pub(super) now: Timestamp,
}

impl Service {
    pub(super) fn ending(&self, project: &ProjectId, user: UserId, device: PasskeyId, by: By<'_>) -> Ending {
        Ending {
            entropy: self.entropy.clone(),
            project: project.clone(),
            user,
            device,
            actor: by.actor(user),
            request: by.caller().map(|caller| caller.request_id.clone()),
            now: self.now(),
        }
    }
}

impl Ending {
    /// In the transaction that has made the device worthless: whoever is just proving somebody by it was waited for, and is found here. Codes before
    /// sessions: whoever is just buying one with a code is waited for, too.
    pub(super) async fn run(&self, conn: &mut Conn<'_>) -> Result<Vec<Change>> {
        let Self { project, user, device, now, .. } = self;
        let (mut entries, mut news) = (Vec::new(), Vec::new());
        for browser in browser_sessions::end_of_passkey(conn, project, *user, *device, *now).await? {
            let detail = vec![("browser_session", browser.to_string())];
            entries.push(self.entry(Act::BrowserSessionEnded, Subject::default(), detail));
        }
        device_sessions::spend_codes(conn, project, *device, *now).await?;
        loop {
            let live = device_sessions::list_live(conn, project, *device).await?;
            if live.is_empty() {
                break;
            }
            for session in live {
                if let Some(expires_at) = sessions::end(conn, project, session, EndReason::Revoked, *now).await? {
                    let reason = vec![("reason", EndReason::Revoked.as_str().to_owned())];
                    let subject = Subject { session: Some(session), ..Subject::default() };
                    entries.push(self.entry(Act::SessionEnded, subject, reason));
                    news.push(Change { project: project.clone(), what: What::SessionEnded(session), expires_at });
                }
            }
        }
        audit::insert_many(conn, &entries.iter().collect::<Vec<_>>()).await?;
        Ok(news)
    }

    fn entry(&self, act: Act, subject: Subject, detail: Vec<(&'static str, String)>) -> AuditEntry {
        AuditEntry {
            project: self.project.clone(),
            id: AuditId::new(self.now, self.entropy.bytes()),
            at: self.now,
            act,
            actor: self.actor,
            subject: Subject { user: Some(self.user), key: Some(self.device.to_string()), ..subject },
            request: self.request.clone(),
            detail,
        }
    }
}
