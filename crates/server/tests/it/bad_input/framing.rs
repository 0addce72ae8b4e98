//! Requests that two readers could take for different ones.

use std::time::Duration;

use countersign_testkit::{answer::Answer, database::Engine, house::House, on_both_engines, raw::RawConnection};
use serde_json::json;

on_both_engines!(
    a_head_that_can_be_read_in_two_ways_is_refused,
    chunks_are_put_together_and_bounded,
    where_both_lengths_stand_no_second_request_is_hidden,
    a_length_that_stands_twice_must_be_one,
    a_proof_that_stands_twice_is_none,
    a_head_of_64_kib_is_read_and_a_head_without_end_is_not,
    the_target_says_the_host_where_it_has_one,
    old_clients_are_answered,
);

const SIGN_UP: &str = "POST /auth/v1/private/signup HTTP/1.1\r\nhost: localhost\r\n";

fn secret(house: &House) -> String {
    format!("verification-token: {}\r\n", house.key.secret.danger_expose())
}

fn vouch(house: &House) -> String {
    house.backend().vouch("ada@example.com", json!({})).to_string()
}

async fn said(house: &House, bytes: impl AsRef<[u8]>) -> Option<Answer> {
    RawConnection::to(house.node.base()).await.say(bytes).await.half_close().await.answer().await
}

/// A whole request with these lines in its head, beside the secret and the length.
async fn with_lines(house: &House, lines: &str) -> Option<Answer> {
    let (secret, body) = (secret(house), vouch(house));
    said(house, format!("{SIGN_UP}{secret}{lines}content-length: {}\r\n\r\n{body}", body.len())).await
}

async fn a_head_that_can_be_read_in_two_ways_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let (secret, body) = (secret(&house), vouch(&house));
    let length = body.len();
    for lines in [
        "x: a\r\n b\r\n",
        "x: a\r\n\tb\r\n",
        " x: a\r\n",
        "x : a\r\n",
        "x\r\n",
        ": a\r\n",
        "x: a\0b\r\n",
        "x: a\rb\r\n",
        "x\0y: a\r\n",
        "x y: a\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "content-length: +5\r\n",
        "content-length: -1\r\n",
        "content-length: 0x10\r\n",
        "content-length: 5, 6\r\n",
        "content-length: 99999999999999999999999\r\n",
        "content-length:\r\n",
    ] {
        let answer = with_lines(&house, lines).await;
        assert_eq!(answer.map(|answer| answer.status()), Some(400), "{lines:?}");
    }
    for request in [
        "POST /auth/v1/private/signup\r\n\r\n".to_owned(),
        "POST  /auth/v1/private/signup HTTP/1.1\r\n\r\n".to_owned(),
        "POST /auth/v1/private/signup HTTP/3.0\r\n\r\n".to_owned(),
        "POST /auth/v1/private/sign up HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
        format!("PO\0ST /auth/v1/private/signup HTTP/1.1\r\n{secret}content-length: {length}\r\n\r\n{body}"),
        format!("POST /auth/v1/private/signup HTTP/1.0\r\n{secret}transfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        "\0\u{1}\u{2}\u{3}\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\0\u{a5}\u{1}\0\0\u{a1}\u{3}\u{3}\r\n\r\n".to_owned(),
    ] {
        if let Some(answer) = said(&house, &request).await {
            assert_eq!(answer.status(), 400, "{request:?}");
        }
    }
    assert_eq!(house.books().await, before);
    with_lines(&house, "x: a b\r\n").await.unwrap().is_ok();
}

async fn chunks_are_put_together_and_bounded(engine: Engine) {
    let house = House::open(engine).await;
    let (secret, body) = (secret(&house), vouch(&house));
    let chunked = |chunks: String| format!("{SIGN_UP}{secret}transfer-encoding: chunked\r\n\r\n{chunks}");
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let before = house.books().await;
    let long = chunk(&" ".repeat(10_000)).repeat(7) + &chunk(&body);
    for (chunks, status) in [
        (long + "0\r\n\r\n", 413),
        (chunk(&body), 400),
        (format!("{}garbage", chunk(&body)), 400),
        (format!("zz\r\n{body}\r\n0\r\n\r\n"), 400),
        (format!("-1\r\n{body}\r\n0\r\n\r\n"), 400),
        (format!("ffffffffffffffffff\r\n{body}\r\n0\r\n\r\n"), 400),
        (format!("{:x}\n{body}\n0\n\n", body.len()), 400),
        ("0\r\n\r\n".to_owned(), 400),
    ] {
        let answer = said(&house, chunked(chunks.clone())).await;
        if let Some(answer) = answer {
            assert_eq!(answer.status(), status, "{chunks:.40}: {answer}");
        }
    }
    assert_eq!(house.books().await, before);
    let letters: String = body.chars().map(|letter| chunk(&letter.to_string())).collect();
    for chunks in [
        chunk(&body) + "0\r\n\r\n",
        letters + "0\r\n\r\n",
        chunk(&body) + "0\r\nverification-token: sk_wrong\r\n\r\n",
        chunk(&" ".repeat(65_536 - body.len())) + &chunk(&body) + "0\r\n\r\n",
    ] {
        said(&house, chunked(chunks)).await.unwrap().is_ok();
    }
}

