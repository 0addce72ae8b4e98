//! `/users`, for the user and for the backend.

use countersign_domain::key::KeyScope;
use countersign_testkit::{answer::Answer, database::Engine, house::House, http::Client, on_both_engines};
use hyper::Method;
use serde_json::json;
use tokio::task::JoinSet;

on_both_engines!(
    a_user_sees_and_names_itself,
    another_user_is_as_unknown_as_none,
    a_backend_makes_sees_names_and_forgets_users,
    a_backend_goes_through_all_users_a_page_at_a_time,
    what_is_for_backends_is_forbidden_to_users,
    a_key_that_may_not_create_users_may_neither_make_nor_forget_any,
    another_projects_users_are_unknown,
    bad_bodies_and_parameters_change_nothing,
    two_who_make_the_same_user_at_once_make_one,
    a_forgotten_users_tokens_are_dead,
);

fn path(id: &str) -> String {
    format!("/users/{id}")
}

async fn delete(client: &Client, id: &str) -> Answer {
    client.send(Method::DELETE, &path(id), String::new().into()).await
}

async fn a_user_sees_and_names_itself(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let uid = app.uid().await;
    let now = house.node.service.now().millis();
    let user = app.get(&path(&uid)).await.ok().json();
    let made_at = user["created_at"].as_i64().unwrap();
    assert!((now - 60_000..=now).contains(&made_at), "{made_at} is no time in milliseconds");
    let expected = json!({
        "id": uid, "object": "user", "external_id": "crm-7", "first_name": "", "last_name": "", "live_mode": true,
        "created_at": made_at, "updated_at": made_at,
    });
    assert_eq!(user, expected);
    let named = app.post(&path(&uid), &json!({ "first_name": "Ada", "last_name": "Lovelace" })).await.ok().json();
    assert_eq!((&named["first_name"], &named["last_name"]), (&json!("Ada"), &json!("Lovelace")));
    let half = app.post(&path(&uid), &json!({ "last_name": "King" })).await.ok().json();
    assert_eq!((&half["first_name"], &half["last_name"]), (&json!("Ada"), &json!("King")));
    assert_eq!(app.get(&path(&uid)).await.ok().json(), half);
    assert_eq!(house.entries("user.set").await.len(), 2);
}

async fn another_user_is_as_unknown_as_none(engine: Engine) {
    let house = House::open(engine).await;
    let (ada, bob) = (house.client_app("ada"), house.client_app("bob"));
    let theirs = bob.uid().await;
    ada.verify().await.is_ok();
    for id in [theirs.as_str(), "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "bob", "u_", "%00"] {
        ada.get(&path(id)).await.denied(404, "resource_not_found");
        ada.post(&path(id), &json!({ "first_name": "Mallory" })).await.denied(404, "resource_not_found");
    }
    assert_eq!(bob.get(&path(&theirs)).await.ok().text("first_name"), "");
}

async fn a_backend_makes_sees_names_and_forgets_users(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.secret_bearer();
    let made = backend.post("/users", &json!({ "external_id": "crm-7", "first_name": "Ada" })).await.ok();
    let uid = made.text("id");
    assert_eq!(house.client_app("crm-7").uid().await, uid, "the first call finds the user");
    backend.post("/users", &json!({ "external_id": "crm-7" })).await.denied(409, "conflict");
    assert_eq!(backend.get(&path(&uid)).await.ok().json(), made.json());
    assert_eq!(backend.post(&path(&uid), &json!({ "last_name": "L" })).await.ok().text("last_name"), "L");
    let gone = delete(&backend, &uid).await.ok().json();
    assert_eq!(gone, json!({ "id": uid, "object": "user", "deleted": true }));
    backend.get(&path(&uid)).await.denied(404, "resource_not_found");
    delete(&backend, &uid).await.denied(404, "resource_not_found");
    for act in ["user.created", "user.set", "user.deleted"] {
        let entry = house.only_entry(act).await;
        assert_eq!((entry.actor_kind.as_str(), entry.actor_id), ("secret_key", Some(house.key.key.id.to_string())));
    }
}

async fn a_backend_goes_through_all_users_a_page_at_a_time(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.secret_bearer();
    let mut made = Vec::new();
    for number in 0..7 {
        house.advance(super::SECOND).await;
        made.push(backend.post("/users", &json!({ "external_id": format!("crm-{number}") })).await.ok().text("id"));
    }
    made.reverse();
    let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
    loop {
        let page = backend.get(&format!("/users?{query}")).await.ok().json();
        let ids = page["data"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned());
        seen.extend(ids);
        if page["has_more"] == json!(false) {
            break;
        }
        query = format!("limit=3&starting_after={}", seen.last().unwrap());
    }
    assert_eq!(seen, made);
    assert_eq!(backend.get("/users").await.ok().json()["data"].as_array().unwrap().len(), 7);
}

