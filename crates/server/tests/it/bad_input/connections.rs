//! Connections that are slow, half closed or broken off.

use std::time::Duration;

use countersign_testkit::{database::Engine, house::House, on_both_engines, raw::RawConnection, wait};
use serde_json::json;

on_both_engines!(
    a_slow_body_is_told_so_and_holds_nobody_up,
    a_body_that_trickles_has_no_longer_than_one_that_stands_still,
    who_says_nothing_or_half_a_head_is_cut_off,
    a_connection_that_is_half_closed_still_gets_its_answer,
    a_body_that_breaks_off_leaves_nothing,
    the_key_is_refused_before_any_body_comes,
    a_body_that_is_announced_too_long_is_refused_before_it_comes,
    pipelined_requests_are_answered_in_their_order,
    a_caller_who_leaves_takes_nobody_along,
);

/// The head of a vouch with a body of this length.
fn head(house: &House, path: &str, length: usize) -> String {
    let secret = house.key.secret.danger_expose();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nverification-token: {secret}\r\ncontent-length: {length}\r\n\r\n"
    )
}

fn vouch(house: &House, email: &str) -> String {
    house.backend().vouch(email, json!({})).to_string()
}

const SIGN_UP: &str = "/auth/v1/private/signup";

async fn connection(house: &House) -> RawConnection {
    RawConnection::to(house.node.base()).await
}

async fn a_slow_body_is_told_so_and_holds_nobody_up(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let body = vouch(&house, "ada@example.com");
    let mut slow = Vec::new();
    for n in 0..20 {
        let mut connection = connection(&house).await;
        connection.say(head(&house, SIGN_UP, body.len())).await.say(&body[..n]).await;
        slow.push(connection);
    }
    // They are open while others are served.
    house.backend().sign_in("nobody@example.com").await.refused(403, 100_012);
    assert_eq!(house.books().await, before);
    for mut connection in slow {
        let answer = connection.answer().await.unwrap();
        assert_eq!(answer.refused(408, 100_003), "The body took too long to arrive.");
        connection.is_closed().await;
    }
    assert_eq!(house.books().await, before);
    house.backend().sign_up("ada@example.com").await.is_ok();
}