/// Whatever the outer request is taken for, the inner one must not be heard (RFC 9112 §6.1, §11.2).
async fn where_both_lengths_stand_no_second_request_is_hidden(engine: Engine) {
    let house = House::open(engine).await;
    let secret = secret(&house);
    let eve = house.backend().vouch("eve@example.com", json!({})).to_string();
    let hidden = format!("{SIGN_UP}{secret}content-length: {}\r\n\r\n{eve}", eve.len());
    let content = format!("0\r\n\r\n{hidden}");
    let length = content.len();
    for lines in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
    ] {
        let mut connection = RawConnection::to(house.node.base()).await;
        connection.say(format!("{SIGN_UP}{secret}{lines}\r\n{content}")).await;
        if let Some(answer) = connection.answer().await {
            assert_eq!(answer.status(), 400, "{answer}");
        }
        connection.is_closed().await;
    }
    house.backend().sign_in("eve@example.com").await.refused(403, 100_012);
    assert_eq!(house.books().await.users, 0);
}

async fn a_length_that_stands_twice_must_be_one(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let body = vouch(&house);
    for other in [body.len() - 1, body.len() + 1, 0] {
        let answer = with_lines(&house, &format!("content-length: {other}\r\n")).await;
        assert_eq!(answer.map(|answer| answer.status()), Some(400));
    }
    assert_eq!(house.books().await, before);
    with_lines(&house, "").await.unwrap().is_ok();
}

async fn a_proof_that_stands_twice_is_none(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let bearer = format!("authorization: Bearer {}\r\n", app.access);
    let get = |path: &str, lines: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n");
    let sessions = format!("/auth/v1/user/{}/sessions", app.uid);
    for lines in [
        format!("{bearer}{bearer}"),
        format!("{bearer}authorization: Bearer garbage\r\n"),
        format!("authorization: Basic YTpi\r\n{bearer}"),
        format!("authorization: Bearer {0}, Bearer {0}\r\n", app.access),
    ] {
        said(&house, get(&sessions, &lines)).await.unwrap().refused(401, 10_002);
        let me = said(&house, get("/v1/me", &lines)).await.unwrap();
        assert_eq!((me.status(), me.json()["error"]["code"].as_str()), (401, Some("invalid_credentials")));
        assert!(!me.to_string().contains(&app.access), "a token is told");
    }
    // A backend is a backend, whose bearer it may show beside: a bad key isn't made good by it.
    let both = format!("{bearer}verification-token: sk_wrong\r\n");
    said(&house, get(&sessions, &both)).await.unwrap().refused(401, 100_006);
    said(&house, get(&sessions, &bearer)).await.unwrap().is_ok();
    said(&house, get("/v1/me", &bearer)).await.unwrap().is_ok();
}

async fn a_head_of_64_kib_is_read_and_a_head_without_end_is_not(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let long = "a".repeat(64 * 1024);
    let body = vouch(&house);
    let wrong = format!("{SIGN_UP}verification-token: sk_{long}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    said(&house, wrong).await.unwrap().refused(401, 100_006);
    let endless = format!("x: {}\r\n", "a".repeat(2_000_000));
    assert_eq!(with_lines(&house, &endless).await.map_or(431, |answer| answer.status()), 431);
    let many = "x: a\r\n".repeat(5_000);
    assert_eq!(with_lines(&house, &many).await.map_or(431, |answer| answer.status()), 431);
    let long_path =
        format!("POST /auth/v1/{} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n", "a".repeat(60_000));
    said(&house, long_path).await.unwrap().refused(404, 100_003);
    assert_eq!(house.books().await, before);
    with_lines(&house, &format!("x: {long}\r\n")).await.unwrap().is_ok();
    let vouched = with_lines(&house, &format!("user-agent: {long}\r\n")).await.unwrap().ok();
    assert!(vouched.header("x-request-id").len() <= 64);
}

/// RFC 9112 §3.2.2.
async fn the_target_says_the_host_where_it_has_one(engine: Engine) {
    let house = House::open(engine).await;
    let key = house.another_project("p2").await;
    let p2 = "p2".parse().unwrap();
    let host = countersign_testkit::house::changes(&["host=two.example"]);
    house.node.service.set_project(&p2, host).await.unwrap();
    let (own, other) = (secret(&house), format!("verification-token: {}\r\n", key.secret.danger_expose()));
    let request = |target: &str, host: &str, secret: &str, project: &str| {
        let body = house.backend().of_project(project).vouch("ada@example.com", json!({})).to_string();
        let length = body.len();
        format!("POST {target} HTTP/1.1\r\nhost: {host}\r\n{secret}content-length: {length}\r\n\r\n{body}")
    };
    let (relative, absolute) = ("/auth/v1/private/signup", "http://two.example/auth/v1/private/signup");
    for (target, host, status) in [
        (relative, "localhost", 200),
        (relative, "two.example", 400),
        (absolute, "localhost", 400),
        (absolute, "two.example", 400),
        ("http://localhost/auth/v1/private/signup", "two.example", 200),
    ] {
        let answer = said(&house, request(target, host, &own, "p1")).await.unwrap();
        match status {
            200 => answer.is_ok(),
            _ => drop(answer.refused(400, 100_001)),
        }
    }
    said(&house, request(absolute, "localhost", &other, "p2")).await.unwrap().is_ok();
    said(&house, request(relative, "two.example", &other, "p2")).await.unwrap().is_ok();
}

async fn old_clients_are_answered(engine: Engine) {
    let house = House::open(engine).await;
    let (secret, body) = (secret(&house), vouch(&house));
    let request =
        format!("POST /auth/v1/private/signup HTTP/1.0\r\n{secret}content-length: {}\r\n\r\n{body}", body.len());
    let mut connection = RawConnection::to(house.node.base()).await;
    connection.say(request).await.answer().await.unwrap().is_ok();
    assert!(connection.hear(Duration::from_secs(20)).await.is_empty());
    // Lines that end as on Unix.
    let request = format!(
        "POST /auth/v1/private/signup HTTP/1.1\nhost: localhost\n{}content-length: {}\n\n{body}",
        secret.replace('\r', ""),
        body.len()
    );
    said(&house, request).await.unwrap().is_ok();
}
