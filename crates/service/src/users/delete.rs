//! Forgetting a user.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Actor, Subject},
    id::{ProjectId, UserId},
};
use countersign_storage::{
    messages::{self, OutgoingMessage},
    users,
};

use super::state::revoke_all;
use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
};

impl Service {
    /// Forgets a user, with all identities, passkeys and sessions, and ends what tokens there are. Who is merged into another is forgotten by
    /// their own id.
    pub async fn delete_user(&self, project: &ProjectId, id: UserId) -> Result<UserId, Refused> {
        self.forget_user(project, id, Actor::Operator, None, Vec::new()).await
    }

    /// The same, by whoever may, and what the user is told.
    pub(crate) async fn forget_user(
        &self,
        project: &ProjectId,
        id: UserId,
        actor: Actor,
        caller: Option<&Caller>,
        notices: Vec<OutgoingMessage>,
    ) -> Result<UserId, Refused> {
        let now = self.now();
        let told_until = self.last_possible_access_token(project, now);
        let deed = Deed {
            project: project.clone(),
            act: Act::UserDeleted,
            subject: Subject { user: Some(id), ..Subject::default() },
            detail: Vec::new(),
        };
        let plan = Arc::new((project.clone(), notices));
        let work = self.perform(deed, actor, caller, move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, notices) = &*plan;
                if users::find(conn, project, id).await?.is_none() {
                    return Ok(Err(Refused::not_found("user", id)));
                }
                let mut news = vec![Self::user_news(project, id, now)];
                news.extend(revoke_all(conn, project, id, told_until).await?);
                users::delete(conn, project, id).await?;
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok((id, news)))
            })
        });
        work.await
    }
}
