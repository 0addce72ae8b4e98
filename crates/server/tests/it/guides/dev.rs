//! `countersign dev`, as a newcomer starts it.

use countersign_testkit::{
    actors::App,
    http::Client,
    program::{Program, Running},
};
use serde_json::Value;
use tempfile::TempDir;

/// A server in development mode, and what it wrote down.
pub(super) struct Dev {
    /// The command line, on the same data.
    pub(super) program: Program,
    facts: Value,
    running: Running,
    _directory: TempDir,
}

impl Dev {
    /// On a free port and an empty directory.
    pub(super) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = Program::new(env!("CARGO_BIN_EXE_countersign"), &directory.path().join("data"));
        let running = program.dev().await;
        let text = std::fs::read(program.data().join("dev.json")).unwrap();
        Self { facts: serde_json::from_slice(&text).unwrap(), program, running, _directory: directory }
    }

    /// What `dev.json` says at a place, as `/oauth/issuer`.
    #[track_caller]
    pub(super) fn fact(&self, place: &str) -> &str {
        let fact = self.facts.pointer(place).and_then(Value::as_str);
        fact.unwrap_or_else(|| panic!("dev.json says nothing at {place}"))
    }

    /// Somebody who calls it.
    pub(super) fn client(&self) -> Client {
        self.running.client()
    }

    /// The app that was given these tokens.
    pub(super) fn app(&self, tokens: &Value) -> App {
        let text = |member: &str| tokens[member].as_str().unwrap_or_else(|| panic!("no {member}: {tokens}")).to_owned();
        App {
            http: self.client().user_agent("app/1"),
            uid: text("uid"),
            access: text("authToken"),
            refresh: text("refreshToken"),
        }
    }

    /// All users, as the command line lists them.
    pub(super) async fn users(&self) -> Vec<Value> {
        let Value::Array(users) = self.program.json(&["user", "list"]).await else { panic!("no list of users") };
        users
    }

    /// One user, as the command line shows it.
    pub(super) async fn user(&self, who: &str) -> Value {
        self.program.json(&["user", "show", who]).await
    }
}
