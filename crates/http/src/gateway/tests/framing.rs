//! Requests that two readers could take for different ones: nothing of them reaches the upstream.

use std::sync::{Arc, Mutex, atomic::Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::stage::{Plan, Server, Stage};

/// An upstream that keeps all bytes that ever reached it, and answers each read of them.
async fn recording() -> (Server, Arc<Mutex<Vec<u8>>>) {
    let record = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&record);
    let upstream = Server::raw(move |mut stream| {
        let kept = Arc::clone(&kept);
        async move {
            let mut buffer = vec![0; 65_536];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                kept.lock().unwrap().extend_from_slice(&buffer[..count]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    (upstream, record)
}

async fn stage() -> (Stage, Server, Arc<Mutex<Vec<u8>>>) {
    let (upstream, record) = recording().await;
    (Plan::before(&upstream.url()).open().await, upstream, record)
}

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: x\r\nx-countersign-user: u_eve\r\n\r\n";

#[tokio::test]
async fn a_head_that_can_be_read_in_two_ways_reaches_nobody() {
    let (stage, upstream, record) = stage().await;
    for lines in [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 5, 6\r\n",
        "content-length: +5\r\n",
        "content-length: 0x5\r\n",
        "content-length: -1\r\n",
        "content-length: 5 \u{b}\r\n",
        "content-length:\r\n",
        "content-length: 99999999999999999999999\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: identity, chunked, identity\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding:\u{b}chunked\r\n",
        "transfer-encoding : chunked\r\n",
        " transfer-encoding: chunked\r\n",
        "x: a\r\n transfer-encoding: chunked\r\n",
        "x: a\r\n\tfolded\r\n",
        "x: a\rtransfer-encoding: chunked\r\n",
        "x: a\0\r\n",
        "x\0: a\r\n",
        "x y: a\r\n",
        ": a\r\n",
        "x\r\n",
    ] {
        let heard = stage.hear(format!("POST /x HTTP/1.1\r\nhost: x\r\n{lines}\r\nhello{HIDDEN}")).await;
        assert!(heard.starts_with("HTTP/1.1 400 "), "{lines:?}: {heard}");
    }
    for request in [
        format!("POST /x HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
        format!("POST /x\r\n\r\n{HIDDEN}"),
        format!("POST /x HTTP/1.1 HTTP/1.1\r\nhost: x\r\n\r\n{HIDDEN}"),
        format!("POST  /x HTTP/1.1\r\nhost: x\r\n\r\n{HIDDEN}"),
        format!("PO ST /x HTTP/1.1\r\nhost: x\r\n\r\n{HIDDEN}"),
        format!("POST /x HTTP/2.0\r\nhost: x\r\n\r\n{HIDDEN}"),
        format!("\0POST /x HTTP/1.1\r\nhost: x\r\n\r\n{HIDDEN}"),
    ] {
        let heard = stage.hear(&request).await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 4"), "{request:?}: {heard}");
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 0, "{:?}", record.lock().unwrap());
}

/// RFC 9112 §6.1, §11.2. Whatever the outer request is taken for, the inner one isn't heard.
#[tokio::test]
async fn where_both_lengths_stand_the_hidden_request_reaches_nobody() {
    let (stage, _upstream, record) = stage().await;
    let content = format!("0\r\n\r\n{HIDDEN}");
    let length = content.len();
    for lines in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("Content-Length: {length}\r\nTransfer-Encoding: Chunked\r\n"),
    ] {
        stage.hear(format!("POST /x HTTP/1.1\r\nhost: x\r\n{lines}\r\n{content}")).await;
        let seen = String::from_utf8_lossy(&record.lock().unwrap()).to_lowercase();
        assert!(!seen.contains("hidden") && !seen.contains("u_eve"), "{lines}: {seen}");
        for head in seen.split("\r\n\r\n") {
            assert!(!(head.contains("content-length") && head.contains("transfer-encoding")), "{head}");
        }
    }
}

/// The upstream reads what we wrote, not what the caller wrote.
#[tokio::test]
async fn what_is_allowed_is_written_anew() {
    let (stage, _upstream, record) = stage().await;
    let seen = || String::from_utf8(std::mem::take(&mut *record.lock().unwrap())).unwrap();
    let heard = stage.hear("POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello").await;
    if heard.starts_with("HTTP/1.1 200") {
        let seen = seen();
        assert_eq!((seen.matches("content-length: 5\r\n").count(), seen.ends_with("hello")), (1, true), "{seen}");
    }
    // Extensions of chunks, odd spellings, spaces: all gone.
    let chunked = "POST /x HTTP/1.1\r\nHOST: x\r\nTransfer-Encoding:   Chunked  \r\ncontent_length: 3\r\n\r\n\
        5;ext=\"a\"\r\nhello\r\n0\r\nx: y\r\n\r\n";
    assert!(stage.hear(chunked).await.starts_with("HTTP/1.1 200 "));
    let seen = seen();
    assert!(seen.contains("transfer-encoding: chunked\r\n"), "{seen}");
    assert!(seen.ends_with("5\r\nhello\r\n0\r\n\r\n"), "{seen}");
    assert!(!seen.contains("content") && !seen.contains("ext="), "{seen}");
}

#[tokio::test]
async fn pipelined_requests_each_carry_who_was_proved() {
    let (stage, _upstream, record) = stage().await;
    let one = "GET /x HTTP/1.1\r\nhost: x\r\nx-countersign-user: u_eve\r\n\r\n";
    let heard = stage.hear(one.repeat(5)).await;
    assert_eq!(heard.matches("HTTP/1.1 200 OK\r\n").count(), 5, "{heard}");
    let seen = String::from_utf8(record.lock().unwrap().clone()).unwrap();
    assert_eq!(seen.matches("x-countersign-user: u_ada\r\n").count(), 5, "{seen}");
    assert!(!seen.contains("u_eve"), "{seen}");
}
