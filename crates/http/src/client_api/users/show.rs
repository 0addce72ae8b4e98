use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use countersign_wire::client_api::{error::ErrorEnvelope, user::UserBody};
use serde::Deserialize;

use crate::{app::App, error::client_api::Failure, extract::actor::ProvedActor};

/// What stands in the path.
#[derive(Deserialize)]
pub(crate) struct Named {
    id: String,
}

/// The id in a path; what is no text names nobody.
pub(super) fn id_of(named: Result<Path<Named>, PathRejection>) -> String {
    named.map(|Path(named)| named.id).unwrap_or_default()
}

/// A user
///
/// For the user, or for the customer's backend. Another user's id is as unknown as none.
#[utoipa::path(
    get, path = "/users/{id}", operation_id = "showUser", tag = "Client API",
    security(("client_call" = [], "publishable_key" = [], "user_hmac" = []), ("access_token" = []), ("secret_bearer" = [])),
    params(("id" = String, Path, description = "The user.", example = "u_01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "The user.", body = UserBody),
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
    id: Result<Path<Named>, PathRejection>,
) -> Result<Json<UserBody>, Failure> {
    let found = app.service.show_client_user(&actor, &id_of(id)).await?;
    Ok(Json(UserBody::of(&found.user, found.external_id.as_deref())))
}
