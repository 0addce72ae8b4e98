//! The provider: `{"error", "error_description"}` (RFC 6749 §5.2, RFC 6750 §3.1, RFC 9449 §5).

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_domain::oauth::form::FormError;
use countersign_service::{
    bootstrap::BootstrapRefused,
    client_auth::{ClientCredentials, InvalidClient, call::CallNotSigned},
    error::Outage,
    oauth::{authorization::AuthorizationRefused, token::GrantRefused, userinfo::UserInfoRefused},
    proof::{access_token::TokenRefused, possession::PossessionRefused},
    sign_in::{ChallengeRefused, Denial},
};
use countersign_wire::{oauth::error::ErrorBody, object::BodyError};

use super::{Cause, OUTAGE_RETRY, add_retry_after, challenge::Challenge};
use crate::{dpop_nonce, extract::body::NoBody};

/// A refusal of the provider.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    error: &'static str,
    description: Cow<'static, str>,
    authenticate: Option<Box<Authenticate>>,
    nonce: Option<String>,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

/// What `WWW-Authenticate` asks for.
#[derive(Debug)]
enum Authenticate {
    Basic,
    Scope,
    Once,
    Token(Challenge),
}

impl Failure {
    fn new(status: StatusCode, error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        let description = description.into();
        Self { status, error, description, authenticate: None, nonce: None, retry_after: None, cause: None }
    }

