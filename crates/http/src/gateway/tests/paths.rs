//! Paths on their way.

use axum::{Router, extract::Request};

use super::stage::{Plan, Server, Stage};

async fn stage(plan: impl FnOnce(Plan) -> Plan) -> (Server, Stage) {
    let target = |request: Request| async move { request.uri().to_string() };
    let upstream = Server::of(Router::new().fallback(target)).await;
    let stage = plan(Plan::before(&format!("{}/base", upstream.url()))).open().await;
    (upstream, stage)
}

/// What the upstream was asked for.
async fn asked(stage: &Stage, target: &str) -> String {
    let heard = stage.hear(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    let (top, body) = heard.split_once("\r\n\r\n").unwrap();
    if top.starts_with("HTTP/1.1 200 ") { body.to_owned() } else { top[9..12].to_owned() }
}

#[tokio::test]
async fn a_path_goes_on_as_it_was_written() {
    let (_upstream, stage) = stage(|plan| plan).await;
    for path in [
        "/",
        "/interactions",
        "/b%C3%BCcher/%7Euser",
        "/a//b/",
        "/a;v=1",
        "/%61?b=%2e%2e/..&c=\\&d=%",
        "/x?",
        "/{x}|\"y\"",
        "/x?http://evil.example/",
    ] {
        assert_eq!(asked(&stage, path).await, format!("/base{path}"));
    }
    assert_eq!(asked(&stage, "http://evil.example/x?y").await, "/base/x?y");
    assert_eq!(asked(&stage, "http://user:pw@evil.example").await, "/base/");
}

#[tokio::test]
async fn a_path_that_can_be_read_in_two_ways_goes_nowhere() {
    let (upstream, stage) = stage(|plan| plan).await;
    for path in [
        "/..",
        "/a/../b",
        "/a/./b",
        "/a/%2e%2E/b",
        "/a/.%2e/b",
        "/a/..;/b",
        "/a/%252e%252e/b",
        "/a%2fb",
        "/a%2F..%2Fb",
        "/a\\b",
        "/a%5c..%5cb",
        "/a%00",
        "/a%0d%0aX:y",
        "/a%",
        "/a%4",
        "/a%gg",
        "/%c0%ae%c0%ae/",
        "http://x/a/../b",
        "*",
    ] {
        let heard = stage.hear(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert!(heard.starts_with("HTTP/1.1 400 "), "{path}: {heard}");
        assert!(heard.contains(r#"{"error":{"code":"invalid_request","message":""#), "{path}: {heard}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn where_a_project_lets_them_escaped_slashes_go_on() {
    let (_upstream, stage) = stage(|plan| plan.set("gateway.encoded_slashes", "on")).await;
    assert_eq!(asked(&stage, "/files/a%2Fb").await, "/base/files/a%2Fb");
    assert_eq!(asked(&stage, "/files/a%2F..%2Fb").await, "400");
}

#[tokio::test]
async fn our_own_paths_are_no_upstreams() {
    let (upstream, stage) = stage(|plan| plan).await;
    for path in ["/auth/v1/x", "/users", "/%75sers/1", "//v1/me", "/.well-known/jwks.json"] {
        assert_eq!(asked(&stage, path).await, "404", "{path}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_path_too_long_for_the_upstream_is_said_so() {
    let (upstream, stage) = stage(|plan| plan).await;
    // What a request line may hold, and what the base before it makes too long.
    let path = format!("/{}", "a".repeat(65_531));
    assert_eq!(asked(&stage, &path).await, "414");
    assert_eq!(upstream.connections(), 0);
    let shorter = format!("/{}", "a".repeat(60_000));
    assert_eq!(asked(&stage, &shorter).await, format!("/base{shorter}"));
}
