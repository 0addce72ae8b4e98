//! Taking a second factor from a user, or letting codes go to where the user is known to be reached. What isn't proved already isn't set here.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject as AuditSubject},
    identity::{Identity, IdentityKind},
    locale::Locale,
    mfa::{Factor, FactorKind},
    text::EmailAddress,
};
use countersign_storage::{
    messages,
    second_factors::{self, StoredFactor},
    users,
};

use super::{
    request::RequestRefused,
    status::MfaStatus,
    subject::{NamedSubject, Subject},
};
use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
    deliver::letter::{AccountChange, Letter},
    error::Outage,
    proof::delegation::ServiceProvider,
};

/// What a backend wants, and why.
#[derive(Debug, Clone)]
pub struct FactorUpdate {
    /// Whose factor.
    pub userid: String,
    /// Which.
    pub method: FactorKind,
    /// Is it to be, or to be no more?
    pub enabled: bool,
    /// Why, for the trail.
    pub reason: String,
    /// Who wanted it, for the trail.
    pub requested_by: String,
}

impl Service {
    /// Does it, and says what the user has then. What is so already stays, and nothing is written.
    pub async fn update_factor(
        &self,
        provider: &ServiceProvider,
        update: &FactorUpdate,
        locale: Locale,
        caller: &Caller,
    ) -> Result<MfaStatus, RequestRefused> {
        let project = &provider.project;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let named = NamedSubject::read(&update.userid);
        let found = named.find(&mut reader.conn(), &project.project.id).await.map_err(Outage::from)?;
        let subject = found?;
        let mut conn = reader.conn();
        let factors = second_factors::list(&mut conn, &project.project.id, subject.user.id).await;
        let has = factors.map_err(Outage::from)?.iter().any(|stored| stored.factor.kind == update.method);
        drop(reader);
        if subject.user.disabled_at.is_some() {
            return Err(RequestRefused::UserDisabled);
        }
        if has != update.enabled {
            let contact = if update.enabled { Some(proved_contact(&subject, update.method)?) } else { None };
            self.change_factor(provider, &subject, update, contact, locale, caller).await?;
        }
        Ok(self.mfa_status(provider, &update.userid).await?)
    }

    async fn change_factor(
        &self,
        provider: &ServiceProvider,
        subject: &Subject,
        update: &FactorUpdate,
        contact: Option<Identity>,
        locale: Locale,
        caller: &Caller,
    ) -> Result<(), RequestRefused> {
        let (kind, user, now) = (update.method, subject.user.id, self.now());
        let change =
            if contact.is_some() { AccountChange::FactorAdded(kind) } else { AccountChange::FactorRemoved(kind) };
        let notices = self.account_notices(&provider.project, &subject.known_as, locale, &Letter::Changed(change));
        let deed = Deed {
            project: provider.project.project.id.clone(),
            act: if contact.is_some() { Act::FactorAdded } else { Act::FactorRemoved },
            subject: AuditSubject {
                user: Some(user),
                client: Some(provider.client.clone()),
                key: Some(provider.key.to_string()),
                ..AuditSubject::default()
            },
            detail: vec![
                ("factor", kind.as_str().to_owned()),
                ("reason", update.reason.clone()),
                ("requested_by", requested_by(update)),
            ],
        };
        let factor =
            contact.map(|contact| Factor { kind, contact: Some(contact), created_at: now, last_used_at: None });
        let factor = factor.map(|factor| StoredFactor { factor, sealed_seed: None, used_step: 0 });
        let plan = Arc::new((deed.project.clone(), factor, notices));
        let done = self.perform(deed, provider.actor(), Some(caller), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, factor, notices) = &*plan;
                // Whoever was forgotten meanwhile leaves nothing behind.
                if users::find(conn, project, user).await?.is_none() {
                    return Ok(Err(Refused::not_found("user", user)));
                }
                match factor {
                    Some(factor) => second_factors::put(conn, project, user, factor).await?,
                    None => {
                        second_factors::delete(conn, project, user, kind).await?;
                    }
                }
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), Vec::new())))
            })
        });
        done.await.map_err(|refused| RequestRefused::Subject(refused.into()))
    }
}

/// Where codes can go without a proof of now: to the newest address or number that the user has proved.
fn proved_contact(subject: &Subject, kind: FactorKind) -> Result<Identity, RequestRefused> {
    let wanted = match kind {
        FactorKind::Totp => return Err(RequestRefused::NotProved),
        FactorKind::Sms => IdentityKind::Phone,
        FactorKind::Email => IdentityKind::Email,
    };
    let proved = subject.known_as.iter().find(|it| it.identity.kind() == wanted && it.verified_at.is_some());
    proved.map(|record| record.identity.clone()).ok_or(RequestRefused::NotProved)
}

/// The trail has no addresses: a user who asked is named by the entry, and of anybody else's address only what tells it from others stays.
fn requested_by(update: &FactorUpdate) -> String {
    if update.requested_by == update.userid {
        return "user".to_owned();
    }
    match update.requested_by.parse::<EmailAddress>() {
        Ok(address) => address.masked(),
        Err(_) => update.requested_by.clone(),
    }
}
