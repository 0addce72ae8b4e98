//! Logs and metrics.

use std::{
    io::IsTerminal,
    sync::{Arc, OnceLock},
};

use countersign_http::app::MetricsPage;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::log::{LogConfig, LogFormat},
    error::Failure,
};

/// Begins to log, to standard error. Only this program's own events, and what others warn of: a library's debug output might show what ours
/// never would. The library for passkeys calls every answer of a browser that it can't read an error of its own, and quotes it.
pub fn start_logging(config: &LogConfig) {
    let own = LevelFilter::from(config.level);
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("webauthn_rs", LevelFilter::OFF)
        .with_target("countersign_server", own)
        .with_target("countersign_http", own)
        .with_target("countersign_service", own)
        .with_target("countersign_storage", own);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let layer = match config.format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}

/// Answers take from half a millisecond to seconds.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const UNITS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to count; gives what writes the counts out.
pub fn start_metrics() -> Result<PrometheusHandle, Failure> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let cannot = |problem: &dyn std::fmt::Display| Failure::failed("can't count", problem);
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let units = Matcher::Suffix("_units".to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(units, UNITS))
        .map_err(|problem| cannot(&problem))?;
    let handle = builder.install_recorder().map_err(|problem| cannot(&problem))?;
    describe();
    Ok(RECORDER.get_or_init(|| handle).clone())
}

/// Writes the metrics for whoever asks.
pub fn metrics_page(handle: PrometheusHandle) -> MetricsPage {
    Arc::new(move || {
        handle.run_upkeep();
        handle.render()
    })
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_counter!("countersign_http_requests_total", "Requests, by method, route and status");
    describe_histogram!("countersign_http_request_seconds", "How long requests took, by route");
    describe_counter!("countersign_verdicts_total", "Proofs that were judged, by kind of proof and reason");
    describe_counter!("countersign_sign_in_risks_total", "Sign-ins against which something speaks, by what");
    describe_counter!("countersign_sql_statements_total", "SQL statements that were sent to the database");
    describe_counter!("countersign_writer_batches_total", "Batches that the writer committed, or tried to");
    describe_histogram!("countersign_writer_batch_units", "Units of work in a batch");
    describe_counter!(
        "countersign_gateway_requests_total",
        "Calls that were passed on, by class of answer or what went wrong"
    );
    describe_gauge!("countersign_gateway_open_streams", "Answers that make their caller wait, and WebSockets");
    describe_counter!(
        "countersign_gateway_cut_streams_total",
        "Streams that ended because what proved their caller was revoked"
    );
    describe_counter!("countersign_gateway_broken_streams_total", "Streams that broke off or stood still for too long");
    describe_counter!("countersign_messages_total", "Messages to users, by channel and what became of them");
    describe_counter!("countersign_messages_refused_total", "Messages that nobody may ask for so often, by limit");
    describe_gauge!("countersign_messages_waiting", "Messages that haven't left yet, by channel");
    describe_gauge!("countersign_channel_failing", "1 while messages don't leave by this channel");
    describe_gauge!("countersign_feed_age_seconds", "How long ago this node last heard of changes");
    describe_gauge!("countersign_revocations_remembered", "Revocations whose tokens may still be alive");
    describe_counter!("countersign_clock_leaps_total", "Leaps of wall time against monotonic time");
}
