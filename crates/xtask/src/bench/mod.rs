//! `cargo xtask bench`: what requests cost, against what they can't cost less than. Prints tables and judges nothing: who reads them knows
//! what else the machine was doing.

mod answers;
mod door_two;
mod http;
mod large;
mod load;
mod measured;
mod memory;
mod process;
mod provider;
mod rows;
mod stock;
mod table;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args as ClapArgs;
use xshell::{Shell, cmd};

use crate::tools;
use load::Load;
use measured::Measured;
use process::{Baseline, Server};
use rows::Row;

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Only these rows, by their names or beginnings of them: vouch, sign-up, refresh, me-warm, me-cold, verify, gateway; of the OpenID provider
    /// discovery, jwks, introspect, token, token-es256, token-eddsa, code-es256, code-eddsa, oauth-refresh
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    rows: Vec<String>,
    /// How long each measurement takes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// How often each is repeated, in turns with the others; the tables show medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Leave out the database of a million users and sessions
    #[arg(long)]
    skip_large: bool,
}

/// What is measured with, and where.
struct Bench {
    sh: Shell,
    /// The folder of all that the benchmark writes.
    home: PathBuf,
    load: Load,
    rounds: u32,
}

/// With a session each to begin with; vouches add to them. Of fewer users each would soon have as many as the cap allows.
const USERS: u32 = 100_000;

pub(crate) fn run(args: &Args) -> Result<()> {
    let is_known = |name: &&String| {
        let mut all = Row::ALL.map(Row::name).into_iter().chain(provider::Row::ALL.map(provider::Row::name));
        all.any(|row| row.starts_with(name.as_str()))
    };
    if let Some(unknown) = args.rows.iter().find(|name| !is_known(name)) {
        bail!("there is no row `{unknown}`: see --help");
    }
    let is_wanted = |row: &str| args.rows.is_empty() || args.rows.iter().any(|name| row.starts_with(name.as_str()));
    let usual: Vec<Row> = Row::ALL.into_iter().filter(|row| is_wanted(row.name())).collect();
    let of_provider: Vec<_> = provider::Row::ALL.into_iter().filter(|row| is_wanted(row.name())).collect();

    let bench = prepare(args)?;
    let stock = stock::fill(&bench, "usual", USERS, USERS)?;
    if !usual.is_empty() {
        measure_usual(&bench, &stock, &usual)?;
    }
    if !of_provider.is_empty() {
        provider::measure(&bench, &stock, &of_provider)?.print();
    }
    if !args.skip_large {
        large::measure(&bench)?.print();
    }
    Ok(())
}

/// The rows of the first two doors, what is behind the gateway, and what all that takes of memory.
fn measure_usual(bench: &Bench, stock: &stock::Stock, rows: &[Row]) -> Result<()> {
    let server = Server::start(stock)?;
    let idle = memory::after_a_while(&server)?;
    stock.lift_limits(bench)?;
    door_two::prove(bench, &server, "usual", USERS)?;
    answers::record(bench, &server)?;
    let baseline = Baseline::start(&bench.home)?;
    stock.set(bench, &[&format!("gateway.upstream=http://127.0.0.1:{}", baseline.process.port)])?;

    let mut measured = Measured::default();
    for round in 1..=bench.rounds {
        println!("round {round} of {}", bench.rounds);
        measured.add_round(bench, rows, &server, &baseline, round)?;
    }
    let behind = door_two::behind(bench, &server, &baseline)?;
    let peak = memory::peak(&server)?;
    let log = stock.log_size();
    drop(baseline);
    measured.print();
    behind.print();
    memory::print(idle, peak, log);
    server.stop()
}

fn prepare(args: &Args) -> Result<Bench> {
    let sh = tools::shell()?;
    tools::install_packages(&sh, &["wrk"])?;
    if !tools::is_installed(&sh, "python3") {
        tools::install_packages(&sh, &["python3"])?;
    }
    let home = tools::root().join("target/bench");
    sh.remove_path(&home)?;
    sh.create_dir(&home)?;
    println!("building");
    cmd!(sh, "cargo build --quiet --release --package countersign-server --package countersign-baseline")
        .quiet()
        .run()?;
    if !cfg!(target_os = "linux") {
        bail!("memory is read from /proc, which only Linux has");
    }
    Ok(Bench { load: Load::new(args.seconds), home, sh, rounds: args.rounds })
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