async fn what_is_for_backends_is_forbidden_to_users(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let uid = app.uid().await;
    app.get("/users").await.denied(403, "forbidden");
    app.post("/users", &json!({ "external_id": "crm-8" })).await.denied(403, "forbidden");
    app.delete(&path(&uid)).await.denied(403, "forbidden");
    assert_eq!(house.books().await.users, 1);
}

async fn a_key_that_may_not_create_users_may_neither_make_nor_forget_any(engine: Engine) {
    let house = House::open(engine).await;
    let uid = house.client_app("crm-7").uid().await;
    let narrow = house.another_key(KeyScope { may_create_users: false, ..KeyScope::default() }).await;
    let narrow = house.node.client().with("authorization", &format!("Bearer {}", narrow.secret.danger_expose()));
    narrow.post("/users", &json!({ "external_id": "crm-8" })).await.denied(403, "forbidden");
    delete(&narrow, &uid).await.denied(403, "forbidden");
    assert_eq!(house.books().await.users, 1);
    narrow.get(&path(&uid)).await.is_ok();
}

async fn another_projects_users_are_unknown(engine: Engine) {
    let house = House::open(engine).await;
    let uid = house.client_app("crm-7").uid().await;
    let theirs = house.another_project("p2").await;
    let theirs = house.node.client().with("authorization", &format!("Bearer {}", theirs.secret.danger_expose()));
    theirs.get(&path(&uid)).await.denied(404, "resource_not_found");
    delete(&theirs, &uid).await.denied(404, "resource_not_found");
    assert_eq!(theirs.get("/users").await.ok().json(), json!({ "data": [], "has_more": false }));
    house.secret_bearer().get(&path(&uid)).await.is_ok();
}

async fn bad_bodies_and_parameters_change_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let uid = house.client_app("crm-7").uid().await;
    let backend = house.secret_bearer();
    let before = house.books().await;
    let bodies = [
        "",
        "[]",
        "{",
        r#"{"external_id": 7}"#,
        r#"{"external_id": ""}"#,
        r#"{"external_id": "a", "external_id": "b"}"#,
        r#"{"external_id": "a\nb"}"#,
        r#"{"external_id": "a", "first_name": {}}"#,
        r#"{"first_name": "Ada"}"#,
    ];
    for body in bodies {
        backend.post_bytes("/users", body).await.denied(400, "invalid_request");
    }
    let long = json!({ "external_id": "a".repeat(256) });
    backend.post("/users", &long).await.denied(400, "invalid_request");
    backend
        .post("/users", &json!({ "external_id": "a", "x": "y".repeat(70_000) }))
        .await
        .denied(413, "invalid_request");
    backend.post(&path(&uid), &json!({ "first_name": "a\u{0}" })).await.denied(400, "invalid_request");
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "starting_after=x",
        "starting_after=",
    ] {
        backend.get(&format!("/users?{query}")).await.denied(400, "invalid_request");
    }
    assert_eq!(house.books().await, before);
}

async fn two_who_make_the_same_user_at_once_make_one(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.secret_bearer();
    let body = json!({ "external_id": "crm-7" });
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let (backend, body) = (backend.clone(), body.clone());
        calls.spawn(async move { backend.post("/users", &body).await });
    }
    let answers = calls.join_all().await;
    let made = answers.iter().filter(|answer| answer.status() == 200).count();
    for refused in answers.iter().filter(|answer| answer.status() != 200) {
        refused.denied(409, "conflict");
    }
    assert_eq!((made, house.books().await.users), (1, 1));
}

async fn a_forgotten_users_tokens_are_dead(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let app = house.backend().new_app("ada@example.com").await;
    let there = app.through(other.client());
    there.me().await.is_ok();
    delete(&house.secret_bearer(), &app.uid).await.is_ok();
    app.me().await.denied(401, "invalid_credentials");
    app.try_refresh().await.gone("ended");
    tokio::time::sleep(super::SECOND).await;
    there.me().await.denied(401, "invalid_credentials");
    let books = house.books().await;
    assert_eq!((books.users, books.identities, books.sessions), (0, 0, 0));
    assert_ne!(house.backend().new_app("ada@example.com").await.uid, app.uid);
}
