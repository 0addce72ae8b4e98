//! `/oauth2/userinfo`.

use countersign_crypto::jose::public_key::Kind;
use countersign_testkit::{
    bound::a_key, database::Engine, house::House, http::Client, on_both_engines, provider::redemption,
};
use hyper::Method;
use serde_json::json;

use super::{signed_in, with_web_app};

on_both_engines!(
    a_client_learns_what_was_granted,
    a_token_without_openid_is_not_enough,
    whoever_shows_no_live_token_learns_nothing,
    a_token_that_is_shown_twice_is_not_taken,
    a_bound_token_needs_its_key,
);

const PATH: &str = "/oauth2/userinfo";

fn bearer(house: &House, token: &str) -> Client {
    house.node.client().with("authorization", &format!("Bearer {token}"))
}

async fn a_client_learns_what_was_granted(engine: Engine) {
    let (house, _) = with_web_app(engine).await;
    let body = json!({"phoneNumber": "+15551234567", "userAttributes": {"givenName": "Ada", "familyName": "Lovelace"}});
    let uid = house.backend().sign_up_with("ada2@example.com", body).await.ok().text("uid");
    let told = async |scope: &str| {
        let code = house.code(&uid, &[("scope", scope)]).await;
        let token = house.node.token(&redemption(&code)).await.ok().text("access_token");
        let by_get = bearer(&house, &token).get(PATH).await.ok();
        let by_post = bearer(&house, &token).send(Method::POST, PATH, "".into()).await.ok();
        assert_eq!(by_get.json(), by_post.json());
        assert_eq!(by_get.header("access-control-allow-origin"), "*");
        by_get.json()
    };
    assert_eq!(told("openid").await, json!({"sub": uid, "email": "ada2@example.com", "email_verified": true}));
    let all = json!({
        "sub": uid, "email": "ada2@example.com", "email_verified": true, "name": "Ada Lovelace", "given_name": "Ada",
        "family_name": "Lovelace", "updated_at": null, "phone_number": "+15551234567", "phone_number_verified": true,
    });
    let mut said = told("openid email profile phone").await;
    let updated_at = said["updated_at"].take().as_i64().unwrap();
    assert!((house.node.service.now().seconds() - updated_at) < 60);
    assert_eq!(said, all);
    house.set_client("c3", &["oauth.first_party=off"]).await;
    assert_eq!(told("openid").await, json!({ "sub": uid }));
}

async fn a_token_without_openid_is_not_enough(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let code = house.code(&uid, &[("scope", "email")]).await;
    let token = house.node.token(&redemption(&code)).await.ok().text("access_token");
    let refused = bearer(&house, &token).get(PATH).await;
    refused.oauth_error(403, "insufficient_scope");
    assert_eq!(refused.header("www-authenticate"), "Bearer error=\"insufficient_scope\", scope=\"openid\"");
    // A backend's vouch grants nothing of the kind.
    let app = house.backend().new_app("bob@example.com").await;
    bearer(&house, &app.access).get(PATH).await.oauth_error(403, "insufficient_scope");
}

async fn whoever_shows_no_live_token_learns_nothing(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let answer = signed_in(&house, &uid).await;
    let none = house.node.client().get(PATH).await;
    none.oauth_error(401, "invalid_token");
    assert_eq!(none.header("www-authenticate"), "Bearer");
    for token in ["", "garbage", &answer.text("id_token"), &answer.text("refresh_token")] {
        let refused = bearer(&house, token).get(PATH).await;
        refused.oauth_error(401, "invalid_token");
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    let access = answer.text("access_token");
    bearer(&house, &access).get(PATH).await.is_ok();
    house.node.client().get(&format!("{PATH}?access_token={access}")).await.oauth_error(401, "invalid_token");
    house.another_project("p2").await;
    bearer(&house, &access).get(&format!("/p/p2{PATH}")).await.oauth_error(401, "invalid_token");
}

async fn a_token_that_is_shown_twice_is_not_taken(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let token = signed_in(&house, &uid).await.text("access_token");
    let other = signed_in(&house, &uid).await.text("access_token");
    let client = bearer(&house, &token);
    let form = client.with("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    for second in [&*token, &other, "garbage", ""] {
        let second = format!("access_token={second}");
        for method in [Method::GET, Method::POST] {
            for refused in [
                client.send(method.clone(), &format!("{PATH}?{second}"), "".into()).await,
                form.send(method.clone(), PATH, second.clone().into()).await,
                form.send(method.clone(), PATH, format!("a=b&{second}").into()).await,
            ] {
                refused.oauth_error(400, "invalid_request");
                assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_request\"");
                assert!(!refused.to_string().contains(&uid), "{refused}");
            }
        }
        // In the form alone it isn't taken either.
        let nobody = house.node.client().with("content-type", "application/x-www-form-urlencoded");
        nobody.send(Method::POST, PATH, second.into()).await.oauth_error(401, "invalid_token");
    }
    for said in ["", "a=b", "schema=openid&x="] {
        form.send(Method::POST, PATH, said.to_owned().into()).await.is_ok();
        client.send(Method::GET, &format!("{PATH}?{said}"), "".into()).await.is_ok();
    }
    // What is no form holds no token.
    client.send(Method::POST, PATH, format!("access_token={token}").into()).await.is_ok();
    form.send(Method::POST, PATH, "%".into()).await.oauth_error(400, "invalid_request");
}

async fn a_bound_token_needs_its_key(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.set_client("c3", &["dpop.nonce=off"]).await;
    let mut app = house.app_with_key(&a_key(Kind::Es256));
    let code = house.code(&uid, &[]).await;
    let proof = app.proof("POST", "/oauth2/token").text();
    let http = house.node.client().with("dpop", &proof);
    app.app.access = http.post_form("/oauth2/token", &redemption(&code)).await.ok().text("access_token");
    bearer(&house, &app.app.access).get(PATH).await.oauth_error(401, "invalid_token");
    let proof = app.proof_with_token("GET", PATH);
    app.call(&Method::GET, PATH, &proof).await.is_ok();
    app.call(&Method::GET, PATH, &proof).await.oauth_error(401, "invalid_dpop_proof");
    app.call(&Method::POST, PATH, &app.proof_with_token("POST", PATH)).await.is_ok();
}
