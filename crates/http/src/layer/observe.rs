//! Each request has a name, is counted and timed, and leaves a line in the log: what was asked and what came of it, never with what.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use countersign_crypto::encoding;
use countersign_service::error::Outage;
use futures_util::FutureExt;
use metrics::{counter, histogram};
use tracing::{debug, error, info};

use crate::{
    app::{App, Peer},
    error::{Cause, client_api, vouch},
};

/// The name of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

const REQUEST_ID: &str = "x-request-id";

/// Names, counts, times, logs; turns a panic into an answer.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = app.service.monotonic();
    let id = request_id(&app, &request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let is_vouch = is_door_one(request.uri().path());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| panicked(is_vouch));
    let took = app.service.monotonic().saturating_sub(began);
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    record(&method, &route, response.status(), took);
    log(&id, &method, &route, &response, took);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A trusted proxy may have named the request already; nobody else's names are taken into the log.
fn request_id(app: &App, request: &Request) -> String {
    let is_trusted = request.extensions().get::<Peer>().is_some_and(|peer| {
        app.doors
            .trusted_proxies
            .iter()
            .any(|network| network.contains(&peer.0.to_canonical()))
    });
    let given = is_trusted.then(|| given_id(request.headers())).flatten();
    given.unwrap_or_else(|| encoding::encode(app.doors.entropy.bytes::<12>()))
}

fn given_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    ((1..=64).contains(&text.len()) && text.bytes().all(is_plain)).then(|| text.to_owned())
}

/// Routes are ours to name and few; paths are not.
fn record(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let labels = [
        ("method", method_label(method).to_owned()),
        ("route", route.to_owned()),
        ("status", status.as_str().to_owned()),
    ];
    counter!("countersign_http_requests_total", &labels).increment(1);
    histogram!("countersign_http_request_seconds", "route" => route.to_owned()).record(took.as_secs_f64());
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn log(id: &str, method: &Method, route: &str, response: &Response, took: Duration) {
    let status = response.status().as_u16();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let method = method_label(method);
    if let Some(Cause(cause)) = response.extensions().get() {
        error!(request.id = id, http.status = status, %cause, "{method} {route} failed: {cause}");
    } else if status >= 400 {
        info!(
            request.id = id,
            http.status = status,
            duration_us = micros,
            "{method} {route} answered {status}"
        );
    } else {
        debug!(
            request.id = id,
            http.status = status,
            duration_us = micros,
            "{method} {route} answered {status}"
        );
    }
}

fn panicked(is_vouch: bool) -> Response {
    let fault = Outage::Fault("a handler panicked".to_owned());
    if is_vouch {
        vouch::Failure::from(fault).into_response()
    } else {
        client_api::Failure::from(fault).into_response()
    }
}

/// Which door's shape an answer has that no handler made.
pub(crate) fn is_door_one(path: &str) -> bool {
    let within = match path.strip_prefix("/p/") {
        Some(rest) => rest.split_once('/').map_or("", |(_, within)| within),
        None => path.trim_start_matches('/'),
    };
    let within = within.strip_prefix("api/").unwrap_or(within);
    within == "auth" || within.starts_with("auth/")
}
