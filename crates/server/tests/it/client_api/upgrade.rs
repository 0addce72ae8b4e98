//! A v2 proof becomes a session, once, for whoever holds a key.

use std::sync::Arc;

use countersign_crypto::{
    encoding,
    jose::{client_key::ClientKey, public_key::Kind},
    secret::SecretText,
    user_mac::HmacSecret,
};
use countersign_testkit::{
    answer::Answer,
    bound::{BoundApp, a_key},
    client_app::ClientApp,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    token::claims,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{MINUTE, SECOND};

on_both_engines!(
    an_app_goes_on_alone_with_tokens_that_are_bound_to_its_key,
    a_proof_opens_one_session,
    twenty_who_show_one_proof_at_once_get_one_session,
    what_is_good_for_ever_opens_no_session,
    a_proof_that_is_bound_to_a_key_is_worthless_with_another,
    a_call_without_a_key_or_without_a_nonce_is_told_what_to_show,
    a_session_is_for_an_app_of_the_project,
    a_wrong_v2_proof_opens_nothing,
    sessions_under_a_leaked_secret_end_with_it,
    bad_bodies_use_nothing_up,
);

fn secret(house: &House) -> HmacSecret {
    HmacSecret::new(SecretText::new(house.hmac.text.danger_expose().to_owned()))
}

/// The app of a user who was proved for a minute.
fn proved(house: &House, id: &str, jkt: Option<&str>) -> ClientApp {
    let expires = house.node.service.now().plus(MINUTE).seconds();
    house.client_app(id).showing(&secret(house).v2(&p1(), id, expires, jkt))
}

/// An app with a key, which has learnt the nonce by being refused.
async fn informed(house: &House, user: &ClientApp, key: &Arc<ClientKey>) -> BoundApp {
    let app = house.app_with_key(key);
    let refused = open(user, &app).await;
    refused.denied(401, "invalid_credentials");
    app.knowing(refused.header("dpop-nonce"))
}

async fn open_for(user: &ClientApp, app: &BoundApp, body: &Value) -> Answer {
    let proof = app.proof("POST", "/v1/sessions").text();
    user.http().with("dpop", &proof).post("/v1/sessions", body).await
}

async fn open(user: &ClientApp, app: &BoundApp) -> Answer {
    open_for(user, app, &json!({ "client_id": "c3" })).await
}

fn holding(app: &BoundApp, opened: &Answer) -> BoundApp {
    let mut holding = app.clone();
    holding.app.uid = opened.text("uid");
    holding.app.access = opened.text("access_token");
    holding.app.refresh = opened.text("refresh_token");
    holding
}

async fn an_app_goes_on_alone_with_tokens_that_are_bound_to_its_key(engine: Engine) {
    let house = House::open(engine).await;
    for (kind, id) in [(Kind::Es256, "crm-7"), (Kind::EdDsa, "crm-8")] {
        let user = proved(&house, id, None);
        let key = a_key(kind);
        let app = informed(&house, &user, &key).await;
        let opened = open(&user, &app).await.ok();
        assert_eq!((opened.text("token_type"), opened.json()["expires_in"].clone()), ("DPoP".to_owned(), json!(900)));
        let claims = claims(&opened.text("access_token"));
        assert_eq!(claims["cnf"]["jkt"], json!(encoding::encode(key.thumbprint().0)));
        assert_eq!((&claims["amr"], &claims["vby"]), (&json!(["hmac_v2"]), &json!(house.hmac.key.id.to_string())));
        let mut app = holding(&app, &opened);
        let me = app.me().await.ok();
        assert_eq!((me.text("uid"), me.text("external_id")), (user.uid().await, id.to_owned()));
        app.refresh().await.is_ok();
        app.me().await.is_ok();
        let stolen = app.app.me().await;
        stolen.denied(401, "invalid_credentials");
    }
}

async fn a_proof_opens_one_session(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let user = proved(&house, "crm-7", None);
    let app = informed(&house, &user, &a_key(Kind::Es256)).await;
    open(&user, &app).await.is_ok();
    let before = house.books().await;
    open(&user, &app).await.denied(401, "invalid_credentials");
    let there = ClientApp { http: other.client(), ..user.clone() };
    open(&there, &app).await.denied(401, "invalid_credentials");
    assert_eq!(house.books().await, before);
    // It is still a proof for calls, and the next one opens the next session.
    user.verify().await.is_ok();
    let next =
        user.showing(&secret(&house).v2(&p1(), "crm-7", house.node.service.now().plus(MINUTE * 2).seconds(), None));
    open(&next, &app).await.is_ok();
}

async fn twenty_who_show_one_proof_at_once_get_one_session(engine: Engine) {
    let house = House::open(engine).await;
    let user = proved(&house, "crm-7", None);
    let app = informed(&house, &user, &a_key(Kind::Es256)).await;
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (user, app) = (user.clone(), app.clone());
        calls.spawn(async move { open(&user, &app).await });
    }
    let answers = calls.join_all().await;
    let opened = answers.iter().filter(|answer| answer.status() == 200).count();
    for refused in answers.iter().filter(|answer| answer.status() != 200) {
        refused.denied(401, "invalid_credentials");
    }
    assert_eq!((opened, house.books().await.sessions), (1, 1));
}

