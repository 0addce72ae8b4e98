//! `cargo xtask fuzz`.
//!
//! What cargo-fuzz builds with `--sanitizer none`, on stable Rust and without cargo-fuzz: the coverage passes are LLVM's own. `--cfg fuzzing`
//! is left out, so that what runs here is what ships.

use std::{
    fmt, fs,
    num::NonZeroUsize,
    panic,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context, Result, bail};
use cargo_metadata::{MetadataCommand, Target};
use clap::Args as ClapArgs;
use xshell::cmd;

use crate::tools::{root, shell};

/// Edge counters, the table of their addresses, and comparisons, from which libFuzzer learns what a parser wants to see.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// How long each target runs
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Which targets; none named: all
    targets: Vec<String>,
}

/// How many targets held, and how many didn't.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let outcome = if args.targets.is_empty() { smoke(args.seconds)? } else { fuzz(&args.targets, args.seconds)? };
    println!("{} passed, {} failed", outcome.passed, outcome.failed);
    if outcome.failed > 0 {
        bail!("something was found; docs/how-to/fuzz.md says what to do with it");
    }
    Ok(())
}

/// Every target, each for a while.
pub(crate) fn smoke(seconds: u64) -> Result<Outcome> {
    fuzz(&[], seconds)
}

fn fuzz(wanted: &[String], seconds: u64) -> Result<Outcome> {
    let known = targets()?;
    if let Some(unknown) = wanted.iter().find(|target| !known.contains(target)) {
        bail!("there is no target `{unknown}`; there are {}", known.join(", "));
    }
    let targets = if wanted.is_empty() { &known[..] } else { wanted };
    let programs = build(targets)?;

    let next = AtomicUsize::new(0);
    let work = || -> Result<Outcome> {
        let mut outcome = Outcome::default();
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            let report = run_target(&programs, target, seconds)?;
            println!("{report}");
            *(if report.finding.is_none() { &mut outcome.passed } else { &mut outcome.failed }) += 1;
        }
        Ok(outcome)
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_fold(Outcome::default(), |sum, worker| {
            let own = worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
            Ok(Outcome { passed: sum.passed + own.passed, failed: sum.failed + own.failed })
        })
    })
}

fn folder() -> Result<PathBuf> {
    Ok(root().canonicalize()?.join("fuzz"))
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let metadata = MetadataCommand::new().manifest_path(folder()?.join("Cargo.toml")).no_deps().exec()?;
    let targets = metadata.packages.into_iter().flat_map(|package| package.targets);
    Ok(targets.filter(Target::is_bin).map(|target| target.name).collect())
}

/// Builds them, and gives the folder of their programs.
fn build(targets: &[String]) -> Result<PathBuf> {
    let sh = shell()?;
    let version = cmd!(sh, "rustc -vV").quiet().read()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let bins = targets.iter().flat_map(|target| ["--bin", target]);
    let (manifest, folder) = (folder()?.join("Cargo.toml"), folder()?.join("target"));
    // With `--target`, cargo keeps the flags from build scripts and macros, which have no fuzzer to be linked with.
    cmd!(
        sh,
        "cargo build --release --quiet --manifest-path {manifest} --target-dir {folder} --target {host} {bins...}"
    )
    .env("RUSTFLAGS", COVERAGE)
    .env_remove("CARGO_ENCODED_RUSTFLAGS")
    .quiet()
    .run()?;
    Ok(folder.join(host).join("release"))
}

/// What a run gave.
struct Report {
    target: String,
    /// As libFuzzer counts.
    runs: String,
    coverage: String,
    finding: Option<Finding>,
}

struct Finding {
    /// The panic, or what else ended the run.
    message: String,
    replay: String,
}

/// Runs a target on a copy of its seeds, so that the checked-in ones stay those that somebody chose.
fn run_target(programs: &Path, target: &str, seconds: u64) -> Result<Report> {
    let seeds = folder()?.join("corpus").join(target);
    let (scratch, artifacts) = (folder()?.join("target/corpus").join(target), folder()?.join("artifacts").join(target));
    copy_afresh(&seeds, &scratch).with_context(|| format!("the seeds of `{target}`"))?;
    fs::create_dir_all(&artifacts)?;

    let program = programs.join(target);
    let output = Command::new(&program)
        .arg(&scratch)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-rss_limit_mb=512", "-timeout=5", "-print_final_stats=1"])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = |mark: &str| said.lines().rev().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest.trim());
    let word = |mark: &str| last(mark).and_then(|rest| rest.split(' ').next()).unwrap_or("?").to_owned();
    let finding = (!output.status.success()).then(|| {
        let reproducer = last("Test unit written to ").unwrap_or("the reproducer, which could not be written");
        Finding { message: message(&said), replay: format!("{} {reproducer}", program.display()) }
    });
    Ok(Report {
        target: target.to_owned(),
        runs: word("stat::number_of_executed_units:"),
        coverage: word(" cov: "),
        finding,
    })
}

/// What a panic said, which may be several lines; without a panic, what libFuzzer said.
fn message(said: &str) -> String {
    let of_panic = said.lines().skip_while(|line| !line.contains(" panicked at ")).skip(1);
    let lines: Vec<&str> =
        of_panic.take_while(|line| !line.starts_with("stack backtrace") && !line.starts_with("note:")).collect();
    if lines.is_empty() {
        said.lines().find(|line| line.contains("ERROR: ")).unwrap_or("it ended without a word").to_owned()
    } else {
        lines.join("\n")
    }
}

fn copy_afresh(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for seed in fs::read_dir(from)? {
        let seed = seed?;
        fs::copy(seed.path(), to.join(seed.file_name()))?;
    }
    Ok(())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, runs, coverage, .. } = self;
        match &self.finding {
            None => write!(f, "{target:<20} {runs:>10} runs, {coverage:>5} edges"),
            Some(Finding { message, replay }) => write!(f, "{target:<20} FAILED\n{message}\nreplay: {replay}"),
        }
    }
}
