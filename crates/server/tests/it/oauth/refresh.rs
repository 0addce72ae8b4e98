//! The refresh token at the token endpoint: the same rule as at door 1, for the client to which it was given.

use countersign_crypto::jose::public_key::Kind;
use countersign_testkit::{
    answer::Answer,
    bound::a_key,
    database::Engine,
    house::House,
    on_both_engines,
    provider::{Parameters, over, redemption},
    token::claims,
};
use serde_json::json;

use super::{is_live, signed_in, with_web_app};

on_both_engines!(
    a_refresh_token_gives_the_next_and_an_answer_that_was_lost_again,
    less_may_be_asked_for_and_no_more,
    a_refresh_token_of_another_client_is_none,
    a_confidential_clients_refresh_token_is_worth_nothing_without_the_client,
    a_refresh_token_of_another_project_is_none,
    a_bound_session_is_refreshed_with_its_key_alone,
    a_client_that_did_not_register_the_grant_does_not_refresh,
);

async fn refresh(house: &House, token: &str, more: Parameters<'_>) -> Answer {
    let base = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "c3")];
    house.node.token(&over(&base, more)).await
}

async fn a_refresh_token_gives_the_next_and_an_answer_that_was_lost_again(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let first = signed_in(&house, &uid).await.text("refresh_token");
    let second = refresh(&house, &first, &[]).await.ok();
    assert_ne!(second.text("refresh_token"), first);
    assert_eq!((second.text("scope").as_str(), second.json().get("id_token")), ("openid email", None));
    let again = refresh(&house, &first, &[]).await.ok();
    assert_eq!(again.text("refresh_token"), second.text("refresh_token"));
    assert!(is_live(&house, &second.text("access_token")).await);
    for garbage in ["", "rt_", "rt_garbage", "garbage", &second.text("access_token")] {
        let error = if garbage.is_empty() { "invalid_request" } else { "invalid_grant" };
        refresh(&house, garbage, &[]).await.oauth_error(400, error);
    }
}

async fn less_may_be_asked_for_and_no_more(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let first = signed_in(&house, &uid).await.text("refresh_token");
    let before = house.database.dump().await;
    for scope in ["admin", "openid email profile", "openid  email"] {
        refresh(&house, &first, &[("scope", scope)]).await.oauth_error(400, "invalid_scope");
    }
    assert_eq!(house.database.dump().await, before);
    let less = refresh(&house, &first, &[("scope", "openid")]).await.ok();
    assert_eq!(less.text("scope"), "openid");
    assert_eq!(claims(&less.text("access_token"))["scope"], "openid");
    let all = refresh(&house, &less.text("refresh_token"), &[]).await.ok();
    assert_eq!(claims(&all.text("access_token"))["scope"], "openid email");
}

async fn a_refresh_token_of_another_client_is_none(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let token = signed_in(&house, &uid).await.text("refresh_token");
    let before = house.database.dump().await;
    refresh(&house, &token, &[("client_id", "c1")]).await.oauth_error(400, "invalid_grant");
    refresh(&house, &token, &[("client_id", "")]).await.oauth_error(401, "invalid_client");
    refresh(&house, &token, &[("client_id", "c9")]).await.oauth_error(401, "invalid_client");
    assert_eq!(house.database.dump().await, before);
    refresh(&house, &token, &[]).await.is_ok();
}

async fn a_confidential_clients_refresh_token_is_worth_nothing_without_the_client(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let of_c4 = [("client_id", "c4"), ("client_secret", secret.as_str())];
    let code = house.code(&uid, &[("client_id", "c4")]).await;
    let token = house.node.token(&over(&redemption(&code), &of_c4)).await.ok().text("refresh_token");
    let before = house.database.dump().await;
    // Neither here nor at the door where clients don't say who they are.
    refresh(&house, &token, &[("client_id", "c4")]).await.oauth_error(401, "invalid_client");
    let http = house.node.client();
    http.post("/auth/v1/refreshtoken", &json!({ "refreshToken": token })).await.gone("ended");
    assert_eq!(house.database.dump().await, before);
    refresh(&house, &token, &of_c4).await.is_ok();
    // What a backend vouched for is the app's own business, as before.
    let mut app = house.backend().for_client("c4").new_app("bob@example.com").await;
    app.refresh().await.is_ok();
}

async fn a_refresh_token_of_another_project_is_none(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.another_project("p2").await;
    let token = signed_in(&house, &uid).await.text("refresh_token");
    let asked = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("client_id", "c3")];
    let http = house.node.client();
    http.post_form("/p/p2/oauth2/token", &asked).await.oauth_error(400, "invalid_grant");
    // A client that proves itself in one project must not get at tokens of another by naming it beside.
    http.with("x-config-id", "p2").post_form("/oauth2/token", &asked).await.oauth_error(400, "invalid_grant");
    http.post_form("/p/p1/oauth2/token", &asked).await.is_ok();
}

async fn a_bound_session_is_refreshed_with_its_key_alone(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.set_client("c3", &["dpop.nonce=off"]).await;
    let (key, other) = (a_key(Kind::Es256), a_key(Kind::Es256));
    let with = |key| house.node.client().with("dpop", &house.app_with_key(key).proof("POST", "/oauth2/token").text());
    let code = house.code(&uid, &[]).await;
    let token = with(&key).post_form("/oauth2/token", &redemption(&code)).await.ok().text("refresh_token");
    let asked = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("client_id", "c3")];
    let before = house.database.dump().await;
    house.node.token(&asked).await.oauth_error(400, "invalid_grant");
    with(&other).post_form("/oauth2/token", &asked).await.oauth_error(400, "invalid_grant");
    assert_eq!(house.database.dump().await, before);
    let next = with(&key).post_form("/oauth2/token", &asked).await.ok();
    assert_eq!((next.text("refresh_token"), next.text("token_type")), (token.clone(), "DPoP".to_owned()));
    house.set_client("c3", &["dpop.nonce=on"]).await;
    let told = with(&key).post_form("/oauth2/token", &asked).await;
    told.oauth_error(400, "use_dpop_nonce");
    assert!(!told.header("dpop-nonce").is_empty());
}

async fn a_client_that_did_not_register_the_grant_does_not_refresh(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let token = signed_in(&house, &uid).await.text("refresh_token");
    house.set_client("c3", &["oauth.grants=authorization_code"]).await;
    refresh(&house, &token, &[]).await.oauth_error(400, "unauthorized_client");
    house.set_client("c3", &["oauth.grants="]).await;
    refresh(&house, &token, &[]).await.is_ok();
}
