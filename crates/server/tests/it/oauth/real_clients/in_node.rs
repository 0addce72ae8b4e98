//! `openid-client`, which stands on `oauth4webapi`.

use std::{os::unix::fs::symlink, process::Command};

use countersign_crypto::jose::signing_key::SigningKey;
use countersign_domain::id::SigningKeyId;
use serde_json::{Value, json};

use super::{callback, facts, house, me, printed};
use crate::guides::tools::told as told_by_the_run;

async fn script(facts: &Value) -> Value {
    let home = tempfile::tempdir().unwrap();
    symlink(told_by_the_run("COUNTERSIGN_TEST_NODE_MODULES"), home.path().join("node_modules")).unwrap();
    let file = home.path().join("client.mjs");
    std::fs::write(&file, include_str!("client.mjs")).unwrap();
    let mut node = Command::new("node");
    node.env("FORCE_COLOR", "0").arg(file);
    printed(node.into(), facts).await
}

/// The library discovers, exchanges, refreshes, asks and gives back, and every answer is one that it takes.
async fn goes_through(uid: &str, house: &countersign_testkit::house::House, facts: &Value) {
    let done = script(facts).await;
    assert_eq!((&done["claims"]["sub"], &done["claims"]["nonce"]), (&uid.into(), &"n-1".into()), "{done}");
    assert_eq!((&done["userinfo"]["sub"], &done["userinfo"]["email"]), (&uid.into(), &"ada@example.com".into()));
    assert_eq!(done["replayed"], "invalid_grant", "{done}");
    assert_eq!(me(house, done["refreshed"]["access_token"].as_str().unwrap()).await.status(), 401, "it was given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_goes_through_by_each_algorithm() {
    let (house, uid) = house().await;
    for alg in ["ES256", "EdDSA", "RS256"] {
        house.set_client("c3", &[&format!("oauth.id_token_alg={alg}")]).await;
        let callbacks =
            [callback(&house, &uid, &[("nonce", "n-1")]).await, callback(&house, &uid, &[("nonce", "n-1")]).await];
        let told = facts(&house, &json!({"client_id": "c3", "method": "none", "alg": alg, "callbacks": callbacks}));
        goes_through(&uid, &house, &told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_secret_goes_through_and_introspects() {
    let (house, uid) = house().await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let secret = house.with_secret(method).await;
        let more = [("nonce", "n-1"), ("client_id", "c4")];
        let callbacks = [callback(&house, &uid, &more).await, callback(&house, &uid, &more).await];
        let said =
            json!({"client_id": "c4", "method": method, "secret": secret, "alg": "ES256", "callbacks": callbacks});
        let told = facts(&house, &said);
        goes_through(&uid, &house, &told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_signs_assertions_goes_through() {
    let (house, uid) = house().await;
    let made = SigningKey::generate(SigningKeyId::from_bytes([9; 16])).unwrap().danger_to_pkcs8().unwrap();
    let key = countersign_crypto::jose::client_key::ClientKey::from_pkcs8(&made).unwrap();
    house.confidential("private_key_jwt").await;
    let mut jwk = key.jwk();
    jwk["kid"] = "k1".into();
    house.set_client("c4", &[&format!("oauth.jwks={}", json!({"keys": [jwk]}))]).await;
    let pkcs8 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &*made);
    let more = [("nonce", "n-1"), ("client_id", "c4")];
    let callbacks = [callback(&house, &uid, &more).await, callback(&house, &uid, &more).await];
    let said =
        json!({"client_id": "c4", "method": "private_key_jwt", "pkcs8": pkcs8, "alg": "ES256", "callbacks": callbacks});
    let told = facts(&house, &said);
    goes_through(&uid, &house, &told).await;
}
