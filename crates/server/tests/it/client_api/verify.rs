//! `GET /verify`: the same verdict, for a proxy that stands before an API.

use countersign_testkit::{answer::Answer, database::Engine, house::House, on_both_engines, token};
use hyper::Method;
use serde_json::json;

on_both_engines!(
    a_proxy_is_told_who_calls_for_each_credential,
    the_assertion_is_checked_with_the_published_keys,
    any_method_and_any_path_below_is_the_same_question,
    an_id_that_a_header_cant_have_is_percent_encoded,
    headers_from_outside_never_pass_for_ours,
    an_assertion_is_no_access_token,
    an_assertion_is_made_anew_before_it_expires,
    a_refusal_has_its_body_in_a_header_for_proxies_that_throw_bodies_away,
);

fn told<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(&format!("x-countersign-{name}"))
}

async fn a_proxy_is_told_who_calls_for_each_credential(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.client_app("crm-7");
    let by_mac = client.verify().await.ok();
    assert!(by_mac.body.is_empty());
    assert_eq!((told(&by_mac, "project"), told(&by_mac, "user")), ("p1", &*client.uid().await));
    assert_eq!((told(&by_mac, "external-id"), told(&by_mac, "amr")), ("crm-7", "hmac"));

    let app = house.backend().new_app("ada@example.com").await;
    let bearer = house.node.client().with("authorization", &format!("Bearer {}", app.access));
    let by_token = bearer.get("/verify").await.ok();
    assert_eq!((told(&by_token, "project"), told(&by_token, "user")), ("p1", &*app.uid));
    assert_eq!((told(&by_token, "external-id"), told(&by_token, "amr")), ("", "vouch"));

    let by_key = house.secret_bearer().get("/verify").await.ok();
    assert_eq!((told(&by_key, "project"), told(&by_key, "user"), told(&by_key, "amr")), ("p1", "", "secret_key"));
    house.node.client().get("/verify").await.denied(401, "invalid_credentials");
}

async fn the_assertion_is_checked_with_the_published_keys(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.client_app("crm-7");
    let verdict = client.verify().await.ok();
    let assertion = told(&verdict, "assertion");
    let claims = token::claims(assertion);
    let now = house.node.service.now().seconds();
    let expected = json!({
        "iss": house.node.base(), "aud": house.node.base(), "sub": client.uid().await, "project": "p1", "external_id": "crm-7",
        "amr": ["hmac"], "iat": claims["iat"], "exp": claims["exp"],
    });
    assert_eq!(claims, expected);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 61);
    assert!(claims["exp"].as_i64().unwrap() <= now + 60);
    token::check_assertion(&house.node.client(), assertion).await;
}

async fn any_method_and_any_path_below_is_the_same_question(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.client_app("crm-7");
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        for path in ["/verify", "/verify/", "/verify/interactions", "/verify/a/b?c=d", "/p/p1/verify/a"] {
            let answer = client.http().send(method.clone(), path, String::new().into()).await;
            assert_eq!(answer.status(), 200, "{method} {path}");
            let refused = client.unproved().http().send(method.clone(), path, String::new().into()).await;
            assert_eq!(refused.status(), 401, "{method} {path}");
        }
    }
}

async fn an_id_that_a_header_cant_have_is_percent_encoded(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.client_app("a b%c");
    let verdict = client.verify().await.ok();
    assert_eq!(told(&verdict, "external-id"), "a%20b%25c");
    assert_eq!(token::claims(told(&verdict, "assertion"))["external_id"], json!("a b%c"));
}

async fn headers_from_outside_never_pass_for_ours(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.client_app("crm-7");
    let verdict =
        client.http().with("x-countersign-user", "u_1").with("x-countersign-amr", "mfa").get("/verify").await.ok();
    assert_eq!((told(&verdict, "user"), told(&verdict, "amr")), (&*client.uid().await, "hmac"));
}

async fn an_assertion_is_no_access_token(engine: Engine) {
    let house = House::open(engine).await;
    let verdict = house.client_app("crm-7").verify().await.ok();
    let bearer = format!("Bearer {}", told(&verdict, "assertion"));
    house.node.client().with("authorization", &bearer).get("/v1/me").await.denied(401, "invalid_credentials");
}

async fn an_assertion_is_made_anew_before_it_expires(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.client_app("crm-7");
    let first = told(&client.verify().await.ok(), "assertion").to_owned();
    assert_eq!(told(&client.verify().await.ok(), "assertion"), first, "a signature is used again");
    house.advance(super::SECOND * 31).await;
    let second = told(&client.verify().await.ok(), "assertion").to_owned();
    assert_eq!(first == second, engine == Engine::Postgres, "time by hand is SQLite's alone");
    house.node.service.rotate_signing_key(&"p1".parse().unwrap(), true).await.unwrap();
    assert_ne!(token::header(&second)["kid"], token::header(told(&client.verify().await.ok(), "assertion"))["kid"]);
}

async fn a_refusal_has_its_body_in_a_header_for_proxies_that_throw_bodies_away(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["origins=https://app.example.com"]).await;
    let client = house.client_app("crm-7");
    let foreign = client.http().with("origin", "https://evil.example").get("/verify").await;
    foreign.denied(403, "forbidden");
    let bearer = house.node.client().with("authorization", "Bearer sk_0").get("/verify").await;
    bearer.denied(401, "invalid_credentials");
    for refused in [foreign, bearer, client.unproved().verify().await] {
        let header = refused.headers.get("x-countersign-error").unwrap().as_bytes();
        assert_eq!(header, &refused.body[..]);
    }
    // Whoever is no proxy reads bodies.
    assert!(!client.unproved().me().await.headers.contains_key("x-countersign-error"));
    assert!(!client.verify().await.ok().headers.contains_key("x-countersign-error"));
}