    fn invalid(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// The body is something else.
    pub(crate) fn not_a_form() -> Self {
        Self::invalid("invalid_request", "The body must be application/x-www-form-urlencoded.")
    }

    /// A token stands in two places.
    pub(crate) fn shown_twice() -> Self {
        let twice = "The access token stands in Authorization and in a second place: show it in Authorization alone.";
        let authenticate = Some(Box::new(Authenticate::Once));
        Self { authenticate, ..Self::invalid("invalid_request", twice) }
    }

    /// Why there are no tokens. A secret that came in `Authorization` is asked for in the same place (RFC 6749 §5.2).
    pub(crate) fn of_grant(refused: GrantRefused, credentials: &ClientCredentials) -> Self {
        match refused {
            GrantRefused::Form(problem) => problem.into(),
            GrantRefused::Client(refused) => Self::of_client(refused, credentials),
            // One message for all of them: a thief needn't learn which.
            GrantRefused::Invalid(_) => Self::invalid(
                "invalid_grant",
                "The code or refresh token is not good, is another client's, or what must come with it is missing or wrong.",
            ),
            GrantRefused::NotForClient => Self::invalid("unauthorized_client", "This is not for this client."),
            GrantRefused::Unsupported => {
                let known = "grant_type must be authorization_code, refresh_token or client_credentials.";
                Self::invalid("unsupported_grant_type", known)
            }
            GrantRefused::Scope => Self::invalid("invalid_scope", "More was asked for than there is to have."),
            GrantRefused::Possession(refused) => refused.into(),
            GrantRefused::OtherKey => {
                let other = "The DPoP proof is of another key than the client's assertion names.";
                Self::invalid("invalid_dpop_proof", other)
            }
            GrantRefused::NotRevocable => {
                let own = "This token belongs to no session: it goes by its own time, or with its client.";
                Self::invalid("unsupported_token_type", own)
            }
            GrantRefused::TooMany(limit) => Self::too_many(limit.retry_after),
            GrantRefused::Outage(outage) => outage.into(),
        }
    }

    /// Why a sign-in on an app's own screens comes to nothing.
    pub(crate) fn of_challenge(refused: ChallengeRefused, credentials: &ClientCredentials) -> Self {
        match refused {
            ChallengeRefused::Client(refused) => Self::of_client(refused, credentials),
            ChallengeRefused::NotFirstParty => {
                let first_party =
                    "Only a first-party client may sign users in on its own screens (`oauth.first_party`).";
                Self::invalid("unauthorized_client", first_party)
            }
            ChallengeRefused::Request(AuthorizationRefused::Client(error)) => {
                Self::invalid(error.code.as_str(), error.description)
            }
            ChallengeRefused::Request(AuthorizationRefused::Page(problem)) => {
                Self::invalid("invalid_request", problem.to_string())
            }
            ChallengeRefused::Request(AuthorizationRefused::Outage(outage)) | ChallengeRefused::Outage(outage) => {
                outage.into()
            }
            ChallengeRefused::NoHint => {
                Self::invalid("invalid_request", "login_hint must be the user's e-mail address.")
            }
            ChallengeRefused::InvalidSession => {
                let over = "The sign-in is over, or this is not its newest auth_session. Begin again.";
                Self::invalid("invalid_session", over)
            }
            ChallengeRefused::NoChannel => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, "temporarily_unavailable", "This server sends no mail: see its configuration.")
            }
            ChallengeRefused::OtherKey => {
                let other = "The DPoP proof is of another key than the request or the client's assertion names.";
                Self::invalid("invalid_dpop_proof", other)
            }
            ChallengeRefused::TooMany(limit) => Self::too_many(limit.retry_after),
            ChallengeRefused::Possession(refused) => refused.into(),
            ChallengeRefused::Denied(Denial::NoAccount) => {
                Self::invalid("access_denied", "There is no account with this address, and nobody can open one.")
            }
            ChallengeRefused::Denied(Denial::Disabled) => Self::invalid("access_denied", "This account is closed."),
            ChallengeRefused::Denied(Denial::OtherUser) => {
                Self::invalid("access_denied", "This is another account than id_token_hint names.")
            }
            ChallengeRefused::Denied(Denial::NoEmail) => {
                Self::invalid("access_denied", "This account has no e-mail address.")
            }
        }
    }

    fn of_client(refused: InvalidClient, credentials: &ClientCredentials) -> Self {
        let description: Cow<'static, str> = match refused {
            InvalidClient::Outage(outage) => return outage.into(),
            InvalidClient::TooMany(limit) => return Self::too_many(limit.retry_after),
            // Whoever signed it knows what it says.
            InvalidClient::Assertion(flaw) => format!("The client's assertion can't be taken: {flaw}.").into(),
            InvalidClient::OtherAudience | InvalidClient::Replayed | InvalidClient::TwoMethods => {
                format!("The client did not authenticate: {refused}.").into()
            }
            _ => "The client is not known, or did not authenticate in the way that it registered.".into(),
        };
        let authenticate = credentials.is_basic().then(|| Box::new(Authenticate::Basic));
        Self { authenticate, ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description) }
    }

    /// An access token that isn't taken.
    pub(crate) fn of_token(headers: &HeaderMap, refused: TokenRefused, is_dpop: bool) -> Self {
        let challenge = Challenge::of_token(&refused, is_dpop);
        let (error, description) = match refused {
            TokenRefused::Outage(outage) => return outage.into(),
            TokenRefused::TooMany(limit) => return Self::too_many(limit.retry_after),
            TokenRefused::Possession(PossessionRefused::UseNonce(_)) => {
                ("use_dpop_nonce", "Use the nonce in DPoP-Nonce.")
            }
            TokenRefused::Possession(_) | TokenRefused::NoProof => {
                ("invalid_dpop_proof", "The DPoP proof can't be taken: WWW-Authenticate says why.")
            }
            _ => ("invalid_token", "Show a live access token of this project, in the way that its token_type says."),
        };
        // RFC 6750 §3.1: whoever showed nothing is told no error.
        let challenge = if headers.contains_key(header::AUTHORIZATION) { challenge } else { Challenge::Plain };
        let authenticate = Some(Box::new(Authenticate::Token(challenge)));
        Self { authenticate, ..Self::new(StatusCode::UNAUTHORIZED, error, description) }
    }

    fn too_many(retry_after: Duration) -> Self {
        let message = "Too many calls from this network: Retry-After says when to come again.";
        let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", message);
        Self { retry_after: Some(retry_after), ..failure }
    }
}

impl Failure {
    /// The call is addressed to none, or to several.
    pub(crate) fn no_project() -> Self {
        Self::invalid("invalid_request", "The call is addressed to no project.")
    }
}

