//! The way to the server is safe, or there is none.

use countersign_domain::message::Channel;
use countersign_server::config::mail::{MailConfig, Security};
use countersign_service::deliver::health::ChannelState;
use countersign_testkit::{database::Engine, wait};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use super::server::{Certificate, MailServer, house};
use crate::delivery::{PATIENCE, ends, outcome, queue, sign_in_code};

/// Nothing may arrive by this configuration, and a message may by the one without the attack.
async fn only_the_other_way(server: &MailServer, attacked: MailConfig) {
    let config = server.config();
    let safe = house(Engine::Sqlite, &config).await;
    let db = safe.database.open().await;
    let id = queue(&safe.node.service, &db, "twin@example.com", &sign_in_code()).await;
    ends(&db, id, "sent").await;

    let house = house(Engine::Sqlite, &attacked).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    wait::until("the channel fails", PATIENCE, || async {
        house.node.service.channel_state(Channel::Email) == ChannelState::Fails
    })
    .await;
    assert_eq!(outcome(&db, id).await, None, "it waits for a better day");
    assert_eq!(server.asked(), ["twin@example.com"], "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_by_somebody_else_is_refused() {
    for security in [Security::Tls, Security::StartTls] {
        let (server, other) = (MailServer::start(security).await, Certificate::of("localhost").await);
        only_the_other_way(&server, MailConfig { ca_file: Some(other.path()), ..server.config() }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_is_refused() {
    for security in [Security::Tls, Security::StartTls] {
        let server = MailServer::start_as("mail.example.com", security).await;
        let house = house(Engine::Sqlite, &server.config()).await;
        let db = house.database.open().await;
        queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
        wait::until("the channel fails", PATIENCE, || async {
            house.node.service.channel_state(Channel::Email) == ChannelState::Fails
        })
        .await;
        assert!(server.asked().is_empty(), "nothing was sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_the_channels_failure_and_no_messages_fate() {
    let server = MailServer::start(Security::Tls).await;
    only_the_other_way(&server, MailConfig { password: Some("wrong".to_owned()), ..server.config() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_whom_the_server_does_not_take_is_the_channels_failure() {
    let server = MailServer::start(Security::Tls).await;
    only_the_other_way(&server, MailConfig { from: Some("forged@example.com".parse().unwrap()), ..server.config() })
        .await;
}

/// Somebody in between who answers in the server's place, until the client has nothing more to say. Gives their port, and what they heard.
async fn between(answer: impl Fn(&str) -> &'static str + Send + 'static) -> (u16, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hearing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.test ESMTP\r\n").await.unwrap();
        let mut heard = Vec::new();
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            heard.extend_from_slice(&buffer[..count]);
            let line = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if stream.write_all(answer(&line).as_bytes()).await.is_err() {
                break;
            }
        }
        heard
    });
    (port, hearing)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_starttls_is_not_offered_nothing_is_said_in_the_clear() {
    let server = MailServer::start(Security::StartTls).await;
    let answer =
        |line: &str| if line.starts_with("EHLO") { "250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n" } else { "250 yes\r\n" };
    let (port, heard) = between(answer).await;
    only_the_other_way(&server, MailConfig { port: Some(port), ..server.config() }).await;
    assert_eq!(String::from_utf8_lossy(&heard.await.unwrap()), "EHLO auth.example.com\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_starttls_is_refused_nothing_is_said_in_the_clear() {
    let server = MailServer::start(Security::StartTls).await;
    let answer = |line: &str| {
        if line.starts_with("EHLO") {
            "250-mail.test\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"
        } else {
            "454 4.7.0 not now\r\n"
        }
    };
    let (port, heard) = between(answer).await;
    only_the_other_way(&server, MailConfig { port: Some(port), ..server.config() }).await;
    assert_eq!(String::from_utf8_lossy(&heard.await.unwrap()), "EHLO auth.example.com\r\nSTARTTLS\r\n");
}

/// What was said in the clear would count as the secured server's first words.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_come_before_the_way_is_secured_are_not_taken_for_later_ones() {
    let server = MailServer::start(Security::StartTls).await;
    let answer = |line: &str| {
        if line.starts_with("EHLO") {
            "250-mail.test\r\n250 STARTTLS\r\n"
        } else {
            "220 go ahead\r\n250-mail.test\r\n250 AUTH PLAIN\r\n235 yes\r\n250 yes\r\n"
        }
    };
    let (port, heard) = between(answer).await;
    only_the_other_way(&server, MailConfig { port: Some(port), ..server.config() }).await;
    assert_eq!(String::from_utf8_lossy(&heard.await.unwrap()), "EHLO auth.example.com\r\nSTARTTLS\r\n");
}
