//! Door 2: `{"error": {"code", "message"}}`.

use std::time::Duration;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use countersign_service::{
    address::Misaddressed,
    error::Outage,
    proof::{
        access_token::{ShownToken, TokenRefused},
        possession::PossessionRefused,
    },
};
use countersign_wire::client_api::error::{Code, ErrorDetail, ErrorEnvelope};

use super::{Cause, OUTAGE_RETRY, add_retry_after, challenge::Challenge};

/// A refusal of door 2.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Code,
    message: &'static str,
    challenge: Option<Challenge>,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

impl Failure {
    fn new(status: StatusCode, code: Code, message: &'static str) -> Self {
        Self { status, code, message, challenge: None, retry_after: None, cause: None }
    }

    /// No such path.
    pub(crate) fn no_such_path() -> Self {
        let message = "There is nothing at this path. The paths are in /openapi.json.";
        Self::new(StatusCode::NOT_FOUND, Code::ResourceNotFound, message)
    }

    /// An access token that isn't taken.
    pub(crate) fn of_token(refused: TokenRefused, shown: &ShownToken<'_>) -> Self {
        let challenge = Challenge::of_token(&refused, shown);
        let message = match refused {
            TokenRefused::Outage(outage) => return outage.into(),
            TokenRefused::TooMany(limit) => {
                let message = "Too many failed calls from this network.";
                let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
                return Self { retry_after: Some(limit.retry_after), ..failure };
            }
            // One message for all of them: a thief needn't learn which.
            TokenRefused::NotOurs | TokenRefused::Expired | TokenRefused::Revoked => {
                "Show a live access token of this project: Authorization: Bearer <token>."
            }
            TokenRefused::Bound | TokenRefused::NoProof | TokenRefused::OtherKey => {
                "This access token is bound to a key: show it as Authorization: DPoP <token>, with a DPoP proof of that key."
            }
            TokenRefused::NotBound => "This access token is bound to no key: show it as Authorization: Bearer <token>.",
            TokenRefused::Possession(refused) => return refused.into(),
        };
        let failure = Self::new(StatusCode::UNAUTHORIZED, Code::InvalidCredentials, message);
        Self { challenge: Some(challenge), ..failure }
    }

    /// The path is right, the method isn't.
    pub(crate) fn wrong_method() -> Self {
        let message = "This path takes another method; the Allow header names it.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::InvalidRequest, message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = ErrorDetail { code: self.code, message: self.message.to_owned() };
        let mut response = (self.status, Json(ErrorEnvelope { error })).into_response();
        if let Some(challenge) = self.challenge {
            challenge.add_to(&mut response);
        }
        if let Some(wait) = self.retry_after {
            add_retry_after(&mut response, wait);
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}

impl From<Outage> for Failure {
    fn from(outage: Outage) -> Self {
        let cause = Some(outage.to_string());
        match outage {
            Outage::Unavailable(_) | Outage::StaleFeed => {
                let message = "The server can't answer just now. Try again in a moment.";
                let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message);
                Self { retry_after: Some(OUTAGE_RETRY), cause, ..failure }
            }
            Outage::Fault(_) => {
                let message = "The server failed. Its log says why, under the request id of this answer.";
                Self { cause, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, message) }
            }
        }
    }
}

impl From<PossessionRefused> for Failure {
    fn from(refused: PossessionRefused) -> Self {
        let message = "The DPoP proof can't be taken: WWW-Authenticate says why. Make another.";
        let failure = Self::new(StatusCode::UNAUTHORIZED, Code::InvalidCredentials, message);
        Self { challenge: Some(Challenge::of_possession(&refused)), ..failure }
    }
}

impl From<Misaddressed> for Failure {
    fn from(problem: Misaddressed) -> Self {
        let message = match problem {
            Misaddressed::NoSuchProject => "There is no such project.",
            Misaddressed::Disagreement => "Path and host name different projects.",
            Misaddressed::NoneNamed => "The call names no project, and the root serves none: use /p/{project}.",
        };
        Self::new(StatusCode::NOT_FOUND, Code::ResourceNotFound, message)
    }
}
