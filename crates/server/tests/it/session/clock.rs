//! A wall clock that leaps against time itself.

use std::time::Duration;

use countersign_domain::clock::Timestamp;
use countersign_testkit::{actors::App, database::Engine, house::House, token::generation};

use super::{DAY, HOUR, MINUTE, SECOND};

/// `refresh.overlap`, for which nothing ends after a leap.
const OVERLAP: Duration = MINUTE;

async fn leap(house: &House, days: i64) {
    let wall = house.node.service.now().seconds() + days * 86_400;
    house.clock.leap_to(Timestamp::from_seconds(wall));
    house.node.service.tick().await;
}

/// An app that has refreshed twice, and the tokens it held before, the newest first.
async fn refreshed_twice(house: &House) -> (App, App, App) {
    let first = house.backend().new_app("ada@example.com").await;
    let mut newest = first.clone();
    newest.refresh().await.is_ok();
    let second = newest.clone();
    newest.refresh().await.is_ok();
    (newest, second, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_leap_nothing_ends_for_the_length_of_the_overlap() {
    for days in [1, -1, 20, 60, -60] {
        let house = House::open(Engine::Sqlite).await;
        let (mut app, before, oldest) = refreshed_twice(&house).await;
        leap(&house, days).await;
        for wait in [Duration::ZERO, SECOND * 59] {
            house.advance(wait).await;
            assert_eq!(before.try_refresh().await.ok().text("refreshToken"), app.refresh, "{days} days");
            oldest.at("203.0.113.7").try_refresh().await.gone("replaced");
        }
        app.refresh().await.is_ok();
        app.me().await.is_ok();
        for act in ["session.theft", "session.ended"] {
            assert!(house.entries(act).await.is_empty(), "{days} days: {act}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_overlap_has_gone_by_ages_count_again() {
    let house = House::open(Engine::Sqlite).await;
    let (app, before, _) = refreshed_twice(&house).await;
    leap(&house, 2).await;
    house.advance(OVERLAP).await;
    before.try_refresh().await.gone("ended");
    app.try_refresh().await.gone("ended");
    let (app, _, _) = refreshed_twice(&house).await;
    leap(&house, 60).await;
    house.advance(OVERLAP).await;
    app.try_refresh().await.gone("ended");
    let (mut app, _, oldest) = refreshed_twice(&house).await;
    leap(&house, 1).await;
    app.refresh().await.is_ok();
    house.advance(OVERLAP).await;
    app.refresh().await.is_ok();
    house.advance(OVERLAP).await;
    oldest.at("203.0.113.7").try_refresh().await.gone("ended");
    assert_eq!(house.entries("session.theft").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_leap_an_access_token_may_have_expired_and_the_app_gets_another() {
    let house = House::open(Engine::Sqlite).await;
    let (mut app, _, _) = refreshed_twice(&house).await;
    leap(&house, 1).await;
    app.profile().await.refused(401, 10_001);
    let held = generation(&app.refresh);
    app.refresh().await.is_ok();
    assert_eq!(generation(&app.refresh), held + 1);
    app.profile().await.is_ok();
    leap(&house, -1).await;
    app.profile().await.is_ok();
    app.refresh().await.is_ok();
    app.profile().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_leap_nothing_is_thrown_away_until_the_clock_has_been_steady() {
    let house = House::open(Engine::Sqlite).await;
    let (_, _, _) = refreshed_twice(&house).await;
    house.backend().app("ada@example.com").await.sign_out().await.is_ok();
    let rows = async || house.database.number("select count(*) from sessions").await;
    leap(&house, 100).await;
    for _ in 0..9 {
        house.node.service.maintain().await;
        assert_eq!(rows().await, 2);
        house.advance(MINUTE).await;
    }
    house.advance(MINUTE).await;
    house.node.service.maintain().await;
    assert_eq!(rows().await, 0);
}

/// The last of the news is never thrown away, so a test of throwing away needs something after its own.
async fn something_newer(house: &House) {
    house.set(&["limits.email=61"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_revives_no_access_token_of_a_session_that_ended() {
    let house = House::open(Engine::Sqlite).await;
    let (mut app, _, _) = refreshed_twice(&house).await;
    let signed_out = house.backend().app("ada@example.com").await;
    signed_out.sign_out().await.is_ok();
    something_newer(&house).await;
    leap(&house, 1).await;
    // Long enough that whatever is over by this clock is forgotten.
    house.advance(HOUR / 2).await;
    house.node.service.maintain().await;
    leap(&house, -1).await;
    house.clock.leap_to(house.node.service.now().minus(HOUR / 2));
    house.node.service.tick().await;
    signed_out.profile().await.refused(401, 100_049);
    assert_eq!(signed_out.me().await.status(), 401);
    app.refresh().await.is_ok();
    app.me().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_while_the_server_was_down_revives_none_either() {
    let mut house = House::open(Engine::Sqlite).await;
    let signed_out = house.backend().new_app("ada@example.com").await;
    signed_out.sign_out().await.is_ok();
    something_newer(&house).await;
    house.advance(DAY).await;
    house.node.service.maintain().await;
    house.clock.leap_to(house.node.service.now().minus(DAY));
    house.restart().await;
    signed_out.through(house.node.client()).profile().await.refused(401, 100_049);
}
