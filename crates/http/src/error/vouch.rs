//! Door 1: `{"code", "message"}`.

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use countersign_domain::{identity::IdentityKind, identity_join::Conflict, key::KeyRefusal};
use countersign_service::{
    code_sign_in::{AttributesRefused, CodeRefused},
    error::Outage,
    proof::{
        access_token::{ShownToken, TokenRefused},
        possession::PossessionRefused,
        secret_key::NotABackend,
    },
    session::{list::ListRefused, refresh::RefreshRefused, sign_out::SignOutRefused},
    vouch::VouchRefused,
};
use countersign_wire::{
    object::BodyError,
    vouch::error::{Code, ErrorBody, Reason},
};

use super::{Cause, OUTAGE_RETRY, add_retry_after, challenge::Challenge};
use crate::extract::body::NoBody;

/// A refusal of door 1.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Code,
    message: Cow<'static, str>,
    reason: Option<Reason>,
    challenge: Option<Challenge>,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

impl Failure {
    fn new(status: StatusCode, code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), reason: None, challenge: None, retry_after: None, cause: None }
    }

    fn unauthorized(message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, message)
    }

    fn too_many(retry_after: Duration, message: &'static str) -> Self {
        let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests, message);
        Self { retry_after: Some(retry_after), ..failure }
    }

    fn gone(code: Code, reason: Reason, message: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::new(StatusCode::BAD_REQUEST, code, message) }
    }

    /// No such path.
    pub(crate) fn no_such_path() -> Self {
        let message = "There is nothing at this path. The paths are in /openapi.json.";
        Self::new(StatusCode::NOT_FOUND, Code::MalformedRequest, message)
    }

    /// An access token that isn't taken. This door says by its code what to do; only who shows a key, or must, is told in RFC 9449's way.
    pub(crate) fn of_token(refused: TokenRefused, shown: &ShownToken<'_>) -> Self {
        let challenge = Challenge::of_token(&refused, shown.is_dpop());
        let is_unauthorized = !matches!(refused, TokenRefused::TooMany(_) | TokenRefused::Outage(_));
        let is_told = is_unauthorized && matches!(challenge, Challenge::Dpop { .. });
        Self { challenge: is_told.then_some(challenge), ..refused.into() }
    }

    /// Only the customer's backend may ask that.
    pub(crate) fn for_backends() -> Self {
        Self::unauthorized(
            "Only a backend may ask by address: show a secret key in verification-token, or ask by authToken.",
        )
    }

    /// The path is right, the method isn't.
    pub(crate) fn wrong_method() -> Self {
        let message = "This path takes another method; the Allow header names it.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::MalformedRequest, message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = ErrorBody { code: self.code.number(), message: self.message.into_owned(), reason: self.reason };
        let mut response = (self.status, Json(body)).into_response();
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
                let failure = Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unavailable, message);
                Self { cause, ..failure }
            }
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
        Self::new(status, Code::MalformedRequest, message)
    }
}

impl From<BodyError> for Failure {
    fn from(problem: BodyError) -> Self {
        let code = match problem {
            BodyError::NotAnObject => Code::MalformedRequest,
            BodyError::Field { .. } => Code::InvalidField,
        };
        Self::new(StatusCode::BAD_REQUEST, code, format!("{problem}."))
    }
}

impl From<NotABackend> for Failure {
    fn from(refused: NotABackend) -> Self {
        match refused {
            NotABackend::Missing => {
                Self::unauthorized("Send the project's secret key in the verification-token header, once.")
            }
            NotABackend::Unknown => Self::unauthorized(
                "The secret key in verification-token isn't known here. Make one with `countersign key create --kind secret`.",
            ),
            NotABackend::Unusable(KeyRefusal::Revoked) => Self::unauthorized(
                "This secret key has been revoked. Use another, or make one with `countersign key create`.",
            ),
            NotABackend::Unusable(KeyRefusal::Expired) => Self::unauthorized(
                "This secret key has expired. Use its successor, or make one with `countersign key create`.",
            ),
            NotABackend::Unusable(KeyRefusal::ForeignNetwork) => Self::unauthorized(
                "This secret key may not be used from this network. `countersign key show` says from which.",
            ),
            NotABackend::FromBrowser => Self::unauthorized(
                "A browser sent this secret key, so anybody who has the app can read it. Call from a backend, and rotate the key.",
            ),
            NotABackend::ProjectClosed => Self::unauthorized("The project of this secret key is disabled."),
            NotABackend::TooMany(limit) => Self::too_many(limit.retry_after, "Too many calls with this secret key."),
            NotABackend::Outage(outage) => outage.into(),
        }
    }
}

