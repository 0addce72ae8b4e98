//! What goes on beside the requests.

use std::{sync::Arc, time::Duration};

use countersign_domain::message::Channel;
use countersign_service::Service;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{sync::watch, time::MissedTickBehavior};

/// How often a node looks for changes: revocations reach it within a second, with room to spare.
const TICK: Duration = Duration::from_millis(200);
/// How often what is over is thrown away.
const MAINTENANCE: Duration = Duration::from_secs(10);
/// How often it is looked for messages that are due. People wait for their codes.
const DELIVERY: Duration = Duration::from_millis(250);
/// How long messages that are just leaving may take once the server was asked to stop.
const LAST_MESSAGES: Duration = Duration::from_secs(8);
/// How often samples are put into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// Listens for changes until `stop` says so.
pub async fn listen_for_changes(service: Arc<Service>, stop: watch::Receiver<bool>) {
    repeat(TICK, stop, || service.tick()).await;
}

/// Maintains the database until `stop` says so.
pub async fn maintain(service: Arc<Service>, stop: watch::Receiver<bool>) {
    repeat(MAINTENANCE, stop, || service.maintain()).await;
}

/// Sees off the messages of a channel until `stop` says so. What is on its way then is waited for, for as long as there is; after that it is
/// whoever's who looks next.
pub async fn deliver(service: Arc<Service>, channel: Channel, stop: watch::Receiver<bool>) {
    let seeing_off = repeat(DELIVERY, stop.clone(), || service.deliver_due(channel, || !*stop.borrow()));
    let mut asked_to_stop = stop.clone();
    let patience = async {
        let _ = asked_to_stop.changed().await;
        tokio::time::sleep(LAST_MESSAGES).await;
    };
    tokio::select! {
        () = seeing_off => {}
        () = patience => {}
    }
}

/// Puts the samples of histograms into their buckets. A page does that too, but where nobody asks for one, memory would fill with samples.
pub async fn keep_metrics_small(counts: PrometheusHandle) {
    let mut beat = tokio::time::interval(UPKEEP);
    loop {
        beat.tick().await;
        counts.run_upkeep();
    }
}

async fn repeat<F: Future<Output = ()>>(every: Duration, mut stop: watch::Receiver<bool>, task: impl Fn() -> F) {
    let mut beat = tokio::time::interval(every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => task().await,
            _ = stop.changed() => return,
        }
    }
}
