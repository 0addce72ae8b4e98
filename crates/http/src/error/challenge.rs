//! What a caller must show instead: `WWW-Authenticate` of RFC 6750 §3 and RFC 9449 §7.1.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use countersign_crypto::dpop::ALGORITHMS;
use countersign_service::proof::{access_token::TokenRefused, possession::PossessionRefused};

use crate::dpop_nonce;

/// A challenge.
#[derive(Debug)]
pub(crate) enum Challenge {
    /// Show a credential.
    Plain,
    /// Show a live access token.
    Bearer,
    /// Show a live access token that is bound to a key, and a proof of that key.
    Dpop {
        /// As RFC 9449 §12.2 registers them.
        error: &'static str,
        /// For people.
        description: String,
        /// The nonce to use.
        nonce: Option<String>,
    },
}

impl Challenge {
    /// What answers a token that wasn't taken.
    pub(super) fn of_token(refused: &TokenRefused, is_dpop: bool) -> Self {
        match (refused, is_dpop) {
            (TokenRefused::Possession(refused), _) => Self::of_possession(refused),
            (TokenRefused::NoProof, _) => Self::dpop("invalid_dpop_proof", refused),
            (TokenRefused::Bound | TokenRefused::NotBound | TokenRefused::OtherKey, _) | (_, true) => {
                Self::dpop("invalid_token", refused)
            }
            (_, false) => Self::Bearer,
        }
    }

    /// What answers a proof that wasn't taken. It was the caller's own, so what is wrong with it may be told.
    pub(super) fn of_possession(refused: &PossessionRefused) -> Self {
        match refused {
            PossessionRefused::UseNonce(nonce) => {
                let description = refused.to_string();
                Self::Dpop { error: "use_dpop_nonce", description, nonce: Some(nonce.clone()) }
            }
            PossessionRefused::Invalid(_) | PossessionRefused::Replayed => Self::dpop("invalid_dpop_proof", refused),
        }
    }

    fn dpop(error: &'static str, refused: &impl ToString) -> Self {
        Self::Dpop { error, description: refused.to_string(), nonce: None }
    }

    pub(super) fn add_to(self, response: &mut Response) {
        let headers = response.headers_mut();
        match self {
            Self::Plain => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Bearer => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
            }
            Self::Dpop { error, description, nonce } => {
                let challenge =
                    format!(r#"DPoP error="{error}", error_description="{description}", algs="{ALGORITHMS}""#);
                if let Ok(challenge) = HeaderValue::try_from(challenge) {
                    headers.insert(header::WWW_AUTHENTICATE, challenge);
                }
                if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
                    headers.insert(dpop_nonce::HEADER, nonce);
                }
            }
        }
    }
}
