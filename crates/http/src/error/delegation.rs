//! Door 3, the calls of a customer's backend: `{"detail"}`. Once it is known who calls, it goes into an envelope.

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
};
use countersign_service::{
    delegation::{devices::DelegatedDeviceRefused, request::RequestRefused, subject::SubjectRefused},
    error::Outage,
    mfa::change::ChangeRefused,
    proof::delegation::{NotDelegated, NotOpened},
};
use countersign_wire::{delegation::error::ErrorBody, object::BodyError};

use super::{Cause, OUTAGE_RETRY, add_retry_after};
use crate::extract::body::NoBody;

/// A refusal of a delegated call.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    detail: Cow<'static, str>,
    says_error: bool,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), says_error: false, retry_after: None, cause: None }
    }

    /// The path is right, the method isn't.
    pub(crate) fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "This path takes another method; the Allow header names it.")
    }

    /// A header that can be read in two ways, or in none.
    pub(crate) fn unclear_header(name: &HeaderName) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("The header {name} must stand there once, in ASCII."))
    }

    /// Whatever else there is of that name is nobody's business.
    pub(crate) fn no_device() -> Self {
        Self::new(StatusCode::NOT_FOUND, "The user has no such device.")
    }

    fn too_many(retry_after: Duration, detail: &'static str) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// The same, with when to come again and what the log is told.
    pub(crate) fn told(self, retry_after: Option<Duration>, cause: Option<String>) -> Self {
        Self { retry_after, cause, ..self }
    }

    /// What is said of it.
    pub(crate) fn body(&self) -> ErrorBody {
        ErrorBody { status: self.says_error.then_some("error"), detail: self.detail.clone().into_owned() }
    }

    /// The answer, but for its body.
    pub(crate) fn into_empty_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(wait) = self.retry_after {
            add_retry_after(&mut response, wait);
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = Json(self.body()).into_response();
        let mut response = self.into_empty_response();
        let (said, body) = body.into_parts();
        response.headers_mut().extend(said.headers);
        *response.body_mut() = body;
        response
    }
}

/// One text for all that isn't proved. Whoever signs as it should be is told by metrics and the audit trail.
const NOT_PROVED: &str = "The call is not proved: see docs/reference/delegation-envelope.md.";

impl From<NotDelegated> for Failure {
    fn from(refused: NotDelegated) -> Self {
        match refused {
            NotDelegated::Suite => Self::new(StatusCode::BAD_REQUEST, "X-Enc-Alg must be x25519-aesgcm."),
            NotDelegated::Header(problem) => Self::new(StatusCode::UNAUTHORIZED, format!("{problem}.")),
            NotDelegated::Stale => {
                let detail = "The call was signed at another time, by more than 300 seconds: compare the clocks.";
                Self::new(StatusCode::UNAUTHORIZED, detail)
            }
            NotDelegated::NotNamed => {
                Self::new(StatusCode::UNAUTHORIZED, "Say whose call it is: X-SP-Id, or X-Key-Id.")
            }
            NotDelegated::Unknown | NotDelegated::NotSigned => Self::new(StatusCode::UNAUTHORIZED, NOT_PROVED),
            NotDelegated::TooMany(limit) => {
                Self::too_many(limit.retry_after, "Too many failed calls from this network.")
            }
            NotDelegated::Outage(outage) => outage.into(),
        }
    }
}

impl From<NotOpened> for Failure {
    fn from(refused: NotOpened) -> Self {
        match refused {
            // One text for all of them: what opens, and what doesn't, is nothing to learn step by step.
            NotOpened::Envelope(_) => Self::new(StatusCode::BAD_REQUEST, "The envelope can't be opened."),
            NotOpened::TooMany(limit) => Self::too_many(limit.retry_after, "Too many calls with this key."),
            NotOpened::Replayed => {
                Self::new(StatusCode::UNAUTHORIZED, "This envelope was used before: seal another one for each call.")
            }
            NotOpened::Outage(outage) => outage.into(),
        }
    }
}

