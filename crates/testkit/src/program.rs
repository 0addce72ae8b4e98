//! The binary, run as users run it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::{http::Client, wait};

/// The binary with a data directory and what else it is told on each call.
#[derive(Clone)]
pub struct Program {
    exe: PathBuf,
    under: Vec<OsString>,
    data: PathBuf,
    always: Vec<OsString>,
    environment: Vec<(String, String)>,
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    /// The exit status.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

impl Done {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("it prints text"),
            stderr: String::from_utf8(output.stderr).expect("it says text"),
        }
    }

    /// The command must have succeeded. Gives what it printed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.status, 0, "the command failed: {}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The command must have failed with this status, and printed nothing. Gives what it said.
    #[track_caller]
    pub fn refused(self, status: i32) -> String {
        assert_eq!(self.status, status, "the command should have failed so: {}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "who fails prints nothing");
        self.stderr
    }

    /// The command must have succeeded with JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("this is no JSON: {text}"))
    }
}

impl Program {
    /// `exe` is `env!("CARGO_BIN_EXE_countersign")`.
    pub fn new(exe: &str, data: &Path) -> Self {
        Self { exe: exe.into(), under: Vec::new(), data: data.into(), always: Vec::new(), environment: Vec::new() }
    }

    /// Adds arguments to every call.
    #[must_use]
    pub fn always(mut self, arguments: &[&str]) -> Self {
        self.always.extend(arguments.iter().map(OsString::from));
        self
    }

    /// Sets a variable of the environment of every call.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it under another program, which must become it, as `nice` does.
    #[must_use]
    pub fn under(mut self, program: &[&str]) -> Self {
        self.under = program.iter().map(OsString::from).collect();
        self
    }

    /// The same with another data directory.
    #[must_use]
    pub fn with_data(&self, data: &Path) -> Self {
        Self { data: data.into(), ..self.clone() }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut words = self.under.iter().map(OsString::as_os_str).chain([self.exe.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).args(arguments).arg("--data").arg(&self.data).args(&self.always);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().await.expect("the program runs"))
    }

    /// Runs a command that reads this from its standard input.
    pub async fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Done {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // It may have ended without reading to the end.
        let _ = stdin.write_all(input).await;
        drop(stdin);
        Done::of(child.wait_with_output().await.expect("the program runs"))
    }

    /// Runs a command to its end and reads the JSON that it prints.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        self.run(&arguments).await.json()
    }

    /// Starts `countersign dev` on a free port, and waits until it is ready.
    pub async fn dev(&self) -> Running {
        let running = self.start(&["dev", "--port", "0"]);
        running.ready().await
    }

    /// Starts `countersign serve` on a free port, and waits until it is ready.
    pub async fn serve(&self) -> Running {
        let program = self
            .clone()
            .environment("COUNTERSIGN_HTTP__LISTEN", "127.0.0.1:0")
            .environment("COUNTERSIGN_HTTP__PUBLIC_URL", "http://localhost:7420")
            .environment("COUNTERSIGN_HTTP__DEFAULT_PROJECT", "p1");
        program.start(&["serve"]).ready().await
    }

    /// Starts a command that goes on.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).spawn().expect("the program starts");
        let (log, errors) = (Log::default(), Log::default());
        let readers = [
            collect(child.stdout.take().expect("it is piped"), vec![log.clone()]),
            collect(child.stderr.take().expect("it is piped"), vec![log.clone(), errors.clone()]),
        ];
        Running { child, log, errors, readers, base: String::new() }
    }
}

/// All that a program said, on both outputs.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    /// What was said so far.
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

fn collect(output: impl AsyncRead + Unpin + Send + 'static, logs: Vec<Log>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            for Log(log) in &logs {
                let mut text = log.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
            }
        }
    })
}

/// A server that runs. It is killed when this is dropped.
pub struct Running {
    child: Child,
    log: Log,
    errors: Log,
    readers: [JoinHandle<()>; 2],
    base: String,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Running {
    /// Waits until it says where it listens.
    pub async fn listening(mut self) -> Self {
        let log = self.log.clone();
        wait::until("the server listens", PATIENCE, || {
            let ended = matches!(self.child.try_wait(), Ok(Some(_)));
            assert!(!ended, "the server ended: {}", log.text());
            let address = address_in(&log.text());
            self.base = address.map(|address| format!("http://{address}")).unwrap_or_default();
            let is_there = !self.base.is_empty();
            async move { is_there }
        })
        .await;
        self
    }

    /// Waits until it says where it listens and that it is ready.
    pub async fn ready(self) -> Self {
        let running = self.listening().await;
        let client = running.client();
        wait::until("the server is ready", PATIENCE, || {
            let client = client.clone();
            async move {
                let answer = client.try_send(hyper::Method::GET, "/health/ready", bytes::Bytes::new()).await;
                answer.is_ok_and(|answer| answer.status() == 200)
            }
        })
        .await;
        running
    }

    /// Somebody who calls it.
    pub fn client(&self) -> Client {
        Client::of(&self.base)
    }

    /// Where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// What it says on standard error alone, where logs go.
    pub fn errors(&self) -> Log {
        self.errors.clone()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Asks it to stop, as `kill` does, and doesn't wait.
    pub async fn ask_to_stop(&self) {
        Command::new("kill").arg(self.pid().to_string()).status().await.expect("it is asked");
    }

    /// Kills it at once, as `kill -9` does.
    pub async fn kill(mut self) -> String {
        self.child.kill().await.expect("it is killed");
        self.heard().await
    }

    /// Asks it to stop, as `kill` does, and waits until it has. Gives the exit status and all it said.
    pub async fn stop(mut self) -> (i32, String) {
        self.ask_to_stop().await;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it stops").unwrap();
        (status.code().unwrap_or(-1), self.heard().await)
    }

    /// Waits until it ends by itself. Gives the exit status and all it said.
    pub async fn ended(mut self) -> (i32, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        (status.code().unwrap_or(-1), self.heard().await)
    }

    async fn heard(&mut self) -> String {
        for reader in &mut self.readers {
            let _ = reader.await;
        }
        self.log.text()
    }
}

/// The first address that a server says it listens on.
fn address_in(log: &str) -> Option<String> {
    let (_, after) = log.split_once("listening on ")?;
    let address = after.split(|c: char| c.is_whitespace() || c == '"' || c == '\u{1b}').next()?;
    Some(address.to_owned())
}
