//! Access tokens.

use countersign_testkit::{
    actors::App,
    database::Engine,
    house::{House, changes, p1},
    on_both_engines,
};
use serde_json::json;

on_both_engines!(
    a_token_for_another_audience_is_refused_though_it_was_seen_before,
    forged_tokens_are_limited_per_network_and_live_ones_are_served_even_then,
);

async fn a_token_for_another_audience_is_refused_though_it_was_seen_before(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    app.me().await.is_ok();
    house.set(&["audience=https://api.example.com"]).await;
    assert_eq!(app.me().await.status(), 401);
    app.refresh().await.is_ok();
    app.me().await.is_ok();
    house.node.service.set_project(&p1(), changes(&["audience="])).await.unwrap();
    assert_eq!(app.me().await.status(), 401);
}

async fn forged_tokens_are_limited_per_network_and_live_ones_are_served_even_then(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=5"]).await;
    let phone = house.node.client().from_address("203.0.113.7").user_agent("app/1");
    let app = house.backend().new_app("ada@example.com").await.through(phone.clone());
    let forger = App { access: format!("{}x", app.access), ..app.clone() };
    for _ in 0..5 {
        assert_eq!(forger.me().await.status(), 401);
    }
    let refused = forger.me().await;
    assert_eq!(refused.status(), 429, "{refused}");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(refused.json()["error"]["code"], "rate_limited");
    let profile = phone.post("/auth/v1beta/authprofile", &json!({ "authToken": forger.access })).await;
    profile.refused(429, 100_009);
    forger.sessions().await.refused(429, 100_009);

    app.me().await.is_ok();
    app.sessions().await.is_ok();
    let elsewhere = forger.through(phone.from_address("198.51.100.7"));
    assert_eq!(elsewhere.me().await.status(), 401, "another network has its own count");
}
