//! `countersign`.

use std::process::ExitCode;

use clap::Parser;
use countersign_server::cli::{Cli, run};
use mimalloc::MiMalloc;

/// Requests allocate on whichever worker runs them; the system's allocator makes the workers wait for each other.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    run(Cli::parse())
}
