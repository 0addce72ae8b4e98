use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use countersign_wire::client_api::error::ErrorEnvelope;

use crate::{app::App, error::client_api::Failure, extract::address::AddressOf};

/// The keys that check a project's tokens
///
/// A JWK Set (RFC 7517): the keys that sign now, that will sign next, and that signed what may still be alive. May be kept for an hour.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", operation_id = "jwks", tag = "Tokens",
    responses(
        (status = 200, description = "The keys.", body = Value, example = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "kid": "sig_01ARZ3NDEKTSV4RRFFQ69G5FAV", "alg": "ES256", "use": "sig"
        }]})),
        (status = 404, description = "`resource_not_found`: no such project, or none at the root.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, AddressOf(address): AddressOf) -> Result<Response, Failure> {
    let project = app.service.project(&address)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    Ok((headers, project.jwks.clone()).into_response())
}
