//! What a token is worth now (RFC 7662), for a client that proves who it is. A live access token costs no look at the database.

use countersign_crypto::{
    encoding,
    jose::{client_token::ClientToken, jws::UnverifiedJws},
};
use countersign_domain::{clock::Timestamp, oauth::form::Form, thumbprint::Thumbprint};
use countersign_storage::sessions;

use super::token::GrantRefused;
use crate::{
    Service,
    address::Address,
    caller::Caller,
    client_auth::{AuthenticatedClient, ClientCredentials, Endpoint, InvalidClient},
    error::Outage,
    proof::{access_token::TokenRefused, refresh_token::AuthenticToken},
};

/// What there is to say of a token that is good.
#[derive(Debug, PartialEq, Eq)]
pub struct Introspection {
    /// Granted scopes, separated by spaces; none: empty.
    pub scope: String,
    /// The client that it was issued to.
    pub client: String,
    /// The user; of a client that acts for itself, the client.
    pub subject: String,
    /// The API that it is for; none for a refresh token.
    pub audience: Option<String>,
    /// The project's issuer.
    pub issuer: String,
    /// The session.
    pub session: Option<String>,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
    /// The key without which it is worthless, as `cnf` has it.
    pub bound_to: Option<String>,
    /// How it is to be shown; none for a refresh token.
    pub token_type: Option<&'static str>,
}

impl Service {
    /// Says of a token whether it is good, and if so what it says. None: it isn't good, whyever; that is all that is told.
    pub async fn introspect(
        &self,
        address: &Address,
        form: &Form,
        credentials: &ClientCredentials,
        caller: &Caller,
    ) -> Result<Option<Introspection>, GrantRefused> {
        let token = form.required("token");
        let client = self.authenticate_client(address, credentials, Endpoint::Introspection, caller).await?;
        // RFC 7662 §2.1: whoever proves nothing could try out tokens here.
        if !client.method.proves() {
            return Err(InvalidClient::OtherMethod.into());
        }
        let token = token?;
        let address = &Address { path: Some(client.project.project.id.to_string()), ..address.clone() };
        if token.starts_with("rt_") {
            return Ok(self.introspect_refresh_token(address, &client, token).await?);
        }
        match self.prove_token_without_key(address, token) {
            Ok(bearer) => {
                let token = &bearer.token;
                Ok(Some(Introspection {
                    scope: token.scope.to_string(),
                    client: token.client.to_string(),
                    subject: token.user.to_string(),
                    audience: Some(bearer.project.audience.to_string()),
                    issuer: bearer.project.issuer.to_string(),
                    session: Some(token.session.to_string()),
                    issued_at: Some(token.issued_at),
                    expires_at: token.expires_at,
                    bound_to: token.bound_to.map(jkt),
                    token_type: Some(token_type(token.bound_to)),
                }))
            }
            Err(TokenRefused::Outage(outage)) => Err(outage.into()),
            Err(_) => match self.introspect_client_token(&client, token) {
                Some(found) => Ok(Some(found)),
                None => Ok(self.introspect_bootstrap_token(&client, token).await?),
            },
        }
    }

    /// A token of a client that acts for itself.
    pub(super) fn introspect_client_token(&self, client: &AuthenticatedClient, text: &str) -> Option<Introspection> {
        let project = &client.project;
        let jws = UnverifiedJws::parse(text).ok()?;
        let token = ClientToken::verify(&jws, project.verifying_key(&jws.unverified_header.kid)?).ok()?;
        let is_ours = *token.issuer == *project.issuer && *token.audience == *project.audience;
        let view = project.client(&token.client).filter(|view| view.client.disabled_at.is_none())?;
        let [of_client, of_project] = token.generations;
        let is_revoked = of_client < view.client.generation || of_project < project.project.generation;
        if !is_ours || is_revoked || token.expires_at.is_past(self.now()) {
            return None;
        }
        Some(Introspection {
            scope: token.scope,
            client: token.client.to_string(),
            subject: token.client.to_string(),
            audience: Some(token.audience),
            issuer: token.issuer,
            session: None,
            issued_at: Some(token.issued_at),
            expires_at: token.expires_at,
            bound_to: token.bound_to.map(jkt),
            token_type: Some(token_type(token.bound_to)),
        })
    }

    /// What a client got for its front end by the old way in.
    async fn introspect_bootstrap_token(
        &self,
        client: &AuthenticatedClient,
        text: &str,
    ) -> Result<Option<Introspection>, Outage> {
        let project = &client.project;
        let live = self.live_bootstrap_token(project, text).await?;
        Ok(live.map(|token| Introspection {
            scope: token.scope,
            client: token.client.to_string(),
            subject: token.client.to_string(),
            audience: Some(format!("{}/bootstrap", project.issuer)),
            issuer: project.issuer.to_string(),
            session: None,
            issued_at: Some(token.issued_at),
            expires_at: token.expires_at,
            bound_to: token.bound_to.map(jkt),
            token_type: Some(token_type(token.bound_to)),
        }))
    }

    /// Only the client's own: no other has any business with it.
    async fn introspect_refresh_token(
        &self,
        address: &Address,
        client: &AuthenticatedClient,
        text: &str,
    ) -> Result<Option<Introspection>, Outage> {
        let Some(AuthenticToken { project, token }) = self.authentic_refresh_token(address, text) else {
            return Ok(None);
        };
        let mut reader = self.db.reader().await?;
        let found = sessions::find(&mut reader.conn(), &project.project.id, token.session).await?;
        drop(reader);
        let now = self.now();
        let good = found.filter(|stored| {
            let session = &stored.session;
            let current = project.generations(stored.user_generation, &session.client, session.vouched_by);
            stored.secret_hash.matches(&token.secret)
                && session.client == client.id
                && session.over(now).is_none()
                && stored.user_disabled_at.is_none()
                && session.generations.overtaken_by(current).is_none()
                && session.rotation.generation == token.generation
        });
        Ok(good.map(|stored| Introspection {
            scope: stored.session.scope.clone(),
            client: stored.session.client.to_string(),
            subject: stored.session.user.to_string(),
            audience: None,
            issuer: project.issuer.to_string(),
            session: Some(stored.session.id.to_string()),
            issued_at: None,
            expires_at: stored.session.expires_at.min(stored.session.idle_expires_at),
            bound_to: stored.session.dpop_jkt.map(jkt),
            token_type: None,
        }))
    }
}

fn jkt(key: Thumbprint) -> String {
    encoding::encode(key.0)
}

fn token_type(key: Option<Thumbprint>) -> &'static str {
    if key.is_some() { "DPoP" } else { "Bearer" }
}