async fn a_body_that_trickles_has_no_longer_than_one_that_stands_still(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let mut connection = connection(&house).await;
    connection.say(head(&house, SIGN_UP, 60_000)).await;
    let trickle = async {
        loop {
            connection.say(" ").await;
            if let Some(answer) = connection.answer_within(Duration::from_millis(100)).await {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(30), trickle).await.expect("an end is made");
    answer.refused(408, 100_003);
    assert_eq!(house.books().await, before);
}

async fn who_says_nothing_or_half_a_head_is_cut_off(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let beginnings =
        ["", "P", "PRI * HTTP/2.0\r\n", "POST /auth/v1/private/signup HT", "GET / HTTP/1.1\r\nhost: localhost\r\nx: "];
    let mut silent = Vec::new();
    for beginning in beginnings {
        let mut connection = connection(&house).await;
        connection.say(beginning).await;
        silent.push((beginning, connection));
    }
    house.backend().sign_in("nobody@example.com").await.refused(403, 100_012);
    for (beginning, mut connection) in silent {
        let closed = tokio::time::timeout(Duration::from_secs(20), connection.hear(Duration::from_secs(30))).await;
        let said = closed.unwrap_or_else(|_| panic!("a connection that says {beginning:?} stays open"));
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    assert_eq!(house.books().await, before);
}

async fn a_connection_that_is_half_closed_still_gets_its_answer(engine: Engine) {
    let house = House::open(engine).await;
    let body = vouch(&house, "ada@example.com");
    let mut half = connection(&house).await;
    half.say(head(&house, SIGN_UP, body.len())).await.say(&body).await.half_close().await;
    half.answer().await.unwrap().is_ok();
    half.is_closed().await;
    let mut half = connection(&house).await;
    half.say(head(&house, SIGN_UP, 2)).await.say("[]").await.half_close().await;
    half.answer().await.unwrap().refused(400, 100_003);
    assert_eq!(house.books().await.sessions, 1);
}

async fn a_body_that_breaks_off_leaves_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let body = vouch(&house, "ada@example.com");
    for sent in [0, 1, body.len() / 2, body.len() - 1] {
        let mut broken = connection(&house).await;
        broken.say(head(&house, SIGN_UP, body.len())).await.say(&body[..sent]).await.half_close().await;
        if let Some(answer) = broken.answer().await {
            assert_eq!(answer.refused(400, 100_003), "The body broke off.");
        }
        let mut gone = connection(&house).await;
        gone.say(head(&house, SIGN_UP, body.len())).await.say(&body[..sent]).await;
        drop(gone);
    }
    // A whole object, of which more was announced.
    let mut more = connection(&house).await;
    more.say(head(&house, SIGN_UP, body.len() + 1)).await.say(&body).await.half_close().await;
    if let Some(answer) = more.answer().await {
        answer.refused(400, 100_003);
    }
    house.backend().sign_in("ada@example.com").await.refused(403, 100_012);
    assert_eq!(house.books().await, before);
}

async fn the_key_is_refused_before_any_body_comes(engine: Engine) {
    let house = House::open(engine).await;
    for shown in ["", "verification-token: sk_wrong\r\n"] {
        for length in [10, 60_000, 1_000_000_000] {
            let mut waiting = connection(&house).await;
            let head = format!("POST {SIGN_UP} HTTP/1.1\r\nhost: localhost\r\n{shown}content-length: {length}\r\n\r\n");
            waiting.say(head).await.answer().await.unwrap().refused(401, 100_006);
        }
    }
}

async fn a_body_that_is_announced_too_long_is_refused_before_it_comes(engine: Engine) {
    let house = House::open(engine).await;
    let mut long = connection(&house).await;
    long.say(head(&house, SIGN_UP, 100_000_000)).await.answer().await.unwrap().refused(413, 100_003);
    long.is_closed().await;
    // Who asks first is told so, whatever the length.
    let mut asks = connection(&house).await;
    let head = head(&house, SIGN_UP, 65_537).replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    asks.say(head).await.answer().await.unwrap().refused(413, 100_003);

    let body = vouch(&house, "ada@example.com");
    let mut asks = connection(&house).await;
    let head = self::head(&house, SIGN_UP, body.len()).replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    assert_eq!(asks.say(head).await.answer().await.unwrap().status(), 100);
    asks.say(&body).await.answer().await.unwrap().is_ok();
}

async fn pipelined_requests_are_answered_in_their_order(engine: Engine) {
    let house = House::open(engine).await;
    let mut pipelined = String::new();
    for n in 0..10 {
        let body = vouch(&house, &format!("user{n}@example.com"));
        pipelined += &(head(&house, SIGN_UP, body.len()) + &body);
        pipelined += &(head(&house, "/auth/v1/private/signin", 2) + "{}");
        pipelined += "GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n";
    }
    let mut connection = connection(&house).await;
    connection.say(pipelined).await;
    for n in 0..10 {
        let uid = connection.answer().await.unwrap().ok().text("uid");
        assert_eq!(house.backend().sign_in(&format!("user{n}@example.com")).await.ok().text("uid"), uid);
        connection.answer().await.unwrap().refused(400, 100_050);
        assert_eq!(connection.answer().await.unwrap().status(), 404);
    }
    assert_eq!(house.books().await.users, 10);
}

async fn a_caller_who_leaves_takes_nobody_along(engine: Engine) {
    let house = House::open(engine).await;
    let mut leavers = tokio::task::JoinSet::new();
    for n in 0..20 {
        let body = vouch(&house, &format!("leaver{n}@example.com"));
        let request = head(&house, SIGN_UP, body.len()) + &body;
        let base = house.node.base().to_owned();
        leavers.spawn(async move {
            RawConnection::to(&base).await.say(request).await;
        });
        let backend = house.backend();
        leavers.spawn(async move { backend.sign_up(&format!("stayer{n}@example.com")).await.is_ok() });
    }
    leavers.join_all().await;
    // Whether a leaver's user came to be or not: never a user without the rest.
    wait::until("every user has an address, a session and two entries", Duration::from_secs(20), || async {
        let books = house.books().await;
        let created = house.trail().await.iter().filter(|it| it.act == "user.created").count();
        books.users >= 20
            && books.users == books.identities
            && books.users == books.sessions
            && i64::try_from(created) == Ok(books.users)
    })
    .await;
}
