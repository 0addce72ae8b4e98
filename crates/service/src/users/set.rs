//! Changing a user's names and identities.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::{ProjectId, UserId},
    identity::{Identity, IdentityRecord, IdentitySource},
    text::Name,
    user::User,
};
use countersign_storage::{identities, users};

use super::create::check_free;
use crate::{
    Service,
    admin::{Deed, Refused},
};

/// What to change; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    /// Given name.
    pub given_name: Option<Name>,
    /// Family name.
    pub family_name: Option<Name>,
    /// Identities to add, proved by the operator's word.
    pub add: Vec<Identity>,
    /// Identities to take away.
    pub remove: Vec<Identity>,
}

impl Service {
    /// Changes a user.
    pub async fn set_user(&self, project: &ProjectId, id: UserId, changes: UserChanges) -> Result<User, Refused> {
        let now = self.now();
        let kinds = |of: &[Identity]| of.iter().map(|it| it.kind().as_str()).collect::<Vec<_>>().join(" ");
        let deed = Deed {
            project: project.clone(),
            act: Act::UserSet,
            subject: Subject { user: Some(id), ..Subject::default() },
            detail: vec![("added", kinds(&changes.add)), ("removed", kinds(&changes.remove))],
        };
        let wish = Arc::new((project.clone(), changes));
        self.administer(deed, move |conn| {
            let wish = Arc::clone(&wish);
            Box::pin(async move {
                let (project, changes) = &*wish;
                let Some(mut user) = users::find(conn, project, id).await? else {
                    return Ok(Err(Refused::not_found("user", id)));
                };
                if let Err(refused) = check_free(conn, project, &changes.add).await? {
                    return Ok(Err(refused));
                }
                for identity in &changes.remove {
                    identities::delete(conn, project, id, identity).await?;
                }
                for identity in &changes.add {
                    let record = IdentityRecord {
                        identity: identity.clone(),
                        user: id,
                        source: IdentitySource::Operator,
                        verified_at: Some(now),
                        created_at: now,
                    };
                    identities::insert_many(conn, &[(project, &record)]).await?;
                }
                user.given_name = changes.given_name.clone().unwrap_or(user.given_name);
                user.family_name = changes.family_name.clone().unwrap_or(user.family_name);
                user.updated_at = now;
                users::update(conn, &user).await?;
                Ok(Ok((user, vec![Self::user_news(project, id, now)])))
            })
        })
        .await
    }
}
