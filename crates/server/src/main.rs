//! `countersign`.

use std::process::ExitCode;

use clap::Parser;
use countersign_server::cli::{Cli, run};

fn main() -> ExitCode {
    run(Cli::parse())
}
