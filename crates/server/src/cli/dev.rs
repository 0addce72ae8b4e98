//! `dev`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;
use countersign_service::deliver::carrier::Delivery;

use super::output::line;
use crate::{
    config::{Config, log::LogFormat},
    data_dir::DataDir,
    dev,
    error::Failure,
    listen::Listener,
    serve::{Bound, serve},
    telemetry::{start_logging, start_metrics},
    wire_up::{Schema, open_service},
};

#[derive(Args)]
pub(super) struct Dev {
    /// The port; 0: any that is free
    #[arg(long, default_value_t = 7420)]
    port: u16,
}

impl Dev {
    pub(super) async fn run(self, mut config: Config, data: &DataDir) -> Result<(), Failure> {
        config.log.format = LogFormat::Text;
        start_logging(&config.log);
        start_metrics()?;
        let listeners = bind_here(self.port).await?;
        let port = listeners[0].address()?.port();
        config.http.public_url = format!("http://localhost:{port}");
        config.http.default_project = dev::default_project();
        config.metrics.beside_doors = true;
        let service = open_service(&config, data, Schema::Migrate, Delivery::Outbox).await?;
        let secret = dev::prepare(&service, data).await?;
        greet(&config.http.public_url, data, &secret)?;
        serve(service, Bound::on(listeners), &config).await
    }
}

/// This machine only, by both its names.
async fn bind_here(port: u16) -> Result<Vec<Listener>, Failure> {
    let first = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), None).await?;
    let port = first.address()?.port();
    let mut listeners = vec![first];
    // A machine without IPv6 has only the one.
    if let Ok(second) = Listener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port)), None).await {
        listeners.push(second);
    }
    Ok(listeners)
}

fn greet(url: &str, data: &DataDir, secret: &str) -> Result<(), Failure> {
    let (json, env) = (data.file("dev.json"), data.file("dev.env"));
    line(&format!(
        r#"Countersign is running at {url}, in development: for this machine only.

Project p1 has the clients c1 (iOS), c2 (Android), c3 (web) and c4 (backend).
Addresses and keys are in {} and {}.
Mail and text messages stay here: {url}/dev/outbox

Vouch for a user, as your backend would:

curl -sS {url}/auth/v1/private/signin -H 'verification-token: {secret}' -H 'content-type: application/json' -d '{{"method":4,"email":"alice@example.com","clientId":"c1","projectId":"p1","createIfMissing":true}}'
"#,
        json.display(),
        env.display(),
    ))
}
