//! The guide's client, as it is published: what it was in its first version, and what it became.

use std::{path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_crypto::{
    delegation::keys::Signer,
    encoding,
    entropy::Entropy,
    jose::{client_key::ClientKey, signing_key::SigningKey},
};
use countersign_domain::id::SigningKeyId;
use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    manager::{ED_KID, ES_KID, named},
    program::Program,
    provider::{ASSERTION_TYPE, REDIRECT_URI, VERIFIER},
};
use serde_json::{Value, json};

use super::{
    ENFORCEMENT, PHONE, POLICY,
    step_up::{asked_second, set_up_app},
};
use crate::guides::{
    in_python::{python, python_of},
    tools::{run, told as told_by_the_run},
};

/// A house at the time of day that libraries go by, with a user, and the keys of the backend `c4` as its owner has them.
pub(super) struct Stage {
    pub(super) house: House,
    pub(super) uid: String,
    keys: Value,
    es: ClientKey,
}

impl Stage {
    pub(super) async fn open() -> Self {
        let house = House::open_now(Engine::Sqlite).await;
        house.web_app().await;
        let uid = house.user("ada@example.com").await;
        let signer = Signer::generate(&Entropy::system()).unwrap();
        let x = encoding::encode(signer.verifier().unwrap().to_bytes());
        let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": ED_KID });
        let made = SigningKey::generate(SigningKeyId::from_bytes([9; 16])).unwrap().danger_to_pkcs8().unwrap();
        let es = ClientKey::from_pkcs8(&made).unwrap();
        let jwks = format!("oauth.jwks={}", json!({ "keys": [ed, named(&es, ES_KID)] }));
        house.confidential("private_key_jwt").await;
        house.set_client("c4", &[&jwks, "oauth.legacy=on", "dpop.nonce=off", "management=on"]).await;
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&*made));
        let keys = json!({
            "base_url": house.public_url(), "config_id": "p1", "client_id": "c4", "kid": ED_KID, "es256_kid": ES_KID,
            "signing_key_pem": signer.danger_to_pem().unwrap().danger_expose(), "es256_key_pem": pem,
        });
        Self { house, uid, keys, es }
    }

    async fn script(&self, python: Command, name: &str, more: &Value) -> Value {
        let mut told = self.keys.clone();
        for (name, value) in more.as_object().unwrap() {
            told[name] = value.clone();
        }
        scripted(python, name, &told).await
    }

    /// As the first version.
    pub(super) async fn first(&self, more: &Value) -> Value {
        self.script(python(), "step_up.py", more).await
    }

    /// As a later version.
    pub(super) async fn later(&self, more: &Value) -> Value {
        self.script(newer(), "step_up_newer.py", more).await
    }
}

fn newer() -> Command {
    python_of(&told_by_the_run("COUNTERSIGN_TEST_PYTHON_NEWER"))
}

