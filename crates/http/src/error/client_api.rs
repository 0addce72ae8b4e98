//! Door 2: `{"error": {"code", "message"}}`.

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_domain::gateway::path::UnclearPath;
use countersign_service::{address::Misaddressed, error::Outage, proof::access_token::TokenRefused};
use countersign_wire::client_api::error::{Code, ErrorDetail, ErrorEnvelope};

use super::{Cause, OUTAGE_RETRY, add_retry_after};
use crate::gateway::failure::GatewayFailure;

/// A refusal of door 2.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Code,
    message: Cow<'static, str>,
    /// Of RFC 6750 §3.1.
    challenge: Option<&'static str>,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

impl Failure {
    fn new(status: StatusCode, code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), challenge: None, retry_after: None, cause: None }
    }

    /// No such path.
    pub(crate) fn no_such_path() -> Self {
        let message = "There is nothing at this path. The paths are in /openapi.json.";
        Self::new(StatusCode::NOT_FOUND, Code::ResourceNotFound, message)
    }

    /// The path is right, the method isn't.
    pub(crate) fn wrong_method() -> Self {
        let message = "This path takes another method; the Allow header names it.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::InvalidRequest, message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = ErrorDetail { code: self.code, message: self.message.into_owned() };
        let mut response = (self.status, Json(ErrorEnvelope { error })).into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
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

impl From<TokenRefused> for Failure {
    fn from(refused: TokenRefused) -> Self {
        let limit = match refused {
            TokenRefused::Outage(outage) => return outage.into(),
            TokenRefused::TooMany(limit) => Some(limit),
            TokenRefused::NotOurs | TokenRefused::Expired | TokenRefused::Revoked => None,
        };
        if let Some(limit) = limit {
            let message = "Too many failed calls from this network.";
            let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
            return Self { retry_after: Some(limit.retry_after), ..failure };
        }
        // One message for all of them: a thief needn't learn which.
        let message = "Show a live access token of this project: Authorization: Bearer <token>.";
        let failure = Self::new(StatusCode::UNAUTHORIZED, Code::InvalidCredentials, message);
        Self { challenge: Some("Bearer error=\"invalid_token\""), ..failure }
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

impl From<UnclearPath> for Failure {
    fn from(problem: UnclearPath) -> Self {
        let message = format!("The path can't be judged: {problem}.");
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, message)
    }
}

impl From<GatewayFailure> for Failure {
    fn from(failure: GatewayFailure) -> Self {
        let unavailable =
            |status, message, cause| Self { cause: Some(cause), ..Self::new(status, Code::Unavailable, message) };
        let invalid = |status, message: &'static str| Self::new(status, Code::InvalidRequest, message);
        match failure {
            GatewayFailure::Unreachable(cause) => {
                let message = "The API behind this server can't be reached. The server's log says why, under the request id of this answer.";
                Self { retry_after: Some(OUTAGE_RETRY), ..unavailable(StatusCode::SERVICE_UNAVAILABLE, message, cause) }
            }
            GatewayFailure::TimedOut(cause) => {
                let message = "The API behind this server took too long. The server's log says more, under the request id of this answer.";
                unavailable(StatusCode::GATEWAY_TIMEOUT, message, cause)
            }
            GatewayFailure::NotHttp(cause) => {
                let message = "The API behind this server gave no answer that can be read. The server's log says why, under the request id of \
                    this answer.";
                unavailable(StatusCode::BAD_GATEWAY, message, cause)
            }
            GatewayFailure::Revoked => {
                let message = "What this call was proved with was revoked while it ran.";
                Self::new(StatusCode::UNAUTHORIZED, Code::InvalidCredentials, message)
            }
            GatewayFailure::CallerBrokeOff => invalid(StatusCode::BAD_REQUEST, "The body broke off."),
            GatewayFailure::CallerStalled => invalid(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive."),
            GatewayFailure::Method => {
                invalid(StatusCode::METHOD_NOT_ALLOWED, "This server passes no TRACE and no CONNECT on.")
            }
            GatewayFailure::TargetTooLong => invalid(StatusCode::URI_TOO_LONG, "The path is too long."),
        }
    }
}
