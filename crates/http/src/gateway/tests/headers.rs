//! What the upstream is told, and by whom.

use axum::{
    Json, Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::stage::{Plan, Server, Stage, http2, read};

/// Says what it was asked.
async fn mirror(request: Request) -> Response {
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let seen = json!({"method": request.method().as_str(), "target": request.uri().to_string(), "headers": headers});
    Json(seen).into_response()
}

async fn mirror_stage(plan: impl FnOnce(Plan) -> Plan) -> (Server, Stage) {
    let upstream = Server::of(Router::new().fallback(mirror)).await;
    let stage = plan(Plan::before(&upstream.url())).open().await;
    (upstream, stage)
}

/// All values of a header that the upstream saw.
fn seen(answer: &Value, name: &str) -> Vec<String> {
    let headers = answer["headers"].as_array().unwrap().iter();
    let named = headers.filter(|header| header[0] == *name);
    named.map(|header| header[1].as_str().unwrap().to_owned()).collect()
}

fn names(answer: &Value) -> Vec<&str> {
    answer["headers"].as_array().unwrap().iter().map(|header| header[0].as_str().unwrap()).collect()
}

async fn ask(stage: &Stage, headers: &[(&str, &str)]) -> Value {
    let mut request = Request::get(stage.url("/interactions?limit=2"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    stage.send(request, Body::empty()).await.json()
}

#[tokio::test]
async fn the_upstream_sees_the_call_and_who_makes_it() {
    let (upstream, stage) = mirror_stage(|plan| plan).await;
    let call = [("accept", "text/html"), ("cookie", "a=1"), ("x-custom", "é"), ("cache-control", "no-cache")];
    let answer = ask(&stage, &call).await;
    assert_eq!((answer["method"].as_str(), answer["target"].as_str()), (Some("GET"), Some("/interactions?limit=2")));
    for (name, value) in [
        ("x-countersign-user", "u_ada"),
        ("x-countersign-project", "p1"),
        ("host", &upstream.address.to_string()),
        ("accept", "text/html"),
        ("cookie", "a=1"),
        ("x-custom", "é"),
        ("cache-control", "no-cache"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", &stage.server.address.to_string()),
        ("x-request-id", "request-7"),
        ("via", "1.1 countersign"),
    ] {
        assert_eq!(seen(&answer, name), [value], "{name}");
    }
    assert_eq!(names(&answer).len(), 12, "{answer}");
}

#[tokio::test]
async fn identity_from_outside_never_reaches_the_upstream() {
    let (_upstream, stage) = mirror_stage(|plan| plan).await;
    let forged = [
        ("X-Countersign-User", "u_eve"),
        ("x-countersign-external-id", "eve"),
        ("x-countersign-assertion", "eyJ"),
        ("x-countersign-", "eve"),
        ("X_Countersign_User", "u_eve"),
        ("x_countersign-user", "u_eve"),
        ("x-countersign_user", "u_eve"),
        ("x.countersign.user", "u_eve"),
        ("x~countersign!user", "u_eve"),
        ("x-proficient-user-external-id", "eve"),
        ("X_PROFICIENT_USER_EXTERNAL_ID", "eve"),
    ];
    let answer = ask(&stage, &forged).await;
    assert_eq!(seen(&answer, "x-countersign-user"), ["u_ada"]);
    assert!(!answer.to_string().contains("eve"), "{answer}");
    assert!(!answer.to_string().contains("eyJ"), "{answer}");
    // What only looks alike is the customer's own.
    let own = ask(&stage, &[("x-countersigned", "1"), ("countersign-user", "2")]).await;
    assert_eq!((seen(&own, "x-countersigned"), seen(&own, "countersign-user")), (vec!["1".into()], vec!["2".into()]));
}

#[tokio::test]
async fn the_callers_credentials_never_reach_the_upstream() {
    let (_upstream, stage) = mirror_stage(|plan| plan).await;
    let shown = [
        ("authorization", "Bearer CANARY"),
        ("verification-token", "sk_CANARY"),
        ("verification_token", "sk_CANARY"),
        ("x-proficient-api-key", "pk_CANARY"),
        ("x-proficient-user-hmac", "CANARY"),
        ("x-countersign-api-key", "pk_CANARY"),
        ("dpop", "CANARY"),
        ("proxy-authorization", "Basic CANARY"),
        ("Proxy_Authorization", "Basic CANARY"),
    ];
    let answer = ask(&stage, &shown).await;
    assert!(!answer.to_string().contains("CANARY"), "{answer}");
}

#[tokio::test]
async fn naming_our_headers_in_connection_takes_none_of_them_away() {
    let (upstream, stage) = mirror_stage(|plan| plan).await;
    let tricks = "x-countersign-user, X-Countersign-Project, host, x-forwarded-for, x-request-id, via, x-mine, close";
    let answer = ask(&stage, &[("connection", tricks), ("x-mine", "for this hop"), ("x-other", "for all")]).await;
    for (name, value) in [
        ("x-countersign-user", "u_ada"),
        ("x-countersign-project", "p1"),
        ("host", &upstream.address.to_string()),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-request-id", "request-7"),
        ("x-other", "for all"),
    ] {
        assert_eq!(seen(&answer, name), [value], "{name}");
    }
    assert_eq!(seen(&answer, "x-mine"), [""; 0]);
    assert_eq!(seen(&answer, "connection"), [""; 0]);
}

#[tokio::test]
async fn what_is_meant_for_one_hop_ends_here() {
    let (_upstream, stage) = mirror_stage(|plan| plan).await;
    let hop = [
        ("connection", "keep-alive, x-a"),
        ("connection", "x-b"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("te", "gzip, trailers;q=0.5, deflate"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
        ("x-a", "1"),
        ("x-b", "1"),
    ];
    let answer = ask(&stage, &hop).await;
    for gone in ["connection", "keep-alive", "proxy-connection", "te", "upgrade", "x-a", "x-b"] {
        assert_eq!(seen(&answer, gone), [""; 0], "{gone}");
    }
    let answer = ask(&stage, &[("te", "gzip, Trailers")]).await;
    assert_eq!((seen(&answer, "te"), seen(&answer, "connection")), (vec!["trailers".into()], vec!["te".into()]));
}

#[tokio::test]
async fn a_stranger_can_say_nothing_of_where_a_call_comes_from() {
    let (_upstream, stage) = mirror_stage(|plan| plan).await;
    let lies = [
        ("x-forwarded-for", "10.0.0.1"),
        ("x_forwarded_for", "10.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "666"),
        ("x-forwarded-user", "eve"),
        ("X_Forwarded_Host", "evil.example"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("x_real_ip", "10.0.0.1"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-request-id", "eve"),
        ("x_request_id", "eve"),
        ("host", "evil.example"),
    ];
    let answer = ask(&stage, &lies).await;
    assert_eq!(seen(&answer, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen(&answer, "x-forwarded-proto"), ["http"]);
    // That is what was asked for, and all that it says.
    assert_eq!(seen(&answer, "x-forwarded-host"), ["evil.example"]);
    let text = answer.to_string();
    assert_eq!(text.matches("evil.example").count(), 1, "{text}");
    for lie in ["10.0.0.1", "666", "eve", "/admin", "https"] {
        assert!(!text.contains(lie), "{lie}: {text}");
    }
}

#[tokio::test]
async fn what_a_trusted_proxy_says_is_continued() {
    let (_upstream, stage) = mirror_stage(Plan::trusting_the_peer).await;
    let told = [
        ("x-forwarded-for", "198.51.100.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x_forwarded_for", "1.1.1.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "api.example.com"),
        ("x-forwarded-port", "443"),
        ("x-real-ip", "198.51.100.1"),
        ("forwarded", "for=198.51.100.1;proto=https"),
    ];
    let answer = ask(&stage, &told).await;
    for (name, value) in [
        ("x-forwarded-for", "198.51.100.1, 10.0.0.2, 127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "api.example.com"),
        ("x-forwarded-port", "443"),
        ("x-real-ip", "198.51.100.1"),
        ("forwarded", "for=198.51.100.1;proto=https, for=127.0.0.1;proto=http"),
    ] {
        assert_eq!(seen(&answer, name), [value], "{name}");
    }
    assert_eq!(seen(&answer, "x_forwarded_for"), [""; 0]);
    let odd =
        ask(&stage, &[("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a"), ("x-forwarded-host", "b")]).await;
    assert_eq!(seen(&odd, "x-forwarded-proto"), ["http"]);
    assert_eq!(seen(&odd, "x-forwarded-host"), [stage.server.address.to_string()]);
}

#[tokio::test]
async fn identity_that_the_upstream_sends_back_ends_here() {
    let answering = || async {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-countersign-assertion", "CANARY"),
            ("x-countersign-user", "CANARY"),
            ("x_countersign_user", "CANARY"),
            ("connection", "x-hop"),
            ("x-hop", "CANARY"),
            ("keep-alive", "timeout=CANARY"),
            ("proxy-authenticate", "Basic realm=CANARY"),
            ("proxy-connection", "CANARY"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("etag", "\"x\""),
        ] {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(value));
        }
        (headers, "hello")
    };
    let upstream = Server::of(Router::new().fallback(answering)).await;
    let stage = Plan::before(&upstream.url()).open().await;
    let answer = stage.get("/").await;
    assert_eq!((&answer.body[..], answer.header("etag")), (&b"hello"[..], Some("\"x\"")));
    assert!(!format!("{:?}", answer.headers).contains("CANARY"), "{:?}", answer.headers);
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
}

#[tokio::test]
async fn over_http2_it_is_the_same_call() {
    let (upstream, stage) = mirror_stage(|plan| plan).await;
    let request = Request::get(stage.url("/interactions"))
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("te", "trailers")
        .header("x-countersign-user", "u_eve")
        .header("x_countersign_user", "u_eve")
        .header("authorization", "Bearer CANARY");
    let answer = read(http2().request(request.body(Body::empty()).unwrap()).await.unwrap()).await.unwrap().json();
    for (name, value) in [
        ("cookie", "a=1; b=2"),
        ("te", "trailers"),
        ("x-countersign-user", "u_ada"),
        ("host", &upstream.address.to_string()),
        ("x-forwarded-host", &stage.server.address.to_string()),
        ("via", "2.0 countersign"),
    ] {
        assert_eq!(seen(&answer, name), [value], "{name}");
    }
    assert!(!answer.to_string().contains("CANARY") && !answer.to_string().contains("eve"), "{answer}");
}

#[tokio::test]
async fn methods_go_through_but_for_those_that_lead_elsewhere() {
    let (upstream, stage) = mirror_stage(|plan| plan).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"] {
        let request = Request::builder().method(method).uri(stage.url("/x"));
        assert_eq!(stage.send(request, Body::empty()).await.json()["method"], *method);
    }
    let before = upstream.connections();
    let request = Request::builder().method(Method::TRACE).uri(stage.url("/x"));
    stage.send(request, Body::empty()).await.refused(405, "invalid_request");
    let connect = stage.hear("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n").await;
    assert!(connect.starts_with("HTTP/1.1 400 "), "{connect}");
    assert_eq!(upstream.connections(), before);
}
