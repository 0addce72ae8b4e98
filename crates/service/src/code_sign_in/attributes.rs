//! What is known of somebody who may be a user: for the user, or for the customer's backend. Anybody else must not learn who has an account.

use countersign_domain::{
    identity::{Identity, IdentityRecord},
    message::Destination,
};
use countersign_storage::identities;

use super::identity_of;
use crate::{
    Service,
    address::{Address, Misaddressed},
    error::Outage,
    proof::{access_token::Bearer, secret_key::Backend},
};

/// Of whom, and who asks.
pub enum AttributesOf<'a> {
    /// A user asks, by access token.
    User(&'a Bearer),
    /// A backend asks by an address.
    Address(&'a Backend, Destination),
}

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The e-mail address that was added last.
    pub email: Option<String>,
    /// Is it proved?
    pub email_verified: bool,
    /// The telephone number that was added last.
    pub phone: Option<String>,
    /// Is it proved?
    pub phone_verified: bool,
}

/// Why nothing is said.
#[derive(Debug, thiserror::Error)]
pub enum AttributesRefused {
    /// Path, host, body and credential don't name one project.
    #[error("there is no such project")]
    UnknownProject,
    /// The project has no such client, or it is closed.
    #[error("there is no such client")]
    UnknownClient,
    /// Nobody has the address.
    #[error("there is no such user")]
    NoSuchUser,
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl Service {
    /// What is known of a user.
    pub async fn attributes(
        &self,
        address: &Address,
        project: &str,
        client: &str,
        of: &AttributesOf<'_>,
    ) -> Result<Attributes, AttributesRefused> {
        let own = match of {
            AttributesOf::User(bearer) => &bearer.project,
            AttributesOf::Address(backend, _) => &backend.project,
        };
        match self.addressed(address, Some(project)) {
            Ok(addressed) if addressed.project.id == own.project.id => {}
            Ok(_) | Err(Misaddressed::NoSuchProject | Misaddressed::Disagreement | Misaddressed::NoneNamed) => {
                return Err(AttributesRefused::UnknownProject);
            }
        }
        super::client_of_code(own, client).map_err(|_| AttributesRefused::UnknownClient)?;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let mut conn = reader.conn();
        let project = &own.project.id;
        let user = match of {
            AttributesOf::User(bearer) => bearer.user(),
            AttributesOf::Address(_, destination) => {
                let found =
                    identities::find(&mut conn, project, &identity_of(destination)).await.map_err(Outage::from)?;
                found.ok_or(AttributesRefused::NoSuchUser)?.user
            }
        };
        let records = identities::list(&mut conn, project, user).await.map_err(Outage::from)?;
        Ok(Attributes::of(&records))
    }
}

impl Attributes {
    /// Of identities, the newest first.
    fn of(records: &[IdentityRecord]) -> Self {
        let newest = |is_kind: fn(&Identity) -> bool| records.iter().find(|record| is_kind(&record.identity));
        let email = newest(|identity| matches!(identity, Identity::Email(_)));
        let phone = newest(|identity| matches!(identity, Identity::Phone(_)));
        let value = |record: Option<&IdentityRecord>| record.map(|record| record.identity.value().to_owned());
        let is_verified = |record: Option<&IdentityRecord>| record.is_some_and(|record| record.verified_at.is_some());
        Self {
            email: value(email),
            email_verified: is_verified(email),
            phone: value(phone),
            phone_verified: is_verified(phone),
        }
    }
}
