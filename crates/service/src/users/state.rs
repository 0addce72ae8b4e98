//! Locking a user out, letting one in again, ending all sessions of one.

use std::{sync::Arc, time::Duration};

use countersign_domain::{
    audit::{Act, Subject},
    clock::Timestamp,
    id::{ProjectId, UserId},
    user::User,
};
use countersign_storage::{
    Conn,
    changes::{Change, What},
    error::Result as StorageResult,
    sessions, users,
};

use crate::{
    Service,
    admin::{Deed, Refused},
    projects::state::StateChange,
};

impl Service {
    /// Changes the state of a user.
    pub async fn change_user_state(
        &self,
        project: &ProjectId,
        id: UserId,
        change: StateChange,
    ) -> Result<User, Refused> {
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: match change {
                StateChange::Revoke => Act::UserRevoked,
                StateChange::Disable => Act::UserDisabled,
                StateChange::Enable => Act::UserEnabled,
            },
            subject: Subject { user: Some(id), ..Subject::default() },
            detail: Vec::new(),
        };
        let project = Arc::new(project.clone());
        self.administer(deed, move |conn| {
            let project = Arc::clone(&project);
            Box::pin(async move {
                let Some(mut user) = users::find(conn, &project, id).await? else {
                    return Ok(Err(Refused::not_found("user", id)));
                };
                if let (StateChange::Enable, Some(into)) = (change, user.merged_into) {
                    return Ok(Err(Refused::Invalid(format!("user `{id}` was merged into `{into}`"))));
                }
                let mut news = Vec::new();
                if change != StateChange::Enable {
                    news.extend(revoke_all(conn, &project, id, now).await?);
                    user.generation += 1;
                }
                match change {
                    StateChange::Revoke => {}
                    StateChange::Disable => user.disabled_at = user.disabled_at.or(Some(now)),
                    StateChange::Enable => user.disabled_at = None,
                }
                user.updated_at = now;
                users::update(conn, &user).await?;
                Ok(Ok((user, news)))
            })
        })
        .await
    }
}

/// No access token lives longer: the most that `access.lifetime` may say.
const LONGEST_ACCESS: Duration = Duration::from_hours(24);

/// Raises the user's counter. The news of it lives as long as the last access token that it concerns: one on record, or one that is being
/// issued at this moment by a transaction that can't see this one yet.
pub(super) async fn revoke_all(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: UserId,
    now: Timestamp,
) -> StorageResult<Option<Change>> {
    let last_token = sessions::last_access_expiry(conn, project, id).await?.unwrap_or(now);
    let raised = users::raise_generation(conn, project, id).await?;
    Ok(raised.map(|generation| Change {
        project: project.clone(),
        what: What::UserRevoked(id, generation),
        expires_at: last_token.max(now.plus(LONGEST_ACCESS)),
    }))
}
