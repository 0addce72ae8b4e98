//! `private/signin`, row by row.

use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    actors::Backend,
    answer::Answer,
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use hyper::Method;
use serde_json::{Value, json};

on_both_engines!(
    a_user_who_is_vouched_for_gets_tokens,
    the_answer_has_these_members_and_no_others,
    the_method_is_4_or_its_name,
    lifetimes_are_the_clients_own,
    nobody_is_signed_in_who_doesnt_exist_and_only_that_is_403,
    the_key_is_checked_before_anything_else,
    projects_and_clients_that_dont_exist_have_codes_of_their_own,
    a_closed_client_is_as_unknown_as_none,
    a_disabled_user_is_kept_out_until_let_in_again,
    members_that_nobody_knows_are_ignored,
    a_user_who_is_missing_is_created_if_the_vouch_says_so,
    the_wrong_path_method_and_length_are_told_in_the_errors_shape,
    what_the_backend_passes_on_is_in_the_token,
);

async fn a_user_who_is_vouched_for_gets_tokens(engine: Engine) {
    let house = House::open(engine).await;
    let vouched = house.backend().sign_up("ada@example.com").await.ok().json();
    let uid = vouched["uid"].as_str().unwrap();
    assert!(uid.starts_with("u_"), "{vouched}");
    let again = house.backend().sign_in_with("Ada@Example.com", json!({})).await.ok().json();
    assert_eq!(again["uid"], uid);
}

/// The answer of sign-in and sign-up.
#[track_caller]
pub(super) fn has_exactly_the_tokens(answer: &Answer, access_seconds: u64, refresh_seconds: u64) {
    answer.is_ok();
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut json = answer.json();
    let members = json.as_object_mut().unwrap();
    for member in ["uid", "authToken", "refreshToken"] {
        let text = members.remove(member).unwrap_or_else(|| panic!("{member} is missing"));
        assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{member} is no text");
    }
    let times = json!({
        "authTokenExpiresIn": access_seconds, "expiresIn": refresh_seconds, "refreshTokenExpiresIn": refresh_seconds
    });
    assert_eq!(json, times);
}

async fn the_answer_has_these_members_and_no_others(engine: Engine) {
    let house = House::open(engine).await;
    has_exactly_the_tokens(&house.backend().sign_up("ada@example.com").await, 15 * 60, 45 * 86_400);
    has_exactly_the_tokens(&house.backend().sign_in("ada@example.com").await, 15 * 60, 45 * 86_400);
}

async fn the_method_is_4_or_its_name(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.backend();
    backend.sign_up_with("ada@example.com", json!({ "method": "PRIVATE" })).await.is_ok();
    for right in [json!(4), json!("PRIVATE")] {
        backend.sign_in_with("ada@example.com", json!({ "method": right })).await.is_ok();
    }
    for wrong in [json!(0), json!(-4), json!(5), json!(4.0), json!("4"), json!("private"), json!(true), json!([4])] {
        let refused = backend.sign_in_with("ada@example.com", json!({ "method": wrong })).await;
        assert!(refused.refused(400, 100_050).starts_with("`method` must be 4"), "{wrong}: {refused}");
    }
}

async fn lifetimes_are_the_clients_own(engine: Engine) {
    let house = House::open(engine).await;
    house.set_client("c2", &["access.lifetime=5m", "refresh.lifetime=10days"]).await;
    house.set_client("c3", &["access.lifetime=2h", "refresh.lifetime=1h"]).await;
    let backend = house.backend();
    backend.sign_up("ada@example.com").await.is_ok();
    for (client, access, refresh) in [("c1", 900, 45 * 86_400), ("c2", 300, 10 * 86_400), ("c3", 3_600, 3_600)] {
        has_exactly_the_tokens(&backend.for_client(client).sign_in("ada@example.com").await, access, refresh);
    }
}

async fn nobody_is_signed_in_who_doesnt_exist_and_only_that_is_403(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let message = house.backend().sign_in("ada@example.com").await.refused(403, 100_012);
    assert!(message.contains("private/signup"), "{message}");
    assert!(!message.contains("ada@"), "{message}");
    assert_eq!(house.books().await, before);

    house.backend().sign_up("ada@example.com").await.is_ok();
    house.backend().sign_in("ada@example.com").await.is_ok();
    house.another_project("p2").await;
    for refused in every_other_refusal(&house).await {
        assert_ne!(refused.status(), 403, "{refused}");
        assert!(refused.status() >= 400, "{refused}");
    }
}

