//! How much memory the server takes.

use std::{thread::sleep, time::Duration};

use anyhow::Result;

use super::{process::Server, table};

const MIB: u64 = 1024 * 1024;
/// Until what only the start needed has been given back.
const A_WHILE: Duration = Duration::from_secs(10);

/// Some seconds after the start, in bytes.
pub(super) fn after_a_while(server: &Server) -> Result<u64> {
    sleep(A_WHILE);
    server.process.size("VmRSS")
}

/// The most it ever took, in bytes.
pub(super) fn peak(server: &Server) -> Result<u64> {
    server.process.size("VmHWM")
}

pub(super) fn print(idle: u64, peak: u64, log: u64) {
    let mib = |bytes: u64| format!("{:.1} MiB", table::ratio(bytes, MIB));
    table::print(
        &["size", "measured", "target"],
        &[
            vec!["resident, idle".to_owned(), mib(idle), "≤ 25 MiB".to_owned()],
            vec!["resident, most under load".to_owned(), mib(peak), "≤ 150 MiB".to_owned()],
            vec!["write-ahead log after the load".to_owned(), mib(log), "< 64 MiB".to_owned()],
        ],
    );
}
