//! What doesn't arrive at once.

use std::time::Duration;

use countersign_crypto::secret::SecretText;
use countersign_domain::message::Channel;
use countersign_server::{
    clock::SystemClock,
    config::mail::{MailConfig, Security},
};
use countersign_service::{
    deliver::{health::ChannelState, letter::Letter},
    time::TimeSource,
};
use countersign_storage::messages;
use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    on_both_engines, wait,
};
use tokio::net::TcpListener;

use super::server::{MailServer, header, house};
use crate::delivery::{PATIENCE, ends, outcome, queue, sign_in_code};

on_both_engines!(
    what_is_refused_for_now_is_tried_again_by_the_same_name,
    what_is_refused_for_good_is_not_tried_again,
    a_message_that_has_no_other_attempt_in_its_time_is_given_up,
    a_message_that_was_taken_without_a_word_comes_twice_by_the_same_name,
    a_message_that_is_withdrawn_in_time_is_not_sent,
);

/// Time goes by a little at a time, as it does.
async fn pass(house: &House, seconds: u64) {
    for _ in 0..seconds {
        house.advance(Duration::from_secs(1)).await;
    }
}

/// Waits until the one message there is was put back. Whoever has it, has it for at least 12 s: 2 s that sending may take, and 10.
async fn is_put_back(house: &House) {
    let sql = "select count(*) from messages where attempts = 1 and next_attempt_at < created_at + 12000000";
    wait::until("the message is put back", PATIENCE, || async { house.database.number(sql).await == 1 }).await;
}

async fn what_is_refused_for_now_is_tried_again_by_the_same_name(engine: Engine) {
    let server = MailServer::start(Security::None).await;
    let house = house(engine, &server.config()).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, "grey@example.com", &sign_in_code()).await;
    server.is_asked(1).await;
    is_put_back(&house).await;
    assert_eq!(outcome(&db, id).await, None);
    assert_eq!(
        house.node.service.channel_state(Channel::Email),
        ChannelState::Works,
        "it was about this message alone"
    );
    pass(&house, 4).await;
    assert_eq!(server.asked().len(), 1, "not before its time");
    pass(&house, 4).await;
    ends(&db, id, "sent").await;
    assert_eq!(server.asked().len(), 2);
    assert_eq!(header(&server.taken()[0], "Message-ID"), format!("<{id}@auth.example.com>"));
}

async fn what_is_refused_for_good_is_not_tried_again(engine: Engine) {
    let server = MailServer::start(Security::None).await;
    let house = house(engine, &server.config()).await;
    let db = house.database.open().await;
    for (to, asked) in [("gone@example.com", 1), ("spam@example.com", 2)] {
        let id = queue(&house.node.service, &db, to, &sign_in_code()).await;
        ends(&db, id, "refused").await;
        house.advance(Duration::from_mins(2)).await;
        house.node.service.deliver_due(Channel::Email, || true).await;
        assert_eq!(server.asked().len(), asked, "{to}");
    }
    assert_eq!(server.taken().len(), 0);
    assert_eq!(house.node.service.channel_state(Channel::Email), ChannelState::Works);
    let id = queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    ends(&db, id, "sent").await;
}

