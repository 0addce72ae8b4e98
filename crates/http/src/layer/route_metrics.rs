//! Counts and times by route, found once and kept: looking a metric up by its labels costs more than the rest of observing.

use std::{collections::HashMap, sync::RwLock, time::Duration};

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};

/// What a route's requests are counted under.
pub(crate) struct RouteMetrics {
    routes: RwLock<HashMap<Box<str>, Route>>,
}

struct Route {
    seconds: Histogram,
    answers: HashMap<(&'static str, StatusCode), Counter>,
}

impl RouteMetrics {
    pub(crate) fn new() -> Self {
        Self { routes: RwLock::new(HashMap::new()) }
    }

    /// Routes, methods and statuses are ours to name and few; paths are not.
    pub(crate) fn record(&self, route: &str, method: &'static str, status: StatusCode, took: Duration) {
        if let Ok(routes) = self.routes.read()
            && let Some(known) = routes.get(route)
            && let Some(answers) = known.answers.get(&(method, status))
        {
            answers.increment(1);
            known.seconds.record(took.as_secs_f64());
            return;
        }
        if let Ok(mut routes) = self.routes.write() {
            let known = routes.entry(route.into()).or_insert_with(|| Route {
                seconds: histogram!("countersign_http_request_seconds", "route" => route.to_owned()),
                answers: HashMap::new(),
            });
            let labels =
                [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.as_str().to_owned())];
            let made = || counter!("countersign_http_requests_total", &labels);
            known.answers.entry((method, status)).or_insert_with(made).increment(1);
            known.seconds.record(took.as_secs_f64());
        }
    }
}

/// The name of a method; anybody can make up others.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
