//! Connections to the upstream: kept, replaced when they died, never asked twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, routing::any};
use futures_util::future::join_all;
use tokio::{io::AsyncWriteExt, time::sleep};

use super::stage::{Plan, Server, head};

async fn hello() -> Server {
    Server::of(Router::new().route("/x", any(|| async { "hello" }))).await
}

#[tokio::test]
async fn calls_one_after_another_share_a_connection() {
    let upstream = hello().await;
    let stage = Plan::before(&upstream.url()).open().await;
    for _ in 0..50 {
        assert_eq!(stage.get("/x").await.body, "hello");
        assert_eq!(stage.post("/x", "body").await.body, "hello");
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn calls_at_once_have_one_each_over_http1_and_share_one_over_http2() {
    let slow = || async {
        sleep(Duration::from_millis(200)).await;
        "hello"
    };
    for (h2c, expected) in [("off", 20), ("on", 1)] {
        let upstream = Server::of(Router::new().route("/x", any(slow))).await;
        let stage = Plan::before(&upstream.url()).set("gateway.h2c", h2c).open().await;
        for _ in 0..3 {
            let answers = join_all((0..20).map(|_| stage.get("/x"))).await;
            assert!(answers.iter().all(|answer| answer.body == "hello"));
        }
        assert_eq!(upstream.connections(), expected, "h2c {h2c}");
    }
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_while_it_was_idle_is_replaced() {
    let upstream = Server::raw(|mut stream| async move {
        head(&mut stream).await;
        // It doesn't say that it is going to close.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    })
    .await;
    let stage = Plan::before(&upstream.url()).open().await;
    for _ in 0..20 {
        assert_eq!(stage.get("/x").await.body, "ok");
        assert_eq!(stage.send(Request::post(stage.url("/x")), Body::empty()).await.body, "ok");
    }
    assert_eq!(upstream.connections(), 40);
}

/// It may have been done, whatever it was: only the caller can know whether it may be done again.
#[tokio::test]
async fn what_an_upstream_has_begun_to_read_is_never_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let upstream = Server::raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            // The first answer makes the connection one that is kept; the second call is read and left unanswered.
            head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            if head(&mut stream).await.contains("HTTP/1.1") {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    let stage = Plan::before(&upstream.url()).open().await;
    for (at, method) in ["GET", "POST", "DELETE"].into_iter().enumerate() {
        let call = || stage.send(Request::builder().method(method).uri(stage.url("/x")), Body::empty());
        assert_eq!(call().await.body, "ok");
        call().await.refused(502, "unavailable");
        assert_eq!(asked.load(Ordering::SeqCst), at + 1, "{method}");
    }
}

#[tokio::test]
async fn a_connection_whose_answer_broke_off_isnt_used_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let upstream = Server::raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\npart of it").await;
            head(&mut stream).await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let stage = Plan::before(&upstream.url()).open().await;
    let begun = stage.begin(Request::get(stage.url("/x")), Body::empty()).await;
    drop(begun);
    let begun = stage.begin(Request::get(stage.url("/x")), Body::empty()).await;
    assert_eq!(begun.status().as_u16(), 200);
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn what_an_upstream_says_unasked_answers_nobody() {
    let upstream = Server::raw(|mut stream| async move {
        loop {
            if head(&mut stream).await.is_empty() {
                return;
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            let unasked = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged";
            let _ = stream.write_all(format!("{answer}{unasked}").as_bytes()).await;
        }
    })
    .await;
    let stage = Plan::before(&upstream.url()).open().await;
    for _ in 0..20 {
        assert_eq!(stage.get("/x").await.body, "ok");
    }
}
