//! What is acknowledged is on the disk before it is acknowledged, and callers share the trips there.

use countersign_testkit::{database::Engine, program::Running};
use tokio::task::JoinSet;

use super::{deployment::Deployment, metrics::Metrics, traced::Traced};

const SYNCS: [&str; 2] = ["fsync", "fdatasync"];

async fn traced() -> (Deployment, Running, Traced) {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let server = deployment.program.clone().environment("COUNTERSIGN_METRICS__LISTEN", "127.0.0.1:0").serve().await;
    // What is made but once was made.
    deployment.backend(&server).sign_up("warm@example.com").await.is_ok();
    let traced = Traced::begin(&server, &["--trace=fsync,fdatasync"]).await;
    (deployment, server, traced)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_comes_before_its_own_sync() {
    let (deployment, server, traced) = traced().await;
    let backend = deployment.backend(&server);
    for number in 0..30 {
        let before = traced.finished(&SYNCS);
        let mut app = backend.new_app(&format!("u{number}@example.com")).await;
        let signed_up = traced.finished(&SYNCS);
        assert!(signed_up > before, "sign-up {number} was answered before anything was synced");
        app.refresh().await.is_ok();
        let refreshed = traced.finished(&SYNCS);
        assert!(refreshed > signed_up, "refresh {number} was answered before anything was synced");
        app.sign_out().await.is_ok();
        assert!(traced.finished(&SYNCS) > refreshed, "sign-out {number} was answered before anything was synced");
    }
    traced.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_come_together_share_a_sync() {
    const CALLERS: u32 = 64;
    const VOUCHES: u32 = 8;
    let (deployment, server, traced) = traced().await;
    let backend = deployment.backend(&server);
    let batches = Metrics::of(&server).await.sum("countersign_writer_batches_total");
    let before = traced.finished(&SYNCS);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let backend = backend.clone();
        callers.spawn(async move {
            for number in 0..VOUCHES {
                backend.sign_up(&format!("c{caller}-{number}@example.com")).await.is_ok();
            }
        });
    }
    callers.join_all().await;
    let syncs = u32::try_from(traced.finished(&SYNCS) - before).unwrap();
    let batches = Metrics::of(&server).await.sum("countersign_writer_batches_total") - batches;
    assert!(f64::from(syncs) >= batches, "{batches} batches were committed with {syncs} syncs");
    assert!(syncs < CALLERS * VOUCHES / 2, "{} vouches took {syncs} syncs", CALLERS * VOUCHES);
    traced.end().await;
}
