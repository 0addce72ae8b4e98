//! The nonce for a client's next proof (RFC 9449 §8.2).

use std::convert::Infallible;

use axum::{
    http::{HeaderName, HeaderValue},
    response::{IntoResponseParts, ResponseParts},
};
use countersign_service::proof::actor::Actor;

/// Its header.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("dpop-nonce");

/// Goes with the answer to whoever proved possession of a key, so that the next call needs no refusal to learn it.
pub(crate) struct NextNonce(pub(crate) Option<String>);

impl NextNonce {
    /// For whoever this is.
    pub(crate) fn of(actor: &Actor) -> Self {
        Self(actor.dpop_nonce().map(str::to_owned))
    }
}

impl IntoResponseParts for NextNonce {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Some(nonce) = self.0.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            response.headers_mut().insert(HEADER, nonce);
        }
        Ok(response)
    }
}