/// One of each kind.
async fn every_other_refusal(house: &House) -> Vec<Answer> {
    let backend = house.backend();
    let user = house.node.service.show_user(&p1(), "ada@example.com").await.unwrap().user.id;
    let mut refusals = vec![
        backend.with_secret("sk_wrong").sign_in("ada@example.com").await,
        backend.of_project("nowhere").sign_in("ada@example.com").await,
        backend.of_project("p2").sign_in("ada@example.com").await,
        backend.for_client("nobody").sign_in("ada@example.com").await,
        backend.post("/private/signin", &json!([])).await,
        backend.sign_in("ada").await,
        backend.through(backend.http().with("origin", "https://app.example")).sign_in("ada@example.com").await,
    ];
    house.node.service.change_user_state(&p1(), user, StateChange::Disable).await.unwrap();
    refusals.push(backend.sign_in("ada@example.com").await);
    refusals
}

async fn the_key_is_checked_before_anything_else(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    for path in ["/auth/v1/private/signin", "/auth/v1/private/signup"] {
        for garbage in ["", "garbage", "[]", "{\"method\": 5}"] {
            let missing = house.node.client().post_bytes(path, garbage.to_owned()).await;
            assert!(missing.refused(401, 100_006).contains("verification-token"), "{missing}");
            let wrong = "sk_012345678901234567890123456789012345678901234567890123456789012345678901";
            for secret in ["", "wrong", "sk_", wrong, &house.key.key.id.to_string(), &house.key.key.prefix] {
                let wrong = house.node.client().with("verification-token", secret);
                let message = wrong.post_bytes(path, garbage.to_owned()).await.refused(401, 100_006);
                assert!(message.contains("verification-token"), "{message}");
                assert!(secret.len() < 8 || !message.contains(secret), "{message}");
            }
        }
    }
    assert_eq!(house.books().await, before);
    // The same garbage, with the right key, is looked at.
    let path = "/auth/v1/private/signin";
    house.backend().http().post_bytes(path, "garbage").await.refused(400, 100_003);
}

async fn projects_and_clients_that_dont_exist_have_codes_of_their_own(engine: Engine) {
    let house = House::open(engine).await;
    house.another_project("p2").await;
    let backend = house.backend();
    backend.sign_up("ada@example.com").await.is_ok();
    let before = house.books().await;
    for project in ["p2", "p3", "P1", "", "p1 ", "p1\u{0}", "../p1", &"p".repeat(1_000)] {
        for refused in [
            backend.of_project(project).sign_in("ada@example.com").await,
            backend.of_project(project).sign_up("ada@example.com").await,
        ] {
            assert!(refused.refused(400, 100_001).starts_with("`projectId` "), "{refused}");
        }
    }
    for client in ["c5", "C1", "", "c1 ", "c1\u{0}", "*", &"c".repeat(1_000)] {
        for refused in [
            backend.for_client(client).sign_in("ada@example.com").await,
            backend.for_client(client).sign_up("ada@example.com").await,
        ] {
            assert!(refused.refused(400, 100_002).starts_with("`clientId` "), "{refused}");
        }
    }
    assert_eq!(house.books().await, before);
}

async fn a_closed_client_is_as_unknown_as_none(engine: Engine) {
    let house = House::open(engine).await;
    let service = &house.node.service;
    let backend = house.backend();
    backend.sign_up("ada@example.com").await.is_ok();
    let c1 = "c1".parse().unwrap();
    service.change_client_state(&p1(), &c1, StateChange::Disable).await.unwrap();
    backend.sign_in("ada@example.com").await.refused(400, 100_002);
    backend.for_client("c2").sign_in("ada@example.com").await.is_ok();
    service.change_client_state(&p1(), &c1, StateChange::Enable).await.unwrap();
    backend.sign_in("ada@example.com").await.is_ok();
}

