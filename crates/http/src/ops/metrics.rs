use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::{
    app::{App, MetricsPage},
    error::client_api::Failure,
};

/// Metrics in Prometheus' text format
///
/// Here in development only; in production on a listener of their own (`metrics.listen`).
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "Operation",
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "text/plain"),
        (status = 404, description = "They are served elsewhere."),
    ),
)]
pub(crate) async fn handle(State(app): State<App>) -> Response {
    match &app.doors.metrics {
        Some(page) => response(page),
        None => Failure::no_such_path().into_response(),
    }
}

/// A page of metrics, wherever it is served.
pub fn response(page: &MetricsPage) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page()).into_response()
}
