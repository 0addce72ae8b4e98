//! `countersign-baseline`: what requests are measured against.
#![expect(clippy::print_stdout, reason = "a tool of `cargo xtask bench`, which reads what it prints")]

mod assertions;
mod bare;
mod rows;
mod signatures;

use std::{hint::black_box, path::PathBuf, thread, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use serde_json::json;

/// As the server itself: see there.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve canned answers: axum, and nothing behind it
    Serve {
        #[arg(long)]
        port: u16,
        /// The folder of the answers, each as a server sent it
        #[arg(long)]
        answers: PathBuf,
    },
    /// Measure signatures, MACs and durable rows; prints JSON, in nanoseconds
    Primitives {
        /// For how long each
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
        /// The folder for the database, on the disk that the server writes to
        #[arg(long)]
        data: PathBuf,
    },
    /// Sign assertions by which a client proves who it is; prints them, a line each, or what it registers
    Assertions(assertions::Args),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Serve { port, answers } => bare::serve(port, &answers),
        Command::Primitives { seconds, data } => primitives(Duration::from_secs_f64(seconds), &data),
        Command::Assertions(args) => args.print(),
    }
}

fn primitives(span: Duration, data: &std::path::Path) -> Result<()> {
    let keys = signatures::Keys::generate()?;
    let rows = rows::measure(span, data)?;
    println!(
        "{}",
        json!({
            "sign": each(span, 1, || keys.sign()),
            "sign_all_cores": each(span, cores(), || keys.sign()),
            "verify": each(span, 1, || keys.verify()),
            "verify_all_cores": each(span, cores(), || keys.verify()),
            "sign_eddsa": each(span, 1, || keys.sign_eddsa()),
            "verify_eddsa": each(span, 1, || keys.verify_eddsa()),
            "hmac": each(span, 1, || keys.mac()),
            "insert": rows.insert,
            "update": rows.update,
        })
    );
    Ok(())
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Nanoseconds for each of many acts, done by so many threads at once.
fn each<T>(span: Duration, threads: usize, act: impl Fn() -> T + Sync) -> f64 {
    let many = || {
        let start = now();
        let mut count = 0.0;
        while start.elapsed() < span {
            for _ in 0..64 {
                black_box(act());
            }
            count += 64.0;
        }
        count / start.elapsed().as_secs_f64()
    };
    let rate: f64 = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(many)).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(0.0)).sum()
    });
    1e9 / rate
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured here")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
