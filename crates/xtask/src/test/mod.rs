//! `cargo xtask test`: every test, with the servers and client libraries it needs.

mod needs;
mod postgres;
mod tally;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;

use crate::{
    fuzz,
    tools::{self, root},
};
use needs::Need;
use postgres::Cluster;
use tally::Tally;

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Skip what needs these
    #[arg(long, value_delimiter = ',', value_name = "NEEDS")]
    without: Vec<Need>,
    /// Only tests whose name contains one of these; leaves the fuzz targets out
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// How long each fuzz target runs here. It replays its corpus first; this is for breakage, not for finds.
const SMOKE_SECONDS: u64 = 4;

pub(crate) fn run(args: &Args) -> Result<()> {
    let sh = tools::shell()?;
    let mut environment = needs::prepare(&sh, &args.without)?;
    // Stopped when they are dropped.
    let mut clusters = Vec::new();
    if !args.without.contains(&Need::Postgres) {
        postgres::clean_up(&sh)?;
        let shared = Cluster::start(&sh, "shared")?;
        environment.push(("COUNTERSIGN_TEST_POSTGRES".to_owned(), shared.url()));
        let mortal = Cluster::start(&sh, "mortal")?;
        environment.push(("COUNTERSIGN_TEST_MORTAL_POSTGRES".to_owned(), mortal.url()));
        environment.push(("COUNTERSIGN_TEST_MORTAL_POSTGRES_CTL".to_owned(), mortal.ctl()));
        clusters.extend([shared, mortal]);
    }
    let mut tally = Tally::default();
    run_cargo_tests(args, &environment, &mut tally)?;
    if args.names.is_empty() && !args.without.contains(&Need::Fuzz) {
        let smoke = fuzz::smoke(SMOKE_SECONDS).context("the fuzz targets didn't run")?;
        tally.add("fuzz", smoke.passed, smoke.failed);
    }
    drop(clusters);
    tally.print(&args.without);
    if tally.failed() > 0 {
        bail!("tests failed");
    }
    Ok(())
}

fn run_cargo_tests(args: &Args, environment: &[(String, String)], tally: &mut Tally) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["test", "--workspace", "--no-fail-fast", "--"]).args(&args.names);
    for need in &args.without {
        for module in need.modules() {
            cargo.args(["--skip", module]);
        }
    }
    cargo.envs(environment.iter().map(|(name, value)| (name, value)));
    // Where a snapshot differs the test fails, and writes nothing.
    cargo.env("INSTA_UPDATE", "no");
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cargo doesn't start")?;
    let output = child.stdout.take().context("cargo has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        tally.read(&line);
    }
    let status = child.wait()?;
    if !status.success() && tally.failed() == 0 {
        bail!("the tests don't build, or one of them ended the run");
    }
    Ok(())
}
