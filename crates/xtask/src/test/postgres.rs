//! A private PostgreSQL, on a free port, gone with the test run.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::tools::{self, root};

/// A PostgreSQL server that runs until it is dropped.
pub(crate) struct Cluster {
    port: u16,
    ctl: Vec<String>,
    home: PathBuf,
}

impl Cluster {
    /// Makes a cluster and starts it.
    pub(crate) fn start(sh: &Shell, name: &str) -> Result<Self> {
        let programs = programs(sh)?;
        let home = clusters().join(std::process::id().to_string()).join(name);
        let data = home.join("data");
        let as_owner = as_owner(sh)?;
        sh.create_dir(&home)?;
        if !as_owner.is_empty() {
            cmd!(sh, "chown postgres {home}").quiet().run()?;
        }
        let initdb = programs.join("initdb");
        cmd!(
            sh,
            "env {as_owner...} {initdb} --pgdata {data} --username postgres --auth trust --locale C --encoding UTF8"
        )
        .quiet()
        .ignore_stdout()
        .run()?;
        let port = free_port()?;
        let options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=400");
        let log = home.join("log").display().to_string();
        run_quietly(sh, &ctl(sh, &data, &["--log", &log, "--options", &options, "start"])?)
            .with_context(|| format!("PostgreSQL doesn't start; its log is {log}"))?;
        Ok(Self { port, ctl: ctl(sh, &data, &["--log", &log, "--options", &options])?, home })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }

    /// A shell command that starts and stops it, but for its last word.
    pub(crate) fn ctl(&self) -> String {
        let quoted = |word: &String| format!("'{}'", word.replace('\'', r"'\''"));
        self.ctl.iter().map(quoted).collect::<Vec<_>>().join(" ")
    }
}

/// Each run has a folder of its own: two may run at once.
fn clusters() -> PathBuf {
    root().join("target/postgres")
}

/// A run that was killed has left its servers behind.
pub(crate) fn clean_up(sh: &Shell) -> Result<()> {
    if !clusters().exists() {
        return Ok(());
    }
    for run in sh.read_dir(clusters())? {
        let is_running = run.file_name().is_some_and(|id| Path::new("/proc").join(id).exists());
        if is_running {
            continue;
        }
        for home in sh.read_dir(&run).unwrap_or_default() {
            // It may have been down already.
            stop(sh, &home).ok();
        }
        sh.remove_path(&run)?;
    }
    Ok(())
}

/// A call of the program that starts and stops servers.
fn ctl(sh: &Shell, data: &Path, rest: &[&str]) -> Result<Vec<String>> {
    let ctl = programs(sh)?.join("pg_ctl").display().to_string();
    let data = data.display().to_string();
    let words = [ctl.as_str(), "--pgdata", &data, "--wait"];
    Ok(as_owner(sh)?.iter().copied().chain(words).chain(rest.iter().copied()).map(str::to_owned).collect())
}

fn stop(sh: &Shell, home: &Path) -> Result<()> {
    run_quietly(sh, &ctl(sh, &home.join("data"), &["--mode=immediate", "stop"])?)?;
    Ok(())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Ok(sh) = tools::shell() else { return };
        stop(&sh, &self.home).ok();
        sh.remove_path(&self.home).ok();
    }
}

fn run_quietly(sh: &Shell, words: &[String]) -> xshell::Result<()> {
    cmd!(sh, "env {words...}").quiet().ignore_stdout().ignore_stderr().run()
}

/// Debian keeps the server's programs out of the path, in a folder for each version.
fn programs(sh: &Shell) -> Result<PathBuf> {
    if let Some(found) = find_programs(sh) {
        return Ok(found);
    }
    tools::install_packages(sh, &["postgresql"])?;
    find_programs(sh).context("PostgreSQL's initdb is nowhere to be found")
}

fn find_programs(sh: &Shell) -> Option<PathBuf> {
    let in_path = cmd!(sh, "which initdb").quiet().ignore_stderr().read().ok();
    let folder_in_path = in_path.and_then(|path| Path::new(&path).parent().map(Path::to_owned));
    folder_in_path.or_else(|| {
        let mut versions = sh.read_dir("/usr/lib/postgresql").ok()?;
        versions.sort();
        versions.into_iter().map(|version| version.join("bin")).rfind(|programs| programs.join("initdb").exists())
    })
}

/// PostgreSQL refuses to run as root.
fn as_owner(sh: &Shell) -> Result<&'static [&'static str]> {
    let is_root = cmd!(sh, "id -u").quiet().read()? == "0";
    Ok(if is_root { &["runuser", "-u", "postgres", "--"] } else { &[] })
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
