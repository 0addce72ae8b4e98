//! A user comes to be at the first call.

use countersign_testkit::{actors::App, client_app::ClientApp, database::Engine, house::House, on_both_engines};
use serde_json::json;
use tokio::task::JoinSet;

use super::MINUTE;

on_both_engines!(
    a_first_call_makes_the_user_and_says_so_in_the_trail,
    twenty_first_calls_at_once_make_one_user,
    first_calls_at_two_nodes_at_once_make_one_user,
    a_user_whom_a_backend_vouched_for_is_the_same,
    a_vouch_finds_the_user_of_a_first_call,
    a_project_can_let_first_calls_make_nobody,
    a_project_can_limit_how_many_first_calls_make,
    calls_without_proof_make_only_so_many,
);

async fn uids(apps: impl IntoIterator<Item = ClientApp>) -> Vec<String> {
    let mut calls = JoinSet::new();
    for app in apps {
        calls.spawn(async move { app.uid().await });
    }
    calls.join_all().await
}

async fn a_first_call_makes_the_user_and_says_so_in_the_trail(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let uid = house.client_app("crm-7").uid().await;
    let after = house.books().await;
    assert_eq!(
        (after.users, after.identities, after.sessions),
        (before.users + 1, before.identities + 1, before.sessions)
    );
    let entry = house.only_entry("user.created").await;
    assert_eq!((entry.user_id.as_deref(), entry.detail["proof"].as_str()), (Some(&*uid), "hmac"));
    assert_eq!(entry.key_id, Some(house.hmac.key.id.to_string()));
}

async fn twenty_first_calls_at_once_make_one_user(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let uids = uids((0..20).map(|_| app.clone())).await;
    assert!(uids.iter().all(|it| *it == uids[0]), "{uids:?}");
    assert_eq!((house.books().await.users, house.entries("user.created").await.len()), (1, 1));
}

async fn first_calls_at_two_nodes_at_once_make_one_user(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let here = house.client_app("crm-7");
    let there = ClientApp { http: other.client(), ..here.clone() };
    let uids = uids((0..20).map(|number| if number % 2 == 0 { here.clone() } else { there.clone() })).await;
    assert!(uids.iter().all(|it| *it == uids[0]), "{uids:?}");
    assert_eq!(house.books().await.users, 1);
}

async fn a_user_whom_a_backend_vouched_for_is_the_same(engine: Engine) {
    let house = House::open(engine).await;
    let vouched = house.backend().sign_up_with("ada@example.com", json!({ "externalId": "crm-7" })).await.ok();
    let me = house.client_app("crm-7").me().await.ok();
    assert_eq!((me.text("uid"), me.text("email")), (vouched.text("uid"), "ada@example.com".to_owned()));
    assert_eq!(house.books().await.users, 1);
}

async fn a_vouch_finds_the_user_of_a_first_call(engine: Engine) {
    let house = House::open(engine).await;
    let uid = house.client_app("crm-7").uid().await;
    let vouched = house.backend().sign_in_with("ada@example.com", json!({ "externalId": "crm-7" })).await.ok();
    assert_eq!(App::told(house.node.client(), &vouched).uid, uid);
    assert_eq!(house.client_app("crm-7").me().await.ok().text("email"), "ada@example.com");
}

async fn a_project_can_let_first_calls_make_nobody(engine: Engine) {
    let house = House::open(engine).await;
    let known = house.client_app("crm-7");
    known.verify().await.is_ok();
    house.set(&["users.create=off"]).await;
    let before = house.books().await;
    house.client_app("crm-8").verify().await.denied(401, "invalid_credentials");
    assert_eq!(house.books().await, before);
    known.verify().await.is_ok();
    house.secret_bearer().post("/users", &json!({ "external_id": "crm-8" })).await.is_ok();
    house.client_app("crm-8").verify().await.is_ok();
}

async fn a_project_can_limit_how_many_first_calls_make(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["users.per_hour=3"]).await;
    for number in 0..3 {
        house.client_app(&format!("crm-{number}")).verify().await.is_ok();
    }
    let before = house.books().await;
    house.client_app("crm-3").verify().await.denied(401, "invalid_credentials");
    assert_eq!(house.books().await, before);
    house.client_app("crm-0").verify().await.is_ok();
    house.advance(MINUTE * 20).await;
    house.client_app("crm-3").verify().await.is_ok();
}

async fn calls_without_proof_make_only_so_many(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["hmac=off", "users.unproved=3"]).await;
    let strangers = (0..20).map(|number| house.client_app(&format!("stranger-{number}")).unproved());
    let mut calls = JoinSet::new();
    for stranger in strangers {
        calls.spawn(async move { stranger.verify().await });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 3);
    for refused in answers.iter().filter(|answer| answer.status() != 200) {
        refused.denied(401, "invalid_credentials");
    }
    assert_eq!(house.books().await.users, 3);
    house.client_app("crm-7").verify().await.is_ok();
}
