//! Which sessions a vouch opens, and which it ends.

use std::time::Duration;

use countersign_testkit::{
    actors::App,
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use serde_json::json;

on_both_engines!(
    a_vouch_never_ends_another_session,
    a_device_has_one_session_in_a_client,
    a_device_of_another_user_or_client_is_another_device,
    twenty_vouches_for_one_device_leave_one_session,
    vouches_at_once_never_leave_more_sessions_than_the_cap,
);

async fn a_vouch_never_ends_another_session(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.backend();
    let first = backend.new_app("ada@example.com").await;
    let mut apps = vec![first];
    for _ in 0..10 {
        apps.push(backend.app("ada@example.com").await);
        apps.push(backend.new_app("ada@example.com").await);
    }
    apps.push(backend.for_client("c2").app("ada@example.com").await);
    for app in &mut apps {
        app.me().await.is_ok();
        app.refresh().await.is_ok();
    }
    let books = house.books().await;
    assert_eq!((books.sessions, books.live_sessions), (22, 22));
}

async fn on_device(house: &House, email: &str, client: &str, device: &str) -> App {
    let backend = house.backend().for_client(client);
    let vouched = backend.sign_up_with(email, json!({ "deviceId": device })).await.ok();
    App::told(house.node.client().user_agent("app/1"), &vouched)
}

async fn a_device_has_one_session_in_a_client(engine: Engine) {
    let house = House::open(engine).await;
    let mut other = on_device(&house, "ada@example.com", "c1", "tablet").await;
    let mut nameless = house.backend().app("ada@example.com").await;
    let before = on_device(&house, "ada@example.com", "c1", "phone").await;
    before.me().await.is_ok();
    let mut now = on_device(&house, "ada@example.com", "c1", "phone").await;

    assert_eq!(before.me().await.status(), 401, "the access token of the replaced session still works");
    before.try_refresh().await.gone("ended");
    for app in [&mut now, &mut other, &mut nameless] {
        app.me().await.is_ok();
        app.refresh().await.is_ok();
    }
    let trail = house.trail().await;
    let ended: Vec<_> = trail.iter().filter(|entry| entry.act == "session.ended").collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].detail["reason"], "replaced");
    assert_eq!(house.books().await.live_sessions, 3);
}

async fn a_device_of_another_user_or_client_is_another_device(engine: Engine) {
    let house = House::open(engine).await;
    let apps = [
        on_device(&house, "ada@example.com", "c1", "phone").await,
        on_device(&house, "ada@example.com", "c2", "phone").await,
        on_device(&house, "bob@example.com", "c1", "phone").await,
        on_device(&house, "ada@example.com", "c1", "Phone").await,
    ];
    for mut app in apps {
        app.me().await.is_ok();
        app.refresh().await.is_ok();
    }
}

async fn twenty_vouches_for_one_device_leave_one_session(engine: Engine) {
    let house = House::open(engine).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let backend = house.backend();
        calls.spawn(async move { backend.sign_up_with("ada@example.com", json!({ "deviceId": "phone" })).await });
    }
    for answer in calls.join_all().await {
        answer.is_ok();
    }
    let books = house.books().await;
    assert_eq!((books.users, books.sessions, books.live_sessions), (1, 20, 1));
}

async fn vouches_at_once_never_leave_more_sessions_than_the_cap(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["session.cap=3"]).await;
    let uid = house.backend().sign_up("ada@example.com").await.ok().text("uid");
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let backend = house.backend();
        calls.spawn(async move { backend.sign_in("ada@example.com").await });
    }
    for answer in calls.join_all().await {
        answer.is_ok();
    }
    let live = house.node.service.sessions_of(&p1(), uid.parse().unwrap()).await.unwrap();
    assert_eq!(live.len(), 3);
}

/// Lets time go by, so that one session is older than another.
#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_cap_the_oldest_session_goes() {
    let house = House::open(Engine::Sqlite).await;
    house.set(&["session.cap=3"]).await;
    house.set_client("c2", &["session.cap=1"]).await;
    let backend = house.backend();
    let mut apps = vec![backend.new_app("ada@example.com").await];
    for _ in 0..2 {
        house.advance(Duration::from_secs(1)).await;
        apps.push(backend.app("ada@example.com").await);
    }
    // Refreshing makes no session younger.
    apps[0].refresh().await.is_ok();
    house.advance(Duration::from_secs(1)).await;
    apps.push(backend.app("ada@example.com").await);
    let others = [backend.for_client("c2").app("ada@example.com").await, backend.new_app("bob@example.com").await];

    assert_eq!(apps[0].me().await.status(), 401);
    apps[0].try_refresh().await.gone("ended");
    for app in apps[1..].iter().chain(&others) {
        app.me().await.is_ok();
        app.try_refresh().await.is_ok();
    }
    let ended: Vec<_> = house.trail().await.into_iter().filter(|entry| entry.act == "session.ended").collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].detail["reason"], "cap");

    house.advance(Duration::from_secs(1)).await;
    backend.for_client("c2").app("ada@example.com").await.me().await.is_ok();
    assert_eq!(others[0].me().await.status(), 401, "the cap of a client is its own");
}
