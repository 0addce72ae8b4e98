//! Being asked to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::Failure;

/// Returns when the process is asked to stop: SIGTERM, SIGINT.
pub async fn asked_to_stop() -> Result<(), Failure> {
    let cannot = |problem| Failure::failed("can't listen for signals", problem);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
