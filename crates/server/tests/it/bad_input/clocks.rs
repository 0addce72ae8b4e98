//! Clocks that leap.

use std::time::Duration;

use countersign_testkit::{database::Engine, house::House};
use serde_json::json;

const HOUR: i64 = 3_600;

async fn leap(house: &House, seconds: i64) {
    let now = countersign_service::time::TimeSource::wall(&*house.clock);
    let then = countersign_domain::clock::Timestamp::from_micros(now.micros() + seconds * 1_000_000);
    house.clock.leap_to(then);
    house.node.service.tick().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_leaps_either_way_ends_no_session_and_vouches_go_on() {
    for seconds in [HOUR, -HOUR, 24 * HOUR, -24 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR] {
        let house = House::open(Engine::Sqlite).await;
        let mut app = house.backend().new_app("ada@example.com").await;
        let mut refreshed = house.backend().app("ada@example.com").await;
        refreshed.refresh().await.is_ok();
        let before = house.books().await;
        leap(&house, seconds).await;
        assert_eq!(app.refresh().await.status(), 200, "{seconds}");
        assert_eq!(refreshed.refresh().await.status(), 200, "{seconds}");
        app.me().await.is_ok();
        assert_eq!(house.books().await.live_sessions, before.live_sessions);

        let vouched = house.backend().sign_in("ada@example.com").await.ok();
        assert_eq!(vouched.json()["authTokenExpiresIn"], 900);
        assert_eq!(vouched.json()["refreshTokenExpiresIn"], 45 * 86_400);
        house.backend().sign_up("bob@example.com").await.is_ok();
        house.backend().sign_in("nobody@example.com").await.refused(403, 100_012);
        // And back.
        leap(&house, -seconds).await;
        house.backend().app("ada@example.com").await.me().await.is_ok();
        assert_eq!(app.refresh().await.status(), 200, "{seconds} and back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leap_neither_opens_nor_closes_a_limit() {
    for seconds in [24 * HOUR, -24 * HOUR] {
        let house = House::open(Engine::Sqlite).await;
        house.set(&["limits.email=2"]).await;
        house.backend().sign_up("ada@example.com").await.is_ok();
        leap(&house, seconds).await;
        house.backend().sign_in("ada@example.com").await.is_ok();
        house.backend().sign_in("ada@example.com").await.refused(429, 100_009);
        leap(&house, seconds).await;
        house.backend().sign_in("ada@example.com").await.refused(429, 100_009);
        house.advance(Duration::from_secs(30)).await;
        house.backend().sign_in("ada@example.com").await.is_ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_whose_clock_is_ahead_is_believed_for_a_minute_and_no_longer() {
    let house = House::open(Engine::Sqlite).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let now = countersign_service::time::TimeSource::wall(&*house.clock).seconds();
    let sign_in = |ahead: i64| {
        let authentication = json!({ "authentication": { "authTime": now + ahead } });
        let backend = house.backend();
        async move { backend.sign_in_with("ada@example.com", authentication).await }
    };
    for ahead in [-1_000_000_000, -1, 0, 1, 60] {
        sign_in(ahead).await.is_ok();
    }
    for ahead in [61, HOUR, 1_000_000_000] {
        assert!(sign_in(ahead).await.refused(400, 100_050).starts_with("`authentication.authTime` "));
    }
}
