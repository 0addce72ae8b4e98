//! Issuing: everything a user's client is handed comes from here.

use std::time::Duration;

use countersign_crypto::{
    jose::access_token::AccessToken,
    refresh_token::{RefreshSecret, RefreshToken},
    secret::SecretText,
};
use countersign_domain::{
    clock::Timestamp,
    id::{MacKeyId, UserId},
    session::Session,
};

use crate::{Service, directory::ProjectView};

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
            token_type: if session.dpop_jkt.is_some() { TokenType::Dpop } else { TokenType::Bearer },
            dpop_nonce: session.dpop_jkt.map(|_| self.dpop_nonce(project)),
        })
    }
}

/// Until when an access token may live that is issued now. An end that lies behind, which only a clock that leapt can make of it, doesn't
/// count.
pub(crate) fn access_expiry(lifetime: Duration, session_ends: Timestamp, now: Timestamp) -> Timestamp {
    let end = now.plus(lifetime);
    if session_ends.is_past(now) { end } else { end.min(session_ends) }
}
