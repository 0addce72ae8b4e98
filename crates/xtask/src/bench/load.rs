//! Load, by wrk.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use xshell::cmd;

use super::{Bench, USERS, process::Server};

const CONNECTIONS: u32 = 64;

/// How to load.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) seconds: u32,
    /// Of wrk.
    pub(super) threads: u32,
    /// Where wrk runs; none: wherever there is room.
    pub(super) core: Option<u32>,
}

/// What wrk saw.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Seen {
    requests: u64,
    microseconds: u64,
    p50: u32,
    p99: u32,
    failed: u64,
}

impl Seen {
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    pub(super) fn rate(&self) -> f64 {
        self.requests as f64 * 1e6 / self.microseconds as f64
    }

    /// The part of each request in something that all shared.
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    pub(super) fn each(&self, whole: f64) -> f64 {
        whole / self.requests as f64
    }

    /// In milliseconds.
    pub(super) fn p50(&self) -> f64 {
        f64::from(self.p50) / 1e3
    }

    /// In milliseconds.
    pub(super) fn p99(&self) -> f64 {
        f64::from(self.p99) / 1e3
    }
}

impl Load {
    pub(super) fn new(seconds: u32) -> Self {
        Self { seconds, threads: 2, core: None }
    }

    /// For half as long, where what is needed for it runs out.
    pub(super) fn short(self) -> Self {
        Self { seconds: (self.seconds / 2).max(1), ..self }
    }

    /// For twice as long, where more is needed than is made in the same time.
    pub(super) fn long(self) -> Self {
        Self { seconds: self.seconds * 2, ..self }
    }

    /// Runs a script against a port.
    pub(super) fn run(self, bench: &Bench, port: u16, script: &str, options: &[String]) -> Result<Seen> {
        let sh = &bench.sh;
        let threads = format!("-t{}", self.threads);
        let connections = format!("-c{CONNECTIONS}");
        let duration = format!("-d{}s", self.seconds);
        let script = format!("bench/wrk/{script}.lua");
        let url = format!("http://127.0.0.1:{port}");
        let all_threads = format!("threads={}", self.threads);
        let core = self.core.map(|core| ["taskset".to_owned(), "--cpu-list".to_owned(), core.to_string()]);
        let mut words = core.into_iter().flatten().chain(["wrk".to_owned()]);
        let wrk = words.next().unwrap_or_default();
        let said = cmd!(
            sh,
            "{wrk} {words...} {threads} {connections} {duration} --timeout 10s -s {script} {url} -- {all_threads} {options...}"
        );
        let said = said.quiet().ignore_stderr().read()?;
        let seen = said.lines().last().and_then(|line| serde_json::from_str::<Seen>(line).ok());
        let seen = seen.with_context(|| format!("wrk said nothing that could be understood:\n{said}"))?;
        if seen.failed > 0 {
            bail!("{script}: {} of {} requests failed", seen.failed, seen.requests);
        }
        Ok(seen)
    }
}

/// Vouches, and keeps the tokens: a file of lines, each an access and a refresh token.
pub(super) fn mint(bench: &Bench, server: &Server, load: Load) -> Result<PathBuf> {
    let file = bench.home.join("tokens");
    let options = [format!("key={}", server.key), format!("users={USERS}"), format!("tokens={}", file.display())];
    load.run(bench, server.process.port, "vouch", &options)?;
    let mut all = String::new();
    for thread in 1..=load.threads {
        all += &fs::read_to_string(file.with_extension(thread.to_string()))?;
    }
    fs::write(&file, all)?;
    Ok(file)
}
