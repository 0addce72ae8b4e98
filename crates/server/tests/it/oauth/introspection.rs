//! `/oauth2/introspect`.

use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    answer::Answer,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    provider::{Parameters, over, redemption},
    token::claims,
};
use serde_json::json;

use super::{signed_in, with_web_app};

on_both_engines!(
    a_live_access_token_is_told_with_what_it_says,
    of_what_is_not_good_only_that_is_told,
    a_refresh_token_is_told_to_its_own_client,
    who_proves_nothing_is_told_nothing,
    a_token_of_another_project_is_none,
    a_live_token_that_was_seen_before_costs_no_statement,
);

async fn ask(house: &House, secret: &str, token: &str, more: Parameters<'_>) -> Answer {
    let base = [("token", token), ("client_id", "c4"), ("client_secret", secret)];
    house.node.client().post_form("/oauth2/introspect", &over(&base, more)).await
}

async fn a_live_access_token_is_told_with_what_it_says(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let access = signed_in(&house, &uid).await.text("access_token");
    let read = claims(&access);
    let (iat, exp, sid) = (read["iat"].as_i64().unwrap() + 1, read["exp"].clone(), read["sid"].clone());
    let told = ask(&house, &secret, &access, &[("token_type_hint", "refresh_token")]).await.ok();
    let expected = json!({
        "active": true, "scope": "openid email", "client_id": "c3", "sub": uid, "token_type": "Bearer",
        "iss": house.public_url(), "aud": house.public_url(), "iat": iat, "exp": exp, "sid": sid,
    });
    assert_eq!(told.json(), expected);
    assert_eq!(told.header("cache-control"), "no-store");
}

async fn of_what_is_not_good_only_that_is_told(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let answer = signed_in(&house, &uid).await;
    for token in ["garbage", "a.b.c", "rt_garbage", &answer.text("id_token"), house.key.secret.danger_expose()] {
        assert_eq!(ask(&house, &secret, token, &[]).await.ok().json(), json!({"active": false}), "{token}");
    }
    ask(&house, &secret, "", &[]).await.oauth_error(400, "invalid_request");
    let access = answer.text("access_token");
    assert_eq!(ask(&house, &secret, &access, &[]).await.ok().json()["active"], true);
    house.node.service.change_user_state(&p1(), uid.parse().unwrap(), StateChange::Revoke).await.unwrap();
    for token in [&access, &answer.text("refresh_token")] {
        assert_eq!(ask(&house, &secret, token, &[]).await.ok().json(), json!({"active": false}));
    }
}

async fn a_refresh_token_is_told_to_its_own_client(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let of_c4 = [("client_id", "c4"), ("client_secret", secret.as_str())];
    let code = house.code(&uid, &[("client_id", "c4")]).await;
    let first = house.node.token(&over(&redemption(&code), &of_c4)).await.ok().text("refresh_token");
    let told = ask(&house, &secret, &first, &[]).await.ok().json();
    assert_eq!((&told["active"], &told["sub"], &told["client_id"]), (&true.into(), &uid.into(), &"c4".into()));
    let refresh = over(&of_c4, &[("grant_type", "refresh_token"), ("refresh_token", &first)]);
    let second = house.node.token(&refresh).await.ok().text("refresh_token");
    assert_eq!(ask(&house, &secret, &first, &[]).await.ok().json(), json!({"active": false}), "it has a successor");
    assert_eq!(ask(&house, &secret, &second, &[]).await.ok().json()["active"], true);
    let of_another = house.user("bob@example.com").await;
    let another = signed_in(&house, &of_another).await.text("refresh_token");
    assert_eq!(ask(&house, &secret, &another, &[]).await.ok().json(), json!({"active": false}));
}

async fn who_proves_nothing_is_told_nothing(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let access = signed_in(&house, &uid).await.text("access_token");
    let http = house.node.client();
    for asked in [vec![("token", &*access)], vec![("token", &*access), ("client_id", "c3")]] {
        http.post_form("/oauth2/introspect", &asked).await.oauth_error(401, "invalid_client");
    }
    let bearer = http.with("authorization", &format!("Bearer {access}"));
    bearer.post_form("/oauth2/introspect", &[("token", &access)]).await.oauth_error(401, "invalid_client");
}

async fn a_token_of_another_project_is_none(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.another_project("p2").await;
    let secret = house.with_secret("client_secret_post").await;
    let access = signed_in(&house, &uid).await.text("access_token");
    assert_eq!(ask(&house, &secret, &access, &[]).await.ok().json()["active"], true);
    // The same client id in another project, with a secret of its own.
    let p2 = "p2".parse().unwrap();
    let c4 = "c4".parse().unwrap();
    let settings = countersign_testkit::house::changes(&["oauth.auth_method=client_secret_post"]);
    house.node.service.set_client(&p2, &c4, settings).await.unwrap();
    let made = house.node.service.create_client_secret(&p2, &c4, None).await.unwrap();
    let asked = [("token", &*access), ("client_id", "c4"), ("client_secret", made.secret.danger_expose())];
    let told = house.node.client().post_form("/p/p2/oauth2/introspect", &asked).await.ok();
    assert_eq!(told.json(), json!({"active": false}));
    house.node.client().post_form("/oauth2/introspect", &asked).await.oauth_error(401, "invalid_client");
}

async fn a_live_token_that_was_seen_before_costs_no_statement(engine: Engine) {
    let (mut house, uid) = with_web_app(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let access = signed_in(&house, &uid).await.text("access_token");
    house.restart().await;
    ask(&house, &secret, &access, &[]).await.is_ok();
    // Without tables no statement succeeds.
    house.database.execute("alter table sessions rename to hidden_sessions").await;
    house.database.execute("alter table spent rename to hidden_spent").await;
    assert_eq!(ask(&house, &secret, &access, &[]).await.ok().json()["active"], true);
    house.database.execute("alter table hidden_sessions rename to sessions").await;
    house.database.execute("alter table hidden_spent rename to spent").await;
}
