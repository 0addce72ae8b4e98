use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

/// The state of a node.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "ready"}))]
pub(crate) struct Health {
    /// `live`, `ready` or `stale`.
    status: &'static str,
}

/// Is the process alive?
#[utoipa::path(
    get, path = "/health/live", operation_id = "live", tag = "Operation",
    responses((status = 200, description = "It is.", body = Health)),
)]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// May this node be sent callers?
///
/// Not while it can't hear of revocations: its database is away, or was within the last seconds.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "ready", tag = "Operation",
    responses(
        (status = 200, description = "It may.", body = Health),
        (status = 503, description = "Not now.", body = Health),
    ),
)]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    if app.service.is_ready() {
        Json(Health { status: "ready" }).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "stale" })).into_response()
    }
}
