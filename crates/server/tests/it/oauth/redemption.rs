//! A code becomes tokens.

use countersign_testkit::{
    database::Engine,
    on_both_engines,
    provider::{REDIRECT_URI, VERIFIER, over, redemption},
    token::{claims, header},
};
use hyper::Method;
use tokio::task::JoinSet;

use super::{is_live, signed_in, with_web_app};

on_both_engines!(
    a_code_becomes_tokens_that_say_who_signed_in,
    a_client_that_names_only_its_project_redeems_its_code_by_the_verifier,
    a_client_that_names_only_its_project_must_be_public_and_of_that_project,
    a_redirect_uri_that_was_not_asked_for_need_not_be_named,
    what_else_such_clients_send_changes_nothing,
    without_openid_there_is_no_id_token_and_without_the_grant_no_refresh_token,
    the_email_is_told_to_the_projects_own_clients_and_to_who_asked,
    however_many_codes_are_redeemed_at_once_no_more_sessions_live_than_the_cap_says,
);

async fn a_code_becomes_tokens_that_say_who_signed_in(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let code = house.code(&uid, &[("nonce", "n-1")]).await;
    let answer = house.node.token(&redemption(&code)).await.ok();
    let now = claims(&answer.text("access_token"))["iat"].as_i64().unwrap() + 1;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!((answer.text("token_type").as_str(), answer.json()["expires_in"].as_i64()), ("Bearer", Some(900)));
    assert_eq!(answer.text("scope"), "openid email");
    let (access, id) = (answer.text("access_token"), answer.text("id_token"));
    let said = claims(&access);
    assert_eq!(
        (&said["sub"], &said["client_id"], &said["scope"]),
        (&uid.as_str().into(), &"c3".into(), &"openid email".into())
    );
    assert!(is_live(&house, &access).await);
    let told = claims(&id);
    assert!((now - told["auth_time"].as_i64().unwrap()) < 30);
    let expected = serde_json::json!({
        "iss": house.public_url(), "sub": uid, "aud": "c3", "exp": claims(&id)["exp"], "iat": claims(&id)["iat"], "auth_time": claims(&id)["auth_time"],
        "amr": ["otp"], "acr": "urn:countersign:acr:one-factor", "sid": said["sid"], "nonce": "n-1",
        "email": "ada@example.com", "email_verified": true,
    });
    assert_eq!(told, expected);
    // A second back: checkers allow no clock to differ.
    let (iat, exp) = (told["iat"].as_i64().unwrap(), told["exp"].as_i64().unwrap());
    assert!((exp - iat == 3601) && (iat - now).abs() <= 2, "{told}");
    assert_eq!(header(&id)["alg"], "ES256");
    assert_eq!(header(&id)["typ"], "JWT");
    let set = house.node.client().get("/.well-known/jwks.json").await.ok().json();
    assert!(set["keys"].as_array().unwrap().iter().any(|key| key["kid"] == header(&id)["kid"]));
    // A nonce that wasn't asked for is refused by clients.
    let silent = signed_in(&house, &uid).await;
    assert!(claims(&silent.text("id_token")).get("nonce").is_none());
    let entry = house.entries("session.opened").await;
    assert_eq!(entry.len(), 2);
    assert_eq!((entry[0].client_id.as_deref(), entry[0].user_id.as_deref()), (Some("c3"), Some(uid.as_str())));
    // An id_token is no access token.
    assert!(!is_live(&house, &id).await);
}

async fn a_client_that_names_only_its_project_redeems_its_code_by_the_verifier(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    for config in ["p1".to_owned(), house.publishable.text.danger_expose().to_owned()] {
        let code = house.code(&uid, &[]).await;
        let unnamed = over(&redemption(&code), &[("client_id", "")]);
        let http = house.node.client();
        http.post_form("/oauth2/token", &unnamed).await.oauth_error(401, "invalid_client");
        let named = http.with("x-config-id", &config);
        let other = VERIFIER.replace('d', "e");
        let wrong = over(&unnamed, &[("code_verifier", &other)]);
        named.post_form("/oauth2/token", &wrong).await.oauth_error(400, "invalid_grant");
        let answer = named.post_form("/oauth2/token", &unnamed).await.ok();
        assert_eq!(claims(&answer.text("access_token"))["client_id"], "c3");
    }
}

