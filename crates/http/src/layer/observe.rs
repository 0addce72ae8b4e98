//! Each request has a name, is counted and timed, and what failed leaves a line in the log: what was asked and what came of it, never with
//! what. Every answer says that it is not to be stored and not to be guessed at.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use countersign_service::error::Outage;
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::{debug, error};

use super::{
    ForOwnPagesAlone, RouteLabel, cors,
    request_id::{self, RequestId, RequestNames},
    route_metrics::{RouteMetrics, method_label},
};
use crate::{
    app::App,
    error::{Cause, client_api, delegation, vouch},
};

/// Observes every request of a router.
#[derive(Clone)]
pub(crate) struct Observe(Arc<Observer>);

struct Observer {
    app: App,
    names: RequestNames,
    routes: RouteMetrics,
    failures: FailureLog,
}

impl Observe {
    pub(crate) fn new(app: App) -> Self {
        let names = RequestNames::new(&app.doors.entropy);
        Self(Arc::new(Observer { names, routes: RouteMetrics::new(), failures: FailureLog::default(), app }))
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { observer: Arc::clone(&self.0), inner }
    }
}

/// A route that is observed.
#[derive(Clone)]
pub(crate) struct Observed<S> {
    observer: Arc<Observer>,
    inner: S,
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Observing<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Observing<S::Future> {
        let app = &self.observer.app;
        let id = self.observer.names.name(&request, &app.doors.trusted_proxies);
        let asked = Asked {
            began: app.service.monotonic(),
            method: method_label(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
            door: Door::of(request.uri().path()),
            id: id.clone(),
        };
        request.extensions_mut().insert(id);
        let answering = if cors::is_preflight(&request) {
            Answering::Known { response: Some(cors::preflight(request.headers())) }
        } else {
            Answering::Inner { future: self.inner.call(request) }
        };
        Observing { answering, asked, observer: Arc::clone(&self.observer) }
    }
}

/// What is remembered of a request until it is answered.
struct Asked {
    id: RequestId,
    method: &'static str,
    route: Option<MatchedPath>,
    door: Door,
    began: Duration,
}

pin_project! {
    /// A request on its way to an answer.
    pub(crate) struct Observing<F> {
        #[pin]
        answering: Answering<F>,
        asked: Asked,
        observer: Arc<Observer>,
    }
}

pin_project! {
    /// An answer that is there already, or one that a handler makes.
    #[project = AnsweringNow]
    enum Answering<F> {
        Known { response: Option<Response> },
        Inner { #[pin] future: F },
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answering<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringNow::Known { response } => Poll::Ready(Ok(response.take().unwrap_or_default())),
            AnsweringNow::Inner { future } => future.poll(cx),
        }
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Observing<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let response = match catch_unwind(AssertUnwindSafe(|| this.answering.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(response))) => response,
            Err(_) => panicked(this.asked.door),
        };
        Poll::Ready(Ok(this.observer.answered(this.asked, response)))
    }
}

impl Observer {
    fn answered(&self, asked: &Asked, mut response: Response) -> Response {
        let now = self.app.service.monotonic();
        let took = now.saturating_sub(asked.began);
        let elsewhere = response.extensions_mut().remove::<RouteLabel>().map_or("unmatched", |label| label.0);
        let route = asked.route.as_ref().map_or(elsewhere, MatchedPath::as_str);
        self.routes.record(route, asked.method, response.status(), took);
        let (id, method, status) = (&asked.id, asked.method, response.status().as_u16());
        if let Some(Cause(cause)) = response.extensions_mut().remove() {
            if let Some(unsaid) = self.failures.may_speak(now) {
                error!(request.id = %id, http.status = status, %cause, unsaid, "{method} {route} failed: {cause}");
            }
        } else {
            let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            debug!(request.id = %id, http.status = status, duration_us, "{method} {route} answered {status}");
        }
        let is_for_all_pages = response.extensions_mut().remove::<ForOwnPagesAlone>().is_none();
        add_headers(&asked.id, is_for_all_pages, &mut response);
        response
    }
}

