//! How long sessions and access tokens live.

use std::time::Duration;

use countersign_testkit::{actors::App, database::Engine, house::House, on_both_engines};
use serde_json::json;

use super::{HOUR, SECOND};

on_both_engines!(the_oldest_session_goes_when_the_cap_is_reached, a_device_has_one_session);

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_refreshed_for_too_long_ends() {
    let house = House::open(Engine::Sqlite).await;
    house.set_client("c1", &["session.idle=10days"]).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    let idle = house.backend().app("ada@example.com").await;
    house.advance(SECOND * (864_000 - 1)).await;
    app.refresh().await.is_ok();
    house.advance(SECOND).await;
    let refused = idle.try_refresh().await;
    refused.refused(400, 100_017);
    assert_eq!(refused.text("reason"), "ended");
    house.advance(SECOND * (864_000 - 2)).await;
    app.refresh().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_at_its_absolute_end_however_often_it_is_refreshed() {
    let house = House::open(Engine::Sqlite).await;
    house.set(&["refresh.lifetime=3days"]).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    for _ in 0..71 {
        house.advance(HOUR).await;
        app.refresh().await.is_ok();
    }
    house.advance(HOUR).await;
    app.try_refresh().await.gone("ended");
    app.profile().await.refused(401, 10_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_sessions_that_are_over_go_after_a_day_and_their_tokens_stay_worthless() {
    let house = House::open(Engine::Sqlite).await;
    house.set(&["refresh.lifetime=3days"]).await;
    let mut live = house.backend().new_app("ada@example.com").await;
    let signed_out = house.backend().app("ada@example.com").await;
    signed_out.sign_out().await.is_ok();
    let rows = async || house.database.number("select count(*) from sessions").await;
    house.advance(HOUR * 24).await;
    house.node.service.maintain().await;
    assert_eq!(rows().await, 2);
    house.advance(HOUR * 2).await;
    house.node.service.maintain().await;
    assert_eq!(rows().await, 1);
    signed_out.try_refresh().await.gone("ended");
    live.refresh().await.is_ok();
    house.advance(HOUR * 72).await;
    house.node.service.maintain().await;
    assert_eq!(rows().await, 0);
    live.try_refresh().await.gone("ended");
}

/// Sessions are told apart by the millisecond in which they were opened.
const A_MOMENT: Duration = Duration::from_millis(10);

async fn the_oldest_session_goes_when_the_cap_is_reached(engine: Engine) {
    let house = House::open(engine).await;
    house.set_client("c1", &["session.cap=3"]).await;
    let backend = house.backend();
    let first = backend.new_app("ada@example.com").await;
    let other_client = App::told(house.node.client(), &backend.for_client("c2").sign_in("ada@example.com").await.ok());
    let other_user = backend.new_app("bob@example.com").await;
    house.advance(A_MOMENT).await;
    let second = backend.app("ada@example.com").await;
    house.advance(A_MOMENT).await;
    let third = backend.app("ada@example.com").await;
    for app in [&first, &second, &third] {
        app.me().await.is_ok();
    }
    house.advance(A_MOMENT).await;
    let fourth = backend.app("ada@example.com").await;
    first.try_refresh().await.gone("ended");
    first.profile().await.refused(401, 100_049);
    for app in [&second, &third, &fourth, &other_client, &other_user] {
        app.me().await.is_ok();
        app.try_refresh().await.is_ok();
    }
    let ended = house.only_entry("session.ended").await;
    assert_eq!((ended.session_id.clone(), ended.detail["reason"].as_str()), (Some(first.session()), "cap"));
}

async fn a_device_has_one_session(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.backend();
    backend.new_app("ada@example.com").await;
    let on_phone = async |client: &str| {
        let vouch = backend.for_client(client).sign_in_with("ada@example.com", json!({ "deviceId": "phone-1" })).await;
        App::told(house.node.client(), &vouch.ok())
    };
    let (first, other_client) = (on_phone("c1").await, on_phone("c2").await);
    let second = on_phone("c1").await;
    first.try_refresh().await.gone("ended");
    first.profile().await.refused(401, 100_049);
    second.try_refresh().await.is_ok();
    other_client.try_refresh().await.is_ok();
    let ended = house.only_entry("session.ended").await;
    assert_eq!((ended.session_id.clone(), ended.detail["reason"].as_str()), (Some(first.session()), "replaced"));
}
