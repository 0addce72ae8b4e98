//! Signing up by code.

use countersign_testkit::{answer::Answer, database::Engine, house::House, on_both_engines};
use serde_json::json;
use tokio::task::JoinSet;

use super::{is_wrong, with_email};

on_both_engines!(
    the_code_of_somebody_new_stays_good_for_the_sign_up,
    a_project_that_is_closed_lets_nobody_sign_up,
    who_exists_is_signed_in_unless_the_project_rejects_that,
    of_twenty_sign_ups_at_once_one_user_comes_to_be,
);

async fn the_code_of_somebody_new_stays_good_for_the_sign_up(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup=on"]).await;
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    let before = house.books().await;
    ada.sign_in(&code).await.refused(403, 100_012);
    assert_eq!(house.books().await, before);
    let names = json!({ "userAttributes": { "givenName": "Ada", "familyName": "Byron" } });
    let uid = ada.sign_up_with(&code, names).await.ok().text("uid");
    let user = house.node.service.show_user(&"p1".parse().unwrap(), &uid).await.unwrap();
    assert_eq!((user.user.given_name.as_str(), user.user.family_name.as_str()), ("Ada", "Byron"));
    assert!(user.identities[0].is_proved_here());
    assert_eq!(house.only_entry("user.created").await.detail["proof"], "email");
    is_wrong(&ada.sign_up(&code).await);
    let vouched = house.backend().sign_in("ada@example.com").await.ok();
    assert_eq!(vouched.text("uid"), uid, "the backend finds the same user");
}

async fn a_project_that_is_closed_lets_nobody_sign_up(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup=on"]).await;
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    house.set(&["signup=off"]).await;
    let before = house.books().await;
    ada.sign_up(&code).await.refused(401, 100_006);
    assert_eq!(house.books().await, before);
    house.set(&["signup=on"]).await;
    ada.sign_up(&code).await.is_ok();
}

async fn who_exists_is_signed_in_unless_the_project_rejects_that(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup=on"]).await;
    let uid = house.backend().sign_up("ada@example.com").await.ok().text("uid");
    let ada = with_email(&house, "ada@example.com");
    assert_eq!(ada.sign_up(&ada.code(&house).await).await.ok().text("uid"), uid);
    house.set(&["signup_existing=reject"]).await;
    let code = ada.code(&house).await;
    let before = house.books().await;
    ada.sign_up(&code).await.refused(400, 100_010);
    assert_eq!(house.books().await, before);
    ada.sign_in(&code).await.is_ok();
}

async fn of_twenty_sign_ups_at_once_one_user_comes_to_be(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup=on"]).await;
    let ada = with_email(&house, "ada@example.com");
    let other_node = house.another_node().await;
    let code = ada.code(&house).await;
    let before = house.books().await;
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let mut caller = ada.clone();
        let node = if number % 2 == 0 { &house.node } else { &other_node };
        caller.http = node.client().from_address(&format!("198.51.{number}.7"));
        let code = code.clone();
        calls.spawn(async move { caller.sign_up(&code).await });
    }
    let answers: Vec<Answer> = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1);
    answers.iter().filter(|answer| answer.status() != 200).for_each(is_wrong);
    let after = house.books().await;
    assert_eq!((after.users, after.sessions), (before.users + 1, before.sessions + 1));
}