async fn scripted(mut python: Command, name: &str, told: &Value) -> Value {
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/management/real_clients").join(name));
    python.arg(told.to_string());
    run(python.into()).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dev_json_says_is_all_that_a_later_version_needs() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::new(env!("CARGO_BIN_EXE_countersign"), &directory.path().join("data"));
    let running = program.dev().await;
    let facts: Value = serde_json::from_slice(&std::fs::read(program.data().join("dev.json")).unwrap()).unwrap();
    running.client().get("/health/live").await.is_ok();
    for base in
        [facts["url"].as_str().unwrap().to_owned(), facts["url"].as_str().unwrap().replace("localhost", "127.0.0.1")]
    {
        let mut told = facts["management"].clone();
        (told["base_url"], told["calls"]) = (json!(base), json!([[POLICY, {}]]));
        let said = scripted(newer(), "step_up_newer.py", &told).await;
        assert_eq!(said[0]["mfa_policy"], "suggested", "{said}");
    }
    // The same key as a JWK, as others read it.
    let keys = &facts["management"];
    assert_eq!((&keys["client_id"], &keys["config_id"]), (&json!("c4"), &json!("p1")));
    let signer = Signer::from_pem(keys["signing_key_pem"].as_str().unwrap()).unwrap();
    let jwk = &keys["signing_jwk"];
    assert_eq!(
        (jwk["kid"].as_str(), jwk["d"].as_str()),
        (keys["kid"].as_str(), Some(&*encoding::encode(*signer.danger_to_bytes().unwrap())),)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_version_manages_users_by_its_own_key() {
    let stage = Stage::open().await;
    let said = stage
        .later(&json!({ "calls": [
            [POLICY, {}],
            [PHONE, { "userid": "ada@example.com", "phone": "+15551234567" }],
            [ENFORCEMENT, { "userid": "ada@example.com", "mfa_enforcement": "risk_based" }],
            [ENFORCEMENT, { "userid": stage.uid }],
        ] }))
        .await;
    assert_eq!(said[0]["mfa_policy"], "suggested", "{said}");
    assert_eq!(said[1], json!({ "ok": true }));
    assert_eq!((&said[2], &said[3]), (&json!({ "mfa_enforcement": "risk_based" }), &said[2]));
    let refused =
        stage.later(&json!({ "calls": [[PHONE, { "userid": "bob@example.com", "phone": "+15551234567" }]] })).await;
    let expected = json!({ "status": 404, "said": "Management API returned 404: There is no such user. (HTTP 404)" });
    assert_eq!(refused, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_version_gets_bootstrap_tokens_binds_one_and_gives_one_back() {
    let stage = Stage::open().await;
    let house = &stage.house;
    let code = house.code(&stage.uid, &[("client_id", "c4")]).await;
    let env = json!({
        "HAWCX_BASE_URL": house.public_url(), "HAWCX_CLIENT_ID": "c4", "HAWCX_KEY_ID": ES_KID,
        "HAWCX_PRIVATE_KEY_PEM": stage.keys["es256_key_pem"], "HAWCX_ORIGIN": "https://app.example.com",
    });
    let told = json!({ "env": env, "code": code, "redirect_uri": REDIRECT_URI, "verifier": VERIFIER });
    let done = stage.script(python(), "bootstrap.py", &told).await;
    assert_eq!(done["kinds"], json!(["Bearer", "Bearer", "DPoP"]), "{done}");
    assert_eq!((&done["lives"], &done["scope"]), (&json!([120, 120, 120]), &json!("bootstrap")));
    assert_eq!(
        (&done["token_type"], &done["me"]["uid"], &done["stolen"]),
        (&json!("DPoP"), &json!(stage.uid), &json!(401))
    );
    // The one that was given back is worthless, the other isn't.
    let mut worth = Vec::new();
    for token in done["tokens"].as_array().unwrap() {
        let own = house.assertion(&stage.es, &json!({}));
        let asked =
            [("token", token.as_str().unwrap()), ("client_assertion", &own), ("client_assertion_type", ASSERTION_TYPE)];
        let answer = house.node.client().post_form("/oauth2/introspect", &asked).await.ok();
        worth.push(answer.json()["active"] == true);
    }
    assert_eq!(worth, [true, false]);
}

/// Asks by a script, passes on an app's own screens, and has it done by the script.
async fn steps_up(stage: &Stage, start: Value, script: impl AsyncFn(Value) -> Value) -> [Value; 2] {
    let started = script(json!({ "user_id": "ada@example.com", "start": start })).await;
    assert_eq!(started["expires_in"], 60, "{started}");
    let start_token = started["start_token"].as_str().unwrap();
    let (_, receipt) = set_up_app(&stage.house, start_token).await;
    let shown = json!({ "user_id": "ada@example.com", "receipt": receipt });
    let done = [script(shown.clone()).await, script(shown).await];
    assert_eq!(asked_second(&stage.house).await.as_deref(), Some("totp"));
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_version_has_a_user_step_up_by_its_own_key() {
    let stage = Stage::open().await;
    let start = json!({ "purpose": "change_mfa_method", "new_mfa_method": "totp" });
    let [done, again] = steps_up(&stage, start, async |told| stage.later(&told).await).await;
    assert_eq!(done, json!({ "ok": true }));
    let said = "Management API returned 409: The receipt was used before. (HTTP 409)";
    assert_eq!(again, json!({ "status": 409, "said": said }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_version_has_a_user_step_up() {
    let stage = Stage::open().await;
    let start = json!({ "purpose": "mfa_change", "new_mfa_method": "totp" });
    let [done, again] = steps_up(&stage, start, async |told| stage.first(&told).await).await;
    assert_eq!(done, json!({ "ok": true }));
    assert_eq!(
        (&again["status"], &again["body"]),
        (&json!(409), &json!(r#"{"detail":"The receipt was used before."}"#))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_version_manages_users_and_has_one_step_up_by_its_credential() {
    let stage = Stage::open().await;
    let made = stage.house.node.service.create_delegation_key(&p1(), &"c4".parse().unwrap(), None).await.unwrap();
    let credential = made.credential.danger_expose().to_owned();
    let sealed = async |mut told: Value| {
        told["credential"] = json!(credential);
        stage.later(&told).await
    };
    let calls = json!([[POLICY, {}], [PHONE, { "userid": "ada@example.com", "phone": "+15551234567" }]]);
    let said = sealed(json!({ "calls": calls })).await;
    assert_eq!((&said[0]["mfa_policy"], &said[1]), (&json!("suggested"), &json!({ "ok": true })), "{said}");
    let start = json!({ "purpose": "change_mfa_method", "new_mfa_method": "totp" });
    let [done, again] = steps_up(&stage, start, sealed).await;
    assert_eq!(done, json!({ "ok": true }));
    assert_eq!(again, json!({ "status": 409, "said": "IdP returned 409: The receipt was used before. (HTTP 409)" }));
}
