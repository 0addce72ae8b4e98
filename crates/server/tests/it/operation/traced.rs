//! strace on a running server: counting what it asks the system for, or letting that fail.

use std::{fs, path::Path, process::Stdio, time::Duration};

use countersign_testkit::{program::Running, wait};
use tokio::process::{Child, Command};

/// A server whose system calls are looked at until this is stopped.
pub(super) struct Traced {
    strace: Child,
    output: tempfile::NamedTempFile,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Traced {
    /// Begins to look, as `strace` with these options.
    pub(super) async fn begin(server: &Running, options: &[&str]) -> Self {
        let output = tempfile::NamedTempFile::new().unwrap();
        let pid = server.pid().to_string();
        let mut strace = Command::new("strace");
        strace.args(["--follow-forks", "--quiet=exit", "--attach", &pid, "--output"]).arg(output.path()).args(options);
        let mut strace = strace.stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        wait::until("every thread is traced", PATIENCE, || {
            let ended = strace.try_wait().unwrap();
            assert!(ended.is_none(), "strace may not attach: be root, or set kernel.yama.ptrace_scope to 0");
            let traced = is_traced(&pid);
            async move { traced }
        })
        .await;
        Self { strace, output }
    }

    /// The lines of finished calls of these names so far.
    pub(super) fn finished(&self, names: &[&str]) -> usize {
        let text = fs::read_to_string(self.output.path()).unwrap();
        let is_finished = |line: &&str| {
            let of_name = names
                .iter()
                .any(|name| line.contains(&format!("{name}(")) || line.contains(&format!("{name} resumed")));
            of_name && !line.contains("<unfinished")
        };
        text.lines().filter(is_finished).count()
    }

    /// Leaves the server alone.
    pub(super) async fn end(mut self) {
        let pid = self.strace.id().unwrap().to_string();
        Command::new("kill").args(["-INT", &pid]).status().await.unwrap();
        self.strace.wait().await.unwrap();
    }
}

fn is_traced(pid: &str) -> bool {
    let threads = fs::read_dir(Path::new("/proc").join(pid).join("task")).unwrap();
    let status = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("status")).unwrap_or_default();
    threads.map(|thread| status(thread.unwrap())).all(|status| !status.contains("TracerPid:\t0\n"))
}
