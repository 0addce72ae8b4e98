//! The guide's Python listings: an endpoint with Flask, and what calls it.

mod hawcx;
mod in_go;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use countersign_testkit::program::Done;

use super::{
    dev::Dev,
    endpoint::Endpoint,
    flow,
    guide::{self, Place},
    mend::Mend,
    tokens::{self, Verifier},
    tools::{run, told},
};

/// The interpreter that has the libraries.
pub(super) fn interpreter() -> PathBuf {
    told("COUNTERSIGN_TEST_PYTHON")
}

/// A command of it, that calls this machine past any proxy.
pub(crate) fn python() -> Command {
    python_of(&interpreter())
}

/// A command of some interpreter, likewise.
pub(crate) fn python_of(interpreter: &Path) -> Command {
    let mut python = Command::new(interpreter);
    python.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1").env("NO_PROXY", "localhost,127.0.0.1");
    python
}

/// `PyJWT`, with its client for JWKS.
pub(super) fn verifier() -> Verifier {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/guides/in_python/verify.py");
    Verifier(vec![interpreter().into(), script.into()])
}

/// The guide's endpoint.
pub(super) async fn endpoint(mends: &[Mend<'_>]) -> Endpoint {
    Endpoint::start(async |home, port| {
        let listing = guide::listing(Place::PythonEndpoint, &[mends, &[Mend::FlaskPort(port)]].concat());
        std::fs::write(home.join("endpoint.py"), listing).unwrap();
        let mut command = python();
        command.current_dir(home).arg("endpoint.py");
        command
    })
    .await
}

/// The guide's client asks an endpoint for tokens and prints them.
async fn client(email: &str, mends: &[Mend<'_>]) -> Done {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("client.py"), guide::listing(Place::PythonClient, mends)).unwrap();
    let ask = "import json, sys, client; print(json.dumps(client.get_huma_token(sys.argv[1])))";
    let mut command = python();
    command.current_dir(&home).args(["-c", ask, email]);
    run(command.into()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_gets_new_and_known_users_in() {
    let dev = Dev::start().await;
    let endpoint = endpoint(&[Mend::Url(dev.fact("/url")), Mend::Key(dev.fact("/secret_key"))]).await;
    flow::new_and_known_users_get_in(&dev, &endpoint, &verifier()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn launches_that_race_all_get_in() {
    let dev = Dev::start().await;
    let endpoint = endpoint(&[Mend::Url(dev.fact("/url")), Mend::Key(dev.fact("/secret_key"))]).await;
    flow::launches_that_race_all_get_in(&dev, &endpoint).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_without_its_key_lets_nobody_in() {
    let dev = Dev::start().await;
    let endpoint = endpoint(&[Mend::Url(dev.fact("/url"))]).await;
    flow::a_wrong_key_lets_nobody_in(&dev, &endpoint).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_gets_tokens_from_the_endpoint() {
    let dev = Dev::start().await;
    let (url, key) = (dev.fact("/url"), dev.fact("/secret_key"));
    let endpoint = endpoint(&[Mend::Url(url), Mend::Key(key)]).await;
    let told = client("ada@example.com", &[Mend::Url(&endpoint.url()), Mend::Key(key), Mend::BrokenLine]).await.json();
    assert_eq!(dev.user("ada@example.com").await["id"], told["uid"]);
    tokens::are_real(&dev, &verifier(), dev.app(&told), "ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_no_python_without_the_mend_of_its_broken_line() {
    let done = client("ada@example.com", &[]).await;
    assert!(done.status != 0 && done.stderr.contains("SyntaxError"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_refuses_a_token_that_has_expired() {
    tokens::expire(&verifier()).await;
}
