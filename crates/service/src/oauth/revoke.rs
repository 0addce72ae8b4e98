//! Giving a token back (RFC 7009): its session ends, and with it everything that was issued in it.

use countersign_domain::{
    audit::{Act, Actor},
    id::SessionId,
    oauth::form::Form,
    session::EndReason,
};
use countersign_storage::sessions;

use super::token::GrantRefused;
use crate::{
    Service,
    address::Address,
    caller::Caller,
    client_auth::{AuthenticatedClient, ClientCredentials, Endpoint},
    error::Outage,
    proof::{
        access_token::TokenRefused,
        possession::{PossessionRefused, UnverifiedPossession},
    },
    session::{end::Ending, sign_out::SignOutRefused},
};

/// What was given back.
pub(crate) struct Found {
    pub(crate) session: SessionId,
    /// The secret that a refresh token carries must be the session's.
    pub(crate) secret: Option<countersign_crypto::refresh_token::RefreshSecret>,
}

impl Service {
    /// Ends the session of a token. One that isn't good any more, or isn't one of ours, is no mistake: the client wanted nothing else.
    pub async fn revoke_token(
        &self,
        address: &Address,
        form: &Form,
        credentials: &ClientCredentials,
        possession: Option<&UnverifiedPossession>,
        caller: &Caller,
    ) -> Result<(), GrantRefused> {
        let token = form.required("token");
        let client = self.authenticate_client(address, credentials, Endpoint::Revocation, caller).await?;
        let address = &Address { path: Some(client.project.project.id.to_string()), ..address.clone() };
        let token = token?;
        let Some(found) = self.session_of_token(address, token)? else {
            // RFC 7009 §2.2.1: who gives it back must not believe that it is worthless now.
            let lives_on = self.introspect_client_token(&client, token).is_some();
            return if lives_on { Err(GrantRefused::NotRevocable) } else { Ok(()) };
        };
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let stored = sessions::find(&mut reader.conn(), &client.project.project.id, found.session).await;
        drop(reader);
        let Some(stored) = stored.map_err(Outage::from)? else {
            return Ok(());
        };
        if found.secret.is_some_and(|secret| !stored.secret_hash.matches(&secret)) {
            return Ok(());
        }
        let session = &stored.session;
        if session.client != client.id {
            return Err(GrantRefused::NotForClient);
        }
        if session.ended.is_some() {
            return Ok(());
        }
        self.check_may_revoke(&client, session, possession)?;
        let ending = Ending {
            reason: EndReason::SignedOut,
            actor: Actor::User(session.user),
            act: Act::SessionEnded,
            request: Some(caller.request_id.clone()),
        };
        Ok(self.end_session(session, ending).await?)
    }

    pub(crate) fn session_of_token(&self, address: &Address, token: &str) -> Result<Option<Found>, Outage> {
        if token.starts_with("rt_") {
            let token = self.authentic_refresh_token(address, token).map(|it| it.token);
            return Ok(token.map(|token| Found { session: token.session, secret: Some(token.secret) }));
        }
        match self.prove_token_without_key(address, token) {
            Ok(bearer) => Ok(Some(Found { session: bearer.session(), secret: None })),
            Err(TokenRefused::Outage(outage)) => Err(outage),
            Err(_) => Ok(None),
        }
    }

    /// A client that proved who it is may. One that can't must show the key to which the session is bound, if it is bound to one: a copied token
    /// must not be able to do harm either.
    fn check_may_revoke(
        &self,
        client: &AuthenticatedClient,
        session: &countersign_domain::session::Session,
        possession: Option<&UnverifiedPossession>,
    ) -> Result<(), GrantRefused> {
        if client.method.proves() {
            return Ok(());
        }
        self.check_key(&client.project, session, possession).map_err(|refused| match refused {
            SignOutRefused::Possession(refused) => GrantRefused::Possession(refused),
            SignOutRefused::Outage(outage) => outage.into(),
            _ if possession.is_none() => PossessionRefused::UseNonce(self.dpop_nonce(&client.project)).into(),
            _ => GrantRefused::Invalid("other_key"),
        })
    }
}
