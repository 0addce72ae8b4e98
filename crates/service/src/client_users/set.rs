//! Changing a user's names.

use countersign_domain::{
    audit::{Act, Actor as Doer, Subject},
    text::Name,
};
use countersign_storage::users::{self, UserRecord};

use super::{UserRefused, own};
use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
    proof::actor::Actor,
};

impl Service {
    /// Gives a user, the caller or, for a backend, any, other names; what isn't given stays.
    pub async fn set_client_user(
        &self,
        actor: &Actor,
        id: &str,
        given_name: Option<Name>,
        family_name: Option<Name>,
        caller: &Caller,
    ) -> Result<UserRecord, UserRefused> {
        let id = own(actor, id)?;
        let doer = match actor {
            Actor::Backend(backend) => Doer::SecretKey(backend.key),
            Actor::Client(_) | Actor::Bearer(_) => Doer::User(id),
        };
        let now = self.now();
        let project = actor.project().project.id.clone();
        let deed = Deed {
            project: project.clone(),
            act: Act::UserSet,
            subject: Subject { user: Some(id), ..Subject::default() },
            detail: Vec::new(),
        };
        let done = self.perform(deed, doer, Some(caller), move |conn| {
            let (project, given_name, family_name) = (project.clone(), given_name.clone(), family_name.clone());
            Box::pin(async move {
                let Some(mut record) = users::find_record(conn, &project, id).await? else {
                    return Ok(Err(Refused::not_found("user", id)));
                };
                let user = &mut record.user;
                user.given_name = given_name.unwrap_or_else(|| user.given_name.clone());
                user.family_name = family_name.unwrap_or_else(|| user.family_name.clone());
                user.updated_at = now;
                users::update(conn, user).await?;
                Ok(Ok((record, vec![Self::user_news(&project, id, now)])))
            })
        });
        Ok(done.await?)
    }
}