async fn a_client_that_names_only_its_project_must_be_public_and_of_that_project(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.with_secret("client_secret_post").await;
    house.another_project("p2").await;
    let code = house.code(&uid, &[("client_id", "c4")]).await;
    let unnamed = over(&redemption(&code), &[("client_id", "")]);
    let before = house.books().await;
    let http = house.node.client();
    let in_p1 = http.with("x-config-id", "p1").post_form("/oauth2/token", &unnamed).await;
    in_p1.oauth_error(401, "invalid_client");
    let of_c3 = house.code(&uid, &[]).await;
    let unnamed = over(&redemption(&of_c3), &[("client_id", "")]);
    let in_p2 = http.with("x-config-id", "p2").post_form("/oauth2/token", &unnamed).await;
    in_p2.oauth_error(400, "invalid_grant");
    let nowhere = http.with("x-config-id", "p9").post_form("/oauth2/token", &unnamed).await;
    nowhere.oauth_error(401, "invalid_client");
    assert_eq!(house.books().await, before);
    http.with("x-config-id", "p1").post_form("/oauth2/token", &unnamed).await.is_ok();
}

async fn a_redirect_uri_that_was_not_asked_for_need_not_be_named(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let code = house.code(&uid, &[("redirect_uri", "")]).await;
    house.node.token(&over(&redemption(&code), &[("redirect_uri", "")])).await.is_ok();
    let code = house.code(&uid, &[("redirect_uri", "")]).await;
    let other = over(&redemption(&code), &[("redirect_uri", "https://app.example.com/other")]);
    house.node.token(&other).await.oauth_error(400, "invalid_grant");
    house.node.token(&over(&redemption(&code), &[("redirect_uri", REDIRECT_URI)])).await.is_ok();
}

async fn what_else_such_clients_send_changes_nothing(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let http = house.node.client();
    for (name, value) in [
        ("apikey", "pk_whatever"),
        ("authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
        ("authorization", "DPoP garbage"),
        ("x-config-id", "p1"),
        ("accept", "application/json"),
    ] {
        let code = house.code(&uid, &[]).await;
        http.with(name, value).post_form("/oauth2/token", &redemption(&code)).await.is_ok();
    }
    let code = house.code(&uid, &[]).await;
    let form = countersign_testkit::provider::form(&redemption(&code));
    let utf8 = http.with("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    utf8.send(Method::POST, "/p/p1/oauth2/token", form.into()).await.is_ok();
}

async fn without_openid_there_is_no_id_token_and_without_the_grant_no_refresh_token(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let code = house.code(&uid, &[("scope", "email")]).await;
    let answer = house.node.token(&redemption(&code)).await.ok().json();
    assert!(answer.get("id_token").is_none() && answer.get("refresh_token").is_some(), "{answer}");
    house.set_client("c3", &["oauth.grants=authorization_code"]).await;
    let code = house.code(&uid, &[]).await;
    let answer = house.node.token(&redemption(&code)).await.ok();
    assert!(answer.json().get("refresh_token").is_none());
    assert!(is_live(&house, &answer.text("access_token")).await);
}

async fn the_email_is_told_to_the_projects_own_clients_and_to_who_asked(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let told = async |scope: &str| {
        let code = house.code(&uid, &[("scope", scope)]).await;
        claims(&house.node.token(&redemption(&code)).await.ok().text("id_token")).get("email").cloned()
    };
    assert_eq!(told("openid").await, Some("ada@example.com".into()));
    house.set_client("c3", &["oauth.first_party=off"]).await;
    assert_eq!(told("openid").await, None);
    assert_eq!(told("openid email").await, Some("ada@example.com".into()));
}

async fn however_many_codes_are_redeemed_at_once_no_more_sessions_live_than_the_cap_says(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.set_client("c3", &["session.cap=3"]).await;
    let second = house.another_node().await;
    let before = house.books().await;
    let mut redeemers = JoinSet::new();
    for number in 0..12 {
        let client = if number % 2 == 0 { house.node.client() } else { second.client() };
        let code = house.code(&uid, &[]).await;
        redeemers.spawn(async move { client.post_form("/oauth2/token", &redemption(&code)).await });
    }
    for answer in redeemers.join_all().await {
        answer.is_ok();
    }
    let after = house.books().await;
    assert_eq!((after.sessions, after.live_sessions), (before.sessions + 12, before.live_sessions + 3));
    let ended = house.entries("session.ended").await;
    assert_eq!(ended.len(), 9);
    assert!(ended.iter().all(|entry| entry.detail["reason"] == "cap"), "{ended:?}");
}
