//! When a user is asked for a second factor, by a backend's word.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    locale::Locale,
    mfa::Preference,
};
use countersign_storage::{identities, messages, mfa_preferences};

use super::ManagementRefused;
use crate::{
    Service,
    admin::Deed,
    caller::Caller,
    deliver::letter::{AccountChange, Letter},
    proof::manager::Manager,
};

impl Service {
    /// What a user wishes; none: nobody ever said.
    pub async fn managed_preference(
        &self,
        manager: &Manager,
        userid: &str,
    ) -> Result<Option<Preference>, ManagementRefused> {
        let project = &manager.project.project.id;
        let user = self.managed_user(project, userid).await?.id;
        Ok(mfa_preferences::find(&mut self.db.reader().await?.conn(), project, user).await?)
    }

    /// Says it for the user, who is told where it is something else than before.
    pub async fn set_managed_preference(
        &self,
        manager: &Manager,
        userid: &str,
        preference: Preference,
        caller: &Caller,
    ) -> Result<(), ManagementRefused> {
        let project = &manager.project.project.id;
        let user = self.managed_user(project, userid).await?.id;
        let mut reader = self.db.reader().await?;
        let before = mfa_preferences::find(&mut reader.conn(), project, user).await?;
        let known_as = identities::list(&mut reader.conn(), project, user).await?;
        drop(reader);
        if before == Some(preference) {
            return Ok(());
        }
        let letter = Letter::Changed(AccountChange::PreferenceChanged);
        let notices = self.account_notices(&manager.project, &known_as, Locale::default(), &letter);
        let deed = Deed {
            project: project.clone(),
            act: Act::MfaEnforcementSet,
            subject: Subject { user: Some(user), client: Some(manager.client.clone()), ..Subject::default() },
            detail: vec![("preference", preference.as_str().to_owned())],
        };
        let (plan, now) = (Arc::new((project.clone(), notices)), self.now());
        let done = self.perform(deed, manager.actor, Some(caller), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, notices) = &*plan;
                mfa_preferences::put(conn, project, user, preference, now).await?;
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), Vec::new())))
            })
        });
        Ok(done.await?)
    }
}
