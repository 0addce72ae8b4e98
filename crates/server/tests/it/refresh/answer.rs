//! What a refresh is answered with.

use countersign_testkit::{
    actors::App, answer::Answer, database::Engine, house::House, on_both_engines, token::claims,
};
use serde_json::json;

use super::{HOUR, SECOND, app_at_home, move_on};

on_both_engines!(a_refresh_answers_with_four_members_and_no_more, both_mounts_and_both_versions_refresh);

async fn a_refresh_answers_with_four_members_and_no_more(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let answer = app.try_refresh().await.ok();
    let body = answer.json();
    let members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["authToken", "expiresIn", "refreshToken", "refreshTokenExpiresIn"]);
    assert_eq!(body["expiresIn"], 15 * 60, "the lifetime of the access token");
    let left = body["refreshTokenExpiresIn"].as_u64().unwrap();
    assert!((45 * 86_400 - 60..=45 * 86_400).contains(&left), "{left}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_ne!(body["refreshToken"], app.refresh.as_str());
    assert_ne!(body["authToken"], app.access.as_str());
    assert_eq!(claims(body["authToken"].as_str().unwrap())["sid"], app.session());
}

async fn both_mounts_and_both_versions_refresh(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    for at in ["", "/api", "/p/p1", "/p/p1/api"] {
        for version in ["v1", "v1beta"] {
            let path = format!("{at}/auth/{version}/refreshtoken");
            let answer = app.http.post(&path, &json!({ "refreshToken": app.refresh })).await.ok();
            app.refresh = answer.text("refreshToken");
        }
    }
}

fn lifetimes(answer: &Answer) -> (i64, i64) {
    let body = answer.json();
    (body["expiresIn"].as_i64().unwrap(), body["refreshTokenExpiresIn"].as_i64().unwrap())
}

const DAY: i64 = 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn refreshing_does_not_move_the_absolute_end() {
    let (house, mut app) = app_at_home().await;
    for day in 1..45 {
        house.advance(HOUR * 24).await;
        assert_eq!(lifetimes(&app.refresh().await.ok()), (900, (45 - day) * DAY));
    }
    house.advance(SECOND * (86_400 - 60)).await;
    let last = app.refresh().await.ok();
    assert_eq!(lifetimes(&last), (60, 60), "an access token doesn't outlive its session");
    app.me().await.is_ok();
    house.advance(SECOND * 60).await;
    app.try_refresh().await.gone("ended");
    app.profile().await.refused(401, 10_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_answer_gives_an_access_token_that_works() {
    let (house, mut app) = app_at_home().await;
    let before = move_on(&mut app).await;
    for wait in [SECOND, SECOND * 600, HOUR] {
        house.advance(wait).await;
        let mut again: App = before.clone();
        let answer = again.refresh().await.ok();
        let (access, _) = lifetimes(&answer);
        assert!((450..=900).contains(&access), "{access}");
        again.me().await.is_ok();
        house.advance(SECOND * u32::try_from(access - 1).unwrap()).await;
        again.me().await.is_ok();
        house.advance(SECOND).await;
        again.profile().await.refused(401, 10_001);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_answer_leaves_the_app_at_least_half_a_lifetime() {
    let house = House::open(Engine::Sqlite).await;
    house.set(&["access.lifetime=30s"]).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    let before = move_on(&mut app).await;
    for (wait, left) in [(10, 20), (10, 30), (10, 20), (20, 30)] {
        house.advance(SECOND * wait).await;
        let mut again = before.clone();
        assert_eq!(lifetimes(&again.refresh().await.ok()).0, left);
        assert_eq!(again.refresh, app.refresh);
        again.me().await.is_ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_answer_keeps_to_an_access_lifetime_that_was_shortened_meanwhile() {
    let (house, mut app) = app_at_home().await;
    let before = move_on(&mut app).await;
    house.set(&["access.lifetime=30s"]).await;
    assert_eq!(lifetimes(&before.try_refresh().await.ok()).0, 30);
    assert_eq!(lifetimes(&app.refresh().await.ok()).0, 30);
}
