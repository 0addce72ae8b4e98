//! What handlers work with.

use std::{net::IpAddr, sync::Arc, time::Duration};

use countersign_crypto::entropy::Entropy;
use countersign_service::Service;
use ipnet::IpNet;

use crate::gateway::Gateway;

/// The use cases, and what the doors must know of the deployment.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub service: Arc<Service>,
    /// How the doors behave.
    pub doors: Arc<Doors>,
    pub(crate) gateway: Arc<Gateway>,
}

impl App {
    /// With a gateway of its own.
    pub fn new(service: Arc<Service>, doors: Doors) -> Self {
        let gateway = Arc::new(Gateway::new(doors.trusted_proxies.clone()));
        Self { service, doors: Arc::new(doors), gateway }
    }
}

/// How the doors behave.
pub struct Doors {
    /// Peers whose word is taken for where a call comes from and to which host it was made.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a caller may take to send a body.
    pub body_time: Duration,
    /// Names requests.
    pub entropy: Entropy,
    /// Writes the metrics, where they are served beside the doors.
    pub metrics: Option<MetricsPage>,
}

/// Writes the metrics in Prometheus' text format.
pub type MetricsPage = Arc<dyn Fn() -> String + Send + Sync>;

/// The other end of the connection. Whoever accepts connections adds it to each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Marks a request that came over TLS. Whoever accepts connections adds it.
#[derive(Debug, Clone, Copy)]
pub struct OverTls;
