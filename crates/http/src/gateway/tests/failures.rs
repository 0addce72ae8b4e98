//! Upstreams that are down, slow, broken, or no upstreams.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    routing::{any, get},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::stage::{Answer, PATIENCE, Plan, Server, Stage, head, http1, http2};

/// Refused, in a shape that the vendor's SDK reads, and without a word of where the upstream is.
#[track_caller]
fn is_failure(answer: &Answer, upstream: &str, status: u16) {
    answer.refused(status, "unavailable");
    let said = format!("{:?} {:?}", answer.headers, answer.body);
    let address = upstream.split("://").nth(1).unwrap();
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "no port"));
    for secret in [address, host, port, "refused", "os error"] {
        assert!(!said.contains(secret), "{secret} is told: {said}");
    }
}

async fn url_of_nobody() -> String {
    Server::of(Router::new()).await.url()
}

#[tokio::test]
async fn an_upstream_that_is_down_is_unavailable() {
    let upstream = url_of_nobody().await;
    let stage = Plan::before(&upstream).open().await;
    for answer in [stage.get("/x").await, stage.post("/x", "hello").await] {
        is_failure(&answer, &upstream, 503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert_eq!(stage.metric(r#"countersign_gateway_requests_total{answer="unreachable"}"#), 2);
}

#[tokio::test]
async fn an_upstream_without_an_address_is_unavailable() {
    let upstream = "http://nobody.invalid:8080";
    let stage = Plan::before(upstream).open().await;
    is_failure(&stage.get("/x").await, upstream, 503);
}

#[tokio::test]
async fn a_failure_is_said_even_to_those_who_are_still_sending() {
    let upstream = url_of_nobody().await;
    let stage = Plan::before(&upstream).open().await;
    for length in [1_000, 100_000, 500_000, 20_000_000] {
        for caller in [http1(), http2()] {
            let request = Request::post(stage.url("/x")).body(Body::from(vec![7; length])).unwrap();
            let answer = timeout(PATIENCE, caller.request(request)).await.unwrap();
            let answer = super::stage::read(answer.unwrap_or_else(|e| panic!("{length}: {e:?}"))).await.unwrap();
            is_failure(&answer, &upstream, 503);
        }
    }
}

#[tokio::test]
async fn a_failure_is_said_to_those_who_listen_only_once_they_have_sent_all() {
    let upstream = url_of_nobody().await;
    let stage = Plan::before(&upstream).open().await;
    for length in [1_000, 100_000, 500_000, 5_000_000] {
        let mut request = format!("POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        request.resize(request.len() + length, 7);
        let heard = stage.hear(request).await;
        assert!(heard.starts_with("HTTP/1.1 503 "), "{length}: {heard}");
    }
}

#[tokio::test]
async fn an_upstream_that_doesnt_accept_is_timed_out() {
    // A socket whose queue is full answers nobody.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let _listener = socket.listen(1).unwrap();
    let mut filling = Vec::new();
    for _ in 0..8 {
        filling.push(timeout(Duration::from_millis(200), TcpStream::connect(address)).await);
    }
    let upstream = format!("http://{address}");
    let stage = Plan::before(&upstream).set("gateway.connect_timeout", "300ms").open().await;
    is_failure(&stage.get("/x").await, &upstream, 504);
}

#[tokio::test]
async fn an_upstream_that_begins_no_answer_is_timed_out() {
    let slow = || async {
        sleep(Duration::from_mins(1)).await;
        "late"
    };
    let upstream = Server::of(Router::new().route("/x", any(slow)).route("/", get(|| async { "fine" }))).await;
    for h2c in ["off", "on"] {
        let stage = Plan::before(&upstream.url()).set("gateway.timeout", "400ms").set("gateway.h2c", h2c).open().await;
        for answer in [stage.get("/x").await, stage.post("/x", "hello").await] {
            is_failure(&answer, &upstream.url(), 504);
        }
        assert_eq!(stage.get("/").await.body, "fine");
        assert_eq!(stage.metric(r#"countersign_gateway_requests_total{answer="timed_out"}"#), 2);
    }
}

#[tokio::test]
async fn what_isnt_http_is_a_bad_answer() {
    for garbage in [
        "",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nx: a\r\n folded: b\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx y: a\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/3.0 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello",
        "\u{16}\u{3}\u{1}",
    ] {
        let upstream = Server::saying(garbage).await;
        let stage = Plan::before(&upstream.url()).open().await;
        is_failure(&stage.get("/x").await, &upstream.url(), 502);
        assert_eq!(stage.metric(r#"countersign_gateway_requests_total{answer="bad_answer"}"#), 1, "{garbage:?}");
    }
}

#[tokio::test]
async fn a_head_without_end_is_a_bad_answer() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(2_000_000));
    let upstream = Server::saying(endless).await;
    let stage = Plan::before(&upstream.url()).open().await;
    is_failure(&stage.get("/x").await, &upstream.url(), 502);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: a\r\n".repeat(5_000));
    let upstream = Server::saying(many).await;
    let stage = Plan::before(&upstream.url()).open().await;
    is_failure(&stage.get("/x").await, &upstream.url(), 502);
}

/// Asks for `/x` and reads all that comes.
async fn stream_of(stage: &Stage, over_http2: bool) -> (StatusCode, Vec<u8>, Result<(), hyper::Error>) {
    let caller = if over_http2 { http2() } else { http1() };
    let request = Request::get(stage.url("/x")).body(Body::empty()).unwrap();
    let answer = timeout(PATIENCE, caller.request(request)).await.unwrap().unwrap();
    let (status, mut body, mut heard) = (answer.status(), answer.into_body(), Vec::new());
    while let Some(frame) = timeout(PATIENCE, body.frame()).await.unwrap() {
        match frame {
            Ok(frame) => heard.extend_from_slice(&frame.into_data().unwrap()),
            Err(problem) => return (status, heard, Err(problem)),
        }
    }
    (status, heard, Ok(()))
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_ends_cleanly() {
    for said in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n3e8\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let upstream = Server::saying(said).await;
        let stage = Plan::before(&upstream.url()).open().await;
        for over_http2 in [false, true] {
            let (status, heard, end) = stream_of(&stage, over_http2).await;
            assert_eq!((status.as_u16(), &heard[..]), (200, &b"hello"[..]), "{said:?}");
            assert!(end.is_err(), "a clean end of {said:?}, HTTP/2: {over_http2}");
        }
        assert_eq!(stage.metric("countersign_gateway_broken_streams_total"), 2);
    }
    let whole = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let upstream = Server::saying(whole).await;
    let stage = Plan::before(&upstream.url()).open().await;
    for over_http2 in [false, true] {
        let (_, heard, end) = stream_of(&stage, over_http2).await;
        assert_eq!((&heard[..], end.is_ok()), (&b"hello"[..], true));
    }
}

#[tokio::test]
async fn a_reset_in_mid_body_is_a_broken_stream_even_where_only_the_end_would_say_so() {
    let upstream = Server::raw(|mut stream| async move {
        head(&mut stream).await;
        // Without a length the body ends with the connection.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await;
        sleep(Duration::from_millis(200)).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let stage = Plan::before(&upstream.url()).open().await;
    for over_http2 in [false, true] {
        let (_, heard, end) = stream_of(&stage, over_http2).await;
        assert_eq!((&heard[..], end.is_err()), (&b"hello"[..], true), "HTTP/2: {over_http2}");
    }
}

#[tokio::test]
async fn an_http2_upstream_that_breaks_off_breaks_off_the_answer() {
    let breaking = || async {
        let pieces = [Ok(Bytes::from_static(b"hello")), Err(std::io::Error::other("broken"))];
        let pieces = stream::iter(pieces).then(|piece| async {
            sleep(Duration::from_millis(50)).await;
            piece
        });
        Body::from_stream(pieces)
    };
    let upstream = Server::of(Router::new().route("/x", get(breaking))).await;
    let stage = Plan::before(&upstream.url()).set("gateway.h2c", "on").open().await;
    for over_http2 in [false, true] {
        let (_, heard, end) = stream_of(&stage, over_http2).await;
        assert_eq!((&heard[..], end.is_err()), (&b"hello"[..], true), "HTTP/2: {over_http2}");
    }
}

#[tokio::test]
async fn a_caller_who_breaks_off_takes_the_upstreams_call_along() {
    let (ended, mut end) = tokio::sync::mpsc::channel::<bool>(4);
    let reading = move |request: Request| {
        let ended = ended.clone();
        async move {
            let whole = request.into_body().collect().await.is_ok();
            ended.send(whole).await.unwrap();
        }
    };
    let upstream = Server::of(Router::new().fallback(reading)).await;
    // Where only the end of the body says how long it is, half of it could pass for all of it.
    for half in ["content-length: 100\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        for h2c in ["off", "on"] {
            let stage = Plan::before(&upstream.url()).set("gateway.h2c", h2c).open().await;
            let mut caller = TcpStream::connect(stage.server.address).await.unwrap();
            caller.write_all(format!("POST /x HTTP/1.1\r\nhost: x\r\n{half}").as_bytes()).await.unwrap();
            sleep(Duration::from_millis(100)).await;
            drop(caller);
            assert_eq!(timeout(PATIENCE, end.recv()).await.unwrap(), Some(false), "h2c {h2c}: {half}");
            assert_eq!(stage.post("/x", "whole").await.status, StatusCode::OK);
            assert_eq!(end.recv().await, Some(true));
        }
    }
}

#[tokio::test]
async fn a_caller_who_stops_sending_is_told_so_and_not_the_upstream_blamed() {
    let upstream = Server::of(Router::new().fallback(|body: Bytes| async move { body })).await;
    for setting in ["gateway.timeout", "gateway.idle_timeout"] {
        let stage = Plan::before(&upstream.url()).set(setting, "400ms").open().await;
        let mut caller = TcpStream::connect(stage.server.address).await.unwrap();
        caller.write_all(b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        let mut heard = String::new();
        timeout(Duration::from_secs(10), caller.read_to_string(&mut heard)).await.unwrap().unwrap();
        assert!(heard.starts_with("HTTP/1.1 408 "), "{setting}: {heard}");
        assert!(heard.contains(r#""code":"invalid_request""#), "{heard}");
    }
}
