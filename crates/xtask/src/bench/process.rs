//! The servers that are measured. Each ends with the value that stands for it.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{http, stock::Stock};
use crate::tools;

/// A process that answers on a port.
pub(super) struct Process {
    child: Child,
    pub(super) port: u16,
    /// From its start to its first 200 of `/health/ready`.
    pub(super) ready_after: Duration,
}

/// Countersign, on a stock.
pub(super) struct Server {
    pub(super) process: Process,
    pub(super) key: String,
    pub(super) publishable_key: String,
    pub(super) hmac_secret: String,
}

/// Bare axum.
pub(super) struct Baseline {
    pub(super) process: Process,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Server {
    /// In development mode, which serves as production does, and makes the key that the load needs.
    pub(super) fn start(stock: &Stock) -> Result<Self> {
        Self::start_with(stock, &[])
    }

    /// The same, with settings from the environment.
    pub(super) fn start_with(stock: &Stock, environment: &[(&str, &str)]) -> Result<Self> {
        let mut command = program("countersign");
        command.envs(environment.iter().copied());
        Self::start_as(command, stock)
    }

    /// The same, on one core.
    pub(super) fn start_on(core: u32, stock: &Stock) -> Result<Self> {
        Self::start_as(pinned(core, &path_of("countersign")), stock)
    }

    fn start_as(mut command: Command, stock: &Stock) -> Result<Self> {
        let port = free_port()?;
        command.arg("dev").arg("--port").arg(port.to_string()).arg("--data").arg(&stock.data);
        let process = Process::start(command, port, &stock.data.with_extension("log"))?;
        let made = fs::read_to_string(stock.data.join("dev.json"))?;
        let made: serde_json::Value = serde_json::from_str(&made)?;
        let member =
            |name: &str| made[name].as_str().map(str::to_owned).with_context(|| format!("dev.json without {name}"));
        Ok(Self {
            process,
            key: member("secret_key")?,
            publishable_key: member("publishable_key")?,
            hmac_secret: member("hmac_secret")?,
        })
    }

    /// Lets it finish, so that its database is whole.
    pub(super) fn stop(mut self) -> Result<()> {
        let id = self.process.child.id().to_string();
        Command::new("kill").arg(id).status()?;
        self.process.child.wait()?;
        Ok(())
    }
}

impl Baseline {
    pub(super) fn start(home: &Path) -> Result<Self> {
        Self::start_as(program("countersign-baseline"), home)
    }

    /// The same, on one core.
    pub(super) fn start_on(core: u32, home: &Path) -> Result<Self> {
        Self::start_as(pinned(core, &path_of("countersign-baseline")), home)
    }

    fn start_as(mut command: Command, home: &Path) -> Result<Self> {
        let port = free_port()?;
        command.arg("serve").arg("--port").arg(port.to_string()).arg("--answers").arg(home.join("answers"));
        Ok(Self { process: Process::start(command, port, &home.join("baseline.log"))? })
    }
}

impl Process {
    pub(super) fn start(mut command: Command, port: u16, log: &Path) -> Result<Self> {
        let start = now();
        let child = command.stdout(Stdio::null()).stderr(File::create(log)?).spawn()?;
        let mut process = Self { child, port, ready_after: Duration::ZERO };
        while !http::get(port, "/health/ready", ("accept", "*/*")).is_ok_and(|answer| answer.is_ok()) {
            if process.child.try_wait()?.is_some() || start.elapsed() > PATIENCE {
                bail!("a server that should answer on port {port} doesn't: see {}", log.display());
            }
            sleep(Duration::from_millis(2));
        }
        process.ready_after = start.elapsed();
        Ok(process)
    }

    /// What it has used of the processors, in seconds.
    pub(super) fn processor_time(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name may hold anything; user and system time are the 12th and 13th fields behind it, in hundredths.
        let (_, fields) = stat.rsplit_once(')').context("/proc/…/stat without a name")?;
        let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        Ok(times.sum::<Result<f64, _>>()? / 100.0)
    }

    /// A size from `/proc/…/status`, in bytes.
    pub(super) fn size(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kibibytes: u64 = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no such size")?.parse()?;
        Ok(kibibytes * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of this workspace, built for release.
pub(super) fn program(name: &str) -> Command {
    Command::new(path_of(name))
}

/// The same, on one core.
pub(super) fn program_on(core: Option<u32>, name: &str) -> Command {
    core.map_or_else(|| program(name), |core| pinned(core, &path_of(name)))
}

fn path_of(name: &str) -> PathBuf {
    tools::root().join("target/release").join(name)
}

/// A program that has one core, and becomes the process that is started.
pub(super) fn pinned(core: u32, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(core.to_string()).arg(program);
    command
}

pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured here")]
fn now() -> Instant {
    Instant::now()
}
