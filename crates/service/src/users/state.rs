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
        let told_until = self.last_possible_access_token(project, now);
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
                let mut news = vec![Self::user_news(&project, id, now)];
                if change != StateChange::Enable {
                    news.extend(revoke_all(conn, &project, id, told_until).await?);
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

/// How long a transaction may be under way that read the counter before it was raised.
const UNDER_WAY: Duration = Duration::from_mins(1);

impl Service {
    /// Until when an access token could live that somebody is being given just now, as settings are.
    pub(crate) fn last_possible_access_token(&self, project: &ProjectId, now: Timestamp) -> Timestamp {
        let directory = self.directory.load();
        let longest = directory.project(project.as_str()).map(|view| view.longest_access_lifetime());
        now.plus(longest.unwrap_or_default() + UNDER_WAY)
    }
}

/// Raises the user's counter. The news of it lives as long as the last access token that it concerns: those on record, and, `at_least`, those
/// of a refresh that has read the counter already and isn't on record yet.
pub(crate) async fn revoke_all(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: UserId,
    at_least: Timestamp,
) -> StorageResult<Option<Change>> {
    let on_record = sessions::last_access_expiry(conn, project, id).await?;
    let raised = users::raise_generation(conn, project, id).await?;
    Ok(raised.map(|generation| Change {
        project: project.clone(),
        what: What::UserRevoked(id, generation),
        expires_at: on_record.map_or(at_least, |last| last.max(at_least)),
    }))
}
