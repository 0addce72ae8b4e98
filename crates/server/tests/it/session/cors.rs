//! Pages in browsers: what they may call, and with what.

use countersign_testkit::{answer::Answer, database::Engine, house::House, http::Client, on_both_engines};
use hyper::Method;
use serde_json::json;

on_both_engines!(
    a_page_may_call_what_an_app_calls,
    a_page_may_not_send_a_secret_key,
    a_page_sees_the_answer_and_when_to_come_again,
);

const PAGE: &str = "https://app.example.com";

async fn preflight(http: &Client, path: &str, method: &str, headers: &str) -> Answer {
    let http = http.with("origin", PAGE).with("access-control-request-method", method);
    http.with("access-control-request-headers", headers).send(Method::OPTIONS, path, String::new().into()).await.ok()
}

fn list(answer: &Answer, name: &str) -> Vec<String> {
    let mut list: Vec<String> = answer.header(name).split(',').map(|it| it.trim().to_ascii_lowercase()).collect();
    list.sort_unstable();
    list
}

async fn a_page_may_call_what_an_app_calls(engine: Engine) {
    let house = House::open(engine).await;
    let calls = [
        ("/auth/v1/refreshtoken", "POST", "content-type"),
        ("/auth/v1/refreshtoken", "POST", "content-type, dpop"),
        ("/v1/me", "GET", "authorization, dpop"),
        ("/api/auth/v1beta/refreshtoken", "POST", "content-type"),
        ("/p/p1/auth/v1/refreshtoken", "POST", "content-type"),
        ("/auth/v1/signout", "POST", "content-type"),
        ("/.well-known/jwks.json", "GET", "accept"),
        ("/v1/me", "GET", "authorization"),
        ("/nothing/here", "PATCH", "content-type, x-of-the-customers-own"),
    ];
    for (path, method, headers) in calls {
        let answer = preflight(&house.node.client(), path, method, headers).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(list(&answer, "access-control-allow-methods").contains(&method.to_ascii_lowercase()));
        let asked: Vec<&str> = headers.split(", ").collect();
        assert_eq!(list(&answer, "access-control-allow-headers"), asked);
        assert_eq!(answer.header("access-control-max-age"), "3600");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
}

async fn a_page_may_not_send_a_secret_key(engine: Engine) {
    let house = House::open(engine).await;
    let asked = "content-type, Verification-Token";
    let answer = preflight(&house.node.client(), "/auth/v1/private/signin", "POST", asked).await;
    assert_eq!(list(&answer, "access-control-allow-headers"), ["content-type"]);
    let backend = house.backend();
    backend.new_app("ada@example.com").await;
    let in_a_page = backend.through(house.node.client().with("origin", PAGE));
    in_a_page.sign_in("ada@example.com").await.refused(401, 100_006);
    assert_eq!(house.entries("key.seen_in_browser").await.len(), 1);
    assert_eq!(house.entries("session.vouched").await.len(), 1);
}

async fn a_page_sees_the_answer_and_when_to_come_again(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let mut in_a_page = app.through(app.http.with("origin", PAGE));
    let answers = [
        in_a_page.refresh().await.ok(),
        in_a_page.me().await.ok(),
        in_a_page.http.get("/.well-known/jwks.json").await.ok(),
        in_a_page.http.post("/auth/v1/refreshtoken", &json!({ "refreshToken": "rt_x" })).await,
    ];
    for answer in answers {
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(
            list(&answer, "access-control-expose-headers"),
            ["date", "dpop-nonce", "retry-after", "www-authenticate", "x-request-id"]
        );
    }
}
