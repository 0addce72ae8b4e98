//! Databases with users and sessions in them.

use std::{fs, path::PathBuf};

use anyhow::{Result, bail};
use serde_json::json;
use xshell::cmd;

use super::{
    Bench, http,
    process::{Server, program},
};

/// A data directory.
pub(super) struct Stock {
    pub(super) data: PathBuf,
}

/// Makes a data directory whose database holds so many users and sessions, copied from what a real sign-up wrote.
pub(super) fn fill(bench: &Bench, name: &str, users: u32, sessions: u32) -> Result<Stock> {
    println!("making a database of {users} users and {sessions} sessions");
    let stock = Stock { data: bench.home.join(name) };
    let server = Server::start(&stock)?;
    sign_up(&server)?;
    server.stop()?;
    let (sh, database) = (&bench.sh, stock.database());
    let (users, sessions) = (users.to_string(), sessions.to_string());
    cmd!(sh, "python3 bench/fill.py {database} --users {users} --sessions {sessions}").quiet().run()?;
    Ok(stock)
}

/// Signs a user up who isn't one of the numbered.
pub(super) fn sign_up(server: &Server) -> Result<http::Answer> {
    let body = json!({ "method": 4, "email": "template@example.com", "clientId": "c1", "projectId": "p1" });
    let answer =
        http::post(server.process.port, "/auth/v1/private/signup", ("verification-token", &server.key), &body)?;
    if !answer.is_ok() {
        bail!("signing up failed: {}", answer.text);
    }
    Ok(answer)
}

impl Stock {
    pub(super) fn database(&self) -> PathBuf {
        self.data.join("countersign.sqlite")
    }

    /// One key and one machine make all the calls here. A running server sees the change within a second.
    pub(super) fn lift_limits(&self, bench: &Bench) -> Result<()> {
        self.set(
            bench,
            &["limits.key.rate=1000000", "limits.key.burst=1000000", "limits.email=1000000", "hmac=required"],
        )
    }

    pub(super) fn set(&self, bench: &Bench, settings: &[&str]) -> Result<()> {
        self.run(bench, &[&["project", "set", "p1"], settings].concat())?;
        std::thread::sleep(std::time::Duration::from_secs(1));
        Ok(())
    }

    /// Runs a command on it. Gives what it printed.
    pub(super) fn run(&self, bench: &Bench, arguments: &[&str]) -> Result<String> {
        let mut command = program("countersign");
        command.args(arguments).arg("--data").arg(&self.data).current_dir(&bench.home);
        let done = command.output()?;
        if !done.status.success() {
            bail!("{}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(String::from_utf8(done.stdout)?)
    }

    /// How long SQLite's write-ahead log has become, in bytes: its file is begun anew, but hardly ever shortened.
    pub(super) fn log_size(&self) -> u64 {
        fs::metadata(self.data.join("countersign.sqlite-wal")).map_or(0, |log| log.len())
    }
}
