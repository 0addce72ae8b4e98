//! The example, started by its one command.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    time::Duration,
};

use countersign_testkit::{program::Program, wait};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use tokio::net::TcpStream;

use super::copy::Copy;
use crate::guides::endpoint::free_port;

/// The first start has a database to make, and other tests run beside it.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often other ports are tried, when somebody else has taken one just before.
const TRIES: usize = 5;

/// The example that runs. It is killed, with all its parts, when this is dropped.
pub(super) struct Assistant {
    /// The command line of its server.
    pub(super) program: Program,
    ports: [(&'static str, u16); 4],
    child: Child,
    copy: Copy,
}

impl Assistant {
    /// Starts all of it for a project that demands so much of a proof.
    pub(super) async fn start(hmac: &str) -> Self {
        for _ in 0..TRIES {
            let mut started = Self::spawn(hmac);
            if started.is_ready().await {
                return started;
            }
        }
        panic!("{TRIES} times ports were free, and taken a moment later");
    }

    fn spawn(hmac: &str) -> Self {
        let copy = Copy::of_the_example();
        let data = copy.home().join("data");
        let ports = ["COUNTERSIGN_PORT", "UPSTREAM_PORT", "BACKEND_PORT", "PAGE_PORT"].map(|name| (name, free_port()));
        let mut command = copy.npm("start");
        command.env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign")).env("DATA", &data).env("HMAC", hmac);
        command.envs(ports.map(|(name, port)| (name, port.to_string()))).env("WORD_PAUSE", "40");
        let log = File::create(log_in(&copy)).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.process_group(0).spawn().expect("npm starts");
        Self { program: Program::new(env!("CARGO_BIN_EXE_countersign"), &data), ports, child, copy }
    }

    /// False when a port was somebody else's.
    async fn is_ready(&mut self) -> bool {
        let mut ended = false;
        wait::until("it says where the page is", PATIENCE, || {
            ended = matches!(self.child.try_wait(), Ok(Some(_)));
            let is_said = self.log().contains(&format!("Open {}\n", self.url()));
            async move { ended || is_said }
        })
        .await;
        let is_taken = ["is taken by another program", "Address already in use"];
        assert!(!ended || is_taken.iter().any(|words| self.log().contains(words)), "it ended: {}", self.log());
        !ended
    }

    /// Where the page is, as a person is told.
    pub(super) fn url(&self) -> String {
        format!("http://localhost:{}", self.port("PAGE_PORT"))
    }

    pub(super) fn port(&self, name: &str) -> u16 {
        self.ports.iter().find(|(other, _)| *other == name).expect("there is such a port").1
    }

    /// Which of its ports somebody listens on.
    pub(super) async fn listening(&self) -> Vec<&'static str> {
        let mut listening = Vec::new();
        for (name, port) in self.ports {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                listening.push(name);
            }
        }
        listening
    }

    /// The data directory of its server.
    pub(super) fn data(&self) -> PathBuf {
        self.program.data().to_owned()
    }

    /// What its server wrote down for scripts.
    pub(super) fn facts(&self) -> Value {
        serde_json::from_slice(&fs::read(self.data().join("dev.json")).unwrap()).unwrap()
    }

    /// What it said so far.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(log_in(&self.copy)).unwrap()
    }

    /// The processes of a part: its id and its environment, as the system knows them.
    pub(super) fn part(&self, program: &str) -> (Pid, String) {
        let group = self.child.id().to_string();
        let is_part = |process: &PathBuf| {
            let read = |file: &str| fs::read_to_string(process.join(file)).unwrap_or_default();
            // `pid (name) state parent group …`: no part has a bracket in its name.
            let in_group = read("stat").rsplit(") ").next().and_then(|rest| rest.split(' ').nth(2).map(str::to_owned));
            in_group.as_deref() == Some(&group) && read("cmdline").split('\0').any(|word| word.ends_with(program))
        };
        let mut processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path()).filter(is_part);
        let process = processes.next().unwrap_or_else(|| panic!("{program} doesn't run"));
        let id = process.file_name().and_then(|name| name.to_str()?.parse().ok()).expect("a process has a number");
        let environment = fs::read(process.join("environ")).unwrap();
        (Pid::from_raw(id).unwrap(), String::from_utf8_lossy(&environment).replace('\0', "\n"))
    }

    /// Asks it to end, as a service manager does: the one process that was started.
    pub(super) fn ask_to_end(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Asks it to end, as a terminal does: all processes at once.
    pub(super) fn press_ctrl_c(&self) {
        kill_process_group(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Waits until it has ended.
    pub(super) fn ended(&mut self) -> ExitStatus {
        tokio::task::block_in_place(|| self.child.wait()).unwrap()
    }
}

impl Drop for Assistant {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn log_in(copy: &Copy) -> PathBuf {
    copy.home().join("log")
}
