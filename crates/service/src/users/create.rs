//! A user made by an operator.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::{ProjectId, UserId},
    identity::{Identity, IdentityRecord, IdentitySource},
    user::User,
};
use countersign_storage::{Conn, error::Result as StorageResult, identities, projects, users};

use crate::{
    Service,
    admin::{Deed, Refused},
    vouch::Names,
};

impl Service {
    /// Makes a user with identities that nobody has yet. They count as proved when the operator says so.
    pub async fn create_user(
        &self,
        project: &ProjectId,
        names: Names,
        identities: Vec<Identity>,
        verified: bool,
    ) -> Result<User, Refused> {
        if identities.is_empty() {
            let none = "a user needs an e-mail address, a telephone number or an external id to be found by";
            return Err(Refused::Invalid(none.to_owned()));
        }
        let now = self.now();
        let user = User {
            project: project.clone(),
            id: UserId::new(now, self.entropy.bytes()),
            given_name: names.given,
            family_name: names.family,
            generation: 0,
            created_at: now,
            updated_at: now,
            disabled_at: None,
            merged_into: None,
        };
        let deed = Deed {
            project: project.clone(),
            act: Act::UserCreated,
            subject: Subject { user: Some(user.id), ..Subject::default() },
            detail: Vec::new(),
        };
        let wanted = Arc::new((user.clone(), identities));
        self.administer(deed, move |conn| {
            let wanted = Arc::clone(&wanted);
            Box::pin(async move {
                let (user, asked) = &*wanted;
                if projects::find(conn, &user.project).await?.is_none() {
                    return Ok(Err(Refused::not_found("project", &user.project)));
                }
                if let Err(refused) = check_free(conn, &user.project, asked).await? {
                    return Ok(Err(refused));
                }
                users::insert_many(conn, &[user]).await?;
                for identity in asked {
                    let record = IdentityRecord {
                        identity: identity.clone(),
                        user: user.id,
                        source: IdentitySource::Operator,
                        verified_at: verified.then_some(now),
                        created_at: now,
                    };
                    identities::insert_many(conn, &[(&user.project, &record)]).await?;
                }
                Ok(Ok(((), Vec::new())))
            })
        })
        .await?;
        Ok(user)
    }
}

/// An identity that another user has is never taken away by the way.
pub(super) async fn check_free(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    wanted: &[Identity],
) -> StorageResult<Result<(), Refused>> {
    for identity in wanted {
        if let Some(owner) = identities::find(conn, project, identity).await? {
            let taken = format!("the {} belongs to user `{}`", identity.kind(), owner.user);
            return Ok(Err(Refused::Invalid(taken)));
        }
    }
    Ok(Ok(()))
}
