//! A token is newer than the database: a backup was restored, or a replica took over that lagged.

use countersign_testkit::{
    actors::App,
    house::{House, p1},
    token::{generation, mac_key},
};

use super::{ELSEWHERE, HOME, OVERLAP, app_at_home, move_on};

/// The same app, calling the server where it is since it was started again.
fn again(house: &House, app: &App) -> App {
    app.through(house.node.client().user_agent("app/1")).at(HOME)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_jumps_past_a_token_that_is_newer_than_its_row() {
    let (mut house, app) = app_at_home().await;
    let backup = house.back_up().await;
    let mut app = again(&house, &app);
    for _ in 0..5 {
        move_on(&mut app).await;
    }
    house.restore(&backup).await;
    let mut app = again(&house, &app);
    let before = move_on(&mut app).await;
    let lost = house.only_entry("session.commit_lost").await;
    assert_eq!((lost.session_id.clone(), lost.user_id.clone()), (Some(app.session()), Some(app.uid.clone())));
    app.me().await.is_ok();
    assert_eq!(before.try_refresh().await.ok().text("refreshToken"), app.refresh);
    move_on(&mut app).await;
    assert_eq!(house.entries("session.commit_lost").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_opened_after_the_backup_is_over() {
    let (mut house, _) = app_at_home().await;
    let backup = house.back_up().await;
    let late = house.backend().app("ada@example.com").await;
    house.restore(&backup).await;
    again(&house, &late).try_refresh().await.gone("ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_who_holds_an_old_token_gains_nothing_by_a_restored_backup() {
    let (mut house, mut app) = app_at_home().await;
    let stolen = move_on(&mut app).await;
    let backup = house.back_up().await;
    let mut app = again(&house, &app);
    move_on(&mut app).await;
    house.restore(&backup).await;
    let mut app = again(&house, &app);
    move_on(&mut app).await;
    house.advance(OVERLAP).await;
    again(&house, &stolen).at(ELSEWHERE).try_refresh().await.gone("ended");
    app.try_refresh().await.gone("ended");
    assert_eq!(house.entries("session.theft").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_survives_a_backup_that_was_made_before_the_mac_key_was_rotated() {
    let (mut house, app) = app_at_home().await;
    let backup = house.back_up().await;
    house.node.service.rotate_mac_key(&p1()).await.unwrap();
    let mut app = again(&house, &app);
    move_on(&mut app).await;
    assert_eq!((generation(&app.refresh), mac_key(&app.refresh)), (3, 2));
    house.restore(&backup).await;
    let mut app = again(&house, &app);
    move_on(&mut app).await;
    assert_eq!((generation(&app.refresh), mac_key(&app.refresh)), (4, 1));
    move_on(&mut app).await;
    app.me().await.is_ok();
}
