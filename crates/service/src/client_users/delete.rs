//! Forgetting a user.

use countersign_domain::{
    audit::{Act, Actor as Doer, Subject},
    id::UserId,
};
use countersign_storage::users;

use super::{UserRefused, check_scope};
use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
    proof::secret_key::Backend,
    users::state::revoke_all,
};

impl Service {
    /// Forgets a user, with all identities, passkeys and sessions, and ends what tokens there are. The next call with the same id makes another user.
    pub async fn delete_client_user(
        &self,
        backend: &Backend,
        id: &str,
        caller: &Caller,
    ) -> Result<UserId, UserRefused> {
        check_scope(backend)?;
        let id: UserId = id.parse().map_err(|_| UserRefused::NoSuchUser)?;
        let now = self.now();
        let project = backend.project.project.id.clone();
        let told_until = self.last_possible_access_token(&project, now);
        let deed = Deed {
            project: project.clone(),
            act: Act::UserDeleted,
            subject: Subject { user: Some(id), ..Subject::default() },
            detail: Vec::new(),
        };
        let done = self.perform(deed, Doer::SecretKey(backend.key), Some(caller), move |conn| {
            let project = project.clone();
            Box::pin(async move {
                if users::find_record(conn, &project, id).await?.is_none() {
                    return Ok(Err(Refused::not_found("user", id)));
                }
                let mut news = vec![Self::user_news(&project, id, now)];
                news.extend(revoke_all(conn, &project, id, told_until).await?);
                users::delete(conn, &project, id).await?;
                Ok(Ok((id, news)))
            })
        });
        Ok(done.await?)
    }
}
