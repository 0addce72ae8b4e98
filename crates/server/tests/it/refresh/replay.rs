//! The token before the newest comes again.

use countersign_testkit::token::generation;

use super::{ELSEWHERE, HOME, HOUR, OVERLAP, RETRY, SECOND, app_at_home, move_on};

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_token_gets_its_successor_wherever_it_comes_from() {
    let (house, app) = app_at_home().await;
    let mut travelling = app.at(ELSEWHERE);
    house.advance(HOUR).await;
    move_on(&mut travelling).await;
    let mut updated = travelling.through(travelling.http.user_agent("app/2"));
    house.advance(HOUR).await;
    move_on(&mut updated).await;
    assert!(house.entries("session.foreign_replay").await.is_empty());
    assert_eq!(house.entries("session.refreshed").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn within_the_overlap_the_token_before_gets_the_same_successor_as_often_as_it_comes() {
    let (house, mut app) = app_at_home().await;
    let before = move_on(&mut app).await;
    for _ in 0..6 {
        house.advance(OVERLAP / 6).await;
        for _ in 0..3 {
            assert_eq!(before.try_refresh().await.ok().text("refreshToken"), app.refresh);
        }
    }
    move_on(&mut app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_overlap_the_token_before_gets_the_same_successor_five_times() {
    let (house, mut app) = app_at_home().await;
    let before = move_on(&mut app).await;
    house.advance(OVERLAP + SECOND).await;
    for _ in 0..5 {
        assert_eq!(before.try_refresh().await.ok().text("refreshToken"), app.refresh);
        house.advance(HOUR).await;
    }
    before.try_refresh().await.gone("replaced");
    move_on(&mut app).await;
    assert!(house.entries("session.foreign_replay").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_repeated_answers_begins_anew_with_each_generation() {
    let (house, mut app) = app_at_home().await;
    for _ in 0..3 {
        let before = move_on(&mut app).await;
        house.advance(HOUR).await;
        for _ in 0..5 {
            before.try_refresh().await.is_ok();
        }
        before.try_refresh().await.gone("replaced");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_can_be_asked_for_until_the_retry_time_is_over() {
    let (house, mut app) = app_at_home().await;
    let before = move_on(&mut app).await;
    house.advance(RETRY).await;
    let mut late = before.clone();
    late.refresh().await.is_ok();
    assert_eq!(late.refresh, app.refresh);
    late.me().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_comes_later_than_the_retry_time_ends_the_session() {
    let (house, mut app) = app_at_home().await;
    let before = move_on(&mut app).await;
    house.advance(RETRY + SECOND).await;
    before.try_refresh().await.gone("ended");
    app.try_refresh().await.gone("ended");
    let ended = house.only_entry("session.ended").await;
    assert_eq!(ended.session_id.as_deref(), Some(&*app.session()));
    assert_eq!((ended.actor_kind.as_str(), ended.detail["reason"].as_str()), ("system", "stale_token"));
    assert!(house.entries("session.theft").await.is_empty());
}

/// Where an app is at home, from where its last token comes again, under which name, and whether that is foreign.
const CALLERS: [(&str, &str, &str, bool); 7] = [
    (HOME, "198.51.100.7", "app/1", false),
    (HOME, "198.51.100.250", "app/1", false),
    (HOME, "198.51.101.7", "app/1", true),
    (HOME, "198.51.100.7", "app/2", true),
    ("2001:db8:1:200::1", "2001:db8:1:2ff:ffff::9", "app/1", false),
    ("2001:db8:1:200::1", "2001:db8:1:300::1", "app/1", true),
    ("2001:db8:1:200::1", HOME, "app/1", true),
];

#[tokio::test(flavor = "multi_thread")]
async fn own_is_the_network_and_the_user_agent_of_the_last_rotation() {
    let (house, app) = app_at_home().await;
    for (home, from, agent, is_foreign) in CALLERS {
        let known = house.entries("session.foreign_replay").await.len();
        let mut app = house.backend().app("ada@example.com").await.at(home);
        let before = move_on(&mut app).await.at(from);
        let before = before.through(before.http.user_agent(agent));
        assert_eq!(before.try_refresh().await.ok().text("refreshToken"), app.refresh);
        let noted = house.entries("session.foreign_replay").await.len() - known;
        assert_eq!(noted, usize::from(is_foreign), "{home}, then {from} as {agent}");
    }
    app.try_refresh().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_replay_gets_the_same_successor_five_times_and_each_is_an_event() {
    let (house, mut app) = app_at_home().await;
    let before = move_on(&mut app).await;
    let elsewhere = before.at(ELSEWHERE);
    for count in 1..=5 {
        assert_eq!(elsewhere.try_refresh().await.ok().text("refreshToken"), app.refresh);
        assert_eq!(house.entries("session.foreign_replay").await.len(), count);
    }
    elsewhere.try_refresh().await.gone("replaced");
    let noted = house.entries("session.foreign_replay").await;
    assert_eq!(noted.len(), 5);
    for entry in noted {
        assert_eq!((entry.session_id, entry.user_id), (Some(app.session()), Some(app.uid.clone())));
        assert!(entry.request_id.is_some());
    }
    move_on(&mut app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_steps_back_a_little_makes_no_age_negative() {
    let (house, mut app) = app_at_home().await;
    let before = move_on(&mut app).await;
    house.clock.leap_to(house.node.service.now().minus(SECOND));
    house.node.service.tick().await;
    before.try_refresh().await.is_ok();
    let next = move_on(&mut app).await;
    assert_eq!(generation(&next.try_refresh().await.ok().text("refreshToken")), generation(&app.refresh));
}