async fn what_is_good_for_ever_opens_no_session(engine: Engine) {
    let house = House::open(engine).await;
    let v1 = house.client_app("crm-7");
    let app = informed(&house, &proved(&house, "crm-7", None), &a_key(Kind::Es256)).await;
    open(&v1, &app).await.denied(403, "forbidden");
    house.set(&["hmac=off"]).await;
    open(&v1.unproved(), &app).await.denied(403, "forbidden");
    let token = house.backend().new_app("ada@example.com").await.access;
    let before = house.books().await;
    let bearer = house.node.client().with("authorization", &format!("Bearer {token}"));
    let bearer = bearer.with("dpop", &app.proof("POST", "/v1/sessions").text());
    bearer.post("/v1/sessions", &json!({ "client_id": "c3" })).await.denied(403, "forbidden");
    assert_eq!(house.books().await, before);
    open(&proved(&house, "crm-7", None), &app).await.is_ok();
}

async fn a_proof_that_is_bound_to_a_key_is_worthless_with_another(engine: Engine) {
    let house = House::open(engine).await;
    let (mine, theirs) = (a_key(Kind::Es256), a_key(Kind::Es256));
    let user = proved(&house, "crm-7", Some(&encoding::encode(mine.thumbprint().0)));
    let thief = informed(&house, &user, &theirs).await;
    let before = house.books().await;
    open(&user, &thief).await.denied(401, "invalid_credentials");
    assert_eq!(house.books().await, before);
    let app = informed(&house, &user, &mine).await;
    open(&user, &app).await.is_ok();
}

async fn a_call_without_a_key_or_without_a_nonce_is_told_what_to_show(engine: Engine) {
    let house = House::open(engine).await;
    let user = proved(&house, "crm-7", None);
    let body = json!({ "client_id": "c3" });
    let without_key = user.post("/v1/sessions", &body).await;
    without_key.denied(401, "invalid_credentials");
    assert!(without_key.header("www-authenticate").contains("use_dpop_nonce"));
    let app = house.app_with_key(&a_key(Kind::Es256)).knowing(without_key.header("dpop-nonce"));
    for proof in [
        app.proof("GET", "/v1/sessions"),
        app.proof("POST", "/v1/tickets"),
        app.proof("POST", "/v1/sessions").saying("iat", house.node.service.now().seconds() - 3600),
        app.proof("POST", "/v1/sessions").saying("nonce", "another"),
        app.proof("POST", "/v1/sessions").by(&a_key(Kind::Es256)).heading("typ", "jwt"),
    ] {
        let refused = user.http().with("dpop", &proof.text()).post("/v1/sessions", &body).await;
        refused.denied(401, "invalid_credentials");
    }
    open(&user, &app).await.is_ok();
}

async fn a_session_is_for_an_app_of_the_project(engine: Engine) {
    let house = House::open(engine).await;
    let user = proved(&house, "crm-7", None);
    let app = informed(&house, &user, &a_key(Kind::Es256)).await;
    // c4 is a backend: it must authenticate itself.
    for client in ["c4", "c9", "", "C3", "c3 "] {
        open_for(&user, &app, &json!({ "client_id": client })).await.denied(400, "invalid_request");
    }
    assert_eq!(house.books().await.sessions, 0);
    open(&user, &app).await.is_ok();
}

async fn a_wrong_v2_proof_opens_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let user = proved(&house, "crm-7", None);
    let app = informed(&house, &user, &a_key(Kind::Es256)).await;
    let late = house.node.service.now().plus(MINUTE * 10).seconds();
    let wrong = [
        user.naming("crm-8"),
        user.showing(&secret(&house).v2(&p1(), "crm-7", late, None)),
        user.showing(&secret(&house).v2(&p1(), "crm-7", house.node.service.now().minus(SECOND).seconds(), None)),
        user.showing(&secret(&house).v2(&"p2".parse().unwrap(), "crm-7", late, None)),
    ];
    let before = house.books().await;
    for user in wrong {
        open(&user, &app).await.denied(401, "invalid_credentials");
    }
    assert_eq!(house.books().await, before);
    open(&user, &app).await.is_ok();
}

async fn sessions_under_a_leaked_secret_end_with_it(engine: Engine) {
    let house = House::open(engine).await;
    let user = proved(&house, "crm-7", None);
    let app = informed(&house, &user, &a_key(Kind::Es256)).await;
    let app = holding(&app, &open(&user, &app).await.ok());
    app.me().await.is_ok();
    let (service, key) = (&house.node.service, house.hmac.key.id);
    service.revoke_client_api_key(&p1(), key, false).await.unwrap();
    app.me().await.is_ok();
    service.revoke_client_api_key(&p1(), key, true).await.unwrap();
    app.me().await.denied(401, "invalid_credentials");
}

async fn bad_bodies_use_nothing_up(engine: Engine) {
    let house = House::open(engine).await;
    let user = proved(&house, "crm-7", None);
    let app = informed(&house, &user, &a_key(Kind::Es256)).await;
    for body in ["", "[]", "{}", r#"{"client_id": 3}"#, r#"{"client_id": "c3", "client_id": "c3"}"#] {
        let proof = app.proof("POST", "/v1/sessions").text();
        let refused = user.http().with("dpop", &proof).post_bytes("/v1/sessions", body).await;
        refused.denied(400, "invalid_request");
    }
    open(&user, &app).await.is_ok();
}
