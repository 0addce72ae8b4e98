//! A user's telephone number, by a backend's word.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    identity::{Identity, IdentityKind, IdentityRecord, IdentitySource},
    locale::Locale,
    policy::VouchEmail,
    text::PhoneNumber,
};
use countersign_storage::{identities, messages};

use super::ManagementRefused;
use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
    deliver::letter::{AccountChange, Letter},
    proof::manager::Manager,
};

impl Service {
    /// Gives a user a telephone number, in the place of what backends said before. What the user proved, and where second factors go, stays: that
    /// takes a step-up. Whether it counts as proved is what the project thinks of its backends' word.
    pub async fn set_managed_phone(
        &self,
        manager: &Manager,
        userid: &str,
        phone: PhoneNumber,
        caller: &Caller,
    ) -> Result<(), ManagementRefused> {
        let project = &manager.project;
        let user = self.managed_user(&project.project.id, userid).await?.id;
        let now = self.now();
        let is_trusted = project.settings.vouch_email == VouchEmail::Trusted;
        let record = IdentityRecord {
            identity: Identity::Phone(phone),
            user,
            source: IdentitySource::Vouch,
            verified_at: is_trusted.then_some(now),
            created_at: now,
        };
        let known_as = identities::list(&mut self.db.reader().await?.conn(), &project.project.id, user).await?;
        if known_as.iter().any(|known| known.identity == record.identity) {
            return Ok(());
        }
        let notices =
            self.account_notices(project, &known_as, Locale::default(), &Letter::Changed(AccountChange::PhoneChanged));
        let deed = Deed {
            project: project.project.id.clone(),
            act: Act::UserSet,
            subject: Subject { user: Some(user), client: Some(manager.client.clone()), ..Subject::default() },
            detail: vec![("added", IdentityKind::Phone.as_str().to_owned())],
        };
        let plan = Arc::new((project.project.id.clone(), record, notices));
        let done = self.perform(deed, manager.actor, Some(caller), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, record, notices) = &*plan;
                if let Some(owner) = identities::find(conn, project, &record.identity).await? {
                    let is_theirs = owner.user == record.user;
                    let taken = || Refused::Invalid("the telephone number belongs to another user".to_owned());
                    return Ok(if is_theirs { Ok(((), Vec::new())) } else { Err(taken()) });
                }
                let known_as = identities::list(conn, project, record.user).await?;
                let is_said =
                    |known: &&IdentityRecord| known.identity.kind() == IdentityKind::Phone && !known.is_proved_here();
                for said in known_as.iter().filter(is_said) {
                    identities::delete(conn, project, record.user, &said.identity).await?;
                }
                identities::insert_many(conn, &[(project, record)]).await?;
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), vec![Self::user_news(project, record.user, now)])))
            })
        });
        Ok(done.await?)
    }
}
