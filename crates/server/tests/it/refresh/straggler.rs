//! A token two or more generations old comes again.

use super::{ELSEWHERE, HOUR, OVERLAP, SECOND, app_at_home, move_on};

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_that_slept_is_told_to_read_the_storage_again_however_long_it_slept() {
    let (house, mut app) = app_at_home().await;
    let tab = move_on(&mut app).await;
    move_on(&mut app).await;
    for sleep in [SECOND, OVERLAP * 2, HOUR * 40] {
        house.advance(sleep).await;
        tab.try_refresh().await.gone("replaced");
        tab.try_refresh().await.gone("replaced");
    }
    move_on(&mut app).await;
    tab.try_refresh().await.gone("replaced");
    assert!(house.entries("session.theft").await.is_empty());
    assert!(house.entries("session.foreign_replay").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_straggler_from_elsewhere_just_after_a_rotation_is_replaced_and_noted() {
    let (house, mut app) = app_at_home().await;
    let straggler = move_on(&mut app).await.at(ELSEWHERE);
    move_on(&mut app).await;
    straggler.try_refresh().await.gone("replaced");
    assert_eq!(house.entries("session.foreign_replay").await.len(), 1);
    house.advance(OVERLAP).await;
    move_on(&mut app).await;
    straggler.try_refresh().await.gone("replaced");
    app.me().await.is_ok();
    move_on(&mut app).await;
    assert!(house.entries("session.theft").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_straggler_that_comes_again_later_than_the_overlap_is_a_thief() {
    let (house, mut app) = app_at_home().await;
    let straggler = move_on(&mut app).await.at(ELSEWHERE);
    move_on(&mut app).await;
    straggler.try_refresh().await.gone("replaced");
    house.advance(OVERLAP + SECOND).await;
    move_on(&mut app).await;
    straggler.try_refresh().await.gone("ended");
    app.try_refresh().await.gone("ended");
    assert_eq!(house.entries("session.theft").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_coincidences_that_lie_more_than_a_day_apart_are_no_theft() {
    let (house, mut app) = app_at_home().await;
    let first = move_on(&mut app).await.at(ELSEWHERE);
    move_on(&mut app).await;
    first.try_refresh().await.gone("replaced");
    house.advance(HOUR * 25).await;
    let second = move_on(&mut app).await.at(ELSEWHERE);
    move_on(&mut app).await;
    second.try_refresh().await.gone("replaced");
    move_on(&mut app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_token_from_elsewhere_long_after_the_last_rotation_is_a_thief() {
    let (house, mut app) = app_at_home().await;
    let stolen = move_on(&mut app).await.at(ELSEWHERE);
    move_on(&mut app).await;
    house.advance(OVERLAP).await;
    stolen.try_refresh().await.gone("ended");
    app.try_refresh().await.gone("ended");
    let theft = house.only_entry("session.theft").await;
    assert_eq!(theft.session_id.as_deref(), Some(&*app.session()));
    assert_eq!((theft.actor_kind.as_str(), theft.detail["reason"].as_str()), ("system", "theft"));
}
