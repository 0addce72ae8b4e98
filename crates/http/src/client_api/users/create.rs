use axum::{Json, extract::State};
use countersign_service::vouch::Names;
use countersign_wire::client_api::{
    error::ErrorEnvelope,
    user::{NewUser, NewUserSchema, UserBody},
};

use crate::{
    app::App,
    error::client_api::Failure,
    extract::{actor::ProvedBackend, body::ShortClientBody, caller::CallerOf},
};

/// Make a user
///
/// For a backend whose key may create users. Not needed before a user's first call, which makes the user too.
#[utoipa::path(
    post, path = "/users", operation_id = "createUser", tag = "Client API",
    security(("secret_bearer" = [])),
    request_body = NewUserSchema,
    responses(
        (status = 200, description = "The user.", body = UserBody),
        (status = 400, description = "`invalid_request`: no JSON object, or a member that isn't what it must be.", body = ErrorEnvelope),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorEnvelope),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorEnvelope),
        (status = 409, description = "`conflict`: there is a user of that `external_id`.", body = ErrorEnvelope),
        (status = 401, description = "`invalid_credentials`: the caller proved nothing.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: this is for backends whose key may create users.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: over a limit; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ProvedBackend(backend): ProvedBackend,
    CallerOf(caller): CallerOf,
    ShortClientBody(body): ShortClientBody,
) -> Result<Json<UserBody>, Failure> {
    let NewUser { external_id, names } = NewUser::parse(&body)?;
    let names = Names { given: names.first_name.unwrap_or_default(), family: names.last_name.unwrap_or_default() };
    let made = app.service.create_client_user(&backend, external_id, names, &caller).await?;
    Ok(Json(UserBody::of(&made.user, made.external_id.as_deref())))
}