impl From<BootstrapRefused> for Failure {
    fn from(refused: BootstrapRefused) -> Self {
        let said = format!("The call is not proved: {refused}.");
        let unproved =
            |description: Cow<'static, str>| Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description);
        match refused {
            BootstrapRefused::Outage(outage) | BootstrapRefused::Client(CallNotSigned::Outage(outage)) => outage.into(),
            BootstrapRefused::Client(CallNotSigned::TooMany(limit)) => Self::too_many(limit.retry_after),
            BootstrapRefused::Client(CallNotSigned::Missing | CallNotSigned::Unknown) => {
                unproved("Sign the call by a key that this client of the project registered.".into())
            }
            BootstrapRefused::Client(_) => unproved(said.into()),
            BootstrapRefused::Nonce | BootstrapRefused::Origin | BootstrapRefused::Key => {
                Self::invalid("invalid_grant", said)
            }
            BootstrapRefused::Scope => Self::invalid("invalid_scope", "scope may be bootstrap, or nothing."),
        }
    }
}

impl From<BodyError> for Failure {
    fn from(problem: BodyError) -> Self {
        Self::invalid("invalid_request", format!("{problem}."))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: self.error, error_description: self.description.into_owned() };
        let mut response = (self.status, Json(body)).into_response();
        let mut ask = |text| response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(text));
        match self.authenticate.map(|it| *it) {
            None => {}
            Some(Authenticate::Basic) => drop(ask("Basic realm=\"clients\", charset=\"UTF-8\"")),
            Some(Authenticate::Scope) => drop(ask("Bearer error=\"insufficient_scope\", scope=\"openid\"")),
            Some(Authenticate::Once) => drop(ask("Bearer error=\"invalid_request\"")),
            Some(Authenticate::Token(challenge)) => challenge.add_to(&mut response),
        }
        if let Some(nonce) = self.nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            response.headers_mut().insert(dpop_nonce::HEADER, nonce);
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

impl From<FormError> for Failure {
    fn from(problem: FormError) -> Self {
        Self::invalid("invalid_request", format!("The request is not right: {problem}."))
    }
}

impl From<NoBody> for Failure {
    fn from(problem: NoBody) -> Self {
        let (status, message) = match problem {
            NoBody::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "The body must be at most 64 KiB."),
            NoBody::TooSlow => (StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive."),
            NoBody::BrokenOff => (StatusCode::BAD_REQUEST, "The body broke off."),
        };
        Self::new(status, "invalid_request", message)
    }
}

impl From<PossessionRefused> for Failure {
    fn from(refused: PossessionRefused) -> Self {
        match refused {
            PossessionRefused::UseNonce(nonce) => {
                let failure = Self::invalid("use_dpop_nonce", "The DPoP proof must have the nonce in DPoP-Nonce.");
                Self { nonce: Some(nonce), ..failure }
            }
            PossessionRefused::Invalid(_) | PossessionRefused::Replayed => {
                Self::invalid("invalid_dpop_proof", format!("The DPoP proof can't be taken: {refused}."))
            }
        }
    }
}

impl From<UserInfoRefused> for Failure {
    fn from(refused: UserInfoRefused) -> Self {
        match refused {
            UserInfoRefused::Scope => {
                let failure =
                    Self::new(StatusCode::FORBIDDEN, "insufficient_scope", "The access token lacks the scope openid.");
                Self { authenticate: Some(Box::new(Authenticate::Scope)), ..failure }
            }
            UserInfoRefused::NoSuchUser => {
                let failure = Self::new(StatusCode::UNAUTHORIZED, "invalid_token", "There is no such user any more.");
                Self { authenticate: Some(Box::new(Authenticate::Token(Challenge::Bearer))), ..failure }
            }
            UserInfoRefused::Outage(outage) => outage.into(),
        }
    }
}

impl From<Outage> for Failure {
    fn from(outage: Outage) -> Self {
        let cause = Some(outage.to_string());
        match outage {
            Outage::Unavailable(_) | Outage::StaleFeed => {
                let message = "The server can't answer just now. Try again in a moment.";
                let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", message);
                Self { retry_after: Some(OUTAGE_RETRY), cause, ..failure }
            }
            Outage::Fault(_) => {
                let message = "The server failed. Its log says why, under the request id of this answer.";
                Self { cause, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message) }
            }
        }
    }
}
