use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use countersign_wire::client_api::{
    error::ErrorEnvelope,
    user::{NameChanges, NameChangesSchema, UserBody},
};

use super::show::{Named, id_of};
use crate::{
    app::App,
    error::client_api::Failure,
    extract::{actor::ProvedActor, body::ShortClientBody, caller::CallerOf},
};

/// Change a user's names
///
/// For the user, or for the customer's backend. What is left out stays.
#[utoipa::path(
    post, path = "/users/{id}", operation_id = "updateUser", tag = "Client API",
    security(("client_call" = [], "publishable_key" = [], "user_hmac" = []), ("access_token" = []), ("secret_bearer" = [])),
    params(("id" = String, Path, description = "The user.", example = "u_01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    request_body = NameChangesSchema,
    responses(
        (status = 200, description = "The user as it is now.", body = UserBody),
        (status = 400, description = "`invalid_request`: no JSON object, or a member that isn't what it must be.", body = ErrorEnvelope),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorEnvelope),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorEnvelope),
        (status = 401, description = "`invalid_credentials`: the caller proved nothing.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: pages of this origin may not call, or a browser sent a secret key.", body = ErrorEnvelope),
        (status = 404, description = "`resource_not_found`: there is no such user, or not for this caller.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: over a limit; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ProvedActor(actor): ProvedActor,
    CallerOf(caller): CallerOf,
    id: Result<Path<Named>, PathRejection>,
    ShortClientBody(body): ShortClientBody,
) -> Result<Json<UserBody>, Failure> {
    let NameChanges { first_name, last_name } = NameChanges::parse(&body)?;
    let set = app.service.set_client_user(&actor, &id_of(id), first_name, last_name, &caller).await?;
    Ok(Json(UserBody::of(&set.user, set.external_id.as_deref())))
}
