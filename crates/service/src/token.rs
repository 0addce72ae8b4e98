//! Issuing: everything a user's client is handed comes from here.

use std::time::Duration;

use countersign_crypto::{
    jose::{access_token::AccessToken, client_token::ClientToken, id_token::IdToken},
    refresh_token::{RefreshSecret, RefreshToken},
    secret::SecretText,
};
use countersign_domain::{
    clock::Timestamp,
    id::{MacKeyId, SessionId, UserId},
    proof::Proof,
    session::Session,
    thumbprint::Thumbprint,
};

use crate::{
    Service,
    directory::{ClientView, ProjectView},
};

/// What a client gets: a token for calls, and one to get the next.
pub struct TokenPair {
    /// The user.
    pub user: UserId,
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// How long the access token lives.
    pub access_expires_in: Duration,
    /// Opaque.
    pub refresh_token: SecretText,
    /// How long the session can still be refreshed.
    pub refresh_expires_in: Duration,
    /// How the access token is to be shown.
    pub token_type: TokenType,
    /// What it is good for, separated by spaces; none: empty.
    pub scope: String,
    /// The session.
    pub session: SessionId,
    /// The nonce for the next proof, where the tokens are bound to a key.
    pub dpop_nonce: Option<String>,
}

/// How an access token is to be shown (RFC 6749 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// As it is (RFC 6750).
    Bearer,
    /// With a proof that its key is held (RFC 9449).
    Dpop,
}

impl TokenType {
    /// Of a token that is bound to a key, or to none.
    const fn of(key: Option<Thumbprint>) -> Self {
        if key.is_some() { Self::Dpop } else { Self::Bearer }
    }

    /// As `token_type` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// Which refresh token of a session to make.
pub(crate) struct Generation<'a> {
    pub(crate) secret: &'a RefreshSecret,
    pub(crate) number: u32,
    pub(crate) mac_key: MacKeyId,
}

impl Service {
    /// A pair for a session whose row says, or is about to say, the same. The access token must not outlive `access_expires_at`: until then,
    /// and no longer, its revocation is remembered.
    pub(crate) fn issue(
        &self,
        project: &ProjectView,
        session: &Session,
        generation: &Generation<'_>,
        access_expires_at: Timestamp,
        now: Timestamp,
    ) -> Option<TokenPair> {
        let token = AccessToken {
            issuer: project.issuer.to_string(),
            audience: project.audience.to_string(),
            user: session.user,
            client: session.client.clone(),
            session: session.id,
            scope: session.scope.clone(),
            issued_at: now,
            expires_at: access_expires_at,
            proof: session.proof.clone(),
            vouched_by: session.vouched_by,
            generations: session.generations,
            bound_to: session.dpop_jkt,
        };
        let refresh = RefreshToken {
            project: project.project.id.clone(),
            session: session.id,
            generation: generation.number,
            secret: generation.secret.clone(),
            mac_key: generation.mac_key,
        };
        let key = project.refresh_token_key(generation.mac_key)?;
        Some(TokenPair {
            user: session.user,
            access_token: token.sign(project.signing_key(), &self.entropy),
            access_expires_in: access_expires_at.since(now),
            refresh_token: refresh.sign(key),
            refresh_expires_in: session.expires_at.since(now),
            token_type: TokenType::of(session.dpop_jkt),
            scope: session.scope.clone(),
            session: session.id,
            dpop_nonce: session.dpop_jkt.map(|_| self.dpop_nonce(project)),
        })
    }

    /// An access token for a client that acts for itself.
    pub(crate) fn issue_to_client(
        &self,
        project: &ProjectView,
        client: &ClientView,
        grant: ClientGrant,
    ) -> TokenForClient {
        let now = self.now();
        let expires_at = now.plus(client.settings.access_lifetime);
        let token = ClientToken {
            issuer: project.issuer.to_string(),
            audience: project.audience.to_string(),
            client: client.client.id.clone(),
            scope: grant.scope.clone(),
            issued_at: now,
            expires_at,
            generations: [client.client.generation, project.project.generation],
            bound_to: grant.bound_to,
        };
        TokenForClient {
            access_token: token.sign(project.signing_key(), &self.entropy),
            expires_in: expires_at.since(now),
            token_type: TokenType::of(grant.bound_to),
            scope: grant.scope,
        }
    }

    /// What a client is told of who signed in; none where the project has no key of the client's algorithm.
    pub(crate) fn issue_id_token(
        &self,
        project: &ProjectView,
        client: &ClientView,
        said: &IdTokenOf<'_>,
    ) -> Option<String> {
        let now = self.now();
        let token = IdToken {
            issuer: &project.issuer,
            client: &client.client.id,
            user: said.user,
            session: said.session,
            email: said.email,
            nonce: said.nonce,
            proof: said.proof,
            issued_at: now,
            expires_at: now.plus(ID_TOKEN_LIFETIME),
        };
        Some(token.sign(project.signing_key_of(client)?))
    }
}

/// How long a client may take to look at an id_token.
const ID_TOKEN_LIFETIME: Duration = Duration::from_hours(1);

/// What a client gets for itself.
pub(crate) struct ClientGrant {
    pub(crate) scope: String,
    pub(crate) bound_to: Option<Thumbprint>,
}

/// A token of a client that acts for itself.
pub struct TokenForClient {
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// How long it lives.
    pub expires_in: Duration,
    /// How it is to be shown.
    pub token_type: TokenType,
    /// What it is good for, separated by spaces; none: empty.
    pub scope: String,
}

/// What an id_token is made of.
pub(crate) struct IdTokenOf<'a> {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) email: Option<(&'a str, bool)>,
    pub(crate) nonce: Option<&'a str>,
    pub(crate) proof: &'a Proof,
}

/// Until when an access token may live that is issued now. An end that lies behind, which only a clock that leapt can make of it, doesn't
/// count.
pub(crate) fn access_expiry(lifetime: Duration, session_ends: Timestamp, now: Timestamp) -> Timestamp {
    let end = now.plus(lifetime);
    if session_ends.is_past(now) { end } else { end.min(session_ends) }
}
