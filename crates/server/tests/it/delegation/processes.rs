//! Several servers of one deployment, and the command line beside them.

use std::time::Duration;

use countersign_testkit::{
    database::Engine, on_both_engines, program::Running, service_provider::ServiceProvider, wait,
};
use serde_json::json;

use super::{GET, NOT_PROVED, REPLAYED};
use crate::operation::deployment::Deployment;

on_both_engines!(
    a_call_that_one_process_took_is_refused_at_the_other,
    keys_of_the_command_line_come_and_go_within_moments,
);

const PATIENCE: Duration = Duration::from_secs(3);

async fn is_taken(provider: &ServiceProvider) -> bool {
    let body = provider.sealed(&json!({ "userid": "ada@example.com" }));
    let answer = provider.signed(&body).post_bytes(GET, body).await;
    match answer.status() {
        200 => provider.opened(answer).json.get("suggested_mfa").is_some(),
        _ => {
            answer.not_proved(401, NOT_PROVED);
            false
        }
    }
}

/// Both servers and a backend at the first.
async fn staged(engine: Engine) -> (Deployment, Running, Running, ServiceProvider, String) {
    let deployment = Deployment::furnished(engine).await;
    // A key is asked for until it is known.
    deployment.program.run(&["project", "set", "p1", "limits.failures=1000000"]).await.ok();
    let (one, other) = (deployment.program.serve().await, deployment.program.serve().await);
    let made = deployment.program.json(&["key", "create", "--kind", "delegation", "--client", "c1"]).await;
    let (id, credential) = (made["id"].as_str().unwrap(), made["credential"].as_str().unwrap());
    let provider = ServiceProvider::of_program(&one.client(), "c1", credential);
    for server in [&one, &other] {
        let provider = provider.through(&server.client());
        wait::until("the key is known", PATIENCE, || is_taken(&provider)).await;
    }
    (deployment, one, other, provider, id.to_owned())
}

async fn a_call_that_one_process_took_is_refused_at_the_other(engine: Engine) {
    let (_deployment, _one, other, provider, _) = staged(engine).await;
    let body = provider.sealed(&json!({ "userid": "ada@example.com" }));
    let there = provider.through(&other.client());
    let signed = provider.signed(&body);
    provider.opened(signed.post_bytes(GET, body.clone()).await).ok();
    there.opened(there.signed(&body).post_bytes(GET, body).await).refused(401, REPLAYED);
    assert!(is_taken(&there).await);
}

async fn keys_of_the_command_line_come_and_go_within_moments(engine: Engine) {
    let (deployment, _one, other, provider, id) = staged(engine).await;
    let next = deployment.program.json(&["key", "rotate", &id, "--overlap", "1h"]).await;
    let there = other.client();
    let next = ServiceProvider::of_program(&there, "c1", next["credential"].as_str().unwrap());
    wait::until("the successor is known", PATIENCE, || is_taken(&next)).await;
    assert!(is_taken(&provider).await && is_taken(&provider.through(&there)).await, "both work");
    deployment.program.run(&["key", "revoke", &id]).await.ok();
    for provider in [provider.clone(), provider.through(&there)] {
        wait::until("the key is revoked", PATIENCE, || async { !is_taken(&provider).await }).await;
    }
    assert!(is_taken(&next).await);
}
