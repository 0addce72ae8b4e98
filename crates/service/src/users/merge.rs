//! Making one user of two: an operator's act, never the server's own idea.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::{ProjectId, UserId},
    user::User,
};
use countersign_storage::{changes::Change, identities, passkeys, second_factors, sign_in_places, users};

use super::state::revoke_all;
use crate::{
    Service,
    admin::{Deed, Refused},
};

impl Service {
    /// Gives all identities of `from` to `into`. `from` keeps its row and its id, ends all its sessions, and is disabled for good. Its passkeys
    /// go: their authenticators know them as those of a user who is no more; and so do its second factors, for the other user's hold.
    pub async fn merge_users(&self, project: &ProjectId, from: UserId, into: UserId) -> Result<User, Refused> {
        if from == into {
            return Err(Refused::Invalid("a user can't be merged into itself".to_owned()));
        }
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: Act::UserMerged,
            subject: Subject { user: Some(from), ..Subject::default() },
            detail: vec![("into", into.to_string())],
        };
        let told_until = self.last_possible_access_token(project, now);
        let project = Arc::new(project.clone());
        self.administer(deed, move |conn| {
            let project = Arc::clone(&project);
            Box::pin(async move {
                let Some(mut merged) = users::find(conn, &project, from).await? else {
                    return Ok(Err(Refused::not_found("user", from)));
                };
                let Some(kept) = users::find(conn, &project, into).await?.filter(|user| user.merged_into.is_none())
                else {
                    return Ok(Err(Refused::not_found("user", into)));
                };
                identities::reassign(conn, &project, from, into).await?;
                passkeys::delete_of_user(conn, &project, from).await?;
                second_factors::delete_of_user(conn, &project, from).await?;
                sign_in_places::delete_of_user(conn, &project, from).await?;
                let mut news: Vec<Change> = revoke_all(conn, &project, from, told_until).await?.into_iter().collect();
                merged.disabled_at = merged.disabled_at.or(Some(now));
                merged.merged_into = Some(into);
                merged.updated_at = now;
                users::update(conn, &merged).await?;
                news.extend([from, into].map(|user| Self::user_news(&project, user, now)));
                Ok(Ok((kept, news)))
            })
        })
        .await
    }
}
