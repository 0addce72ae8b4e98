//! Which client calls, at every endpoint of the provider: said and proved in one place.
//!
//! A client uses the method that it registered and no other (RFC 9700 §2.5): a second way in would be as strong as the weaker.

mod assertion;
pub mod call;
mod credentials;

use std::sync::Arc;

use countersign_crypto::{client_secret::ClientSecretHash, jose::client_assertion::InvalidClientAssertion};
use countersign_domain::{audit::Act, id::ClientId, oauth::registration::AuthMethod, thumbprint::Thumbprint};

pub use credentials::ClientCredentials;
use credentials::Shown;

use crate::{
    Service,
    address::Address,
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
    tally::Refusal,
    verdicts::{ACCEPTED, Proof},
};

/// Where a client calls: an assertion for one place is worth nothing at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/oauth2/token`.
    Token,
    /// `/oauth2/introspect`.
    Introspection,
    /// `/oauth2/revoke`.
    Revocation,
    /// `/oauth2/authorize-challenge`.
    AuthorizeChallenge,
}

impl Endpoint {
    /// Where it is, below the issuer.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Token => "/oauth2/token",
            Self::Introspection => "/oauth2/introspect",
            Self::Revocation => "/oauth2/revoke",
            Self::AuthorizeChallenge => "/oauth2/authorize-challenge",
        }
    }
}

/// A client that said who it is, and proved it if it registered a way to.
pub struct AuthenticatedClient {
    /// Its project.
    pub project: Arc<ProjectView>,
    /// Its id.
    pub id: ClientId,
    /// How it proved that it is this client.
    pub method: AuthMethod,
    /// The key to which it wants its tokens bound, where its assertion named one.
    pub confirmed_key: Option<Thumbprint>,
}

/// Why a caller isn't the client that it says it is. One `invalid_client` to the caller.
#[derive(Debug, thiserror::Error)]
pub enum InvalidClient {
    /// The call names no client.
    #[error("the call names no client")]
    Missing,
    /// There is none of that name in this project, or it is closed.
    #[error("there is no such client")]
    Unknown,
    /// More than one way to authenticate at once, or more than one client.
    #[error("the call names more than one client, or authenticates in more than one way")]
    TwoMethods,
    /// Another way than the client registered, or none at all.
    #[error("the client registered another way to authenticate")]
    OtherMethod,
    /// What was shown can't be read.
    #[error("the credentials can't be read")]
    Malformed,
    /// The secret isn't one of the client's.
    #[error("the secret is not one of the client's")]
    WrongSecret,
    /// The assertion proves nothing.
    #[error(transparent)]
    Assertion(#[from] InvalidClientAssertion),
    /// The assertion is for somebody else, or for another endpoint.
    #[error("the assertion is for another audience")]
    OtherAudience,
    /// The assertion was used before.
    #[error("the assertion was used before")]
    Replayed,
    /// Any of these, from a network that has tried too often.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl AuthenticatedClient {
    /// The client, with its settings.
    pub fn view(&self) -> Result<&ClientView, Outage> {
        // The project is the one in which the client was found, and never changes.
        self.project.client(&self.id).ok_or_else(|| Outage::Fault("a client has left its project".to_owned()))
    }
}

impl Service {
    /// Says which client calls. Only what fails counts against its network: a client that is right is served even when others there failed.
    pub async fn authenticate_client(
        &self,
        address: &Address,
        credentials: &ClientCredentials,
        endpoint: Endpoint,
        caller: &Caller,
    ) -> Result<AuthenticatedClient, InvalidClient> {
        let proved = self.client(address, credentials, endpoint).await;
        let reason = proved.as_ref().map_or_else(InvalidClient::reason, |_| ACCEPTED);
        Proof::Client.count(reason);
        proved.map_err(|refused| match refused {
            InvalidClient::Outage(_) => refused,
            _ => self.count_client_failure(address, credentials, refused, caller),
        })
    }

    async fn client(
        &self,
        address: &Address,
        credentials: &ClientCredentials,
        endpoint: Endpoint,
    ) -> Result<AuthenticatedClient, InvalidClient> {
        self.fresh()?;
        let project = self.project_of_call(address, credentials).ok_or(InvalidClient::Unknown)?;
        let shown = credentials.shown()?;
        let id: ClientId = shown.client()?.parse().map_err(|_| InvalidClient::Unknown)?;
        let client = project.client(&id).filter(|view| view.client.disabled_at.is_none());
        let client = client.ok_or(InvalidClient::Unknown)?;
        let method = client.settings.oauth_auth_method;
        if shown.method() != method {
            return Err(InvalidClient::OtherMethod);
        }
        let confirmed_key = match &shown {
            Shown::Nothing { .. } => None,
            Shown::Secret { secret, .. } => {
                self.check_secret(client, secret.danger_expose())?;
                None
            }
            Shown::Assertion { assertion, .. } => self.check_assertion(&project, client, assertion, endpoint).await?,
        };
        Ok(AuthenticatedClient { id, method, confirmed_key, project: Arc::clone(&project) })
    }

    /// The project that a client's call is addressed to. Some clients name it beside (`X-Config-Id`), by its id or a publishable key.
    pub(crate) fn project_of_call(
        &self,
        address: &Address,
        credentials: &ClientCredentials,
    ) -> Option<Arc<ProjectView>> {
        self.project_named(address, credentials.config_id()).ok()
    }

    /// In constant time, and with every secret there is.
    fn check_secret(&self, client: &ClientView, shown: &str) -> Result<(), InvalidClient> {
        let (hash, now) = (ClientSecretHash::of(shown), self.now());
        let live = client.secrets.iter().filter(|secret| secret.is_live(now));
        let found = live.fold(false, |found, secret| secret.hash.matches(&hash) | found);
        if found { Ok(()) } else { Err(InvalidClient::WrongSecret) }
    }

    fn count_client_failure(
        &self,
        address: &Address,
        credentials: &ClientCredentials,
        refused: InvalidClient,
        caller: &Caller,
    ) -> InvalidClient {
        let project = self.project_of_call(address, credentials);
        if let Some(project) = &project {
            let (project, reason) = (project.project.id.clone(), refused.reason());
            self.tally.refused(Refusal { project, act: Act::ClientRefused, reason, key: None });
        }
        match self.take_failure(project.as_deref(), caller.address) {
            Ok(()) => refused,
            Err(too_many) => InvalidClient::TooMany(too_many),
        }
    }
}

impl InvalidClient {
    /// The reason as metrics and the audit trail have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::TwoMethods => "two_methods",
            Self::OtherMethod => "other_method",
            Self::Malformed => "malformed",
            Self::WrongSecret => "wrong_secret",
            Self::Assertion(_) => "invalid_assertion",
            Self::OtherAudience => "other_audience",
            Self::Replayed => "replayed_assertion",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}
