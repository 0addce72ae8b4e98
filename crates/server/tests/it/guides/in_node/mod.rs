//! The guides' JavaScript listings: one calls the customer's endpoint, one is the customer's backend.

mod express;
mod in_go;
mod in_python;

use std::{os::unix::fs::symlink, process::Command};

use countersign_testkit::program::Done;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    dev::Dev,
    guide::{self, Place},
    mend::Mend,
    tokens::{self, Verifier},
    tools::{run, told},
};

fn node() -> Command {
    let mut node = Command::new("node");
    // Colours in what is printed are for people.
    node.env("FORCE_COLOR", "0");
    node
}

/// `jose`. Goes with the folder.
fn verifier() -> (Verifier, TempDir) {
    let home = tempfile::tempdir().unwrap();
    symlink(told("COUNTERSIGN_TEST_NODE_MODULES"), home.path().join("node_modules")).unwrap();
    let script = home.path().join("verify.mjs");
    std::fs::write(&script, include_str!("verify.mjs")).unwrap();
    (Verifier(vec!["node".into(), script.into()]), home)
}

/// The guide's client asks an endpoint for tokens and prints them, as Node prints objects.
async fn client(mends: &[Mend<'_>]) -> Done {
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("client.mjs");
    std::fs::write(&script, guide::listing(Place::JavaScriptClient, mends)).unwrap();
    let mut command = node();
    command.arg(script);
    run(command.into()).await
}

/// What Node prints of an object is JavaScript, and no JSON.
async fn as_json(printed: &str) -> Value {
    let mut command = node();
    command.args(["--print", "JSON.stringify(eval(`(${process.argv[1]})`))", printed]);
    run(command.into()).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_refuses_a_token_that_has_expired() {
    let (verifier, _home) = verifier();
    tokens::expire(&verifier).await;
}
