//! Management: `{"detail"}`.

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use countersign_service::{
    client_auth::call::CallNotSigned, error::Outage, management::ManagementRefused,
    proof::possession::PossessionRefused,
};
use countersign_wire::{management::error::DetailBody, object::BodyError};

use super::{Cause, OUTAGE_RETRY, add_retry_after, delegation};
use crate::{dpop_nonce::NextNonce, extract::body::NoBody};

/// A refusal of management.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    detail: Cow<'static, str>,
    nonce: Option<String>,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

impl Failure {
    fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), nonce: None, retry_after: None, cause: None }
    }

    /// The call won't do.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }
}

impl Failure {
    /// A fault of ours.
    pub(crate) fn broken(cause: &str) -> Self {
        Outage::Fault(cause.to_owned()).into()
    }
}

impl From<Failure> for delegation::Failure {
    /// To be sealed.
    fn from(failure: Failure) -> Self {
        Self::new(failure.status, failure.detail).told(failure.retry_after, failure.cause)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = Json(DetailBody { detail: self.detail.into_owned() });
        let mut response = (self.status, NextNonce(self.nonce), body).into_response();
        if let Some(wait) = self.retry_after {
            add_retry_after(&mut response, wait);
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}

impl From<CallNotSigned> for Failure {
    fn from(refused: CallNotSigned) -> Self {
        let unauthorized = |detail: Cow<'static, str>| Self::new(StatusCode::UNAUTHORIZED, detail);
        match refused {
            CallNotSigned::Outage(outage) => outage.into(),
            CallNotSigned::TooMany(limit) => {
                let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many failed calls from this network.");
                Self { retry_after: Some(limit.retry_after), ..failure }
            }
            CallNotSigned::FromBrowser => {
                let message = "A browser sent this call, so anybody who has the page has its key. Call from a backend, and replace the key.";
                Self::new(StatusCode::FORBIDDEN, message)
            }
            CallNotSigned::NotAllowed => {
                let message = "This client may not manage users: see its setting `management`.";
                Self::new(StatusCode::FORBIDDEN, message)
            }
            CallNotSigned::Version => Self::invalid(format!("{refused}.")),
            // Whoever signed it knows what it says.
            CallNotSigned::Assertion(flaw) => unauthorized(format!("The assertion can't be taken: {flaw}.").into()),
            CallNotSigned::Algorithm(_)
            | CallNotSigned::OtherAudience
            | CallNotSigned::OtherBody
            | CallNotSigned::Replayed
            | CallNotSigned::OtherKey => unauthorized(format!("The call is not proved: {refused}.").into()),
            CallNotSigned::Possession(refused) => {
                let failure = unauthorized(format!("The DPoP proof can't be taken: {refused}.").into());
                let nonce = match refused {
                    PossessionRefused::UseNonce(nonce) => Some(nonce),
                    PossessionRefused::Invalid(_) | PossessionRefused::Replayed => None,
                };
                Self { nonce, ..failure }
            }
            CallNotSigned::Missing | CallNotSigned::Unknown => {
                unauthorized("Sign the call by a key that a client of this project registered.".into())
            }
        }
    }
}

impl From<ManagementRefused> for Failure {
    fn from(refused: ManagementRefused) -> Self {
        let status = match refused {
            ManagementRefused::Outage(outage) => return outage.into(),
            ManagementRefused::NoSuchUser => StatusCode::NOT_FOUND,
            ManagementRefused::Ambiguous
            | ManagementRefused::UserDisabled
            | ManagementRefused::Taken
            | ManagementRefused::Spent => StatusCode::CONFLICT,
            ManagementRefused::Invalid(_) | ManagementRefused::NoReceipt => StatusCode::BAD_REQUEST,
        };
        let said = refused.to_string();
        let mut letters = said.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        Self::new(status, format!("{first}{}.", letters.as_str()))
    }
}

impl From<BodyError> for Failure {
    fn from(problem: BodyError) -> Self {
        Self::invalid(format!("{problem}."))
    }
}

impl From<NoBody> for Failure {
    fn from(problem: NoBody) -> Self {
        match problem {
            NoBody::TooLong => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The body must be at most 64 KiB."),
            NoBody::TooSlow => Self::new(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive."),
            NoBody::BrokenOff => Self::invalid("The body broke off."),
        }
    }
}

impl From<Outage> for Failure {
    fn from(outage: Outage) -> Self {
        let cause = Some(outage.to_string());
        match outage {
            Outage::Unavailable(_) | Outage::StaleFeed => {
                let message = "The server can't answer just now. Try again in a moment.";
                let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, message);
                Self { retry_after: Some(OUTAGE_RETRY), cause, ..failure }
            }
            Outage::Fault(_) => {
                let message = "The server failed. Its log says why, under the request id of this answer.";
                Self { cause, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, message) }
            }
        }
    }
}
