//! A running server, whatever mode it was started in.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, routing::get};
use countersign_crypto::entropy::Entropy;
use countersign_domain::message::Channel;
use countersign_http::{
    app::{App, Doors, MetricsPage},
    metrics_response,
    router::router,
};
use countersign_service::Service;
use tokio::{sync::watch, task::JoinSet};
use tracing::info;

use crate::{
    config::Config,
    error::Failure,
    listen::Listener,
    shutdown::{asked_to_stop, outlive_file_size_limit},
    tasks,
    telemetry::{metrics_page, start_metrics},
    tls,
};

/// The addresses that a server was told to listen on, taken.
pub struct Bound {
    doors: Vec<Listener>,
    metrics: Option<Listener>,
}

impl Bound {
    /// Takes the addresses of a configuration.
    pub async fn bind(config: &Config) -> Result<Self, Failure> {
        let tls = match (&config.http.tls_certificate, &config.http.tls_key) {
            (Some(certificate), Some(key)) => Some(tls::acceptor(certificate, key)?),
            _ => None,
        };
        let mut doors = Vec::new();
        for address in &config.http.listen {
            doors.push(Listener::bind(*address, tls.clone()).await?);
        }
        let metrics = match config.metrics.listen {
            Some(address) => Some(Listener::bind(address, None).await?),
            None => None,
        };
        Ok(Self { doors, metrics })
    }

    /// A server on these listeners alone, with its metrics among the doors.
    pub fn on(doors: Vec<Listener>) -> Self {
        Self { doors, metrics: None }
    }

    /// Where callers are awaited.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        self.doors.iter().map(Listener::address).collect()
    }

    fn metrics_address(&self) -> Result<Option<SocketAddr>, Failure> {
        self.metrics.as_ref().map(Listener::address).transpose()
    }
}

/// Serves until the process is asked to stop.
pub async fn serve(service: Arc<Service>, bound: Bound, config: &Config) -> Result<(), Failure> {
    outlive_file_size_limit()?;
    let asked_to_stop = asked_to_stop()?;
    let counts = start_metrics()?;
    let upkeep = tokio::spawn(tasks::keep_metrics_small(counts.clone()));
    let served = serve_until(service, bound, config, metrics_page(counts), asked_to_stop).await;
    upkeep.abort();
    served
}

/// Serves until `asked_to_stop` comes to an end.
pub async fn serve_until(
    service: Arc<Service>,
    bound: Bound,
    config: &Config,
    page: MetricsPage,
    asked_to_stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let addresses = bound.addresses()?;
    if let Some(address) = bound.metrics_address()? {
        info!(metrics.address = %address, "metrics at http://{address}/metrics");
    }
    let (stop, stopped) = watch::channel(false);
    let mut running = JoinSet::new();
    running.spawn(tasks::listen_for_changes(Arc::clone(&service), stopped.clone()));
    running.spawn(tasks::maintain(Arc::clone(&service), stopped.clone()));
    for channel in Channel::ALL {
        running.spawn(tasks::deliver(Arc::clone(&service), channel, stopped.clone()));
    }
    start_doors(&service, bound, config, page, &stopped, &mut running);
    for address in &addresses {
        info!(http.address = %address, "listening on {address}");
    }
    asked_to_stop.await;
    info!("stopping: finishing what runs");
    let _ = stop.send(true);
    while running.join_next().await.is_some() {}
    service.close().await;
    info!("stopped");
    Ok(())
}

fn start_doors(
    service: &Arc<Service>,
    bound: Bound,
    config: &Config,
    page: MetricsPage,
    stopped: &watch::Receiver<bool>,
    running: &mut JoinSet<()>,
) {
    let is_apart = bound.metrics.is_some();
    let doors = Doors {
        trusted_proxies: config.http.trusted_proxies.clone(),
        body_time: config.http.body_time,
        entropy: Entropy::system(),
        metrics: (!is_apart && config.metrics.beside_doors).then(|| Arc::clone(&page)),
    };
    let router = router(App::new(Arc::clone(service), doors));
    for listener in bound.doors {
        let (router, http, stopped) = (router.clone(), config.http.clone(), stopped.clone());
        running.spawn(async move { listener.serve(router, &http, stopped).await });
    }
    if let Some(listener) = bound.metrics {
        let only_metrics = Router::new().route("/metrics", get(move || async move { metrics_response(&page) }));
        let (http, stopped) = (config.http.clone(), stopped.clone());
        running.spawn(async move { listener.serve(only_metrics, &http, stopped).await });
    }
}
