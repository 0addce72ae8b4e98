//! `GET user/{uid}/sessions`.

use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    actors::App,
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use serde_json::json;

use super::{HOUR, members};

on_both_engines!(
    a_user_sees_where_they_are_signed_in_and_no_token,
    the_backend_sees_the_sessions_of_any_user_of_its_project,
    another_user_is_as_unknown_as_none,
    what_has_ended_is_not_listed,
);

async fn a_user_sees_where_they_are_signed_in_and_no_token(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.backend();
    let app = backend.new_app("ada@example.com").await;
    let tablet = backend.for_client("c2").sign_in_with("ada@example.com", json!({ "deviceId": "tablet-1" })).await.ok();
    let tablet = App::told(house.node.client(), &tablet);
    let answer = app.sessions().await.ok();
    assert_eq!(members(&answer.json()), ["sessions"]);
    let sessions = answer.json()["sessions"].as_array().unwrap().clone();
    let ids: Vec<&str> = sessions.iter().map(|session| session["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    for (held, device) in [(&app, None), (&tablet, Some("tablet-1"))] {
        let session = sessions.iter().find(|session| session["id"] == held.session()).unwrap();
        let mut expected = vec!["amr", "clientId", "createdAt", "expiresAt", "id", "lastUsedAt"];
        if device.is_some() {
            expected.insert(3, "deviceId");
            expected.sort_unstable();
        }
        assert_eq!(members(session), expected);
        assert_eq!((session.get("deviceId").and_then(|it| it.as_str()), &session["amr"]), (device, &json!(["vouch"])));
        let lives = session["expiresAt"].as_i64().unwrap() - session["createdAt"].as_i64().unwrap();
        assert!((30 * 86_400 - 1..=30 * 86_400 + 1).contains(&lives), "it is idle after 30 days: {session}");
    }
    let text = answer.to_string();
    for secret in [&app.access, &app.refresh, &tablet.access, &tablet.refresh, "rt_", "eyJ", "hash"] {
        assert!(!text.contains(secret), "{text}");
    }
}

async fn the_backend_sees_the_sessions_of_any_user_of_its_project(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let path = format!("/auth/v1/user/{}/sessions", app.uid);
    let answer = house.backend().http().get(&path).await.ok();
    assert_eq!(answer.json(), app.sessions().await.ok().json());
    house.backend().with_secret("sk_wrong").http().get(&path).await.refused(401, 100_006);
    let other = house.another_project("p2").await;
    house.backend_with(other.secret.danger_expose()).http().get(&path).await.refused(404, 100_012);
    for nobody in ["u_00000000000000000000000000", "ada@example.com", "x"] {
        house.backend().http().get(&format!("/auth/v1/user/{nobody}/sessions")).await.refused(404, 100_012);
    }
}

async fn another_user_is_as_unknown_as_none(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let mut curious = house.backend().new_app("eve@example.com").await;
    let own = curious.sessions().await.ok().json();
    assert_eq!(own["sessions"].as_array().unwrap().len(), 1);
    curious.uid.clone_from(&app.uid);
    let refused = curious.sessions().await;
    refused.refused(404, 100_012);
    "u_00000000000000000000000000".clone_into(&mut curious.uid);
    assert_eq!(curious.sessions().await.json(), refused.json());
    let path = format!("/auth/v1/user/{}/sessions", app.uid);
    app.http.get(&path).await.refused(401, 10_002);
    app.http.with("authorization", "Bearer garbage").get(&path).await.refused(401, 10_002);
    // A wrong secret key isn't made good by a right access token.
    let both = app.http.with("authorization", &format!("Bearer {}", app.access)).with("verification-token", "sk_wrong");
    both.get(&path).await.refused(401, 100_006);
}

async fn what_has_ended_is_not_listed(engine: Engine) {
    let house = House::open(engine).await;
    let (backend, service) = (house.backend(), &house.node.service);
    let app = backend.new_app("ada@example.com").await;
    let on_other_client =
        App::told(house.node.client(), &backend.for_client("c2").sign_in("ada@example.com").await.ok());
    let path = format!("/auth/v1/user/{}/sessions", app.uid);
    let listed = async || {
        let body = backend.http().get(&path).await.ok().json();
        let ids = body["sessions"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(listed().await.len(), 2);
    app.sign_out().await.is_ok();
    assert_eq!(listed().await, [on_other_client.session()]);
    service.change_client_state(&p1(), &"c2".parse().unwrap(), StateChange::Revoke).await.unwrap();
    assert!(listed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_says_when_it_was_last_used_and_goes_when_it_was_idle_for_too_long() {
    let house = House::open(Engine::Sqlite).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    let idle = house.backend().app("ada@example.com").await;
    let opened = house.node.service.now().seconds();
    house.advance(HOUR).await;
    app.refresh().await.is_ok();
    let sessions = app.sessions().await.ok().json();
    let used = |app: &App| {
        let all = sessions["sessions"].as_array().unwrap();
        all.iter().find(|session| session["id"] == app.session()).unwrap()["lastUsedAt"].as_i64().unwrap()
    };
    assert_eq!((used(&app), used(&idle)), (opened + 3_600, opened));
    house.advance(HOUR * (30 * 24 - 1)).await;
    app.refresh().await.is_ok();
    let sessions = app.sessions().await.ok().json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "{sessions}");
    assert_eq!(sessions["sessions"][0]["id"], app.session());
}
