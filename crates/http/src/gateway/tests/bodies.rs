//! Bodies in both directions, and what stands around them.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::stage::{PATIENCE, Plan, Server, head, http1, http2, read};

/// Gives back the body, its trailers, and by which length it came.
async fn echo(request: Request) -> Response {
    let lengths = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
    let came_with = lengths.map(|name| format!("{:?}", request.headers().get_all(name).iter().collect::<Vec<_>>()));
    let body = request.into_body().collect().await.unwrap();
    let trailers = format!("{:?}", body.trailers());
    let headers = [("x-length", came_with[0].clone()), ("x-encoding", came_with[1].clone()), ("x-trailers", trailers)];
    (headers, body.to_bytes()).into_response()
}

fn frames(pieces: Vec<Frame<Bytes>>) -> Body {
    Body::new(StreamBody::new(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>))))
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

fn trailers(names: &[&'static str]) -> HeaderMap {
    names.iter().map(|name| (name.parse().unwrap(), "CANARY".parse().unwrap())).collect()
}

#[tokio::test]
async fn a_body_goes_up_and_comes_back_with_the_length_it_had() {
    let upstream = Server::of(Router::new().fallback(echo)).await;
    let stage = Plan::before(&upstream.url()).open().await;
    let answer = stage.post("/x", "hello").await;
    assert_eq!((&answer.body[..], answer.header("content-length")), (&b"hello"[..], Some("5")));
    assert_eq!((answer.header("x-length"), answer.header("x-encoding")), (Some(r#"["5"]"#), Some("[]")));
    let answer = stage.post("/x", frames(vec![data("he"), data("llo")])).await;
    assert_eq!((&answer.body[..], answer.header("x-encoding")), (&b"hello"[..], Some(r#"["chunked"]"#)));
    assert_eq!(answer.header("x-length"), Some("[]"));
    for (method, length) in [("POST", r#"["0"]"#), ("PUT", r#"["0"]"#), ("GET", "[]"), ("DELETE", "[]")] {
        let answer = stage.send(Request::builder().method(method).uri(stage.url("/x")), Body::empty()).await;
        assert_eq!((answer.header("x-length"), answer.header("x-encoding")), (Some(length), Some("[]")), "{method}");
    }
    // Hardly anybody does, but who does means it.
    let request = "GET /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let heard = stage.hear(request).await;
    assert!(heard.ends_with("\r\n\r\nhello"), "{heard}");
}

#[tokio::test]
async fn over_http2_a_body_goes_up_and_comes_back() {
    let upstream = Server::of(Router::new().fallback(echo)).await;
    for plan in [Plan::before(&upstream.url()), Plan::before(&upstream.url()).set("gateway.h2c", "on")] {
        let stage = plan.open().await;
        let long = "x".repeat(300_000);
        let request = Request::post(stage.url("/x")).body(Body::from(long.clone())).unwrap();
        let answer = read(http2().request(request).await.unwrap()).await.unwrap();
        assert_eq!((answer.body.len(), answer.header("x-length")), (long.len(), Some(r#"["300000"]"#)));
        let unknown = Request::post(stage.url("/x")).body(frames(vec![data("he"), data("llo")])).unwrap();
        assert_eq!(read(http2().request(unknown).await.unwrap()).await.unwrap().body, "hello");
        assert_eq!(stage.post("/x", "hello").await.body, "hello");
    }
}

#[tokio::test]
async fn trailers_go_through_but_for_those_that_only_we_write() {
    let upstream = Server::of(Router::new().fallback(echo)).await;
    let forged = ["x-sum", "x-countersign-user", "x_countersign_user", "authorization", "x-forwarded-for"];
    let declared = forged.join(", ");
    let body = || frames(vec![data("hello"), Frame::trailers(trailers(&forged))]);
    for (h2c, caller) in [("off", http1()), ("off", http2()), ("on", http1()), ("on", http2())] {
        let stage = Plan::before(&upstream.url()).set("gateway.h2c", h2c).open().await;
        let request = Request::post(stage.url("/x")).header("trailer", &declared).body(body()).unwrap();
        let answer = read(caller.request(request).await.unwrap()).await.unwrap();
        assert_eq!(answer.header("x-trailers"), Some(r#"Some({"x-sum": "CANARY"})"#), "{h2c}");
    }
}

#[tokio::test]
async fn trailers_of_an_answer_come_back_but_for_those_that_only_we_write() {
    let names = ["grpc-status", "x-countersign-user", "x_countersign_assertion"];
    let answering = move || async move {
        let body = frames(vec![data("hello"), Frame::trailers(trailers(&names))]);
        ([("trailer", names.join(", "))], body)
    };
    let upstream = Server::of(Router::new().fallback(answering)).await;
    for (h2c, caller) in [("off", http1()), ("off", http2()), ("on", http1()), ("on", http2())] {
        let stage = Plan::before(&upstream.url()).set("gateway.h2c", h2c).open().await;
        let request = Request::get(stage.url("/x")).header("te", "trailers").body(Body::empty()).unwrap();
        let body = caller.request(request).await.unwrap().into_body().collect().await.unwrap();
        let names: Vec<&str> = body.trailers().unwrap().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["grpc-status"], "{h2c}");
    }
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let upstream = Server::of(
        Router::new()
            .route("/long", get(|| async { "x".repeat(1000) }))
            .route("/none", any(|| async { StatusCode::NO_CONTENT }))
            .route("/old", any(|| async { (StatusCode::NOT_MODIFIED, [("etag", "\"1\"")]) })),
    )
    .await;
    let stage = Plan::before(&upstream.url()).open().await;
    let head = stage.send(Request::head(stage.url("/long")), Body::empty()).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (StatusCode::OK, Some("1000"), 0));
    assert_eq!(stage.get("/none").await.status, StatusCode::NO_CONTENT);
    let old = stage.get("/old").await;
    assert_eq!((old.status, old.header("etag")), (StatusCode::NOT_MODIFIED, Some("\"1\"")));
    // All of them left their connection in order.
    assert_eq!(stage.get("/long").await.body.len(), 1000);
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_length_beside_chunks_is_not_passed_on() {
    let upstream = Server::saying(
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    )
    .await;
    let stage = Plan::before(&upstream.url()).open().await;
    let answer = stage.get("/").await;
    assert_eq!((&answer.body[..], answer.header("content-length")), (&b"hello"[..], None));
}

#[tokio::test]
async fn a_status_that_nobody_knows_and_early_hints_do_no_harm() {
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n";
    let upstream = Server::saying(format!("{hints}HTTP/1.1 299 Odd\r\ncontent-length: 2\r\n\r\nok")).await;
    let stage = Plan::before(&upstream.url()).open().await;
    let answer = stage.get("/").await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (299, &b"ok"[..]));
}

/// An upstream that says `word` when it has read a head, then `after`, and notes whether a body came.
async fn choosy(word: &'static str, then: &'static str) -> Server {
    Server::raw(move |mut stream| async move {
        let asked = head(&mut stream).await;
        assert!(asked.contains("expect: 100-continue\r\n"), "{asked}");
        let _ = stream.write_all(word.as_bytes()).await;
        let mut body = [0; 5];
        let came = timeout(Duration::from_secs(5), stream.read_exact(&mut body)).await;
        if matches!(came, Ok(Ok(_))) {
            let _ = stream.write_all(then.as_bytes()).await;
        }
    })
    .await
}

const EXPECTING: &str = "POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n";

async fn heard(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 4096];
    let count = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

#[tokio::test]
async fn a_caller_who_waits_for_a_word_gets_the_upstreams() {
    let upstream = choosy("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await;
    let stage = Plan::before(&upstream.url()).open().await;
    let mut caller = TcpStream::connect(stage.server.address).await.unwrap();
    caller.write_all(EXPECTING.as_bytes()).await.unwrap();
    assert_eq!(heard(&mut caller).await, "HTTP/1.1 100 Continue\r\n\r\n");
    caller.write_all(b"hello").await.unwrap();
    assert!(heard(&mut caller).await.starts_with("HTTP/1.1 201 "));
}

#[tokio::test]
async fn an_upstream_that_refuses_at_once_never_gets_the_body_and_the_caller_never_sends_it() {
    let upstream =
        choosy("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await;
    let stage = Plan::before(&upstream.url()).open().await;
    let mut caller = TcpStream::connect(stage.server.address).await.unwrap();
    caller.write_all(EXPECTING.as_bytes()).await.unwrap();
    let mut heard = String::new();
    timeout(PATIENCE, caller.read_to_string(&mut heard)).await.unwrap().unwrap();
    assert!(heard.starts_with("HTTP/1.1 413 "), "{heard}");
    assert!(!heard.contains("100 Continue"), "{heard}");
}

#[tokio::test]
async fn an_upstream_that_says_no_word_gets_the_body_after_a_while() {
    let upstream = choosy("", "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await;
    let stage = Plan::before(&upstream.url()).open().await;
    let mut caller = TcpStream::connect(stage.server.address).await.unwrap();
    caller.write_all(EXPECTING.as_bytes()).await.unwrap();
    assert_eq!(heard(&mut caller).await, "HTTP/1.1 100 Continue\r\n\r\n");
    caller.write_all(b"hello").await.unwrap();
    assert!(heard(&mut caller).await.starts_with("HTTP/1.1 201 "));
}

#[tokio::test]
async fn who_is_refused_by_us_never_hears_that_the_body_is_wanted() {
    let nobody = Server::of(Router::new()).await.url();
    let stage = Plan::before(&nobody).open().await;
    let heard = stage.hear(EXPECTING).await;
    assert!(heard.starts_with("HTTP/1.1 503 "), "{heard}");
}

#[tokio::test]
async fn an_answer_may_come_before_the_body_has_ended() {
    let early = |request: Request| async {
        let mut body = request.into_body().into_data_stream();
        let first = body.next().await.unwrap().unwrap();
        let rest = body.map(|piece| piece.unwrap());
        Body::from_stream(stream::iter([first]).chain(rest).map(Ok::<_, Infallible>))
    };
    let upstream = Server::of(Router::new().route("/echo", post(early))).await;
    for (h2c, caller) in [("off", http1()), ("off", http2()), ("on", http2())] {
        let stage = Plan::before(&upstream.url()).set("gateway.h2c", h2c).open().await;
        let (say, said) = tokio::sync::mpsc::channel::<Bytes>(1);
        let pieces = stream::unfold(said, |mut said| async { Some((Ok::<_, Infallible>(said.recv().await?), said)) });
        say.send("one".into()).await.unwrap();
        let request = Request::post(stage.url("/echo")).body(Body::from_stream(pieces)).unwrap();
        let mut answer = timeout(PATIENCE, caller.request(request)).await.unwrap().unwrap().into_body();
        for piece in ["one", "two", "three"] {
            if piece != "one" {
                say.send(piece.into()).await.unwrap();
            }
            let frame = timeout(PATIENCE, answer.frame()).await.unwrap().unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), piece);
        }
        drop(say);
        let rest = timeout(PATIENCE, answer.collect()).await.unwrap().expect("a clean end");
        assert!(rest.to_bytes().is_empty());
    }
}

#[tokio::test]
async fn an_upload_that_takes_longer_than_the_timeout_isnt_cut_while_it_moves() {
    let upstream = Server::of(Router::new().fallback(echo)).await;
    let stage = Plan::before(&upstream.url()).set("gateway.timeout", "400ms").open().await;
    let pieces = stream::iter(0..8).then(|_| async {
        sleep(Duration::from_millis(150)).await;
        Ok::<_, Infallible>(Bytes::from_static(b"x"))
    });
    let answer = stage.post("/x", Body::from_stream(pieces)).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 8));
}
