use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use countersign_domain::id::UserId;
use countersign_wire::client_api::{
    error::ErrorEnvelope,
    user::{UserBody, UsersBody},
};
use serde::Deserialize;

use crate::{app::App, error::client_api::Failure, extract::actor::ProvedBackend};

/// Which page.
#[derive(Deserialize)]
pub(crate) struct Page {
    limit: Option<String>,
    starting_after: Option<String>,
}

const USUAL: u32 = 20;
const MOST: u32 = 100;

/// All users
///
/// The newest first, a page at a time: `starting_after` is the last id of the page before.
#[utoipa::path(
    get, path = "/users", operation_id = "listUsers", tag = "Client API",
    security(("secret_bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "How many: 1 to 100.", example = 20),
        ("starting_after" = Option<String>, Query, description = "The user before the first.", example = "u_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ),
    responses(
        (status = 200, description = "Some users.", body = UsersBody),
        (status = 400, description = "`invalid_request`: `limit` or `starting_after` isn't what it must be.", body = ErrorEnvelope),
        (status = 401, description = "`invalid_credentials`: the caller proved nothing.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: this is for the customer's backend.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: over a limit; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ProvedBackend(backend): ProvedBackend,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<UsersBody>, Failure> {
    let (after, limit) = read(page)?;
    let found = app.service.list_client_users(&backend, after, limit).await?;
    let data = found.users.iter().map(|it| UserBody::of(&it.user, it.external_id.as_deref())).collect();
    Ok(Json(UsersBody { data, has_more: found.has_more }))
}

fn read(page: Result<Query<Page>, QueryRejection>) -> Result<(Option<UserId>, u32), Failure> {
    let Query(page) = page.map_err(|_| Failure::bad_parameter("The query can't be read."))?;
    let limit = page.limit.map_or(Ok(USUAL), |limit| limit.parse());
    let limit = limit.ok().filter(|limit| (1..=MOST).contains(limit));
    let after = page.starting_after.map(|id| id.parse()).transpose();
    Ok((
        after.map_err(|_| Failure::bad_parameter("`starting_after` must be the id of a user."))?,
        limit.ok_or_else(|| Failure::bad_parameter("`limit` must be between 1 and 100."))?,
    ))
}
