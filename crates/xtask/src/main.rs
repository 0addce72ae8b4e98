//! `cargo xtask`: the rules of the house as code, and everything that tests and measures it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal of a developer")]

mod bench;
mod check;
mod fuzz;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about)]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// The fast half: floors, sizes, lints, formatting, licences, spelling, docs
    Check(check::Args),
    /// Every test, with the servers and client libraries it needs
    Test(test::Args),
    /// Prints the tables of what a request costs
    Bench(bench::Args),
    /// Runs the fuzz targets, each for a while
    Fuzz(fuzz::Args),
}

fn main() -> ExitCode {
    let done = match Xtask::parse().task {
        Task::Check(args) => check::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem:#}");
            ExitCode::FAILURE
        }
    }
}