impl From<VouchRefused> for Failure {
    fn from(refused: VouchRefused) -> Self {
        let bad = |code, message: &'static str| Self::new(StatusCode::BAD_REQUEST, code, message);
        match refused {
            VouchRefused::NoSuchUser => {
                let message = "There is no such user. Sign the user up at private/signup, or say createIfMissing.";
                Self::new(StatusCode::FORBIDDEN, Code::NoSuchUser, message)
            }
            VouchRefused::UserExists => bad(
                Code::Conflict,
                "The user exists, and this project signs up only those who don't. Use private/signin.",
            ),
            VouchRefused::UserDisabled => {
                Self::unauthorized("The user is disabled. `countersign user enable` lets the user in again.")
            }
            VouchRefused::Conflict(conflict) => {
                Self::new(StatusCode::CONFLICT, Code::Conflict, conflict_message(conflict))
            }
            VouchRefused::UnknownProject => bad(
                Code::UnknownProject,
                "`projectId` names no project of this server, or not the one of this key, path or host.",
            ),
            VouchRefused::UnknownClient => bad(Code::UnknownClient, "`clientId` names no open client of this project."),
            VouchRefused::ClientNotAllowed => {
                Self::unauthorized("This secret key may not vouch for users of this client.")
            }
            VouchRefused::MayNotCreateUsers => Self::unauthorized("This secret key may not create users."),
            VouchRefused::ActivationCode => bad(Code::ActivationCode, ACTIVATION_CODE),
            VouchRefused::AuthTimeAhead => {
                bad(Code::InvalidField, "`authentication.authTime` lies in the future. It is seconds since 1970.")
            }
            VouchRefused::TooMany(limit) => {
                Self::too_many(limit.retry_after, "Too many vouches for this e-mail address.")
            }
            VouchRefused::Outage(outage) => outage.into(),
        }
    }
}

const ACTIVATION_CODE: &str = "This project lets nobody sign up without an activation code, and `validationData.activationCode` isn't one, or was used up.";

