//! The old way in of backends.

use std::time::Duration;

use countersign_crypto::{
    encoding,
    jose::{client_key::ClientKey, public_key::Kind},
};
use countersign_testkit::{
    answer::Answer,
    database::Engine,
    house::House,
    manager::ManagingBackend,
    on_both_engines,
    provider::{ASSERTION_TYPE, redemption},
};
use serde_json::{Value, json};

use super::with_user;

on_both_engines!(
    a_signed_challenge_and_a_signature_at_once_buy_a_token_for_two_minutes,
    what_is_wrong_in_a_bootstrap_buys_nothing,
    a_bootstrap_token_opens_nothing_and_disturbs_nothing,
    a_token_that_is_given_back_by_its_holder_is_worthless,
);

const CHALLENGE: &str = "/bootstrap/challenge";
const EXCHANGE: &str = "/bootstrap/exchange";
const TOKEN: &str = "/bootstrap/token";
const REVOKE: &str = "/oauth/revoke";

async fn nonce(house: &House) -> String {
    house.node.client().post(CHALLENGE, &json!({ "client_id": "c4" })).await.ok().text("nonce")
}

async fn exchange(backend: &ManagingBackend<'_>, claims: &Value, beside: &Value) -> Answer {
    let assertion = backend.bootstrap_assertion(EXCHANGE, claims);
    let mut body = json!({ "client_id": "c4", "client_assertion": assertion });
    for (name, value) in beside.as_object().unwrap() {
        body[name] = value.clone();
    }
    backend.house.node.client().post(EXCHANGE, &body).await
}

async fn direct(backend: &ManagingBackend<'_>, claims: &Value) -> Answer {
    let body = json!({
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": backend.bootstrap_assertion(TOKEN, claims),
    });
    backend.house.node.client().post(TOKEN, &body).await
}

/// What a client of the project learns of a token.
async fn is_active(backend: &ManagingBackend<'_>, token: &str) -> bool {
    let own = backend.sign(&backend.claims("", "", &json!({})));
    let asked = [("token", token), ("client_assertion", &own), ("client_assertion_type", ASSERTION_TYPE)];
    let answer = backend.house.node.client().post_form("/oauth2/introspect", &asked).await.ok();
    answer.json()["active"] == true
}

