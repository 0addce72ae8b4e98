//! Programs of others that tests run.

use std::path::PathBuf;

use countersign_testkit::program::Done;
use tokio::process::Command;

/// Runs a command to its end.
pub(crate) async fn run(mut command: Command) -> Done {
    let output = command.kill_on_drop(true).output().await;
    let output = output
        .unwrap_or_else(|problem| panic!("{} doesn't start: {problem}", command.as_std().get_program().display()));
    Done {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What the test run says in the environment.
#[track_caller]
pub(crate) fn told(variable: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the test run says so in the environment")]
    let told = std::env::var_os(variable);
    told.unwrap_or_else(|| panic!("{variable} isn't set: run tests by `cargo xtask test`, which brings what it names"))
        .into()
}
