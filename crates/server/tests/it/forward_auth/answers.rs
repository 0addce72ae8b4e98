//! What a caller that isn't let through is told, and that a page may read it.

use hyper::Method;
use serde_json::json;

use super::{stage::Stage, through_each_proxy};

through_each_proxy!(
    whoever_is_not_proved_gets_a_401_that_a_page_can_read,
    a_page_of_another_origin_gets_a_403,
    too_many_failures_get_a_429_that_says_how_long_to_wait,
    a_page_may_read_the_answer_of_the_api,
    a_preflight_is_answered_and_reaches_no_api,
    what_is_no_preflight_must_be_proved,
);

async fn whoever_is_not_proved_gets_a_401_that_a_page_can_read(stage: Stage) {
    let app = stage.app("crm-7");
    let bearer = stage.client().with("authorization", "Bearer garbage");
    let strangers =
        [app.unproved().http(), app.naming("crm-8").http(), app.showing("garbage").http(), stage.client(), bearer];
    for stranger in strangers {
        let stranger = stranger.with("origin", "https://app.example.com");
        let answer = stranger.get("/interactions").await;
        answer.denied(401, "invalid_credentials");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{:?}", answer.headers);
        assert!(answer.header("access-control-expose-headers").contains("www-authenticate"));
        assert_eq!(answer.header("cache-control"), "no-store");
        stranger.post("/anything", &json!({ "a": 1 })).await.denied(401, "invalid_credentials");
    }
    let own_words = stage.house.node.client().get("/verify").await.json();
    assert_eq!(stage.client().get("/interactions").await.json(), own_words);
    assert_eq!(stage.api.asked(), 0);
    app.get("/interactions").await.is_ok();
    assert_eq!(stage.api.asked(), 1);
}

async fn a_page_of_another_origin_gets_a_403(stage: Stage) {
    stage.house.set(&["origins=https://app.example.com"]).await;
    let app = stage.app("crm-7");
    let answer = app.http().with("origin", "https://evil.example").get("/interactions").await;
    answer.denied(403, "forbidden");
    assert_eq!(stage.api.asked(), 0);
    app.http().with("origin", "https://app.example.com").get("/interactions").await.is_ok();
}

async fn too_many_failures_get_a_429_that_says_how_long_to_wait(stage: Stage) {
    let app = stage.app("crm-7");
    stage.house.set(&["limits.failures=1"]).await;
    let mut answer = app.showing("garbage").get("/interactions").await;
    for _ in 0..5 {
        answer = app.showing("garbage").get("/interactions").await;
    }
    answer.denied(429, "rate_limited");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(stage.api.asked(), 0);
    app.get("/interactions").await.is_ok();
}

async fn a_page_may_read_the_answer_of_the_api(stage: Stage) {
    let answer = stage.app("crm-7").http().with("origin", "https://app.example.com").get("/interactions").await.ok();
    assert_eq!(answer.header("access-control-allow-origin"), "*", "and not what the API says");
    assert_eq!(answer.header("access-control-expose-headers"), "*");
}

async fn a_preflight_is_answered_and_reaches_no_api(stage: Stage) {
    let preflight = stage
        .client()
        .with("origin", "https://app.example.com")
        .with("access-control-request-method", "PATCH")
        .with("access-control-request-headers", "x-proficient-api-key, x-proficient-user-hmac");
    for path in ["/", "/interactions/7?a=b"] {
        let answer = preflight.send(Method::OPTIONS, path, String::new().into()).await.ok();
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-methods"), "PATCH");
        assert_eq!(answer.header("access-control-allow-headers"), "x-proficient-api-key, x-proficient-user-hmac");
    }
    assert_eq!(stage.api.asked(), 0);
}

async fn what_is_no_preflight_must_be_proved(stage: Stage) {
    let origin = stage.client().with("origin", "https://app.example.com");
    let question = stage.client().with("access-control-request-method", "PATCH");
    for http in [stage.client(), origin.clone(), question.clone()] {
        http.send(Method::OPTIONS, "/interactions", String::new().into()).await.denied(401, "invalid_credentials");
    }
    // The headers of a question on a call that is none.
    let posing = origin.with("access-control-request-method", "PATCH");
    posing.get("/interactions").await.denied(401, "invalid_credentials");
    assert_eq!(stage.api.asked(), 0);
    let told = stage.app("crm-7").http().send(Method::OPTIONS, "/interactions", String::new().into()).await.ok().json();
    assert_eq!(told["method"], "OPTIONS");
}
