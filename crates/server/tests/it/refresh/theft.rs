//! Two parties use one session.

use countersign_testkit::actors::App;

use super::{ELSEWHERE, HOUR, app_at_home, move_on};

/// Everything that belongs to an ended session is worthless.
async fn nothing_works(held: &[&App]) {
    for app in held {
        app.try_refresh().await.gone("ended");
        assert_eq!(app.me().await.status(), 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_replays_in_three_generations_running_are_theft() {
    let (house, mut app) = app_at_home().await;
    for _ in 0..2 {
        let stolen = move_on(&mut app).await.at(ELSEWHERE);
        stolen.try_refresh().await.is_ok();
    }
    let stolen = move_on(&mut app).await.at(ELSEWHERE);
    stolen.try_refresh().await.gone("ended");
    nothing_works(&[&app, &stolen]).await;
    app.profile().await.refused(401, 100_049);
    assert_eq!(house.entries("session.foreign_replay").await.len(), 2);
    let theft = house.only_entry("session.theft").await;
    assert_eq!((theft.session_id.clone(), theft.user_id.clone()), (Some(app.session()), Some(app.uid.clone())));
    assert!(theft.request_id.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_replays_in_two_generations_and_then_none_are_a_phone_between_networks() {
    let (house, mut app) = app_at_home().await;
    for _ in 0..4 {
        for _ in 0..2 {
            let lost = move_on(&mut app).await.at(ELSEWHERE);
            lost.try_refresh().await.is_ok();
        }
        move_on(&mut app).await;
    }
    assert!(house.entries("session.theft").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_and_an_app_that_take_turns_are_told_apart_within_three_generations() {
    for (address, agent) in [(ELSEWHERE, "app/1"), ("198.51.100.7", "thief/1")] {
        let (house, mut app) = app_at_home().await;
        let mut thief = app.at(address);
        thief.http = thief.http.user_agent(agent);
        let mut turns = 0;
        while house.entries("session.theft").await.is_empty() {
            turns += 1;
            assert!(turns <= 3, "both went on for three generations");
            for party in [&mut thief, &mut app] {
                house.advance(HOUR).await;
                party.refresh().await;
            }
        }
        nothing_works(&[&app, &thief]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn theft_ends_one_session_and_leaves_the_users_others_alone() {
    let (house, mut app) = app_at_home().await;
    let mut other = house.backend().app("ada@example.com").await;
    let stolen = move_on(&mut app).await.at(ELSEWHERE);
    move_on(&mut app).await;
    house.advance(HOUR).await;
    stolen.try_refresh().await.gone("ended");
    move_on(&mut other).await;
    other.me().await.is_ok();
    house.backend().sign_in("ada@example.com").await.is_ok();
}