async fn a_message_that_has_no_other_attempt_in_its_time_is_given_up(engine: Engine) {
    let server = MailServer::start(Security::None).await;
    let house = house(engine, &server.config()).await;
    let db = house.database.open().await;
    let code = SecretText::new("1".to_owned());
    let short = Letter::SignUpCode { code, link: None, valid_for: Duration::from_secs(4) };
    let id = queue(&house.node.service, &db, "grey@example.com", &short).await;
    ends(&db, id, "expired").await;
    assert_eq!((server.asked().len(), server.taken().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_no_longer_good_is_not_sent_any_more() {
    let server = MailServer::start(Security::None).await;
    let house = house(Engine::Sqlite, &server.config()).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, "busy@example.com", &sign_in_code()).await;
    server.is_asked(1).await;
    for minute in 0..10 {
        assert!(minute == 0 || server.asked().len() < 8, "{:?}", server.asked());
        pass(&house, 60).await;
        house.node.service.deliver_due(Channel::Email, || true).await;
    }
    ends(&db, id, "expired").await;
    let asked = server.asked().len();
    assert!((3..8).contains(&asked), "{asked} attempts in ten minutes");
    house.advance(Duration::from_hours(1)).await;
    house.node.service.deliver_due(Channel::Email, || true).await;
    assert_eq!((server.asked().len(), server.taken().len()), (asked, 0));
}

async fn a_message_that_was_taken_without_a_word_comes_twice_by_the_same_name(engine: Engine) {
    let server = MailServer::start(Security::None).await;
    let house = house(engine, &server.config()).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, "lost@example.com", &sign_in_code()).await;
    server.takes(1).await;
    is_put_back(&house).await;
    pass(&house, 8).await;
    ends(&db, id, "sent").await;
    let taken = server.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0]["raw"], taken[1]["raw"], "to the last byte");
}

async fn a_message_that_is_withdrawn_in_time_is_not_sent(engine: Engine) {
    let server = MailServer::start(Security::None).await;
    let house = house(engine, &server.config()).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, "grey@example.com", &sign_in_code()).await;
    server.is_asked(1).await;
    is_put_back(&house).await;
    let now = house.node.service.now();
    let withdrawn =
        db.write(move |mut conn| Box::pin(async move { messages::withdraw(&mut conn, &p1(), id, now).await }));
    assert!(withdrawn.await.unwrap());
    house.advance(Duration::from_mins(1)).await;
    house.node.service.deliver_due(Channel::Email, || true).await;
    assert_eq!((server.asked().len(), server.taken().len()), (1, 0));
    assert_eq!(outcome(&db, id).await.as_deref(), Some("withdrawn"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stalls_holds_up_nothing_but_what_it_was_given() {
    let server = MailServer::start(Security::None).await;
    let house = house(Engine::Sqlite, &server.config()).await;
    let db = house.database.open().await;
    let stalled = queue(&house.node.service, &db, "stall@example.com", &sign_in_code()).await;
    server.is_asked(1).await;
    let began = SystemClock::start();
    let other = queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    assert!(
        began.monotonic() < Duration::from_secs(1),
        "writing a message down waits for nobody: {:?}",
        began.monotonic()
    );
    assert_eq!(house.node.client().get("/health/ready").await.status(), 200);
    ends(&db, other, "sent").await;
    wait::until("the channel is given up on", PATIENCE, || async {
        house.node.service.channel_state(Channel::Email) == ChannelState::Fails
    })
    .await;
    is_put_back(&house).await;
    assert_eq!(outcome(&db, stalled).await, None, "it will be tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_says_a_word_is_given_up_on() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = MailServer::start(Security::None).await;
    let config = MailConfig { port: Some(silent.local_addr().unwrap().port()), ..server.config() };
    let mut house = house(Engine::Sqlite, &config).await;
    let db = house.database.open().await;
    // More than are sent at once.
    for number in 0..10 {
        queue(&house.node.service, &db, &format!("user{number}@example.com"), &Letter::Test).await;
    }
    wait::until("the channel is given up on", PATIENCE, || async {
        house.node.service.channel_state(Channel::Email) == ChannelState::Fails
    })
    .await;
    let began = SystemClock::start();
    house.node.stop().await;
    assert!(began.monotonic() < Duration::from_secs(9), "nor does it hold up the end: {:?}", began.monotonic());
    assert_eq!(house.database.number("select count(*) from messages where outcome is null").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_nobody_can_send_end_when_their_time_is_over() {
    let house = House::open(Engine::Sqlite).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    house.advance(Duration::from_secs(599)).await;
    house.node.service.maintain().await;
    assert_eq!(outcome(&db, id).await, None);
    house.advance(Duration::from_secs(1)).await;
    house.node.service.maintain().await;
    assert_eq!(outcome(&db, id).await.as_deref(), Some("expired"));
}
