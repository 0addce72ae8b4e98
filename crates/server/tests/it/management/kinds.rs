//! What is signed for one thing proves no other: everything that is shown here is genuine, and alive.

use countersign_testkit::{
    answer::Answer,
    database::Engine,
    house::House,
    manager::ManagingBackend,
    on_both_engines,
    provider::{ASSERTION_TYPE, form, redemption},
};
use serde_json::json;

use super::{
    POLICY,
    step_up::{CHALLENGE, CONSUME, consume, email, passed_by_mail, start},
    with_user,
};

on_both_engines!(what_management_hands_out_is_good_for_nothing_else);

/// One of each kind.
async fn all(house: &House, backend: &ManagingBackend<'_>) -> Vec<(&'static str, String)> {
    let signature = backend.call(POLICY, &json!({})).await.ok().header("x-response-signature").to_owned();
    let at_once = json!({
        "grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": backend.bootstrap_assertion("/bootstrap/token", &json!({})),
    });
    let bootstrap = house.node.client().post("/bootstrap/token", &at_once).await.ok().text("access_token");
    let receipt = passed_by_mail(house, &start(backend, &email("ada@example.com")).await).await;
    let start_token = start(backend, &email("ada@example.com")).await;
    vec![
        ("response signature", signature),
        ("bootstrap token", bootstrap),
        ("receipt", receipt),
        ("start token", start_token),
    ]
}

/// Everywhere that takes a token, but for where this kind belongs.
async fn shown(house: &House, backend: &ManagingBackend<'_>, kind: &str, text: &str) -> Vec<(&'static str, Answer)> {
    let http = house.node.client();
    let bearer = http.with("authorization", &format!("Bearer {text}"));
    let assertion = [("client_assertion", text), ("client_assertion_type", ASSERTION_TYPE)];
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", text), ("client_id", "c3")];
    let exchange = json!({ "client_id": "c4", "client_assertion": text });
    let mut all = vec![
        ("an access token", bearer.get("/v1/me").await),
        ("an access token for userinfo", bearer.get("/oauth2/userinfo").await),
        ("a call of management", bearer.post_bytes(POLICY, "{}").await),
        ("an old call of management", http.with("x-client-assertion", text).post(CONSUME, &json!({})).await),
        (
            "a client's assertion",
            http.post_form("/oauth2/token", &[&assertion[..], &redemption("x")[..2]].concat()).await,
        ),
        ("a refresh token", http.post_form("/oauth2/token", &refresh).await),
        ("a code", http.post_form("/oauth2/token", &redemption(text)).await),
        ("a bootstrap assertion", http.post("/bootstrap/exchange", &exchange).await),
        ("a ticket", http.get(&format!("/verify?countersign_ticket={text}")).await),
    ];
    if kind != "start token" {
        let begun = http.post_form(CHALLENGE, &[("client_id", "c3"), ("start_token", text)]).await;
        all.push(("a start token", begun));
    }
    if kind != "receipt" {
        all.push(("a receipt", consume(backend, text).await));
    }
    all
}

async fn what_management_hands_out_is_good_for_nothing_else(engine: Engine) {
    let (house, _) = with_user(engine).await;
    house.web_app().await;
    house.set(&["limits.failures=100000"]).await;
    let backend = house.managing_backend().await;
    let all = all(&house, &backend).await;
    let before = house.books().await;
    for (kind, text) in &all {
        for (place, answer) in shown(&house, &backend, kind, text).await {
            assert!(matches!(answer.status(), 400 | 401), "{kind} as {place}: {answer}");
        }
        let hint = form(&house.authorization(&[("id_token_hint", text)]));
        assert!(house.check_authorization(&hint).is_err(), "{kind} as a hint");
    }
    assert_eq!(house.books().await, before);
    // Each is good where it belongs: none of that used it up.
    let (receipt, start_token) = (&all[2].1, &all[3].1);
    consume(&backend, receipt).await.is_ok();
    let begun = house.node.client().post_form(CHALLENGE, &[("client_id", "c3"), ("start_token", start_token)]).await;
    assert_eq!(begun.status(), 403, "{begun}");
}
