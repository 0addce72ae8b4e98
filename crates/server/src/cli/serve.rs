//! `serve`, `migrate`, `check-config`.

use serde_json::json;

use super::output::{Output, line};
use crate::{
    config::Config,
    data_dir::DataDir,
    delivery::channels,
    error::Failure,
    serve::{Bound, serve},
    telemetry::{start_logging, start_metrics},
    tls,
    wire_up::{Schema, open_db, open_service},
};

pub(super) async fn run(config: &Config, data: &DataDir) -> Result<(), Failure> {
    config.check()?;
    start_logging(&config.log);
    start_metrics()?;
    let service = open_service(config, data, Schema::Migrate, channels(config)?).await?;
    let bound = Bound::bind(config).await?;
    serve(service, bound, config).await
}

pub(super) async fn migrate(config: &Config, data: &DataDir, output: &Output) -> Result<(), Failure> {
    let db = open_db(config, data).await?;
    let steps = countersign_storage::migrate::migrate(&db).await?;
    db.close().await;
    output.print(&json!({ "migrations_applied": steps }))
}

/// Everything that `serve` would look at before it opens the database.
pub(super) fn check_config(config: &Config) -> Result<(), Failure> {
    config.check()?;
    if let (Some(certificate), Some(key)) = (&config.http.tls_certificate, &config.http.tls_key) {
        tls::acceptor(certificate, key)?;
    }
    channels(config)?;
    line("The configuration is fine.")
}
