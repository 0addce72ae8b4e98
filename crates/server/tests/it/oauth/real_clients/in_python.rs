//! `hawcx-oauth-client` 1.0.0 and 1.3.0, and `authlib`.

use std::{path::Path, process::Command};

use countersign_crypto::{
    delegation::{
        envelope::{self, UnverifiedEnvelope},
        keys::{Opener, Recipient, Signer, Verifier},
        signature::{self, Headers, UnverifiedSignature},
    },
    entropy::Entropy,
    jose::{client_key::ClientKey, signing_key::SigningKey},
};
use countersign_domain::{clock::Timestamp, id::SigningKeyId, signing_algorithm::SigningAlgorithm};
use countersign_testkit::house::p1;
use serde_json::{Value, json};

use super::{callback, facts, house, printed};
use crate::guides::{
    in_python::{python, python_of},
    tools::told as told_by_the_run,
};

async fn script(name: &str, facts: &Value) -> Value {
    script_by(python(), name, facts).await
}

async fn script_by(mut python: Command, name: &str, facts: &Value) -> Value {
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oauth/real_clients").join(name));
    printed(python.into(), facts).await
}

/// With the later version of the guide's client.
fn newer() -> Command {
    python_of(&told_by_the_run("COUNTERSIGN_TEST_PYTHON_NEWER"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_client_of_later_versions_names_its_project_alone() {
    let (house, uid) = house().await;
    let code = house.code(&uid, &[("nonce", "n-1")]).await;
    let told = facts(&house, &json!({"client_id": "c3", "config_id": "p1", "code": code, "nonce": "n-1"}));
    let done = script_by(newer(), "newer.py", &told).await;
    assert_eq!((&done["claims"]["sub"], &done["claims"]["email"]), (&uid.into(), &"ada@example.com".into()), "{done}");
    assert_eq!(done["again"], "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_client_of_later_versions_signs_assertions_with_ed25519() {
    let (house, uid) = house().await;
    house.confidential("private_key_jwt").await;
    let key = SigningKey::generate_for(SigningAlgorithm::EdDsa, SigningKeyId::from_bytes([9; 16])).unwrap();
    let public = serde_json::to_value(key.verifying_key().unwrap().to_jwk()).unwrap();
    house.set_client("c4", &[&format!("oauth.jwks={}", json!({"keys": [public]})), "oauth.legacy=on"]).await;
    // RFC 8410 §7: the seed stands after 16 bytes of what it is.
    let mut private = public;
    private["d"] = countersign_crypto::encoding::encode(&key.danger_to_pkcs8().unwrap()[16..48]).into();
    let code = house.code(&uid, &[("client_id", "c4")]).await;
    let told = facts(&house, &json!({"client_id": "c4", "config_id": "p1", "code": code, "jwk": private}));
    let done = script_by(newer(), "newer.py", &told).await;
    assert_eq!((&done["claims"]["sub"], &done["claims"]["aud"]), (&uid.into(), &"c4".into()), "{done}");
    assert_eq!(done["again"], "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_client_exchanges_codes_by_jwks_and_by_pem_and_is_told_of_a_replay() {
    let (house, uid) = house().await;
    let pem = house.node.service.public_key_pem(&p1()).unwrap();
    let (one, two) = (house.code(&uid, &[]).await, house.code(&uid, &[]).await);
    let told =
        facts(&house, &json!({"client_id": "c3", "pem": pem, "codes": [one, two], "bearer_token": "not.one.of-ours"}));
    let done = script("exchange.py", &told).await;
    for claims in [&done["by_jwks"], &done["by_pem"]] {
        assert_eq!((&claims["sub"], &claims["email"]), (&uid.as_str().into(), &"ada@example.com".into()), "{done}");
        assert_eq!((&claims["aud"], &claims["iss"]), (&"c3".into(), &house.public_url().into()));
    }
    assert_eq!(done["replayed"], "OAuthExchangeError");
    assert_eq!(done["wrong_verifier"], "OAuthExchangeError");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_client_signs_assertions_for_the_token_endpoint_as_a_legacy_client() {
    let (house, uid) = house().await;
    house.confidential("private_key_jwt").await;
    let made = SigningKey::generate(SigningKeyId::from_bytes([9; 16])).unwrap().danger_to_pkcs8().unwrap();
    let key = ClientKey::from_pkcs8(&made).unwrap();
    house.set_client("c4", &[&format!("oauth.jwks={}", json!({"keys": [key.jwk()]})), "oauth.legacy=on"]).await;
    let code = house.code(&uid, &[("client_id", "c4"), ("scope", "openid email")]).await;
    let pem = {
        use base64::{Engine, engine::general_purpose::STANDARD};
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&*made))
    };
    let told = facts(&house, &json!({"client_id": "c4", "signing_key": pem, "code": code}));
    let done = script("assert.py", &told).await;
    assert_eq!((&done["sub"], &done["aud"], &done["email"]), (&uid.into(), &"c4".into(), &"ada@example.com".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_gets_refreshes_introspects_and_gives_back_tokens() {
    let (house, uid) = house().await;
    let secret = house.with_secret("client_secret_basic").await;
    let callback = callback(&house, &uid, &[("client_id", "c4"), ("nonce", "n-1")]).await;
    let told = facts(&house, &json!({"client_id": "c4", "client_secret": secret, "callback": callback}));
    let done = script("session.py", &told).await;
    assert_eq!((&done["id_token"]["sub"], &done["id_token"]["nonce"]), (&uid.as_str().into(), &"n-1".into()), "{done}");
    assert_eq!(done["userinfo"]["sub"], uid);
    assert_ne!(done["refreshed"]["access_token"], done["token"]["access_token"]);
    assert_eq!((&done["before"]["active"], &done["before"]["sub"]), (&true.into(), &uid.into()));
    assert_eq!((&done["revoked"], &done["after"]), (&200.into(), &json!({"active": false})));
    assert_eq!(done["own"]["scope"], "read write");
}

fn vectors() -> (String, Value) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/vectors/delegation.json");
    (file.display().to_string(), serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_client_and_the_delegation_envelope_are_of_one_mind() {
    const NOW: i64 = 1_800_000_000;
    let now = Timestamp::from_seconds(NOW);
    let (file, vectors) = vectors();
    let pem = |name: &str, half: &str| vectors["keys"][name][format!("{half}_pem")].as_str().unwrap();
    let answer = r#"{"status":"success","detail":"Grüße"}"#;
    let to = Recipient::from_pem(pem("sp_opens", "public")).unwrap();
    let body = envelope::seal(&to, answer.as_bytes(), &Entropy::system()).unwrap();
    let signed = signature::sign(&Signer::from_pem(pem("idp_signs", "private")).unwrap(), &body, now);
    let request = r#"{"userid":"ada@example.com"}"#;
    let told = json!({
        "vectors": file, "now": NOW, "request": request,
        "answer": {
            "body": String::from_utf8(body).unwrap(), "signed_by": "idp_signs",
            "timestamp": signed.timestamp, "signature": signed.signature,
        },
    });
    let done = script("delegation.py", &told).await;
    assert_eq!(done["opened"], json!([true, true, true]), "{done}");
    assert_eq!((&done["verified"], &done["same"]), (&json!([true]), &json!([true])), "{done}");
    assert_eq!((&done["answer"], &done["answer_verified"]), (&json!(answer), &json!(true)), "{done}");
    // What else there is in the file, it refuses as we do, but for what has another spelling.
    let lenient = [
        "the highest bit of epk, which X25519 ignores",
        "padding",
        "loose bits at the end",
        "a member more",
        "a member twice",
    ];
    assert_eq!(done["refused_by_us_alone"], json!(lenient), "{done}");

    // The other way: what it seals and signs.
    let body = done["body"].as_str().unwrap();
    let opener = Opener::from_pem(pem("idp_opens", "private")).unwrap();
    let envelope = UnverifiedEnvelope::parse(body.as_bytes()).unwrap();
    assert_eq!(&**envelope.open([&opener]).unwrap().text, request.as_bytes());
    assert_eq!(envelope.to_json(), body, "its spelling is ours");
    let timestamp = NOW.to_string();
    let read = UnverifiedSignature::read(&Headers {
        enc_alg: Some("x25519-aesgcm"),
        timestamp: Some(&timestamp),
        signature_alg: Some("ed25519"),
        signature: done["signature"].as_str(),
    });
    let verifier = Verifier::from_pem(pem("sp_signs", "public")).unwrap();
    assert!(read.unwrap().verify([&verifier], body.as_bytes(), now).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_client_of_later_versions_takes_a_credential_apart() {
    let (file, vectors) = vectors();
    let read = script_by(newer(), "credential.py", &json!({ "vectors": file })).await;
    let (credential, keys) = (&vectors["credential"], &vectors["keys"]);
    assert_eq!((&read["kid"], &read["hkid"]), (&credential["kid"], &credential["hkid"]));
    for (name, of) in [
        ("signs", &keys["sp_signs"]["private_pem"]),
        ("opens", &keys["sp_opens"]["private_pem"]),
        ("verifies", &keys["idp_signs"]["public_pem"]),
        ("seals", &keys["idp_opens"]["public_pem"]),
    ] {
        assert_eq!(&read[name], of, "{name}");
    }
}
