use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use countersign_service::{
    code_sign_in::{Attributes, AttributesOf},
    proof::{access_token::ShownToken, secret_key::Backend},
};
use countersign_wire::vouch::{
    attributes::{Asked, AttributesSchema, AuthAttributes, Question},
    error::ErrorBody,
};

use super::translate;
use crate::{
    app::App,
    dpop_nonce::NextNonce,
    error::vouch::Failure,
    extract::{
        address::AddressOf,
        backend::{VERIFICATION_TOKEN, VouchingBackend},
        body::ShortBody,
        caller::CallerOf,
        possession::PossessionOf,
    },
};

/// A backend, where the call shows a key at all.
pub(crate) struct BackendIfAny(Option<Backend>);

impl FromRequestParts<App> for BackendIfAny {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if !parts.headers.contains_key(VERIFICATION_TOKEN) {
            return Ok(Self(None));
        }
        let VouchingBackend(backend) = VouchingBackend::from_request_parts(parts, app).await?;
        Ok(Self(Some(backend)))
    }
}

/// What is known of a user
///
/// For the user, by access token; by e-mail address or telephone number only for the customer's backend, by secret key: nobody else may learn who
/// has an account.
#[utoipa::path(
    post, path = "/auth/v1/check-auth-attributes", operation_id = "checkAuthAttributes", tag = "Vouch",
    params(
        ("verification-token" = Option<String>, Header, description = "The secret key, to ask by address."),
        ("DPoP" = Option<String>, Header, description = "A proof of the key to which the token is bound (RFC 9449)."),
    ),
    request_body = AttributesSchema,
    responses(
        (status = 200, description = "What is known.", body = AuthAttributes),
        (status = 400, description = "100001: no such project, or not the credential's. 100002: no such client. 100003: no JSON object. \
            100050: a member is missing or wrong; the message names it.", body = ErrorBody),
        (status = 401, description = "10001: the token has expired. 10002: no access token of this project, or one that is bound to a key, without \
            a proof of that key. 100006: no live secret key, where one is needed. 100049: the session is over.", body = ErrorBody),
        (status = 404, description = "100012: nobody has this address.", body = ErrorBody),
        (status = 408, description = "100003: the body took too long.", body = ErrorBody),
        (status = 413, description = "100003: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "100009: over a limit; `Retry-After` says when to come again.", body = ErrorBody),
        (status = 500, description = "13001: the server failed.", body = ErrorBody),
        (status = 503, description = "13001: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    BackendIfAny(backend): BackendIfAny,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    PossessionOf(possession): PossessionOf,
    ShortBody(body): ShortBody,
) -> Result<(NextNonce, Json<AuthAttributes>), Failure> {
    let Question { project, client, of } = Question::parse(&body)?;
    match of {
        Asked::Token(token) => {
            let shown = match &possession {
                Some(_) => ShownToken::Dpop(&token, possession.as_ref()),
                None => ShownToken::Bearer(&token),
            };
            let proved = app.service.prove_access_token(&address, shown, caller.address);
            let bearer = proved.map_err(|refused| Failure::of_token(refused, &shown))?;
            let nonce = NextNonce(bearer.dpop_nonce().map(str::to_owned));
            let known = app.service.attributes(&address, &project, &client, &AttributesOf::User(&bearer)).await?;
            Ok((nonce, Json(body_of(known))))
        }
        Asked::Address(destination) => {
            let Some(backend) = &backend else { return Err(Failure::for_backends()) };
            let of = AttributesOf::Address(backend, translate::destination(destination));
            let known = app.service.attributes(&address, &project, &client, &of).await?;
            Ok((NextNonce(None), Json(body_of(known))))
        }
    }
}

fn body_of(known: Attributes) -> AuthAttributes {
    AuthAttributes {
        eligible_for_mfa: known.email_verified || known.phone_verified,
        email: known.email,
        email_verified: known.email_verified,
        phone_number: known.phone,
        phone_number_verified: known.phone_verified,
        mfa_enabled: false,
        password_set: false,
    }
}