async fn a_disabled_user_is_kept_out_until_let_in_again(engine: Engine) {
    let house = House::open(engine).await;
    let service = &house.node.service;
    let app = house.backend().new_app("ada@example.com").await;
    let uid = app.uid.parse().unwrap();
    service.change_user_state(&p1(), uid, StateChange::Disable).await.unwrap();
    let before = house.books().await;
    for refused in [
        house.backend().sign_in("ada@example.com").await,
        house.backend().sign_in_with("ada@example.com", json!({ "createIfMissing": true })).await,
        house.backend().sign_in_with("ada@example.com", json!({ "deviceId": "phone" })).await,
        house.backend().sign_up("ada@example.com").await,
        house.backend().sign_up_with("ada@example.com", json!({ "externalId": "7" })).await,
    ] {
        assert!(refused.refused(401, 100_006).contains("disabled"), "{refused}");
    }
    assert_eq!(house.books().await, before);
    service.change_user_state(&p1(), uid, StateChange::Enable).await.unwrap();
    assert_eq!(house.backend().app("ada@example.com").await.uid, app.uid);
}

async fn members_that_nobody_knows_are_ignored(engine: Engine) {
    let house = House::open(engine).await;
    let strange = json!({
        "Email": "eve@example.com", "user_id": "u_1", "isAdmin": true, "nested": { "a": [1, { "b": {} }], "email": 4 },
        "": "", "__proto__": { "email": "eve@example.com" },
    });
    let known = house.backend().sign_up("ada@example.com").await.ok().text("uid");
    let signed_in = house.backend().sign_in_with("ada@example.com", strange.clone()).await.ok();
    assert_eq!(signed_in.text("uid"), known);
    house.backend().sign_up_with("bob@example.com", strange).await.is_ok();
    assert_eq!(house.books().await.identities, 2);
}

async fn a_user_who_is_missing_is_created_if_the_vouch_says_so(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.backend();
    let sign_in = |create: Value| backend.sign_in_with("ada@example.com", json!({ "createIfMissing": create }));
    sign_in(json!(false)).await.refused(403, 100_012);
    assert_eq!(house.books().await.users, 0);
    let uid = sign_in(json!(true)).await.ok().text("uid");
    assert_eq!(sign_in(json!(true)).await.ok().text("uid"), uid);
    assert_eq!(sign_in(json!(false)).await.ok().text("uid"), uid);
    assert_eq!(house.books().await.users, 1);
}

async fn the_wrong_path_method_and_length_are_told_in_the_errors_shape(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.backend().http();
    for path in ["/auth/v1/private/signin", "/auth/v1/private/signup"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let refused = client.send(method, path, "{}".into()).await;
            refused.refused(405, 100_003);
            assert_eq!(refused.header("allow"), "POST");
        }
        client.post_bytes(path, "a".repeat(64 * 1024 + 1)).await.refused(413, 100_003);
    }
    for path in
        ["/auth", "/auth/v1/private", "/auth/v1/private/signin/", "/auth/v1/private/signIn", "/auth/v2/x", "/api/auth"]
    {
        client.post(path, &json!({})).await.refused(404, 100_003);
        client.get(path).await.refused(404, 100_003);
    }
}

async fn what_the_backend_passes_on_is_in_the_token(engine: Engine) {
    let house = House::open(engine).await;
    let backend = house.backend();
    let passed_on = json!({ "authentication": {
        "amr": ["pwd", "otp", "vouch"], "acr": "urn:countersign:acr:two-factors", "authTime": 1_700_000_000
    } });
    backend.sign_up("ada@example.com").await.is_ok();
    let me = me_after(&backend, passed_on).await;
    assert_eq!(me["amr"], json!(["vouch", "pwd", "otp"]));
    assert_eq!(me["acr"], "urn:countersign:acr:vouched", "this key may pass on no higher level");
    assert_eq!(me_after(&backend, json!({})).await["amr"], json!(["vouch"]));

    let ahead = json!({ "authentication": { "authTime": 4_000_000_000_i64 } });
    let before = house.books().await;
    let refused = backend.sign_in_with("ada@example.com", ahead).await;
    assert!(refused.refused(400, 100_050).starts_with("`authentication.authTime` "), "{refused}");
    assert_eq!(house.books().await, before);
}

async fn me_after(backend: &Backend, more: Value) -> Value {
    let access = backend.sign_in_with("ada@example.com", more).await.ok().text("authToken");
    backend.http().with("authorization", &format!("Bearer {access}")).get("/v1/me").await.ok().json()
}
