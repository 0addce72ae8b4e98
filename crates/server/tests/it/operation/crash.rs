//! A server that is killed at work.

use std::time::Duration;

use countersign_testkit::{database::Engine, on_both_engines, wait};
use tokio::task::JoinSet;

use super::{deployment::Deployment, load::Load};

on_both_engines!(what_was_acknowledged_outlives_the_server);

const PATIENCE: Duration = Duration::from_mins(1);
const ROUNDS: usize = 3;
/// Answers in a round before the server is killed: enough for many batches.
const ANSWERS: usize = 500;

async fn what_was_acknowledged_outlives_the_server(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    for round in 0..ROUNDS {
        let server = deployment.program.serve().await;
        let load = Load::start(&deployment.backend(&server), &format!("round-{round}"));
        wait::until("there is load", PATIENCE, || async { load.acknowledged() >= ANSWERS }).await;
        server.kill().await;
        let told = load.stop().await;
        assert!(told.len() >= ANSWERS / 8, "{} sessions are too few to tell", told.len());

        let server = deployment.program.serve().await;
        let backend = deployment.backend(&server);
        let mut checks = JoinSet::new();
        for acknowledged in told {
            let backend = backend.clone();
            checks.spawn(async move { acknowledged.still_holds(&backend).await });
        }
        checks.join_all().await;
        assert_eq!(server.stop().await.0, 0);
    }
}
