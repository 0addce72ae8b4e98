//! A disk that is full, or fails, under a running server.

use std::{fs, os::unix::fs::MetadataExt, time::Duration};

use countersign_testkit::{
    actors::{App, Backend},
    database::Engine,
    program::Running,
    wait,
};
use tokio::process::Command;

use super::{deployment::Deployment, traced::Traced};

const PATIENCE: Duration = Duration::from_secs(20);

struct Shop {
    deployment: Deployment,
    server: Running,
    backend: Backend,
    app: App,
}

impl Shop {
    async fn open() -> Self {
        let deployment = Deployment::furnished(Engine::Sqlite).await;
        let server = deployment.program.serve().await;
        let backend = deployment.backend(&server);
        let app = backend.new_app("ada@example.com").await;
        Self { deployment, server, backend, app }
    }

    /// Nothing can be written: callers are told to come again, whatever needs no writing goes on, and nothing comes of what was refused.
    async fn sends_writers_away(&mut self, stranger: &str) {
        for _ in 0..3 {
            let refused = self.backend.sign_up(stranger).await;
            let message = refused.refused(503, 13_001);
            assert_eq!(refused.header("retry-after"), "1");
            assert!(!message.contains("disk") && !message.contains('/'), "the caller is told too much: {message}");
            let refused = self.app.try_refresh().await;
            refused.refused(503, 13_001);
            assert_eq!(refused.header("retry-after"), "1");
            self.app.sign_out().await.refused(503, 13_001);
        }
        self.app.me().await.is_ok();
        self.app.sessions().await.is_ok();
        self.server.client().get("/.well-known/jwks.json").await.is_ok();
        self.server.client().get("/health/ready").await.is_ok();
        self.backend.sign_in(stranger).await.refused(403, 100_012);
        let said = self.deployment.program.run(&["user", "list"]).await;
        assert!(!said.stdout.contains(stranger), "{}", said.stdout);
    }

    /// Writing works again, without a restart, and what was acknowledged before is there.
    async fn has_recovered(&mut self, stranger: &str) {
        wait::until("writing works again", PATIENCE, || async { self.backend.sign_up(stranger).await.status() == 200 })
            .await;
        self.app.refresh().await.is_ok();
        self.app.me().await.is_ok();
        let log = self.server.log();
        assert!(log.contains("the database can't be written") && !log.contains("panicked"), "{log}");
    }

    fn log_file(&self) -> String {
        format!("{}-wal", self.deployment.database.url().strip_prefix("sqlite:").unwrap())
    }
}

async fn limit_files_of(server: &Running, bytes: &str) {
    // The soft limit alone: it may be raised again.
    let limit = format!("--fsize={bytes}:");
    let limited = Command::new("prlimit").args(["--pid", &server.pid().to_string(), &limit]).status().await.unwrap();
    assert!(limited.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_is_an_outage_and_no_end() {
    let mut shop = Shop::open().await;
    let grown = fs::metadata(shop.log_file()).unwrap().size();
    assert!(grown > 4096, "the log is written somewhere else");
    limit_files_of(&shop.server, "4096").await;
    shop.sends_writers_away("bob@example.com").await;
    limit_files_of(&shop.server, "unlimited").await;
    shop.has_recovered("bob@example.com").await;
    assert_eq!(shop.server.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_or_read_only_is_an_outage() {
    for (number, problem) in ["ENOSPC", "EROFS", "EIO", "EDQUOT"].into_iter().enumerate() {
        let mut shop = Shop::open().await;
        let stranger = format!("stranger{number}@example.com");
        let (inject, file) = (format!("--inject=write,pwrite64:error={problem}"), shop.log_file());
        let traced = Traced::begin(&shop.server, &[&inject, "--trace-path", &file]).await;
        shop.sends_writers_away(&stranger).await;
        assert!(traced.finished(&["write", "pwrite64"]) > 0, "nothing was made to fail");
        traced.end().await;
        shop.has_recovered(&stranger).await;
        assert_eq!(shop.server.stop().await.0, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_synced_is_not_acknowledged() {
    let mut shop = Shop::open().await;
    let file = shop.log_file();
    let options = ["--inject=fsync,fdatasync:error=EIO", "--trace-path", &file];
    let traced = Traced::begin(&shop.server, &options).await;
    shop.sends_writers_away("bob@example.com").await;
    assert!(traced.finished(&["fsync", "fdatasync"]) > 0, "nothing was made to fail");
    traced.end().await;
    shop.has_recovered("bob@example.com").await;
    // What failed isn't in the way of a later start.
    let Shop { deployment, server, app, .. } = shop;
    server.kill().await;
    let server = deployment.program.serve().await;
    deployment.backend(&server).sign_in("bob@example.com").await.is_ok();
    app.through(server.client().user_agent("app/1")).try_refresh().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_taken_away_takes_nothing_that_was_acknowledged() {
    let mut shop = Shop::open().await;
    let path = shop.deployment.database.url().strip_prefix("sqlite:").unwrap().to_owned();
    let aside = format!("{path}-aside");
    fs::rename(&path, &aside).unwrap();
    for _ in 0..3 {
        let refused = shop.backend.sign_up("bob@example.com").await;
        refused.refused(503, 13_001);
        assert_eq!(refused.header("retry-after"), "1");
        shop.app.try_refresh().await.refused(503, 13_001);
    }
    assert!(!fs::exists(&path).unwrap(), "an empty one was made in its place");
    // Somebody restores another: this server has none of it in memory.
    fs::copy(&aside, &path).unwrap();
    shop.backend.sign_up("bob@example.com").await.refused(503, 13_001);
    assert!(shop.server.log().contains("another file has taken its place"), "{}", shop.server.log());
    fs::rename(&aside, &path).unwrap();
    shop.has_recovered("bob@example.com").await;
    assert_eq!(shop.server.stop().await.0, 0);
}