impl From<CodeRefused> for Failure {
    fn from(refused: CodeRefused) -> Self {
        let bad = |code, message: &'static str| Self::new(StatusCode::BAD_REQUEST, code, message);
        match refused {
            CodeRefused::UnknownProject => bad(
                Code::UnknownProject,
                "`projectId` names no project of this server, or not the one of this path or host.",
            ),
            CodeRefused::UnknownClient => bad(Code::UnknownClient, "`clientId` names no open client of this project."),
            CodeRefused::WrongCode => bad(
                Code::InvalidField,
                "`confirmationCode` isn't the code that was sent, or its time is over. Ask for another.",
            ),
            CodeRefused::NoSuchUser => {
                let message =
                    "The code is right, and there is no such user. Sign the user up at signup with the same code.";
                Self::new(StatusCode::FORBIDDEN, Code::NoSuchUser, message)
            }
            CodeRefused::UserExists => {
                bad(Code::Conflict, "The user exists, and this project signs up only those who don't. Use signin.")
            }
            CodeRefused::UserDisabled => {
                Self::unauthorized("The user is disabled. `countersign user enable` lets the user in again.")
            }
            CodeRefused::Closed => {
                Self::unauthorized("This project lets nobody sign up by code: see its setting `signup`.")
            }
            CodeRefused::ActivationCode => bad(Code::ActivationCode, ACTIVATION_CODE),
            CodeRefused::NoChannel => {
                let message = "This server sends no such messages: an operator must configure `[mail]` or `[sms]`.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
            }
            CodeRefused::TooMany(limit) => {
                Self::too_many(limit.retry_after, "Too many codes or tries for this address.")
            }
            CodeRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<AttributesRefused> for Failure {
    fn from(refused: AttributesRefused) -> Self {
        let bad = |code, message: &'static str| Self::new(StatusCode::BAD_REQUEST, code, message);
        match refused {
            AttributesRefused::UnknownProject => bad(
                Code::UnknownProject,
                "`projectId` names no project of this server, or not the one of this token, key, path or host.",
            ),
            AttributesRefused::UnknownClient => {
                bad(Code::UnknownClient, "`clientId` names no open client of this project.")
            }
            AttributesRefused::NoSuchUser => {
                Self::new(StatusCode::NOT_FOUND, Code::NoSuchUser, "Nobody has this address.")
            }
            AttributesRefused::Outage(outage) => outage.into(),
        }
    }
}

fn conflict_message(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::TwoUsers => {
            "The identities in this vouch belong to different users. Nothing was changed; `countersign user merge` makes one of two."
        }
        Conflict::ProvedByAnother(IdentityKind::Phone) => {
            "The owner of this telephone number proved it here, and this vouch doesn't. Nothing was changed."
        }
        Conflict::ProvedByAnother(_) => {
            "The owner of this e-mail address proved it here, and this vouch doesn't. Nothing was changed."
        }
        Conflict::OtherExternalId => {
            "The user with this e-mail address or telephone number has another externalId. Nothing was changed; \
             `countersign user set` moves an identity."
        }
    }
}

impl From<PossessionRefused> for Failure {
    fn from(refused: PossessionRefused) -> Self {
        let message = "The DPoP proof can't be taken: WWW-Authenticate says why. Make another.";
        let failure = Self::new(StatusCode::UNAUTHORIZED, Code::TokenInvalid, message);
        Self { challenge: Some(Challenge::of_possession(&refused)), ..failure }
    }
}

impl From<RefreshRefused> for Failure {
    fn from(refused: RefreshRefused) -> Self {
        match refused {
            RefreshRefused::Replaced => {
                let message = "Another part of the app holds a newer refresh token: read the storage again.";
                Self::gone(Code::SessionGone, Reason::Replaced, message)
            }
            RefreshRefused::NotOurs
            | RefreshRefused::OtherKey
            | RefreshRefused::OtherClient
            | RefreshRefused::Scope
            | RefreshRefused::Ended => {
                Self::gone(Code::SessionGone, Reason::Ended, "The session is over: ask the host application again.")
            }
            RefreshRefused::Possession(refused) => refused.into(),
            RefreshRefused::Idle => {
                let message = "The session was idle for too long: ask the host application again.";
                Self::gone(Code::IdleTimeout, Reason::Ended, message)
            }
            RefreshRefused::TooMany(limit) => {
                Self::too_many(limit.retry_after, "Too many failed calls from this network.")
            }
            RefreshRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<SignOutRefused> for Failure {
    fn from(refused: SignOutRefused) -> Self {
        match refused {
            SignOutRefused::NotOurs | SignOutRefused::OtherKey => {
                Self::gone(Code::SessionGone, Reason::Ended, "There is no such session.")
            }
            SignOutRefused::Possession(refused) => refused.into(),
            SignOutRefused::OtherUser => {
                Self::new(StatusCode::BAD_REQUEST, Code::InvalidField, "`userId` isn't the user of this session.")
            }
            SignOutRefused::TooMany(limit) => {
                Self::too_many(limit.retry_after, "Too many failed calls from this network.")
            }
            SignOutRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<TokenRefused> for Failure {
    fn from(refused: TokenRefused) -> Self {
        let unauthorized = |code, message: &'static str| Self::new(StatusCode::UNAUTHORIZED, code, message);
        match refused {
            TokenRefused::Expired => unauthorized(Code::TokenExpired, "The access token has expired: refresh it."),
            TokenRefused::NotOurs => unauthorized(Code::TokenInvalid, "This is no access token of this project."),
            TokenRefused::Revoked => unauthorized(
                Code::SessionGone,
                "The session of this access token is over: ask the host application again.",
            ),
            TokenRefused::Bound | TokenRefused::NoProof | TokenRefused::OtherKey => {
                unauthorized(Code::TokenInvalid, "This access token is bound to a key: show a DPoP proof of that key.")
            }
            TokenRefused::NotBound => {
                unauthorized(Code::TokenInvalid, "This access token is bound to no key: show it without a DPoP proof.")
            }
            TokenRefused::Possession(refused) => refused.into(),
            TokenRefused::TooMany(limit) => {
                Self::too_many(limit.retry_after, "Too many failed calls from this network.")
            }
            TokenRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<ListRefused> for Failure {
    fn from(refused: ListRefused) -> Self {
        match refused {
            ListRefused::NoSuchUser => Self::new(StatusCode::NOT_FOUND, Code::NoSuchUser, "There is no such user."),
            ListRefused::Outage(outage) => outage.into(),
        }
    }
}
