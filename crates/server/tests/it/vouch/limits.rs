//! How often callers may call: by key, by address, and, for what fails, by network.
//!
//! The clock stands still, so nothing is forgiven until the test says so.

use std::{num::NonZeroU32, time::Duration};

use countersign_domain::{audit::Act, key::KeyScope};
use countersign_testkit::{actors::App, answer::Answer, database::Engine, house::House, http::Client, on_both_engines};
use serde_json::json;

on_both_engines!(
    a_key_may_call_so_often_from_wherever_it_calls,
    a_key_of_its_own_rate_is_counted_by_it,
    an_address_may_be_vouched_for_so_often,
    failures_are_counted_by_network,
    every_call_of_an_app_that_fails_is_counted,
    an_authentic_token_is_served_whatever_its_network_did,
    successes_are_not_counted_by_network,
    twenty_calls_at_once_are_counted_as_twenty,
    what_is_refused_changes_nothing,
);

/// A refusal that says when to come again.
#[track_caller]
fn too_many(answer: &Answer) -> u64 {
    answer.refused(429, 100_009);
    answer.header("retry-after").parse().expect("Retry-After is whole seconds")
}

async fn a_key_may_call_so_often_from_wherever_it_calls(engine: Engine) {
    let house = House::open(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let other = house.another_key(KeyScope::default()).await;
    house.set(&["limits.key.rate=2", "limits.key.burst=5"]).await;
    let other = house.backend_with(other.secret.danger_expose());
    let from = |n: usize| other.through(house.node.client().from_address(&format!("198.51.{n}.1")));
    for n in 0..5 {
        from(n).sign_in("ada@example.com").await.is_ok();
    }
    for n in 5..8 {
        assert_eq!(too_many(&from(n).sign_in("ada@example.com").await), 1);
    }
    // Whatever the key is shown for is a call.
    too_many(&other.post("/private/signin", &json!([])).await);
    too_many(&other.http().get("/auth/v1/user/u_1/sessions").await);
    // Another key, though from the same address, is another caller.
    house.backend().sign_in("ada@example.com").await.is_ok();

    house.advance(Duration::from_secs(1)).await;
    for _ in 0..2 {
        other.sign_in("ada@example.com").await.is_ok();
    }
    too_many(&other.sign_in("ada@example.com").await);
    assert_eq!(house.counted(Act::VouchRefused, "too_many").await, 6);
}

async fn a_key_of_its_own_rate_is_counted_by_it(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.key.rate=1", "limits.key.burst=1"]).await;
    let rate = NonZeroU32::new(4);
    let quick = house.another_key(KeyScope { rate, ..KeyScope::default() }).await;
    let quick = house.backend_with(quick.secret.danger_expose());
    for _ in 0..4 {
        quick.sign_up("ada@example.com").await.is_ok();
    }
    assert_eq!(too_many(&quick.sign_in("ada@example.com").await), 1);
    house.backend().sign_in("ada@example.com").await.is_ok();
    too_many(&house.backend().sign_in("ada@example.com").await);
}

async fn an_address_may_be_vouched_for_so_often(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.email=3"]).await;
    let other_key = house.another_key(KeyScope::default()).await;
    let other_key = house.backend_with(other_key.secret.danger_expose());
    house.backend().sign_up("ada@example.com").await.is_ok();
    house.backend().sign_in("ADA@example.com").await.is_ok();
    other_key.for_client("c2").sign_in("ada@Example.com").await.is_ok();
    for answer in [
        house.backend().sign_in("ada@example.com").await,
        house.backend().sign_up("Ada@example.com").await,
        other_key.sign_in("ada@example.com").await,
    ] {
        assert_eq!(too_many(&answer), 20, "one place is free again after a third of a minute");
        assert!(!answer.to_string().contains("ada@"), "{answer}");
    }
    house.backend().sign_up("ada+1@example.com").await.is_ok();
    // Of nobody is asked as seldom as of somebody.
    for _ in 0..3 {
        house.backend().sign_in("nobody@example.com").await.refused(403, 100_012);
    }
    too_many(&house.backend().sign_in("nobody@example.com").await);

    house.advance(Duration::from_secs(20)).await;
    house.backend().sign_in("ada@example.com").await.is_ok();
    too_many(&house.backend().sign_in("ada@example.com").await);
}

async fn fails(client: &Client) -> Answer {
    client.post("/auth/v1/refreshtoken", &json!({ "refreshToken": "rt_garbage" })).await
}

async fn failures_are_counted_by_network(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=3"]).await;
    let from = |address: &str| house.node.client().from_address(address);
    for host in [1, 2, 3] {
        fails(&from(&format!("198.51.100.{host}"))).await.gone("ended");
        fails(&from(&format!("2001:db8:0:7{host}::1"))).await.gone("ended");
    }
    assert_eq!(too_many(&fails(&from("198.51.100.200")).await), 20);
    assert_eq!(too_many(&fails(&from("2001:db8:0:7f:ffff::1")).await), 20);
    let sign_out = json!({ "userId": "u_1", "refreshToken": "rt_garbage" });
    too_many(&from("198.51.100.9").post("/auth/v1/signout", &sign_out).await);
    for elsewhere in ["198.51.101.1", "2001:db8:0:100::1", "::ffff:198.51.102.1"] {
        fails(&from(elsewhere)).await.gone("ended");
    }
    house.advance(Duration::from_secs(20)).await;
    fails(&from("198.51.100.1")).await.gone("ended");
    too_many(&fails(&from("198.51.100.1")).await);
}

async fn every_call_of_an_app_that_fails_is_counted(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=4"]).await;
    let app = house.backend().new_app("ada@example.com").await;
    let client = house.node.client();
    let sessions = format!("/auth/v1/user/{}/sessions", app.uid);
    let profile = json!({ "authToken": "garbage" });
    let sign_out = json!({ "userId": app.uid, "refreshToken": "rt_garbage" });
    fails(&client).await.gone("ended");
    client.post("/auth/v1/signout", &sign_out).await.gone("ended");
    client.post("/auth/v1beta/authprofile", &profile).await.refused(401, 10_002);
    client.with("authorization", "Bearer garbage").get(&sessions).await.refused(401, 10_002);
    for answer in [
        fails(&client).await,
        client.post("/auth/v1/signout", &sign_out).await,
        client.post("/auth/v1beta/authprofile", &profile).await,
        client.with("authorization", "Bearer garbage").get(&sessions).await,
        client.get(&sessions).await,
    ] {
        assert_eq!(too_many(&answer), 15);
    }
    app.sessions().await.is_ok();
    client.post("/auth/v1beta/authprofile", &json!({ "authToken": app.access })).await.is_ok();
    house.backend().http().get(&sessions).await.is_ok();
}

async fn an_authentic_token_is_served_whatever_its_network_did(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=1"]).await;
    let network = house.node.client().from_address("198.51.100.1");
    let vouched = house.backend().sign_up("ada@example.com").await.ok();
    let mut app = App::told(network.user_agent("app/1"), &vouched);
    fails(&network).await.gone("ended");
    too_many(&fails(&network).await);
    app.refresh().await.is_ok();
    app.me().await.is_ok();
    app.sessions().await.is_ok();
    app.refresh().await.is_ok();
    app.sign_out().await.is_ok();
    house.backend().through(network.clone()).sign_in("ada@example.com").await.is_ok();
    too_many(&fails(&network).await);
}

async fn successes_are_not_counted_by_network(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=1"]).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    for _ in 0..20 {
        app.refresh().await.is_ok();
        app.me().await.is_ok();
    }
    fails(&app.http).await.gone("ended");
    too_many(&fails(&app.http).await);
}

async fn twenty_calls_at_once_are_counted_as_twenty(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.email=7"]).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let backend = house.backend();
        calls.spawn(async move { backend.sign_up("ada@example.com").await });
    }
    let answers = calls.join_all().await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 200);
    assert_eq!((served.len(), refused.len()), (7, 13));
    for answer in refused {
        too_many(answer);
    }
    assert_eq!(house.books().await.sessions, 7);
}

async fn what_is_refused_changes_nothing(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.email=1"]).await;
    house.backend().sign_in("ada@example.com").await.refused(403, 100_012);
    let before = house.books().await;
    for _ in 0..5 {
        too_many(&house.backend().sign_up("ada@example.com").await);
        too_many(&house.backend().sign_in_with("ada@example.com", json!({ "createIfMissing": true })).await);
    }
    assert_eq!(house.books().await, before);
}
