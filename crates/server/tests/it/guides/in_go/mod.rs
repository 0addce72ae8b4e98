//! The guide's Go listing: an endpoint with Gin.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use countersign_testkit::program::Done;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::{
    dev::Dev,
    endpoint::Endpoint,
    flow,
    guide::{self, Place},
    mend::Mend,
    tokens::{self, Verifier},
    tools::run,
};

/// Two builds at once would each build all of Gin.
static BUILDING: Mutex<()> = Mutex::const_new(());

/// Builds a program of one file in `home`, against what the guide stands on.
async fn build(home: &Path, source: &str) -> Result<PathBuf, Done> {
    build_with(home, include_str!("go.mod"), include_str!("go.sum"), source).await
}

/// Builds a program of one file in `home`, against the modules that these two files pin.
pub(crate) async fn build_with(home: &Path, go_mod: &str, go_sum: &str, source: &str) -> Result<PathBuf, Done> {
    for (file, content) in [("go.mod", go_mod), ("go.sum", go_sum), ("main.go", source)] {
        std::fs::write(home.join(file), content).unwrap();
    }
    let program = home.join("program");
    let mut go = Command::new("go");
    go.current_dir(home).args(["build", "-buildvcs=false", "-o"]).arg(&program).arg(".");
    let _alone = BUILDING.lock().await;
    let done = run(go.into()).await;
    if done.status == 0 { Ok(program) } else { Err(done) }
}

/// `go-jose`. Goes with the folder.
async fn verifier() -> (Verifier, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let program = build(home.path(), include_str!("verify.go")).await.expect("our own program builds");
    (Verifier(vec![program.into()]), home)
}

/// The guide's endpoint.
pub(super) async fn endpoint(mends: &[Mend<'_>]) -> Endpoint {
    Endpoint::start(async |home, port| {
        let listing = guide::listing(Place::GoEndpoint, &[mends, &[Mend::GinPort(port), Mend::UnusedImport]].concat());
        let program = build(home, &listing).await.expect("the guide's listing builds");
        Command::new(program)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_gets_new_and_known_users_in() {
    let dev = Dev::start().await;
    let endpoint = endpoint(&[Mend::Url(dev.fact("/url")), Mend::Key(dev.fact("/secret_key"))]).await;
    let (verifier, _home) = verifier().await;
    flow::new_and_known_users_get_in(&dev, &endpoint, &verifier).await;
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
async fn the_endpoint_wants_all_four_fields() {
    let dev = Dev::start().await;
    let endpoint = endpoint(&[Mend::Url(dev.fact("/url")), Mend::Key(dev.fact("/secret_key"))]).await;
    let all = json!({ "email": "ada@example.com", "firstName": "", "lastName": "", "activationCode": "" });
    for field in ["email", "firstName", "lastName", "activationCode"] {
        let mut body = all.clone();
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(endpoint.huma_token(&body).await.status(), 500, "without {field}");
    }
    assert!(dev.users().await.is_empty());
    endpoint.huma_token(&all).await.is_ok();
    assert_eq!(dev.users().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_is_no_go_without_the_mend_of_its_imports() {
    let home = tempfile::tempdir().unwrap();
    let done = build(home.path(), &guide::listing(Place::GoEndpoint, &[])).await.expect_err("this doesn't build");
    assert!(done.stderr.contains(r#""log" imported and not used"#), "{done:?}");
    let mistakes = done.stderr.lines().filter(|line| line.starts_with("./main.go:")).count();
    assert_eq!(mistakes, 1, "the guide's listing has another mistake: {done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_refuses_a_token_that_has_expired() {
    let (verifier, _home) = verifier().await;
    tokens::expire(&verifier).await;
}