async fn a_signed_challenge_and_a_signature_at_once_buy_a_token_for_two_minutes(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let challenge = house.node.client().post(CHALLENGE, &json!({ "client_id": "c4" })).await.ok().json();
    assert_eq!(challenge["aud"], format!("{}{EXCHANGE}", house.public_url()));
    let unknown = house.node.client().post(CHALLENGE, &json!({ "client_id": "c9" })).await.ok().json();
    assert_eq!(unknown, challenge, "whether there is such a client isn't said");
    let claims = json!({ "nonce": challenge["nonce"], "scope": challenge["scope"] });
    let got = exchange(&backend, &claims, &json!({})).await.ok().json();
    assert_eq!(
        (&got["token_type"], &got["expires_in"], &got["scope"]),
        (&"Bearer".into(), &120.into(), &"bootstrap".into())
    );
    let token = got["frontend_access_token"].as_str().unwrap();
    assert!(is_active(&backend, token).await);
    let at_once = direct(&backend, &json!({})).await.ok().json();
    assert!(is_active(&backend, at_once["access_token"].as_str().unwrap()).await);
    // Bound to a key, and to a page.
    let key = ClientKey::generate(Kind::Es256).unwrap();
    let jkt = encoding::encode(key.thumbprint().0);
    let page = "https://app.example.com";
    let claims = json!({ "nonce": nonce(&house).await, "cnf": { "jkt": jkt }, "origin": page });
    let bound = exchange(&backend, &claims, &json!({ "dpop_jwk": key.jwk(), "origin": page })).await.ok().json();
    assert_eq!(bound["token_type"], "DPoP");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_token_and_a_challenge_have_an_end() {
    let (house, _) = with_user(Engine::Sqlite).await;
    let backend = house.managing_backend().await;
    let old = nonce(&house).await;
    let token = direct(&backend, &json!({})).await.ok().text("access_token");
    house.advance(Duration::from_secs(119)).await;
    assert!(is_active(&backend, &token).await);
    house.advance(Duration::from_secs(1)).await;
    assert!(!is_active(&backend, &token).await);
    exchange(&backend, &json!({ "nonce": old }), &json!({})).await.is_ok();
    house.advance(Duration::from_mins(9)).await;
    exchange(&backend, &json!({ "nonce": old }), &json!({})).await.oauth_error(400, "invalid_grant");
}

async fn what_is_wrong_in_a_bootstrap_buys_nothing(engine: Engine) {
    let (house, _) = with_user(engine).await;
    house.set(&["limits.failures=100000"]).await;
    let backend = house.managing_backend().await;
    let fresh = nonce(&house).await;
    let key = ClientKey::generate(Kind::Es256).unwrap();
    let other = ClientKey::generate(Kind::Es256).unwrap();
    let jkt = encoding::encode(key.thumbprint().0);
    let bound = json!({ "nonce": fresh, "cnf": { "jkt": jkt } });
    let placed = json!({ "nonce": fresh, "origin": "https://app.example.com" });
    let aud = format!("{}{TOKEN}", house.public_url());
    for (claims, beside, status, error) in [
        (json!({ "nonce": "" }), json!({}), 400, "invalid_grant"),
        (json!({ "nonce": "AAAAAAAAAAAAAAAAAAAAAA" }), json!({}), 400, "invalid_grant"),
        (bound.clone(), json!({}), 400, "invalid_grant"),
        (bound.clone(), json!({ "dpop_jwk": other.jwk() }), 400, "invalid_grant"),
        (json!({ "nonce": fresh }), json!({ "dpop_jwk": key.jwk() }), 400, "invalid_grant"),
        (bound.clone(), json!({ "dpop_jwk": { "kty": "oct", "k": "AA" } }), 400, "invalid_grant"),
        (placed.clone(), json!({}), 400, "invalid_grant"),
        (placed.clone(), json!({ "origin": "https://evil.example" }), 400, "invalid_grant"),
        (json!({ "nonce": fresh, "scope": "admin" }), json!({}), 400, "invalid_scope"),
        (json!({ "nonce": fresh, "aud": aud }), json!({}), 401, "invalid_client"),
        (json!({ "nonce": fresh }), json!({ "client_id": "c3" }), 401, "invalid_client"),
        (json!({ "nonce": fresh }), json!({ "client_assertion": "garbage" }), 401, "invalid_client"),
    ] {
        exchange(&backend, &claims, &beside).await.oauth_error(status, error);
    }
    // The twins.
    exchange(&backend, &bound, &json!({ "dpop_jwk": key.jwk() })).await.is_ok();
    exchange(&backend, &placed, &json!({ "origin": "https://app.example.com" })).await.is_ok();
    house.set(&["origins=https://shop.example.com"]).await;
    exchange(&backend, &placed, &json!({ "origin": "https://app.example.com" }))
        .await
        .oauth_error(400, "invalid_grant");
    // One works once, at every node.
    let second = house.another_node().await;
    let assertion = backend.bootstrap_assertion(EXCHANGE, &json!({ "nonce": fresh }));
    let body = json!({ "client_id": "c4", "client_assertion": assertion });
    house.node.client().post(EXCHANGE, &body).await.is_ok();
    second.client().post(EXCHANGE, &body).await.oauth_error(401, "invalid_client");
    // What is signed for a call of management is good for no other.
    let managing = backend.sign(&backend.claims(TOKEN, "", &json!({})));
    let body = json!({ "client_id": "c4", "client_assertion": managing });
    house.node.client().post(EXCHANGE, &body).await.oauth_error(401, "invalid_client");
}

async fn a_bootstrap_token_opens_nothing_and_disturbs_nothing(engine: Engine) {
    let (house, uid) = with_user(engine).await;
    house.web_app().await;
    let backend = house.managing_backend().await;
    let token = direct(&backend, &json!({})).await.ok().text("access_token");
    let http = house.node.client().with("authorization", &format!("Bearer {token}"));
    http.get("/v1/me").await.denied(401, "invalid_credentials");
    http.get("/oauth2/userinfo").await.oauth_error(401, "invalid_token");
    let refused = http.post_bytes(super::POLICY, "{}").await.detail(401);
    assert_eq!(refused, "The assertion can't be taken: the assertion is of another type.");
    // Beside a code it is let pass, and so is anything else.
    for shown in [token.as_str(), "garbage"] {
        let code = house.code(&uid, &[]).await;
        let http = house.node.client().with("authorization", &format!("Bearer {shown}"));
        http.post_form("/oauth2/token", &redemption(&code)).await.is_ok();
    }
    // It is no way for a client to prove itself.
    let own = [("grant_type", "client_credentials"), ("client_id", "c4")];
    http.post_form("/oauth2/token", &own).await.oauth_error(401, "invalid_client");
}

async fn a_token_that_is_given_back_by_its_holder_is_worthless(engine: Engine) {
    let (house, uid) = with_user(engine).await;
    house.web_app().await;
    let backend = house.managing_backend().await;
    let token = direct(&backend, &json!({})).await.ok().text("access_token");
    let second = house.another_node().await;
    assert!(is_active(&backend, &token).await);
    for (node, shown) in [(&house.node, "garbage"), (&second, token.as_str()), (&house.node, token.as_str())] {
        let answer = node.client().post(REVOKE, &json!({ "token": shown, "token_type_hint": "access_token" })).await;
        assert_eq!(answer.status(), 200, "{answer}");
    }
    assert!(!is_active(&backend, &token).await);
    // A session's tokens end it.
    let code = house.code(&uid, &[]).await;
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let http = house.node.client().with("authorization", &format!("Bearer {}", tokens.text("access_token")));
    http.get("/v1/me").await.is_ok();
    house.node.client().post(REVOKE, &json!({ "token": tokens.text("refresh_token") })).await.is_ok();
    http.get("/v1/me").await.denied(401, "invalid_credentials");
    house.node.client().post(REVOKE, &json!({})).await.oauth_error(400, "invalid_request");
}
