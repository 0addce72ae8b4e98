//! Who calls is said by us alone.

use countersign_testkit::{answer::Answer, database::Engine, on_both_engines, raw::RawConnection, token};
use hyper::Method;
use serde_json::{Value, json};

use super::open;

on_both_engines!(
    a_proved_call_reaches_the_api_with_our_word_for_it,
    whoever_is_not_proved_gets_no_further,
    credentials_stay_here,
    identity_headers_from_outside_never_reach_the_api,
    identity_headers_of_the_api_never_reach_the_caller,
    our_own_paths_are_never_passed_on,
    a_body_and_a_query_pass_as_they_are,
    a_smuggled_request_is_none,
    a_page_may_read_the_answer,
    without_an_upstream_there_is_nothing,
);

/// A header that the upstream saw once; none: never.
#[track_caller]
fn seen<'a>(told: &'a Value, name: &str) -> Option<&'a str> {
    let values = told["headers"].get(name)?.as_array().unwrap();
    assert_eq!(values.len(), 1, "{name} reached the upstream {} times", values.len());
    values[0].as_str()
}

async fn a_proved_call_reaches_the_api_with_our_word_for_it(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    let told = app.get("/interactions?limit=2").await.ok().json();
    assert_eq!((&told["method"], &told["target"]), (&json!("GET"), &json!("/interactions?limit=2")));
    let uid = app.uid().await;
    let expected = [("project", "p1"), ("user", &uid), ("external-id", "crm-7"), ("amr", "hmac")];
    for (name, value) in expected {
        assert_eq!(seen(&told, &format!("x-countersign-{name}")), Some(value));
    }
    let assertion = seen(&told, "x-countersign-assertion").unwrap();
    token::check_assertion(&house.node.client(), assertion).await;
    let claims = token::claims(assertion);
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(upstream.url()), &json!(uid)));

    let bearer = house.backend().new_app("ada@example.com").await;
    let http = house.node.client().with("authorization", &format!("Bearer {}", bearer.access));
    let told = http.get("/interactions").await.ok().json();
    assert_eq!(
        (seen(&told, "x-countersign-user"), seen(&told, "x-countersign-amr")),
        (Some(&*bearer.uid), Some("vouch"))
    );
    let told = house.secret_bearer().get("/p/p1/interactions").await.ok().json();
    assert_eq!((&told["target"], seen(&told, "x-countersign-amr")), (&json!("/interactions"), Some("secret_key")));
}

async fn whoever_is_not_proved_gets_no_further(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    for stranger in [app.unproved(), app.naming("crm-8"), app.showing("garbage"), app.with_key("pk_0")] {
        stranger.get("/interactions").await.denied(401, "invalid_credentials");
    }
    house.node.client().get("/interactions").await.denied(401, "invalid_credentials");
    house.node.client().post("/anything", &json!({ "a": 1 })).await.denied(401, "invalid_credentials");
    assert_eq!(upstream.asked(), 0);
    app.get("/interactions").await.is_ok();
    assert_eq!(upstream.asked(), 1);
}

async fn credentials_stay_here(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    let told = app.get("/interactions").await.ok();
    let said = String::from_utf8_lossy(&told.body).into_owned();
    for secret in [app.hmac.as_ref().unwrap(), &app.key] {
        assert!(!said.contains(secret.as_str()), "the upstream saw a credential: {said}");
    }
    let secret = house.key.secret.danger_expose();
    let told = house.secret_bearer().get("/interactions").await.ok();
    assert!(!String::from_utf8_lossy(&told.body).contains(secret), "the upstream saw the secret key");
    let told = app.http().with("cookie", "a=b").with("x-of-the-customer", "c").get("/interactions").await.ok().json();
    assert_eq!((seen(&told, "cookie"), seen(&told, "x-of-the-customer")), (Some("a=b"), Some("c")));
}

