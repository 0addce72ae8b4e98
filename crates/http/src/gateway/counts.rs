//! What the metrics say of the gateway.

use axum::http::StatusCode;
use metrics::{Counter, Gauge, counter, gauge};

use super::failure::GatewayFailure;

/// Counters, found once and kept.
pub(super) struct Counts {
    /// By the first digit of the status.
    statuses: [Counter; 5],
    unreachable: Counter,
    timed_out: Counter,
    bad_answer: Counter,
    /// It was the caller's fault, or the caller's right was gone.
    caller: Counter,
    open: Gauge,
    cut: Counter,
    broken: Counter,
}

/// A stream that is open; closed when dropped.
pub(super) struct OpenStream(Gauge);

impl Counts {
    pub(super) fn new() -> Self {
        let answer = |answer: &'static str| counter!("countersign_gateway_requests_total", "answer" => answer);
        Self {
            statuses: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(answer),
            unreachable: answer("unreachable"),
            timed_out: answer("timed_out"),
            bad_answer: answer("bad_answer"),
            caller: answer("caller"),
            open: gauge!("countersign_gateway_open_streams"),
            cut: counter!("countersign_gateway_cut_streams_total"),
            broken: counter!("countersign_gateway_broken_streams_total"),
        }
    }

    pub(super) fn answered(&self, answer: Result<StatusCode, &GatewayFailure>) {
        let class = |status: StatusCode| self.statuses.get(usize::from(status.as_u16() / 100).saturating_sub(1));
        let counter = match answer {
            // There are statuses beyond 599, and nobody knows what they mean.
            Ok(status) => class(status).unwrap_or(&self.bad_answer),
            Err(GatewayFailure::Unreachable(_)) => &self.unreachable,
            Err(GatewayFailure::TimedOut(_)) => &self.timed_out,
            Err(GatewayFailure::NotHttp(_)) => &self.bad_answer,
            Err(_) => &self.caller,
        };
        counter.increment(1);
    }

    pub(super) fn open_stream(&self) -> OpenStream {
        self.open.increment(1.0);
        OpenStream(self.open.clone())
    }

    /// A stream ended before its end: because we cut it, or by itself.
    pub(super) fn broke_off(&self, was_cut: bool) {
        if was_cut { &self.cut } else { &self.broken }.increment(1);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
