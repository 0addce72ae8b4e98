use axum::{Json, extract::State};
use countersign_domain::clock::Timestamp;
use countersign_service::oauth::introspect::Introspection;
use countersign_wire::oauth::{
    error::ErrorBody,
    introspection::{Confirmation, IntrospectionBody},
    token::ShownTokenSchema,
};

use crate::{
    app::App,
    error::oauth::Failure,
    extract::{
        address::AddressOf,
        caller::CallerOf,
        client::{ClientCall, ClientForm},
    },
};

/// What is a token worth?
///
/// For a client that authenticates itself, an API for instance (RFC 7662). It learns of every access token of the project, and of its own refresh
/// tokens; of what isn't good it learns only that.
#[utoipa::path(
    post, path = "/oauth2/introspect", operation_id = "introspect", tag = "OpenID provider",
    security(("client_secret_basic" = []), ("client" = [])),
    request_body(content = ShownTokenSchema, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What it is worth.", body = IntrospectionBody),
        (status = 400, description = "`invalid_request`: no form, or no token in it.", body = ErrorBody),
        (status = 401, description = "`invalid_client`: the client didn't prove that it is one.", body = ErrorBody),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    ClientForm(ClientCall { form, credentials }): ClientForm,
) -> Result<Json<IntrospectionBody>, Failure> {
    let found = app.service.introspect(&address, &form, &credentials, &caller).await;
    let found = found.map_err(|refused| Failure::of_grant(refused, &credentials))?;
    Ok(Json(found.map(body).unwrap_or_default()))
}

fn body(found: Introspection) -> IntrospectionBody {
    IntrospectionBody {
        active: true,
        scope: Some(found.scope),
        client_id: Some(found.client),
        sub: Some(found.subject),
        token_type: found.token_type,
        iss: Some(found.issuer),
        aud: found.audience,
        iat: found.issued_at.map(Timestamp::seconds),
        exp: Some(found.expires_at.seconds()),
        sid: found.session,
        cnf: found.bound_to.map(|jkt| Confirmation { jkt }),
    }
}
