//! `POST signout`.

use countersign_testkit::{database::Engine, house::House, on_both_engines};
use serde_json::json;

use super::members;

on_both_engines!(
    signing_out_ends_the_session_and_says_which,
    any_token_of_the_session_may_end_it_however_old,
    a_session_that_is_over_can_be_signed_out_again,
    whoever_names_another_user_ends_nothing,
    a_token_of_nobody_ends_nothing,
    a_thief_without_the_secret_of_the_session_ends_nothing,
    what_phones_send_beside_the_token_is_taken,
    one_session_ends_and_the_users_others_go_on,
);

const PATH: &str = "/auth/v1/signout";

async fn signing_out_ends_the_session_and_says_which(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let answer = app.sign_out().await.ok();
    assert_eq!(answer.json(), json!({ "id": app.session() }));
    app.try_refresh().await.gone("ended");
    app.me().await.denied(401, "invalid_credentials");
    app.profile().await.refused(401, 100_049);
    app.sessions().await.refused(401, 100_049);
    let ended = house.only_entry("session.ended").await;
    assert_eq!((ended.actor_kind.as_str(), ended.actor_id.as_deref()), ("user", Some(&*app.uid)));
    assert_eq!((ended.session_id.clone(), ended.detail["reason"].as_str()), (Some(app.session()), "signed_out"));
    assert!(ended.request_id.is_some());
}

async fn any_token_of_the_session_may_end_it_however_old(engine: Engine) {
    let house = House::open(engine).await;
    let old = house.backend().new_app("ada@example.com").await;
    let mut app = old.clone();
    for _ in 0..5 {
        app.refresh().await.is_ok();
    }
    old.at("203.0.113.7").sign_out().await.is_ok();
    app.try_refresh().await.gone("ended");
    assert_eq!(app.me().await.status(), 401);
}

async fn a_session_that_is_over_can_be_signed_out_again(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let first = app.sign_out().await.ok().json();
    assert_eq!(app.sign_out().await.ok().json(), first);
    assert_eq!(house.entries("session.ended").await.len(), 1);
    house.database.execute("delete from sessions").await;
    assert_eq!(app.sign_out().await.ok().json(), first);
}

async fn whoever_names_another_user_ends_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let other = house.backend().new_app("bob@example.com").await;
    for uid in [other.uid.as_str(), "u_00000000000000000000000000", "ada@example.com", ""] {
        let refused = app.http.post(PATH, &json!({ "userId": uid, "refreshToken": app.refresh })).await;
        let message = refused.refused(400, 100_050);
        assert!(message.contains("userId"), "{message}");
    }
    app.me().await.is_ok();
    app.try_refresh().await.is_ok();
    other.try_refresh().await.is_ok();
    assert!(house.entries("session.ended").await.is_empty());
}

async fn a_token_of_nobody_ends_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let mut tampered = app.refresh.clone().into_bytes();
    tampered[40] ^= 1;
    let tampered = String::from_utf8(tampered).unwrap();
    for forged in [tampered.as_str(), "rt_", "rt_garbage", app.access.as_str(), &app.uid] {
        app.holding(forged).sign_out().await.gone("ended");
    }
    app.try_refresh().await.is_ok();
    assert!(house.entries("session.ended").await.is_empty());
}

async fn a_thief_without_the_secret_of_the_session_ends_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let other = house.backend().app("ada@example.com").await;
    // As if a forger had an authentic token with another secret: the row no longer knows this one.
    let swap = format!(
        "update sessions set secret_hash = (select secret_hash from sessions where session_id = '{}')",
        other.session()
    );
    house.database.execute(&swap).await;
    app.sign_out().await.gone("ended");
    app.try_refresh().await.gone("ended");
    app.me().await.is_ok();
    assert!(house.entries("session.ended").await.is_empty());
    other.sign_out().await.is_ok();
}

async fn what_phones_send_beside_the_token_is_taken(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let body = json!({
        "userId": app.uid, "refreshToken": app.refresh, "devicePushId": "push-1", "voipDevicePushId": "", "deviceToken": null,
        "somethingElse": [1, 2],
    });
    let answer = app.http.post(PATH, &body).await.ok().json();
    assert_eq!(members(&answer), ["id"]);
    for missing in ["userId", "refreshToken"] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(missing);
        let message = app.http.post(PATH, &body).await.refused(400, 100_050);
        assert!(message.contains(missing), "{message}");
    }
    app.http.post(PATH, &json!([])).await.refused(400, 100_003);
}

async fn one_session_ends_and_the_users_others_go_on(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let other = house.backend().app("ada@example.com").await;
    app.sign_out().await.is_ok();
    other.me().await.is_ok();
    other.try_refresh().await.is_ok();
    app.try_refresh().await.gone("ended");
}
