//! Activation codes.

use std::num::NonZeroU32;

use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::with_email;

on_both_engines!(
    newcomers_need_a_code_where_the_project_asks_for_one,
    a_backend_needs_one_for_whoever_it_signs_up,
    of_twenty_newcomers_at_once_a_code_lets_in_as_many_as_it_says,
    twenty_sign_ups_of_one_newcomer_at_once_use_a_code_once,
    a_code_that_was_ended_lets_nobody_in,
    a_code_of_another_project_lets_nobody_in,
);

async fn a_code(house: &House, project: &str, uses: u32) -> String {
    let (project, uses) = (project.parse().unwrap(), NonZeroU32::new(uses).unwrap());
    let made = house.node.service.create_activation_code(&project, "friends".parse().unwrap(), uses, None).await;
    made.unwrap().text.danger_expose().to_owned()
}

fn showing(code: &str) -> Value {
    json!({ "validationData": { "activationCode": code } })
}

async fn newcomers_need_a_code_where_the_project_asks_for_one(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup=on", "signup.activation=on"]).await;
    let activation = a_code(&house, "p1", 1).await;
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    let before = house.books().await;
    ada.sign_up(&code).await.refused(400, 1_000_003);
    ada.sign_up_with(&code, showing("")).await.refused(400, 1_000_003);
    ada.sign_up_with(&code, showing("0000-0000-0000-0000")).await.refused(400, 1_000_003);
    assert_eq!(house.books().await, before);
    ada.sign_up_with(&code, showing(&activation.to_lowercase())).await.is_ok();
    // Who is in needs none, and uses none up.
    ada.sign_up(&ada.code(&house).await).await.is_ok();
    let eve = with_email(&house, "eve@example.com");
    eve.sign_up_with(&eve.code(&house).await, showing(&activation)).await.refused(400, 1_000_003);
    let listed = house.node.service.list_activation_codes(&p1()).await.unwrap();
    assert_eq!((listed[0].uses, listed[0].used), (1, 1));
}

async fn a_backend_needs_one_for_whoever_it_signs_up(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup.activation=on"]).await;
    let activation = a_code(&house, "p1", 1).await;
    let backend = house.backend();
    let before = house.books().await;
    for refused in [
        backend.sign_up("ada@example.com").await,
        backend.sign_up_with("ada@example.com", showing("0000-0000-0000-0000")).await,
        backend.sign_in_with("ada@example.com", json!({ "createIfMissing": true })).await,
    ] {
        refused.refused(400, 1_000_003);
    }
    assert_eq!(house.books().await, before);
    backend.sign_up_with("ada@example.com", showing(&activation)).await.is_ok();
    backend.sign_in("ada@example.com").await.is_ok();
    backend.sign_up("ada@example.com").await.is_ok();
    assert_eq!(house.entries("user.created").await.len(), 1);
    backend.sign_up_with("eve@example.com", showing(&activation)).await.refused(400, 1_000_003);
}

async fn of_twenty_newcomers_at_once_a_code_lets_in_as_many_as_it_says(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup.activation=on"]).await;
    let activation = a_code(&house, "p1", 3).await;
    let before = house.books().await;
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let (backend, body) = (house.backend(), showing(&activation));
        calls.spawn(async move { backend.sign_up_with(&format!("user{number}@example.com"), body).await });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 3);
    answers.iter().filter(|answer| answer.status() != 200).for_each(|answer| drop(answer.refused(400, 1_000_003)));
    assert_eq!(house.books().await.users, before.users + 3);
}

async fn twenty_sign_ups_of_one_newcomer_at_once_use_a_code_once(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup.activation=on"]).await;
    let other_node = house.another_node().await;
    let activation = a_code(&house, "p1", 1).await;
    let before = house.books().await;
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let node = if number % 2 == 0 { &house.node } else { &other_node };
        let (backend, body) = (house.backend().through(node.client()), showing(&activation));
        calls.spawn(async move { backend.sign_up_with("ada@example.com", body).await });
    }
    let answers = calls.join_all().await;
    let first = answers[0].clone().ok().text("uid");
    assert!(answers.iter().all(|answer| answer.clone().ok().text("uid") == first));
    assert_eq!(house.books().await.users, before.users + 1);
    assert_eq!(house.node.service.list_activation_codes(&p1()).await.unwrap()[0].used, 1);
}

async fn a_code_that_was_ended_lets_nobody_in(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup.activation=on"]).await;
    let (ended, live) = (a_code(&house, "p1", 9).await, a_code(&house, "p1", 9).await);
    let listed = house.node.service.list_activation_codes(&p1()).await.unwrap();
    let id = listed.iter().find(|code| ended.starts_with(&code.prefix)).unwrap().id;
    house.node.service.revoke_activation_code(&p1(), id).await.unwrap();
    assert!(house.node.service.revoke_activation_code(&p1(), id).await.is_err());
    house.backend().sign_up_with("ada@example.com", showing(&ended)).await.refused(400, 1_000_003);
    house.backend().sign_up_with("ada@example.com", showing(&live)).await.is_ok();
}

async fn a_code_of_another_project_lets_nobody_in(engine: Engine) {
    let house = House::in_development(engine).await;
    house.another_project("p2").await;
    house.set(&["signup.activation=on"]).await;
    let (theirs, ours) = (a_code(&house, "p2", 9).await, a_code(&house, "p1", 9).await);
    house.backend().sign_up_with("ada@example.com", showing(&theirs)).await.refused(400, 1_000_003);
    house.backend().sign_up_with("ada@example.com", showing(&ours)).await.is_ok();
}
