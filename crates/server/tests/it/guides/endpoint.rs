//! A customer's backend that runs as a process.

use std::{
    fs::File,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use countersign_testkit::{answer::Answer, http::Client, wait};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A backend of a customer. It is killed, with what it started itself, when this is dropped.
pub(crate) struct Endpoint {
    child: Child,
    port: u16,
    home: TempDir,
}

const PATIENCE: Duration = Duration::from_mins(1);

/// How often another port is tried, when somebody else has taken one just before.
const TRIES: usize = 5;

impl Endpoint {
    /// Starts what `command` makes in an empty folder for a port, and waits until it listens.
    pub(crate) async fn start(command: impl AsyncFn(&Path, u16) -> Command) -> Self {
        for _ in 0..TRIES {
            let home = tempfile::tempdir().unwrap();
            let port = free_port();
            let command = command(home.path(), port).await;
            let mut started = Self::spawn(command, port, home);
            if started.listens().await {
                return started;
            }
        }
        panic!("{TRIES} ports were free, and taken a moment later");
    }

    fn spawn(mut command: Command, port: u16, home: TempDir) -> Self {
        let log = File::create(log_in(&home)).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        // Flask's reloader starts a second process, which must go with the first.
        let child = command.process_group(0).spawn().expect("the backend starts");
        Self { child, port, home }
    }

    /// False when the port is somebody else's.
    async fn listens(&mut self) -> bool {
        let address = ("127.0.0.1", self.port);
        let mut ended = false;
        wait::until("the backend listens", PATIENCE, || {
            ended = matches!(self.child.try_wait(), Ok(Some(_)));
            async move { ended || TcpStream::connect(address).await.is_ok() }
        })
        .await;
        let log = self.log();
        // As the system says it, and as Django does.
        let is_taken = |said: &str| log.to_lowercase().contains(said);
        let taken = is_taken("address already in use") || is_taken("port is already in use");
        assert!(!ended || taken, "the backend ended: {log}");
        !ended
    }

    /// Calls it with JSON.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.client().post(path, body).await
    }

    /// Asks the endpoint of the guide for tokens.
    pub(super) async fn huma_token(&self, body: &Value) -> Answer {
        self.post("/private/huma-token", body).await
    }

    /// Somebody who calls it.
    pub(super) fn client(&self) -> Client {
        Client::of(self.url())
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it said so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(log_in(&self.home)).unwrap()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn log_in(home: &TempDir) -> PathBuf {
    home.path().join("log")
}

/// A port below those that the system gives out by itself: a build may lie between the choice of a port and its use, and meanwhile other tests
/// start servers on any port that is free.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() % 1000 * 12;
    loop {
        let next = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(20_000 + (first + next) % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
