//! What users let apps of others know and do: looking at it, and taking it back. It is given in [`sign_in`](crate::sign_in).

use std::sync::Arc;

use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{AuditId, ClientId, ProjectId, SessionId, UserId},
    session::EndReason,
};
use countersign_storage::{
    Conn, audit, authorization_codes,
    changes::{Change, What},
    consents::{self, Consent},
    error::Result as StorageResult,
    sessions,
};

use crate::{
    Service,
    admin::{Decision, Deed, Refused},
    caller::Caller,
    error::Outage,
};

/// What is taken back, drawn up before.
struct Withdrawal {
    entropy: Entropy,
    project: ProjectId,
    user: UserId,
    client: ClientId,
    actor: Actor,
    request: Option<String>,
    now: Timestamp,
}

impl Service {
    /// All that a user lets apps know and do, the newest first.
    pub async fn list_consents(&self, project: &ProjectId, user: UserId) -> Result<Vec<Consent>, Outage> {
        Ok(consents::list(&mut self.db.reader().await?.conn(), project, user).await?)
    }

    /// Takes back what a user lets an app know and do, and ends the sessions that the user has in it: within a second nobody takes their tokens.
    /// `caller`: the user, on their own page; none: an operator.
    pub async fn take_consent_back(
        &self,
        project: &ProjectId,
        user: UserId,
        client: &ClientId,
        caller: Option<&Caller>,
    ) -> Result<(), Refused> {
        let actor = caller.map_or(Actor::Operator, |_| Actor::User(user));
        let deed = Deed {
            project: project.clone(),
            act: Act::ConsentTakenBack,
            subject: Subject { user: Some(user), client: Some(client.clone()), ..Subject::default() },
            detail: Vec::new(),
        };
        let withdrawal = Arc::new(Withdrawal {
            entropy: self.entropy.clone(),
            project: project.clone(),
            user,
            client: client.clone(),
            actor,
            request: caller.map(|caller| caller.request_id.clone()),
            now: self.now(),
        });
        let done = self.perform(deed, actor, caller, move |conn| {
            let withdrawal = Arc::clone(&withdrawal);
            Box::pin(async move { withdrawal.run(conn).await })
        });
        done.await
    }
}

impl Withdrawal {
    /// A code that is on its way to the client is worth nothing either. Codes before sessions: whoever is just buying one with a code is waited for,
    /// and found.
    async fn run(&self, conn: &mut Conn<'_>) -> StorageResult<Decision<()>> {
        let Self { project, user, client, now, .. } = self;
        if !consents::delete(conn, project, *user, client).await? {
            return Ok(Err(Refused::not_found("consent of this user for client", client)));
        }
        authorization_codes::spend_all(conn, project, *user, client, *now).await?;
        let (mut entries, mut news) = (Vec::new(), Vec::new());
        loop {
            let live = sessions::list_beyond(conn, project, *user, client, 0).await?;
            if live.is_empty() {
                break;
            }
            for session in live {
                if let Some(expires_at) = sessions::end(conn, project, session, EndReason::Revoked, *now).await? {
                    entries.push(self.entry(session));
                    news.push(Change { project: project.clone(), what: What::SessionEnded(session), expires_at });
                }
            }
        }
        audit::insert_many(conn, &entries.iter().collect::<Vec<_>>()).await?;
        Ok(Ok(((), news)))
    }

    fn entry(&self, session: SessionId) -> AuditEntry {
        AuditEntry {
            project: self.project.clone(),
            id: AuditId::new(self.now, self.entropy.bytes()),
            at: self.now,
            act: Act::SessionEnded,
            actor: self.actor,
            subject: Subject {
                user: Some(self.user),
                client: Some(self.client.clone()),
                session: Some(session),
                ..Subject::default()
            },
            request: self.request.clone(),
            detail: vec![("reason", EndReason::Revoked.as_str().to_owned())],
        }
    }
}
