//! `openid-client`, and `oauth4webapi`, on which it stands.

use std::{os::unix::fs::symlink, process::Command};

use countersign_crypto::jose::signing_key::SigningKey;
use countersign_domain::id::SigningKeyId;
use countersign_testkit::house::House;
use serde_json::{Value, json};

use super::{
    callback, facts, house, me, printed,
    registered::{ADA, Registered},
};
use crate::guides::tools::told as told_by_the_run;

async fn script(text: &str, facts: &Value) -> Value {
    let home = tempfile::tempdir().unwrap();
    symlink(told_by_the_run("COUNTERSIGN_TEST_NODE_MODULES"), home.path().join("node_modules")).unwrap();
    let file = home.path().join("client.mjs");
    std::fs::write(&file, text).unwrap();
    let mut node = Command::new("node");
    node.env("FORCE_COLOR", "0").arg(file);
    printed(node.into(), facts).await
}

/// The library discovers, exchanges, refreshes, asks and gives back, and every answer is one that it takes.
async fn goes_through(uid: &str, house: &House, facts: &Value) {
    let done = script(include_str!("client.mjs"), facts).await;
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

/// `oauth4webapi` signs its user in and goes through every step, by hand.
async fn goes_through_by_hand(uid: &str, client: &Registered<'_>, house: &House, more: &Value) -> Value {
    let callbacks = [client.callback().await, client.callback().await];
    let mut said = client.facts.clone();
    let base = json!({"alg": "ES256", "callbacks": callbacks});
    for (name, value) in base.as_object().unwrap().iter().chain(more.as_object().unwrap()) {
        said[name] = value.clone();
    }
    let done = script(include_str!("by_hand.mjs"), &facts(house, &said)).await;
    let id = &client.facts["client_id"];
    assert_eq!(
        (&done["claims"]["sub"], &done["claims"]["aud"], &done["claims"]["email"]),
        (&uid.into(), id, &ADA.into())
    );
    assert_eq!((&done["userinfo"]["sub"], &done["userinfo"]["email"]), (&uid.into(), &ADA.into()), "{done}");
    let api = &done["api"]["claims"];
    assert_eq!((&api["sub"], &api["client_id"], &api["scope"]), (&uid.into(), id, &"openid email".into()), "{done}");
    assert_eq!(done["replayed"], "invalid_grant", "{done}");
    if client.facts["method"] != "none" {
        assert_eq!((&done["before"]["active"], &done["before"]["sub"]), (&true.into(), &uid.into()), "{done}");
        assert_eq!(done["after"], json!({"active": false}));
        assert_eq!((&done["own"]["scope"], &done["own"]["introspected"]["sub"]), (&"read".into(), id), "{done}");
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_by_itself_is_as_a_strict_library_wants_it_for_each_kind_of_client() {
    let (house, uid) = house().await;
    let kinds = [
        Registered::public(&house),
        Registered::with_secret(&house, "client_secret_basic").await,
        Registered::with_secret(&house, "client_secret_post").await,
        Registered::with_key(&house).await,
    ];
    for client in kinds {
        let method = client.facts["method"].as_str().unwrap();
        if method != "none" {
            house.set_client("c4", &[&format!("oauth.auth_method={method}")]).await;
        }
        let done = goes_through_by_hand(&uid, &client, &house, &json!({})).await;
        assert_eq!((&done["tokens"]["token_type"], &done["api"]["scheme"]), (&"bearer".into(), &"Bearer".into()));
        assert_eq!((&done["givenBack"], &done["asked"]), (&"done".into(), &0.into()));
        assert_eq!(me(&house, done["refreshed"]["access_token"].as_str().unwrap()).await.status(), 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_holds_a_key_is_told_a_nonce_once_and_its_tokens_are_bound() {
    let (house, uid) = house().await;
    for alg in ["ES256", "EdDSA"] {
        for client in [Registered::public(&house), Registered::with_key(&house).await] {
            let done = goes_through_by_hand(&uid, &client, &house, &json!({ "dpop": alg })).await;
            assert_eq!(
                (&done["tokens"]["token_type"], &done["api"]["scheme"]),
                (&"dpop".into(), &"DPoP".into()),
                "{done}"
            );
            assert_eq!(done["asked"], 1, "a nonce that was told once does for the other calls: {done}");
            // Whoever proves nothing else must show the key, and the library shows none here.
            let expected = if client.facts["method"] == "none" { "use_dpop_nonce" } else { "done" };
            assert_eq!(done["givenBack"], expected, "{done}");
            let stolen = done["refreshed"]["access_token"].as_str().unwrap();
            assert_eq!(me(&house, stolen).await.status(), 401, "a bound token is no bearer token");
        }
    }
}
