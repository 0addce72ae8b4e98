//! Signals: being asked to stop, and what is no reason to.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::Failure;

/// Comes to an end when the process is asked to stop, by SIGTERM or SIGINT. Listens from the call on, not only once it is waited for.
pub fn asked_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let cannot = |problem| Failure::failed("can't listen for signals", problem);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A limit on the size of files is a disk that is full, and no reason to die: with somebody who listens for the signal, writing fails with an
/// error instead.
pub fn outlive_file_size_limit() -> Result<(), Failure> {
    let exceeded = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    signal(exceeded).map(drop).map_err(|problem| Failure::failed("can't listen for signals", problem))
}
