//! A user whom a backend makes before the first call.

use countersign_domain::{
    audit::{Act, Actor as Doer, Subject},
    id::UserId,
    identity::{Identity, IdentityRecord, IdentitySource},
    text::ExternalId,
    user::User,
};
use countersign_storage::{
    identities,
    users::{self, UserRecord},
};

use super::{UserRefused, check_scope};
use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
    proof::secret_key::Backend,
    vouch::Names,
};

impl Service {
    /// Makes a user whom the customer knows by this id.
    pub async fn create_client_user(
        &self,
        backend: &Backend,
        external_id: ExternalId,
        names: Names,
        caller: &Caller,
    ) -> Result<UserRecord, UserRefused> {
        check_scope(backend)?;
        let now = self.now();
        let project = backend.project.project.id.clone();
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
            project,
            act: Act::UserCreated,
            subject: Subject { user: Some(user.id), ..Subject::default() },
            detail: Vec::new(),
        };
        let identity = IdentityRecord {
            identity: Identity::ExternalId(external_id.clone()),
            user: user.id,
            source: IdentitySource::Vouch,
            verified_at: Some(now),
            created_at: now,
        };
        let made = user.clone();
        let done = self.perform(deed, Doer::SecretKey(backend.key), Some(caller), move |conn| {
            let (user, identity) = (user.clone(), identity.clone());
            Box::pin(async move {
                if identities::find(conn, &user.project, &identity.identity).await?.is_some() {
                    return Ok(Err(Refused::exists("user", "of that external id")));
                }
                users::insert_many(conn, &[&user]).await?;
                identities::insert_many(conn, &[(&user.project, &identity)]).await?;
                Ok(Ok(((), Vec::new())))
            })
        });
        done.await?;
        Ok(UserRecord { user: made, external_id: Some(external_id.as_str().to_owned()) })
    }
}
