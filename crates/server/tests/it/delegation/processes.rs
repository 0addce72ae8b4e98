//! Several servers of one deployment, and the command line beside them.

use std::time::Duration;

use countersign_crypto::encoding::encode;
use countersign_testkit::{
    actors::merged, authenticator_app::AuthenticatorApp, database::Engine, on_both_engines, program::Running,
    service_provider::ServiceProvider, wait,
};
use serde_json::{Value, json};

use super::{
    CREDS, GET, NOT_PROVED, REPLAYED, SET,
    mfa_change::{INITIATE, VERIFY},
};
use crate::operation::deployment::Deployment;

on_both_engines!(
    a_call_that_one_process_took_is_refused_at_the_other,
    keys_of_the_command_line_come_and_go_within_moments,
    nothing_that_was_sealed_is_in_the_log_or_the_trail,
);

const PATIENCE: Duration = Duration::from_secs(3);

async fn is_taken(provider: &ServiceProvider) -> bool {
    let body = provider.sealed(&json!({ "userid": "ada@example.com" }));
    let answer = provider.signed(&body).post_bytes(GET, body).await;
    if answer.status() == 200 {
        return provider.opened(answer).json.get("suggested_mfa").is_some();
    }
    answer.not_proved(401, NOT_PROVED);
    false
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

async fn nothing_that_was_sealed_is_in_the_log_or_the_trail(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let made = deployment.program.json(&["key", "create", "--kind", "delegation", "--client", "c1"]).await;
    let server = deployment.program.clone().environment("COUNTERSIGN_LOG__LEVEL", "trace").serve().await;
    let provider = ServiceProvider::of_program(&server.client(), "c1", made["credential"].as_str().unwrap());
    deployment.backend(&server).sign_up("ada.whole@example.com").await.is_ok();
    let of_ada = |more: Value| merged(json!({ "userid": "ada.whole@example.com" }), more);
    let begun = provider.call(INITIATE, &of_ada(json!({ "mfa_method": "totp" }))).await.ok();
    let app = AuthenticatorApp::reading(begun["otpauth_uri"].as_str().unwrap());
    let otp = app.code_at(provider.now());
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    let typed = |otp: &str| of_ada(json!({ "session_id": begun["session_id"], "otp": otp }));
    assert_eq!(provider.call(VERIFY, &typed(wrong)).await.status, 400);
    provider.call(VERIFY, &typed(&otp)).await.ok();
    provider.call(SET, &of_ada(json!({ "suggested_mfa": "always" }))).await.ok();
    provider.call(CREDS, &json!({ "userid": "nobody.whole@example.com" })).await.refused(404, "There is no such user.");
    let forged = provider.sealed(&of_ada(json!({})));
    provider.signed(b"").post_bytes(SET, forged).await.not_proved(401, NOT_PROVED);
    let (status, log) = server.stop().await;
    assert_eq!(status, 0);
    let dump = deployment.database.dump().await;
    let (trail, rest): (Vec<&str>, Vec<&str>) = dump.lines().partition(|line| line.starts_with("audit_entries: "));
    let secrets = ["totp_secret", "otpauth_uri"].map(|name| begun[name].as_str().unwrap());
    let private = encode(*provider.credential.signer.danger_to_bytes().unwrap());
    for secret in secrets.into_iter().chain([private.as_str(), "whole@example.com"]) {
        assert!(!log.contains(secret) && !trail.join("\n").contains(secret), "{secret}");
    }
    for secret in secrets.into_iter().chain([private.as_str()]) {
        assert!(!rest.join("\n").contains(secret), "{secret}");
    }
    assert!(log.contains("/hc_auth/v5/update/verify"), "what was asked is logged");
    assert!(trail.iter().any(|line| line.contains("factor.added")), "{trail:?}");
}
