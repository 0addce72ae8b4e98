use axum::Json;
use utoipa::openapi::OpenApi;

use crate::openapi;

/// This document
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "Operation",
    responses((status = 200, description = "The OpenAPI document of this server.")),
)]
pub(crate) async fn handle() -> Json<OpenApi> {
    Json(openapi::document())
}
