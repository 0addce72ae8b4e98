use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use countersign_wire::client_api::{error::ErrorEnvelope, user::DeletedBody};

use super::show::{Named, id_of};
use crate::{
    app::App,
    error::client_api::Failure,
    extract::{actor::ProvedBackend, caller::CallerOf},
};

/// Forget a user
///
/// For a backend whose key may create users. All sessions and tokens of the user end; the next call with the same external id makes another user.
#[utoipa::path(
    delete, path = "/users/{id}", operation_id = "deleteUser", tag = "Client API",
    security(("secret_bearer" = [])),
    params(("id" = String, Path, description = "The user.", example = "u_01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "The user is no more.", body = DeletedBody),
        (status = 401, description = "`invalid_credentials`: the caller proved nothing.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: this is for backends whose key may create users.", body = ErrorEnvelope),
        (status = 404, description = "`resource_not_found`: there is no such user, or not for this caller.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: over a limit; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ProvedBackend(backend): ProvedBackend,
    CallerOf(caller): CallerOf,
    id: Result<Path<Named>, PathRejection>,
) -> Result<Json<DeletedBody>, Failure> {
    let id = app.service.delete_client_user(&backend, &id_of(id), &caller).await?;
    Ok(Json(DeletedBody { id: id.to_string(), object: "user", deleted: true }))
}
