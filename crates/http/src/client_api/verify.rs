use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use countersign_wire::client_api::error::ErrorEnvelope;

use crate::{
    app::App, dpop_nonce::NextNonce, error::client_api::ToldToProxy, extract::actor::ForwardedActor,
    identity_headers::identity_headers,
};

/// Is this call proved?
///
/// For a proxy that already stands before an API (nginx `auth_request`, Caddy `forward_auth`, Traefik, Envoy `ext_authz`): it shows the headers
/// of the call that it got, and takes the headers of this answer on to the API. Any method, and any path below. A refusal has its body in the
/// header `X-Countersign-Error` too, for nginx, which throws the body away.
///
/// A DPoP proof is for the caller's own call. A trusted proxy says what that was: `X-Forwarded-Method`, `X-Forwarded-Uri`, `X-Forwarded-Proto`
/// and `X-Forwarded-Host`, a host of the deployment, of the project, or in its setting `verify.hosts`.
#[utoipa::path(
    get, path = "/verify", operation_id = "verify", tag = "Client API",
    security(("client_call" = [], "publishable_key" = [], "user_hmac" = []), ("access_token" = []), ("secret_bearer" = [])),
    responses(
        (status = 200, description = "It is. No body.", headers(
            ("X-Countersign-Project" = String, description = "The project."),
            ("X-Countersign-User" = String, description = "The user; empty for a backend."),
            ("X-Countersign-External-Id" = String, description = "The customer's own id of the user, percent-encoded where it isn't plain ASCII; empty where it isn't known."),
            ("X-Countersign-Amr" = String, description = "How the caller was proved, with spaces between."),
            ("X-Countersign-Assertion" = String, description = "The same as a signed JWT that lives for a minute (JWKS: `/.well-known/jwks.json`)."),
        )),
        (status = 401, description = "`invalid_credentials`: it isn't.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: pages of this origin may not call, or a browser sent a secret key.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: over a limit; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ForwardedActor(actor): ForwardedActor,
) -> Result<Response, ToldToProxy> {
    let project = actor.project();
    let audience = project.settings.verify_assertion.then(|| &*project.assertion_audience);
    let headers = identity_headers(&app, &actor, audience).await?;
    Ok((StatusCode::OK, NextNonce::of(&actor), headers).into_response())
}