impl From<SubjectRefused> for Failure {
    fn from(refused: SubjectRefused) -> Self {
        match refused {
            SubjectRefused::NoSuchUser => Self::new(StatusCode::NOT_FOUND, "There is no such user."),
            SubjectRefused::Ambiguous => {
                let detail =
                    "`userid` is one user's e-mail address and another's id: say it by the user's id here (u_…).";
                Self::new(StatusCode::CONFLICT, detail)
            }
            SubjectRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<RequestRefused> for Failure {
    fn from(refused: RequestRefused) -> Self {
        match refused {
            RequestRefused::OtherAction => {
                Self::new(StatusCode::BAD_REQUEST, "`action` must be the one that this path is for.")
            }
            RequestRefused::OtherProvider => {
                Self::new(StatusCode::UNAUTHORIZED, "`sp.id` and `sp.kid` must be what the headers say.")
            }
            RequestRefused::OtherTime => {
                Self::new(StatusCode::UNAUTHORIZED, "`iat` is more than 300 seconds from now: compare the clocks.")
            }
            RequestRefused::Replayed => {
                Self::new(StatusCode::UNAUTHORIZED, "This `jti` was used before: draw another one for each request.")
            }
            RequestRefused::Subject(refused) => refused.into(),
            RequestRefused::UserDisabled => Self::new(StatusCode::FORBIDDEN, "The user is locked out."),
            RequestRefused::NotProved => {
                let detail = "The user must show a code for that: begin with /hc_auth/v5/update/initiate.";
                Self::new(StatusCode::CONFLICT, detail)
            }
            RequestRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<ChangeRefused> for Failure {
    fn from(refused: ChangeRefused) -> Self {
        match refused {
            ChangeRefused::Subject(refused) => refused.into(),
            ChangeRefused::UserDisabled => Self::new(StatusCode::FORBIDDEN, "The user is locked out."),
            ChangeRefused::NoAddress => {
                Self::new(StatusCode::CONFLICT, "The user has no e-mail address to which a code could go.")
            }
            ChangeRefused::NoChannel(channel) => {
                let detail = format!("This server sends nothing by {channel}: see its configuration.");
                Self::new(StatusCode::CONFLICT, detail)
            }
            ChangeRefused::TooMany(limit) => {
                Self::too_many(limit.retry_after, "Too many messages: `Retry-After` says when to come again.")
            }
            ChangeRefused::WrongCode => {
                let detail = "The code isn't right, or the change is over: look at the code, or begin again.";
                Self { says_error: true, ..Self::new(StatusCode::BAD_REQUEST, detail) }
            }
            ChangeRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<DelegatedDeviceRefused> for Failure {
    fn from(refused: DelegatedDeviceRefused) -> Self {
        match refused {
            DelegatedDeviceRefused::Subject(refused) => refused.into(),
            DelegatedDeviceRefused::NoSuchDevice => Self::no_device(),
        }
    }
}

impl From<Outage> for Failure {
    fn from(outage: Outage) -> Self {
        let cause = Some(outage.to_string());
        match outage {
            Outage::Unavailable(_) | Outage::StaleFeed => {
                let detail = "The server can't answer just now. Try again in a moment.";
                let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, detail);
                Self { retry_after: Some(OUTAGE_RETRY), cause, ..failure }
            }
            Outage::Fault(_) => {
                let detail = "The server failed. Its log says why, under the request id of this answer.";
                Self { cause, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail) }
            }
        }
    }
}

impl From<NoBody> for Failure {
    fn from(problem: NoBody) -> Self {
        let (status, detail) = match problem {
            NoBody::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "The body must be at most 64 KiB."),
            NoBody::TooSlow => (StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive."),
            NoBody::BrokenOff => (StatusCode::BAD_REQUEST, "The body broke off."),
        };
        Self::new(status, detail)
    }
}

impl From<BodyError> for Failure {
    fn from(problem: BodyError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("{problem}."))
    }
}