/// Nothing is stored that doesn't say it may be (RFC 6749 §5.1), and nothing of ours is guessed at by a browser.
fn add_headers(id: &RequestId, is_for_all_pages: bool, response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if is_for_all_pages {
        cors::let_pages_read(headers);
    }
    if let Some(value) = id.to_header() {
        headers.insert(request_id::HEADER, value);
    }
}

/// When everything fails, one line a second says as much as a hundred thousand, and doesn't fill the disk.
#[derive(Default)]
struct FailureLog {
    /// The second in which a line was last written, plus one.
    last: AtomicU64,
    unsaid: AtomicU64,
}

impl FailureLog {
    /// How many lines weren't written since the last; none: this one isn't either.
    fn may_speak(&self, now: Duration) -> Option<u64> {
        let second = now.as_secs() + 1;
        if self.last.swap(second, Ordering::Relaxed) == second {
            self.unsaid.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.unsaid.swap(0, Ordering::Relaxed))
    }
}

fn panicked(door: Door) -> Response {
    let fault = Outage::Fault("a handler panicked".to_owned());
    match door {
        Door::One => vouch::Failure::from(fault).into_response(),
        Door::Delegated => delegation::Failure::from(fault).into_response(),
        Door::Other => client_api::Failure::from(fault).into_response(),
    }
}

/// Whose shape an answer has that no handler made.
#[derive(Debug, Clone, Copy)]
enum Door {
    One,
    Delegated,
    Other,
}

impl Door {
    fn of(path: &str) -> Self {
        match path {
            path if is_door_one(path) => Self::One,
            path if is_delegated(path) => Self::Delegated,
            _ => Self::Other,
        }
    }
}

/// Which door's shape an answer has that no handler made.
pub(crate) fn is_door_one(path: &str) -> bool {
    let within = within(path);
    is_below(within.strip_prefix("api/").unwrap_or(within), "auth")
}

/// The same, of calls that a customer's backend seals and signs.
pub(crate) fn is_delegated(path: &str) -> bool {
    ["hc_auth", "mfa", "device"].iter().any(|first| is_below(within(path), first))
}

/// A path without what names its project.
fn within(path: &str) -> &str {
    match path.strip_prefix("/p/") {
        Some(rest) => rest.split_once('/').map_or("", |(_, within)| within),
        None => path.trim_start_matches('/'),
    }
}

fn is_below(path: &str, first: &str) -> bool {
    path.strip_prefix(first).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn door_one_is_known_by_its_path() {
        for path in ["/auth", "/auth/v1/x", "/api/auth/v1/x", "/p/p1/auth/x", "/p/p1/api/auth/x"] {
            assert!(is_door_one(path), "{path}");
        }
        for path in ["/", "/v1/me", "/authx", "/api/x", "/p/auth", "/p/p1/v1/me", "/p/p1"] {
            assert!(!is_door_one(path), "{path}");
        }
    }

    #[test]
    fn delegated_calls_are_known_by_their_path() {
        for path in ["/hc_auth/v5/x", "/p/p1/hc_auth/v5/x", "/mfa/get", "/p/p1/mfa/update", "/device/revoke"] {
            assert!(is_delegated(path), "{path}");
        }
        for path in ["/", "/v1/mfa", "/mfax", "/auth/mfa", "/p/mfa", "/hc_authx/v5"] {
            assert!(!is_delegated(path), "{path}");
        }
    }

    #[test]
    fn failures_at_line_rate_leave_one_line_a_second() {
        let log = FailureLog::default();
        let at = Duration::from_millis;
        assert_eq!(log.may_speak(at(100)), Some(0));
        assert_eq!(log.may_speak(at(200)), None);
        assert_eq!(log.may_speak(at(900)), None);
        assert_eq!(log.may_speak(at(1_100)), Some(2));
    }
}
