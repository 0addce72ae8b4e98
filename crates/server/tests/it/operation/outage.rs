//! PostgreSQL that goes away at work and comes back.

use std::{process::Stdio, time::Duration};

use countersign_testkit::{database::TestDatabase, wait};
use tokio::{process::Command, sync::Mutex, task::JoinSet};

use super::{deployment::Deployment, load::Load};

const PATIENCE: Duration = Duration::from_mins(1);
/// Answers before PostgreSQL goes, and again after it is back.
const ANSWERS: usize = 100;

/// There is one PostgreSQL that may be stopped.
static TURN: Mutex<()> = Mutex::const_new(());

/// That one. It runs again when this is dropped, whatever became of the test.
struct Mortal {
    server: String,
    ctl: String,
}

impl Mortal {
    fn new() -> Self {
        let named = |name: &str| {
            #[expect(clippy::disallowed_methods, reason = "the test run says so in the environment")]
            let value = std::env::var(name);
            assert!(
                value.is_ok(),
                "{name} isn't set: run tests by `cargo xtask test`, which starts a PostgreSQL for that"
            );
            value.unwrap()
        };
        Self { server: named("COUNTERSIGN_TEST_MORTAL_POSTGRES"), ctl: named("COUNTERSIGN_TEST_MORTAL_POSTGRES_CTL") }
    }

    async fn run(&self, what: &str) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{} {what}", self.ctl)]).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(shell.status().await.unwrap().success(), "PostgreSQL doesn't {what}");
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let start = format!("{} status || {} start", self.ctl, self.ctl);
        let mut shell = std::process::Command::new("sh");
        let _ = shell.args(["-c", &start]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_shut_down_at_work_loses_nothing() {
    goes_away_and_comes_back("--mode=fast stop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_at_work_loses_nothing() {
    goes_away_and_comes_back("--mode=immediate stop").await;
}

async fn goes_away_and_comes_back(stop: &str) {
    let _turn = TURN.lock().await;
    let mortal = Mortal::new();
    let deployment = Deployment::on(TestDatabase::create_on_server(&mortal.server).await).furnish().await;
    let server = deployment.program.serve().await;
    let backend = deployment.backend(&server);
    let app = backend.new_app("ada@example.com").await;
    let load = Load::start(&backend, "load");
    wait::until("there is load", PATIENCE, || async { load.acknowledged() >= ANSWERS }).await;

    mortal.run(stop).await;
    wait::until("callers are sent away", PATIENCE, || async { load.refused() >= ANSWERS / 10 }).await;
    // What needs no database goes on until revocations haven't been heard of for too long.
    wait::until("the server says that it isn't ready", PATIENCE, || async {
        server.client().get("/health/ready").await.status() == 503
    })
    .await;
    server.client().get("/health/live").await.is_ok();
    let unsure = app.me().await;
    assert_eq!((unsure.status(), unsure.header("retry-after")), (503, "1"), "{unsure}");
    assert!(unsure.json()["error"]["code"].is_string(), "{unsure}");
    backend.sign_in("ada@example.com").await.refused(503, 13_001);
    app.try_refresh().await.refused(503, 13_001);
    server.client().get("/.well-known/jwks.json").await.is_ok();

    let before = load.acknowledged();
    mortal.run("start").await;
    wait::until("callers are served again", PATIENCE, || async { load.acknowledged() >= before + ANSWERS }).await;
    wait::until("the server is ready again", PATIENCE, || async {
        server.client().get("/health/ready").await.status() == 200
    })
    .await;
    app.me().await.is_ok();
    let mut checks = JoinSet::new();
    for acknowledged in load.stop().await {
        let backend = backend.clone();
        checks.spawn(async move { acknowledged.still_holds(&backend).await });
    }
    checks.join_all().await;
    let (status, log) = server.stop().await;
    assert_eq!(status, 0);
    assert!(log.contains("can't read the change feed"), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}
