//! `GET /v1/me`.

use countersign_testkit::{actors::App, database::Engine, house::House, on_both_engines, token::claims};
use serde_json::json;

use super::{SECOND, members};

on_both_engines!(
    an_app_learns_who_its_user_is_and_by_whose_word,
    what_is_not_known_is_left_out,
    a_user_who_gains_an_identity_is_known_by_it_at_once,
    whoever_shows_no_live_access_token_is_refused_in_the_shape_of_door_two,
);

async fn an_app_learns_who_its_user_is_and_by_whose_word(engine: Engine) {
    let house = House::open(engine).await;
    let vouched = house.backend().sign_up_with("Ada@Example.com", json!({ "externalId": "crm-7" })).await.ok();
    let app = App::told(house.node.client(), &vouched);
    let me = app.me().await.ok();
    let expected = json!({
        "uid": app.uid, "project": "p1", "client_id": "c1", "session_id": app.session(), "email": "ada@example.com",
        "external_id": "crm-7", "amr": ["vouch"], "acr": "urn:countersign:acr:vouched",
        "vouched_by": house.key.key.id.to_string(), "expires_at": claims(&app.access)["exp"],
    });
    assert_eq!(me.json(), expected);
    assert_eq!(me.header("content-type"), "application/json");
    assert_eq!(me.header("cache-control"), "no-store");
    let by_path = app.http.with("authorization", &format!("bearer {}", app.access)).get("/p/p1/v1/me").await.ok();
    assert_eq!(by_path.json(), expected);
}

async fn what_is_not_known_is_left_out(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let expected = ["acr", "amr", "client_id", "email", "expires_at", "project", "session_id", "uid", "vouched_by"];
    assert_eq!(members(&app.me().await.ok().json()), expected);
}

async fn a_user_who_gains_an_identity_is_known_by_it_at_once(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    assert_eq!(app.me().await.ok().json().get("external_id"), None);
    house.backend().sign_in_with("ada@example.com", json!({ "externalId": "crm-7" })).await.is_ok();
    assert_eq!(app.me().await.ok().text("external_id"), "crm-7");
}

async fn whoever_shows_no_live_access_token_is_refused_in_the_shape_of_door_two(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    app.me().await.is_ok();
    let credentials = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer garbage".to_owned(),
        format!("Basic {}", app.access),
        app.access.clone(),
        format!("Bearer {}", app.refresh),
        format!("Bearer {}", house.key.secret.danger_expose()),
        format!("Bearer {}, Bearer {}", app.access, app.access),
    ];
    for credential in credentials {
        let refused = app.http.with("authorization", &credential).get("/v1/me").await;
        refused.denied(401, "invalid_credentials");
        // RFC 6750 §3.1: who shows no token isn't told that it is a bad one.
        let shows_one =
            credential.split_once(' ').is_some_and(|(scheme, token)| scheme == "Bearer" && !token.is_empty());
        let challenge = if shows_one { "Bearer error=\"invalid_token\"" } else { "Bearer" };
        assert_eq!(refused.header("www-authenticate"), challenge, "{credential}");
    }
    app.http.get("/v1/me").await.denied(401, "invalid_credentials");
    app.http.post("/v1/me", &json!({})).await.denied(405, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_access_token_is_refused_to_the_second() {
    let house = House::open(Engine::Sqlite).await;
    let app = house.backend().new_app("ada@example.com").await;
    house.advance(SECOND * 899).await;
    app.me().await.is_ok();
    house.advance(SECOND).await;
    app.me().await.denied(401, "invalid_credentials");
}
