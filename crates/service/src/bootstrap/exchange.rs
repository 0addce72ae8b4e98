//! A client proves itself, and gets a token.

use std::time::Duration;

use countersign_crypto::jose::{bootstrap_token::BootstrapToken, public_key::PublicKey};
use countersign_domain::thumbprint::Thumbprint;

use super::{BootstrapRefused, LIFETIME, SCOPE};
use crate::{
    Service,
    client_auth::call::{CallAt, CallNotSigned, CallingClient, Form},
    verdicts::{ACCEPTED, Proof},
};

/// As published clients sign it.
const ASSERTION: Form = Form { algorithm: "ES256", names_key: true, about_another: false };

/// What a client sends.
#[derive(Debug, Clone, Copy)]
pub struct BootstrapCall<'a> {
    /// Where.
    pub at: CallAt<'a>,
    /// What it says to be; none: only the assertion says it.
    pub client: Option<&'a str>,
    /// The assertion.
    pub assertion: &'a str,
    /// The page that the token is for.
    pub origin: Option<&'a str>,
    /// The key that the token is to be bound to, as JSON.
    pub dpop_jwk: Option<&'a str>,
    /// What it asks for beside the assertion.
    pub scope: Option<&'a str>,
    /// Must it have asked for a nonce?
    pub needs_nonce: bool,
}

/// What it gets.
pub struct BootstrapGrant {
    /// A JWT.
    pub token: String,
    /// How it is to be shown.
    pub token_type: &'static str,
    /// How long it lives.
    pub expires_in: Duration,
    /// What it was asked for.
    pub scope: String,
}

impl Service {
    /// A token for a client that signed an assertion for this call.
    pub async fn bootstrap(&self, call: BootstrapCall<'_>) -> Result<BootstrapGrant, BootstrapRefused> {
        let granted = self.bootstrapped(call).await;
        Proof::Client.count(match &granted {
            Ok(_) => ACCEPTED,
            Err(BootstrapRefused::Client(refused)) => refused.reason(),
            Err(BootstrapRefused::Nonce) => "other_nonce",
            Err(BootstrapRefused::Origin) => "other_origin",
            Err(BootstrapRefused::Key) => "other_key",
            Err(BootstrapRefused::Scope) => "invalid_scope",
            Err(BootstrapRefused::Outage(_)) => "outage",
        });
        granted.map_err(|refused| match refused {
            BootstrapRefused::Client(refused) => self.count_unsigned_call(call.at, refused).into(),
            other => other,
        })
    }

    async fn bootstrapped(&self, call: BootstrapCall<'_>) -> Result<BootstrapGrant, BootstrapRefused> {
        let client = self.client_that_signed(call.at, call.assertion, ASSERTION)?;
        if call.client.is_some_and(|named| named != client.id.as_str()) {
            return Err(CallNotSigned::Unknown.into());
        }
        let nonce = client.assertion.text("nonce").unwrap_or_default();
        let is_good = client.project.dpop_nonce_key().is_good(nonce, self.now());
        if call.needs_nonce && !is_good {
            return Err(BootstrapRefused::Nonce);
        }
        let origin = checked_origin(&client, call.origin)?;
        let bound_to = checked_key(&client, call.dpop_jwk)?;
        let scope = checked_scope(&client, call.scope)?;
        self.spend_assertion(&client).await?;
        let now = self.now();
        let token = BootstrapToken {
            client: client.id.clone(),
            scope: scope.clone(),
            origin,
            issued_at: now,
            expires_at: now.plus(LIFETIME),
            bound_to,
        };
        Ok(BootstrapGrant {
            token: token.sign(&client.project.issuer, client.project.signing_key(), &self.entropy),
            token_type: if bound_to.is_some() { "DPoP" } else { "Bearer" },
            expires_in: LIFETIME,
            scope,
        })
    }
}

/// The page stands in the assertion and beside it alike; where the project names pages that may call, it is one of them.
fn checked_origin(client: &CallingClient, shown: Option<&str>) -> Result<Option<String>, BootstrapRefused> {
    let allowed = &client.project.settings.origins;
    let is_allowed = |origin: &str| allowed.is_empty() || allowed.iter().any(|known| known == origin);
    if client.assertion.text("origin") != shown || shown.is_some_and(|origin| !is_allowed(origin)) {
        return Err(BootstrapRefused::Origin);
    }
    Ok(shown.map(str::to_owned))
}

/// The key is named by the assertion, so that nobody puts another in its place.
fn checked_key(client: &CallingClient, shown: Option<&str>) -> Result<Option<Thumbprint>, BootstrapRefused> {
    let shown = match shown {
        Some(jwk) => Some(PublicKey::from_jwk(jwk.as_bytes()).map_err(|_| BootstrapRefused::Key)?.thumbprint()),
        None => None,
    };
    if shown == client.assertion.confirmed_key { Ok(shown) } else { Err(BootstrapRefused::Key) }
}

fn checked_scope(client: &CallingClient, beside: Option<&str>) -> Result<String, BootstrapRefused> {
    let signed = client.assertion.text("scope").unwrap_or_default();
    let is_known = |scope: &str| scope.is_empty() || scope == SCOPE;
    if is_known(signed) && beside.is_none_or(|beside| beside == signed) {
        Ok(signed.to_owned())
    } else {
        Err(BootstrapRefused::Scope)
    }
}
