//! Door 2: `{"error": {"code", "message"}}`.

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use countersign_domain::gateway::path::UnclearPath;
use countersign_service::{
    address::Misaddressed,
    client_users::UserRefused,
    error::Outage,
    proof::{
        access_token::TokenRefused, actor::NotAnActor, client_call::CallRefused, possession::PossessionRefused,
        secret_key::NotABackend,
    },
    session::{open::OpenRefused, upgrade::UpgradeRefused},
};
use countersign_wire::{
    client_api::error::{Code, ErrorDetail, ErrorEnvelope},
    object::BodyError,
};

use super::{Cause, OUTAGE_RETRY, add_retry_after, challenge::Challenge};
use crate::{extract::body::NoBody, gateway::failure::GatewayFailure};

/// A refusal of door 2.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Code,
    message: Cow<'static, str>,
    /// Larger than everything else together.
    challenge: Option<Box<Challenge>>,
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

    /// An access token that isn't taken.
    fn of_token(refused: TokenRefused, is_dpop: bool) -> Self {
        let challenge = Challenge::of_token(&refused, is_dpop);
        let message = match refused {
            TokenRefused::Outage(outage) => return outage.into(),
            TokenRefused::TooMany(limit) => return Self::too_many(limit.retry_after, TOO_MANY_FAILURES),
            // One message for all of them: a thief needn't learn which.
            TokenRefused::NotOurs | TokenRefused::Expired | TokenRefused::Revoked => SHOW_TOKEN,
            TokenRefused::Bound | TokenRefused::NoProof | TokenRefused::OtherKey => {
                "This access token is bound to a key: show it as Authorization: DPoP <token>, with a DPoP proof of that key."
            }
            TokenRefused::NotBound => "This access token is bound to no key: show it as Authorization: Bearer <token>.",
            TokenRefused::Possession(refused) => return refused.into(),
        };
        Self::unauthorized(challenge, message)
    }

    /// It is for those who sit at this machine.
    pub(crate) fn for_this_machine() -> Self {
        let message = "This is for people and scripts on this machine, not for pages of other sites. Open it by itself, at localhost.";
        Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
    }

    /// What no message can be sent to.
    pub(crate) fn unclear_destination() -> Self {
        let message = "`to` must stand there once, and be an e-mail address or a telephone number like `+15551234567`.";
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, message)
    }

    /// A fault of ours.
    pub(crate) fn broken(cause: &str) -> Self {
        Outage::Fault(cause.to_owned()).into()
    }

    /// The path is right, the method isn't.
    pub(crate) fn wrong_method() -> Self {
        let message = "This path takes another method; the Allow header names it.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::InvalidRequest, message)
    }

    /// A backend called what is for users. It proved who it is, but not a user.
    pub(crate) fn for_users() -> Self {
        Self::unauthorized(Challenge::Bearer, SHOW_TOKEN)
    }

    /// A user called what is for backends.
    pub(crate) fn for_backends() -> Self {
        let message = "This is for the customer's backend: Authorization: Bearer sk_….";
        Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
    }

    /// A path that an API behind the gateway could read as another.
    pub(crate) fn two_ways() -> Self {
        let message = "The path can be read in two ways, and they lead to different routes.";
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, message)
    }

    /// A right credential, of a kind that a route doesn't take.
    pub(crate) fn other_credential() -> Self {
        let message = "This path takes another kind of credential.";
        Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
    }

    /// A parameter of the query that isn't one.
    pub(crate) fn bad_parameter(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, message)
    }

    fn unauthorized(challenge: Challenge, message: &'static str) -> Self {
        let failure = Self::new(StatusCode::UNAUTHORIZED, Code::InvalidCredentials, message);
        Self { challenge: Some(Box::new(challenge)), ..failure }
    }

    fn too_many(retry_after: Duration, message: &'static str) -> Self {
        let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
        Self { retry_after: Some(retry_after), ..failure }
    }
}

const SHOW_TOKEN: &str = "Show a live access token of this project: Authorization: Bearer <token>.";
const NOT_PROVED: &str =
    "The call is not proved. The backend of this app learns why from POST /v1/explain, or `countersign explain`.";

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = ErrorDetail { code: self.code, message: self.message.into_owned() };
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

/// A refusal that a proxy is told. nginx throws the bodies of such answers away, so a header has the same.
pub(crate) struct ToldToProxy(Failure);

const ERROR: HeaderName = HeaderName::from_static("x-countersign-error");

impl<E: Into<Failure>> From<E> for ToldToProxy {
    fn from(failure: E) -> Self {
        Self(failure.into())
    }
}

