//! A project is an island: same client ids, same addresses, nothing in common.

use std::collections::BTreeSet;

use countersign_crypto::api_key::KeyText;
use countersign_service::{keys::create::NewKey, projects::state::StateChange};
use countersign_testkit::{
    actors::{App, Backend},
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use serde_json::json;

on_both_engines!(
    the_same_address_is_another_user,
    no_key_opens_another_project,
    no_key_set_checks_another_projects_tokens,
    a_user_is_unknown_in_another_project,
    what_is_revoked_in_one_lives_on_in_the_other,
    a_closed_project_is_closed_and_the_other_is_not,
    settings_of_one_are_not_settings_of_the_other,
);

struct Islands {
    house: House,
    key: NewKey,
    here: Backend,
    there: Backend,
}

impl Islands {
    async fn open(engine: Engine) -> Self {
        let house = House::open(engine).await;
        let key = house.another_project("p2").await;
        let here = house.backend();
        let there = house.backend_with(key.secret.danger_expose()).of_project("p2");
        Self { house, key, here, there }
    }

    async fn apps(&self) -> (App, App) {
        (self.here.new_app("ada@example.com").await, self.there.new_app("ada@example.com").await)
    }
}

async fn works(app: &mut App) {
    app.me().await.is_ok();
    app.refresh().await.is_ok();
}

async fn the_same_address_is_another_user(engine: Engine) {
    let islands = Islands::open(engine).await;
    let more = json!({ "externalId": "7", "phoneNumber": "+15551234567", "deviceId": "phone" });
    let here = islands.here.sign_up_with("ada@example.com", more.clone()).await.ok();
    islands.there.sign_in_with("ada@example.com", more.clone()).await.refused(403, 100_012);
    let there = islands.there.sign_up_with("ada@example.com", more).await.ok();
    assert_ne!(here.text("uid"), there.text("uid"));
    let mut apps = [&here, &there].map(|vouched| App::told(islands.house.node.client(), vouched));
    for (app, project) in apps.iter_mut().zip(["p1", "p2"]) {
        assert_eq!(app.me().await.ok().text("project"), project);
        works(app).await;
    }
    let books = islands.house.books().await;
    assert_eq!((books.users, books.identities, books.live_sessions), (2, 6, 2));
}

async fn no_key_opens_another_project(engine: Engine) {
    let islands = Islands::open(engine).await;
    islands.apps().await;
    let before = islands.house.books().await;
    assert!(islands.here.secret().starts_with(KeyText::Secret.prefix()));
    for backend in [islands.here.of_project("p2"), islands.there.of_project("p1")] {
        backend.sign_in("ada@example.com").await.refused(400, 100_001);
        backend.sign_up("bob@example.com").await.refused(400, 100_001);
    }
    assert_eq!(islands.house.books().await, before);
}

async fn no_key_set_checks_another_projects_tokens(engine: Engine) {
    let islands = Islands::open(engine).await;
    let client = islands.house.node.client();
    let mut kids = Vec::new();
    for project in ["p1", "p2"] {
        let set = client.get(&format!("/p/{project}/.well-known/jwks.json")).await.ok().json();
        let keys = set["keys"].as_array().unwrap();
        kids.push(keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>());
        for key in keys {
            assert!(key.get("d").is_none(), "a private key is published");
        }
    }
    assert!(kids[0].is_disjoint(&kids[1]));
    let (here, there) = islands.apps().await;
    for (app, own, project) in [(here, &kids[0], "p1"), (there, &kids[1], "p2")] {
        let (header, claims) = decoded(&app.access);
        assert!(own.contains(header["kid"].as_str().unwrap()), "{header}");
        assert!(claims["iss"].as_str().unwrap().ends_with(&format!("/p/{project}")) || project == "p1", "{claims}");
    }
}

/// Header and claims of a token, without any proof.
fn decoded(token: &str) -> (serde_json::Value, serde_json::Value) {
    let mut parts = token.split('.').map(|part| countersign_crypto::encoding::decode(part).unwrap_or_default());
    let mut json = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (json(), json())
}

async fn a_user_is_unknown_in_another_project(engine: Engine) {
    let islands = Islands::open(engine).await;
    let (here, there) = islands.apps().await;
    let path = |uid: &str| format!("/auth/v1/user/{uid}/sessions");
    islands.here.http().get(&path(&here.uid)).await.is_ok();
    islands.here.http().get(&path(&there.uid)).await.refused(404, 100_012);
    islands.there.http().get(&path(&here.uid)).await.refused(404, 100_012);
    let bearer = islands.house.node.client().with("authorization", &format!("Bearer {}", there.access));
    bearer.get(&path(&here.uid)).await.refused(404, 100_012);
    bearer.get(&path(&there.uid)).await.is_ok();
    // A session of one is no session of a user of the other.
    let both = json!({ "userId": here.uid, "refreshToken": there.refresh });
    bearer.post("/auth/v1/signout", &both).await.refused(400, 100_050);
    there.me().await.is_ok();
}

async fn what_is_revoked_in_one_lives_on_in_the_other(engine: Engine) {
    let islands = Islands::open(engine).await;
    let service = &islands.house.node.service;
    let (here, mut there) = islands.apps().await;
    let revocations = [
        service.change_user_state(&p1(), here.uid.parse().unwrap(), StateChange::Revoke).await.map(drop),
        service.change_client_state(&p1(), &"c1".parse().unwrap(), StateChange::Revoke).await.map(drop),
        service.revoke_secret_key(&p1(), islands.house.key.key.id, true).await.map(drop),
        service.change_project_state(&p1(), StateChange::Revoke).await.map(drop),
    ];
    for done in revocations {
        done.unwrap();
        works(&mut there).await;
    }
    assert_eq!(here.me().await.status(), 401);
    here.try_refresh().await.gone("ended");
    islands.here.sign_in("ada@example.com").await.refused(401, 100_006);
    islands.there.sign_in("ada@example.com").await.is_ok();
    // Nobody ends with one project's hand what is the other's.
    service.revoke_secret_key(&p1(), islands.key.key.id, true).await.map(drop).unwrap_err();
    service.change_user_state(&p1(), there.uid.parse().unwrap(), StateChange::Disable).await.map(drop).unwrap_err();
    works(&mut there).await;
}

async fn a_closed_project_is_closed_and_the_other_is_not(engine: Engine) {
    let islands = Islands::open(engine).await;
    let service = &islands.house.node.service;
    let (mut here, there) = islands.apps().await;
    let p2 = "p2".parse().unwrap();
    service.change_project_state(&p2, StateChange::Disable).await.unwrap();
    let before = islands.house.books().await;
    islands.there.sign_in("ada@example.com").await.refused(401, 100_006);
    islands.there.sign_up("bob@example.com").await.refused(401, 100_006);
    islands.here.of_project("p2").sign_in("ada@example.com").await.refused(400, 100_001);
    there.try_refresh().await.gone("ended");
    assert_eq!(there.me().await.status(), 401);
    assert_eq!(islands.house.books().await, before);
    works(&mut here).await;
    islands.here.sign_in("ada@example.com").await.is_ok();

    service.change_project_state(&p2, StateChange::Enable).await.unwrap();
    islands.there.sign_in("ada@example.com").await.is_ok();
    assert_eq!(there.me().await.status(), 401, "what was ended stays ended");
}

async fn settings_of_one_are_not_settings_of_the_other(engine: Engine) {
    let islands = Islands::open(engine).await;
    islands.house.set(&["signup_existing=reject", "access.lifetime=1m", "limits.email=1"]).await;
    islands.apps().await;
    islands.here.sign_up("bob@example.com").await.is_ok();
    assert_eq!(islands.here.sign_in("bob@example.com").await.status(), 429);
    for _ in 0..3 {
        assert_eq!(islands.there.sign_up("ada@example.com").await.ok().json()["authTokenExpiresIn"], 900);
    }
}
