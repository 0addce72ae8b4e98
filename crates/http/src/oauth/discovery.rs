use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use countersign_wire::client_api::error::ErrorEnvelope;

use crate::{app::App, error::client_api::Failure, extract::address::AddressOf};

/// What the provider says of itself
///
/// OpenID Connect Discovery and RFC 8414, one document at both places: after the issuer, and, for an issuer with a path, at the root of its host
/// before that path. May be kept for an hour.
#[utoipa::path(
    get, path = "/.well-known/openid-configuration", operation_id = "discovery", tag = "OpenID provider",
    responses(
        (status = 200, description = "The document.", body = Value, example = json!({
            "issuer": "https://auth.example.com", "token_endpoint": "https://auth.example.com/oauth2/token",
            "jwks_uri": "https://auth.example.com/.well-known/jwks.json", "code_challenge_methods_supported": ["S256"]
        })),
        (status = 404, description = "`resource_not_found`: no such project, or none at the root.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, AddressOf(address): AddressOf) -> Result<Response, Failure> {
    let document = app.service.provider_metadata(&address)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    Ok((headers, document).into_response())
}

/// What the provider says of itself (RFC 8414)
///
/// The same as `/.well-known/openid-configuration`.
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", operation_id = "authorizationServer", tag = "OpenID provider",
    responses(
        (status = 200, description = "The document.", body = Value, example = json!({"issuer": "https://auth.example.com"})),
        (status = 404, description = "`resource_not_found`: no such project, or none at the root.", body = ErrorEnvelope),
    ),
)]
#[expect(dead_code, reason = "the document's entry of a path that the handler above serves")]
fn authorization_server() {}
