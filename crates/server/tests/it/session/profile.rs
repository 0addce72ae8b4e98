//! `POST authprofile`.

use countersign_testkit::{database::Engine, house::House, on_both_engines};
use serde_json::json;

use super::SECOND;

on_both_engines!(an_access_token_says_whose_it_is, a_token_that_is_not_ours_is_not_valid);

const PATH: &str = "/auth/v1beta/authprofile";

async fn an_access_token_says_whose_it_is(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    let first = app.access.clone();
    app.refresh().await.is_ok();
    for at in ["", "/api", "/p/p1", "/p/p1/api"] {
        for token in [&first, &app.access] {
            let answer = app.http.post(&format!("{at}{PATH}"), &json!({ "authToken": token })).await.ok();
            assert_eq!(answer.json(), json!({ "uid": app.uid }));
        }
    }
}

async fn a_token_that_is_not_ours_is_not_valid(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let elsewhere = House::open(engine).await;
    let foreign = elsewhere.backend().new_app("ada@example.com").await.access;
    for token in ["garbage", "a.b.c", app.refresh.as_str(), &foreign, &format!("{}x", app.access)] {
        let message = app.http.post(PATH, &json!({ "authToken": token })).await.refused(401, 10_002);
        assert!(!message.contains(token));
    }
    for (body, code) in [(json!({}), 100_050), (json!({ "authToken": 7 }), 100_050), (json!("x"), 100_003)] {
        app.http.post(PATH, &body).await.refused(400, code);
    }
    app.profile().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_whose_time_is_over_has_expired() {
    let house = House::open(Engine::Sqlite).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    house.advance(SECOND * 899).await;
    app.profile().await.is_ok();
    house.advance(SECOND).await;
    app.profile().await.refused(401, 10_001);
    app.refresh().await.is_ok();
    app.profile().await.is_ok();
}
