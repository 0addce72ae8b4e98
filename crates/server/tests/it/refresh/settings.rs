//! The settings of the rule, of a project and of each of its clients.

use std::time::Duration;

use countersign_testkit::{
    actors::App,
    database::Engine,
    house::{House, changes, p1},
};

use super::{ELSEWHERE, HOME, HOUR, SECOND, move_on};

async fn app_of(house: &House, client: &str) -> App {
    let answer = house.backend().for_client(client).sign_up("ada@example.com").await.ok();
    App::told(house.node.client().user_agent("app/1"), &answer).at(HOME)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_lifetimes_of_its_own() {
    let house = House::open(Engine::Sqlite).await;
    house.set(&["access.lifetime=5m", "refresh.lifetime=10days"]).await;
    house.set_client("c2", &["access.lifetime=1m", "refresh.lifetime=1day"]).await;
    for (client, access, refresh) in [("c1", 300, 10 * 86_400), ("c2", 60, 86_400)] {
        let answer = app_of(&house, client).await.try_refresh().await.ok().json();
        assert_eq!((&answer["expiresIn"], &answer["refreshTokenExpiresIn"]), (&access.into(), &refresh.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_an_overlap_and_a_retry_time_of_its_own() {
    let house = House::open(Engine::Sqlite).await;
    house.set_client("c2", &["refresh.overlap=1s", "refresh.retry=1h"]).await;
    let (mut patient, mut strict) = (app_of(&house, "c1").await, app_of(&house, "c2").await);
    let (patient_before, strict_before) = (move_on(&mut patient).await, move_on(&mut strict).await);
    house.advance(SECOND * 2).await;
    for _ in 0..5 {
        patient_before.try_refresh().await.is_ok();
        strict_before.try_refresh().await.is_ok();
    }
    patient_before.try_refresh().await.is_ok();
    strict_before.try_refresh().await.gone("replaced");
    house.advance(HOUR).await;
    patient_before.try_refresh().await.is_ok();
    strict_before.try_refresh().await.gone("ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rotation_a_confidential_client_keeps_its_token() {
    let house = House::open(Engine::Sqlite).await;
    house.set_client("c4", &["refresh.rotation=off"]).await;
    let app = app_of(&house, "c4").await;
    for address in [HOME, ELSEWHERE, HOME] {
        house.advance(Duration::from_hours(30)).await;
        let answer = app.at(address).try_refresh().await.ok();
        assert_eq!(answer.text("refreshToken"), app.refresh);
        assert_ne!(answer.text("authToken"), app.access);
    }
    assert!(house.entries("session.theft").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_confidential_client_may_go_without_rotation() {
    let house = House::open(Engine::Sqlite).await;
    let off = || changes(&["refresh.rotation=off"]);
    let service = &house.node.service;
    for client in ["c1", "c2", "c3"] {
        let refused = service.set_client(&p1(), &client.parse().unwrap(), off()).await.unwrap_err().to_string();
        assert!(refused.contains("confidential"), "{refused}");
        move_on(&mut app_of(&house, client).await).await;
    }
    let refused = service.set_project(&p1(), off()).await.unwrap_err().to_string();
    assert!(refused.contains("confidential"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_rotates_whatever_its_row_says() {
    let mut house = House::open(Engine::Sqlite).await;
    house
        .database
        .execute("update clients set settings = '{\"refresh.rotation\":\"off\"}' where client_id = 'c1'")
        .await;
    house.restart().await;
    move_on(&mut app_of(&house, "c1").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_changes_holds_for_sessions_there_are() {
    let house = House::open(Engine::Sqlite).await;
    let mut app = app_of(&house, "c1").await;
    let before = move_on(&mut app).await;
    house.set(&["refresh.retry=10m", "access.lifetime=2m"]).await;
    house.advance(SECOND * 601).await;
    before.try_refresh().await.gone("ended");
    let mut other = app_of(&house, "c1").await;
    assert_eq!(other.refresh().await.ok().json()["expiresIn"], 120);
}
