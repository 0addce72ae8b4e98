//! What a user has as a second factor, and when the user wants to be asked for it.

use countersign_domain::{
    audit::{Act, Subject as AuditSubject},
    id::UserId,
    mfa::{FactorKind, Preference},
};
use countersign_storage::{mfa_preferences, second_factors, users};

use super::subject::{NOBODY, NamedSubject, SubjectRefused};
use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
    error::Outage,
    proof::delegation::ServiceProvider,
};

/// What a backend may know of its user.
#[derive(Debug)]
pub struct MfaStatus {
    /// The user.
    pub user: UserId,
    /// The e-mail address, and whether it is proved.
    pub email: Option<(String, bool)>,
    /// The second factor that was used last, or is the newest.
    pub method: Option<FactorKind>,
    /// Every second factor.
    pub methods: Vec<FactorKind>,
    /// Where its codes go.
    pub contact: Option<String>,
    /// When the user wants to be asked.
    pub preference: Option<Preference>,
}

impl Service {
    /// What a user has.
    pub async fn mfa_status(&self, provider: &ServiceProvider, userid: &str) -> Result<MfaStatus, SubjectRefused> {
        let project = &provider.project.project.id;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = NamedSubject::read(userid).find(&mut reader.conn(), project).await.map_err(Outage::from)?;
        let subject = found?;
        let user = subject.user.id;
        let factors = second_factors::list(&mut reader.conn(), project, user).await.map_err(Outage::from)?;
        let preference = mfa_preferences::find(&mut reader.conn(), project, user).await.map_err(Outage::from)?;
        let first = factors.first().map(|stored| &stored.factor);
        let contact = first.and_then(|factor| factor.contact.as_ref());
        Ok(MfaStatus {
            user,
            email: subject.email().map(|(address, is_verified)| (address.to_owned(), is_verified)),
            method: first.map(|factor| factor.kind),
            contact: contact.map(|contact| contact.value().to_owned()),
            methods: factors.iter().map(|stored| stored.factor.kind).collect(),
            preference,
        })
    }

    /// When a user wants to be asked; none: the user never said, or there is no such user. It takes the same statements.
    pub async fn suggested_mfa(
        &self,
        provider: &ServiceProvider,
        userid: &str,
    ) -> Result<Option<Preference>, SubjectRefused> {
        let project = &provider.project.project.id;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = NamedSubject::read(userid).find(&mut reader.conn(), project).await.map_err(Outage::from)?;
        let user = match found {
            Ok(subject) => subject.user.id,
            Err(SubjectRefused::NoSuchUser) => NOBODY,
            Err(refused) => return Err(refused),
        };
        Ok(mfa_preferences::find(&mut reader.conn(), project, user).await.map_err(Outage::from)?)
    }

    /// Writes down when a user wants to be asked.
    pub async fn set_suggested_mfa(
        &self,
        provider: &ServiceProvider,
        userid: &str,
        preference: Preference,
        caller: &Caller,
    ) -> Result<(), SubjectRefused> {
        let now = self.now();
        let project = provider.project.project.id.clone();
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = NamedSubject::read(userid).find(&mut reader.conn(), &project).await.map_err(Outage::from)?;
        drop(reader);
        let user = found?.user.id;
        let subject = AuditSubject {
            user: Some(user),
            client: Some(provider.client.clone()),
            key: Some(provider.key.to_string()),
            ..AuditSubject::default()
        };
        let detail = vec![("preference", preference.as_str().to_owned())];
        let deed = Deed { project: project.clone(), act: Act::MfaPreferenceSet, subject, detail };
        let written = self.perform(deed, provider.actor(), Some(caller), move |conn| {
            let project = project.clone();
            Box::pin(async move {
                // Whoever was forgotten meanwhile leaves nothing behind.
                if users::find(conn, &project, user).await?.is_none() {
                    return Ok(Err(Refused::not_found("user", user)));
                }
                mfa_preferences::put(conn, &project, user, preference, now).await?;
                Ok(Ok(((), Vec::new())))
            })
        });
        written.await.map_err(SubjectRefused::from)
    }
}

impl From<Refused> for SubjectRefused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Outage(outage) => Self::Outage(outage),
            Refused::NotFound { .. } | Refused::Exists { .. } | Refused::Invalid(_) => Self::NoSuchUser,
        }
    }
}