impl IntoResponse for ToldToProxy {
    fn into_response(self) -> Response {
        let error = ErrorDetail { code: self.0.code, message: self.0.message.clone().into_owned() };
        let told = serde_json::to_string(&ErrorEnvelope { error });
        let mut response = self.0.into_response();
        if let Some(told) = told.ok().and_then(|told| HeaderValue::try_from(told).ok()) {
            response.headers_mut().insert(ERROR, told);
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
        Self { challenge: Some(Box::new(Challenge::of_possession(&refused))), ..failure }
    }
}

impl From<CallRefused> for Failure {
    fn from(refused: CallRefused) -> Self {
        match refused {
            CallRefused::NotProved(_) => Self::unauthorized(Challenge::Plain, NOT_PROVED),
            CallRefused::ForeignOrigin => {
                let message = "Pages of this origin may not call. `countersign project set` has `origins`.";
                Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
            }
            CallRefused::TooMany(limit) => Self::too_many(limit.retry_after, TOO_MANY_FAILURES),
            CallRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<NotABackend> for Failure {
    fn from(refused: NotABackend) -> Self {
        match refused {
            NotABackend::FromBrowser => {
                let message = "A browser sent this secret key, so anybody who has the app can read it. Call from a backend, and rotate the key.";
                Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
            }
            NotABackend::TooMany(limit) => Self::too_many(limit.retry_after, "Too many calls with this secret key."),
            NotABackend::Outage(outage) => outage.into(),
            NotABackend::Missing | NotABackend::Unknown | NotABackend::Unusable(_) | NotABackend::ProjectClosed => {
                Self::unauthorized(Challenge::Bearer, "Show a live secret key of this project.")
            }
        }
    }
}

impl From<NotAnActor> for Failure {
    fn from(refused: NotAnActor) -> Self {
        match refused {
            NotAnActor::Call(refused) => refused.into(),
            NotAnActor::Token { refused, is_dpop } => Self::of_token(refused, is_dpop),
            NotAnActor::Backend(refused) => refused.into(),
        }
    }
}

impl From<UpgradeRefused> for Failure {
    fn from(refused: UpgradeRefused) -> Self {
        match refused {
            UpgradeRefused::NotAnExpiringProof => {
                let message =
                    "Only a v2 proof of the user opens a session: v2.<expires>.<mac> or v2k.<expires>.<jkt>.<mac>.";
                Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
            }
            UpgradeRefused::UnknownClient | UpgradeRefused::Open(OpenRefused::UnknownClient) => {
                let message = "`client_id` must name an open app of this project.";
                Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, message)
            }
            UpgradeRefused::OtherKey => {
                let message = "The user's proof is bound to another key than the DPoP proof shows.";
                Self::unauthorized(Challenge::Plain, message)
            }
            UpgradeRefused::Possession(refused) => refused.into(),
            UpgradeRefused::Open(OpenRefused::Outage(outage)) => outage.into(),
            UpgradeRefused::Open(OpenRefused::Spent) => {
                let message = "A proof opens one session: make another DPoP proof, and ask the backend for another proof of the user.";
                Self::unauthorized(Challenge::Plain, message)
            }
            UpgradeRefused::Open(OpenRefused::NoSuchUser | OpenRefused::UserDisabled | OpenRefused::Revoked) => {
                Self::unauthorized(Challenge::Plain, NOT_PROVED)
            }
        }
    }
}

impl From<UserRefused> for Failure {
    fn from(refused: UserRefused) -> Self {
        match refused {
            UserRefused::NoSuchUser => {
                Self::new(StatusCode::NOT_FOUND, Code::ResourceNotFound, "There is no such user.")
            }
            UserRefused::Exists => {
                Self::new(StatusCode::CONFLICT, Code::Conflict, "There is a user of that external_id.")
            }
            UserRefused::MayNotCreateUsers => {
                Self::new(StatusCode::FORBIDDEN, Code::Forbidden, "This secret key may not create or delete users.")
            }
            UserRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<NoBody> for Failure {
    fn from(problem: NoBody) -> Self {
        let (status, message) = match problem {
            NoBody::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "The body must be at most 64 KiB."),
            NoBody::TooSlow => (StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive."),
            NoBody::BrokenOff => (StatusCode::BAD_REQUEST, "The body broke off."),
        };
        Self::new(status, Code::InvalidRequest, message)
    }
}

impl From<BodyError> for Failure {
    fn from(problem: BodyError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, format!("{problem}."))
    }
}

const TOO_MANY_FAILURES: &str = "Too many failed calls from this network.";

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
