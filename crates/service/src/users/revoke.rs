//! Ending one session of a user, by an operator.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::{ProjectId, SessionId, UserId},
    session::EndReason,
};
use countersign_storage::{
    changes::{Change, What},
    sessions,
};

use crate::{
    Service,
    admin::{Deed, Refused},
};

impl Service {
    /// Ends one session of a user.
    pub async fn revoke_session(&self, project: &ProjectId, user: UserId, session: SessionId) -> Result<(), Refused> {
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: Act::SessionEnded,
            subject: Subject { user: Some(user), session: Some(session), ..Subject::default() },
            detail: vec![("reason", EndReason::Revoked.as_str().to_owned())],
        };
        let project = Arc::new(project.clone());
        self.administer(deed, move |conn| {
            let project = Arc::clone(&project);
            Box::pin(async move {
                let found = sessions::find(conn, &project, session).await?;
                if found.is_none_or(|stored| stored.session.user != user) {
                    return Ok(Err(Refused::not_found("session of this user", session)));
                }
                let Some(expires_at) = sessions::end(conn, &project, session, EndReason::Revoked, now).await? else {
                    return Ok(Err(Refused::Invalid(format!("session `{session}` has ended already"))));
                };
                let what = What::SessionEnded(session);
                Ok(Ok(((), vec![Change { project: (*project).clone(), what, expires_at }])))
            })
        })
        .await
    }
}