async fn identity_headers_from_outside_never_reach_the_api(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    let uid = app.uid().await;
    let http = app
        .http()
        .with("x-countersign-user", "u_forged")
        .with("X-Countersign-Amr", "mfa")
        .with("X_Countersign_User", "u_forged")
        .with("x-countersign-anything", "u_forged")
        .with("x-countersign-assertion", "u_forged");
    for http in [http.clone(), http.with("connection", "x-countersign-user, x-countersign-amr, close")] {
        let told = http.get("/interactions").await.ok().json();
        assert_eq!((seen(&told, "x-countersign-user"), seen(&told, "x-countersign-amr")), (Some(&*uid), Some("hmac")));
        assert!(!told.to_string().contains("u_forged"), "{told}");
    }
}

async fn identity_headers_of_the_api_never_reach_the_caller(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let answer = house.client_app("crm-7").get("/interactions").await.ok();
    assert!(!answer.headers.contains_key("x-countersign-user"), "{:?}", answer.headers);
}

async fn our_own_paths_are_never_passed_on(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    for path in [
        "/v1/nothing",
        "/users/a/b",
        "/admin",
        "/portal/x",
        "/health/x",
        "/p/p1/v1/x",
        "/.well-known/x",
        "/oauth2/x",
        "/dev/x",
    ] {
        let answer = app.get(path).await;
        answer.denied(404, "resource_not_found");
    }
    for path in ["/%76%31/me", "/x/../v1/me", "/x/%2e%2e/v1/me", "/x%2fy", "/a\\b", "/a%5cb", "//v1/me"] {
        let answer = app.get(path).await;
        assert!((400..500).contains(&answer.status()), "{path}: {answer}");
    }
    assert_eq!(upstream.asked(), 0);
    app.get("/interactions").await.is_ok();
}

async fn a_body_and_a_query_pass_as_they_are(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let sent = app.http().send(method.clone(), "/messages?a=%20b&c", "some body".into()).await.ok().json();
        assert_eq!((&sent["method"], &sent["target"]), (&json!(method.as_str()), &json!("/messages?a=%20b&c")));
        assert_eq!(sent["body"], "some body");
    }
}

async fn a_smuggled_request_is_none(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    let credentials = format!(
        "x-proficient-api-key: {}\r\nx-proficient-user-external-id: crm-7\r\nx-proficient-user-hmac: {}\r\n",
        app.key,
        app.hmac.as_ref().unwrap()
    );
    let hidden = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
    let both = format!(
        "POST /shown HTTP/1.1\r\nhost: a\r\n{credentials}content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
        hidden.len() + 5
    );
    let folded = format!("GET /shown HTTP/1.1\r\nhost: a\r\n{credentials}x: a\r\n b\r\n\r\n");
    for request in [both, folded] {
        let mut connection = RawConnection::to(house.node.base()).await;
        let first = connection.say(&request).await.half_close().await.answer().await;
        let second: Option<Answer> = if first.is_some() { connection.answer().await } else { None };
        for answer in first.into_iter().chain(second) {
            assert!(!String::from_utf8_lossy(&answer.body).contains("/hidden"), "{answer}");
        }
    }
    assert!(upstream.asked() <= 1, "a request came out of another");
}

async fn a_page_may_read_the_answer(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    let answer = app.http().with("origin", "https://app.example.com").get("/interactions").await.ok();
    assert_eq!(answer.header("access-control-allow-origin"), "*", "and not what the API says");
    assert_eq!(answer.header("access-control-expose-headers"), "*");
    let preflight = app
        .http
        .with("origin", "https://app.example.com")
        .with("access-control-request-method", "PATCH")
        .with("access-control-request-headers", "x-proficient-api-key, x-proficient-user-hmac");
    let answer = preflight.send(Method::OPTIONS, "/interactions", String::new().into()).await.ok();
    assert_eq!(answer.header("access-control-allow-headers"), "x-proficient-api-key, x-proficient-user-hmac");
}

async fn without_an_upstream_there_is_nothing(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    app.get("/interactions").await.is_ok();
    house.set(&["gateway.upstream="]).await;
    app.get("/interactions").await.denied(404, "resource_not_found");
    house.node.client().get("/interactions").await.denied(404, "resource_not_found");
    assert_eq!(upstream.asked(), 1);
    // Nobody listens there.
    house.set(&["gateway.upstream=http://127.0.0.1:1"]).await;
    let answer = app.get("/interactions").await;
    answer.denied(503, "unavailable");
    assert!(!answer.to_string().contains("127.0.0.1:1"), "the caller learns where the API is");
}
