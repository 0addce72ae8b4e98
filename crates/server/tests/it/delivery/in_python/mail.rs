//! What arrives.

use countersign_domain::{locale::Locale, message::Channel};
use countersign_server::config::mail::{MailConfig, Security};
use countersign_service::{
    deliver::{health::ChannelState, letter::Letter},
    projects::set::SettingChanges,
};
use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use tokio::task::JoinSet;

use super::server::{MailServer, USER, header, house};
use crate::delivery::{CODE, LINK, ends, outcome, queue, queue_in, sign_in_code};

on_both_engines!(
    a_message_arrives_with_both_parts_and_says_where_it_comes_from,
    of_two_nodes_one_sends_a_message,
    what_is_sent_is_forgotten,
);

async fn named(house: &House, name: &str) {
    let change = SettingChanges { name: Some(name.parse().unwrap()), settings: Vec::new() };
    house.node.service.set_project(&p1(), change).await.unwrap();
}

async fn a_message_arrives_with_both_parts_and_says_where_it_comes_from(engine: Engine) {
    let server = MailServer::start(Security::Tls).await;
    let house = house(engine, &server.config()).await;
    named(&house, "Läden & Söhne").await;
    let db = house.database.open().await;
    let id = queue_in(&house.node.service, &db, "Ada@example.com", Locale::De, &sign_in_code()).await;
    let taken = server.takes(1).await.remove(0);
    ends(&db, id, "sent").await;

    assert_eq!(taken["from"], "no-reply@auth.example.com");
    assert_eq!(taken["to"], serde_json::json!(["ada@example.com"]));
    assert_eq!((&taken["user"], &taken["tls"]), (&USER.into(), &true.into()));
    assert_eq!(taken["defects"], serde_json::json!([]), "{taken:#}");
    for (name, expected) in [
        ("From", "Läden & Söhne <no-reply@auth.example.com>"),
        ("To", "ada@example.com"),
        ("Reply-To", "help@example.com"),
        ("Subject", "Ihr Code zur Anmeldung bei Läden & Söhne"),
        ("Message-ID", &format!("<{id}@auth.example.com>")),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(&taken, name), expected);
    }
    if engine == Engine::Sqlite {
        // On PostgreSQL the time is the database's.
        assert_eq!(header(&taken, "Date"), "Fri, 15 Jan 2027 08:00:00 +0000");
    }
    assert_eq!(taken["type"], "multipart/alternative");
    let parts = taken["parts"].as_array().unwrap();
    let types: Vec<_> =
        parts.iter().map(|part| (part["type"].as_str().unwrap(), part["charset"].as_str().unwrap())).collect();
    assert_eq!(types, [("text/plain", "utf-8"), ("text/html", "utf-8")], "the best one last (RFC 2046 §5.1.4)");
    let text = parts[0]["content"].as_str().unwrap().replace("\r\n", "\n");
    assert!(
        text.contains(&format!("\n{CODE}\n"))
            && text.contains(&format!("\n{LINK}\n"))
            && text.contains("Läden & Söhne"),
        "{text}"
    );
    let html = parts[1]["content"].as_str().unwrap();
    assert!(
        html.contains(&format!(">{CODE}<")) && html.contains("Läden &amp; Söhne") && html.contains("lang=\"de\""),
        "{html}"
    );
    assert_eq!(house.node.service.channel_state(Channel::Email), ChannelState::Works);
    assert_eq!(house.node.service.channel_state(Channel::Sms), ChannelState::Absent);
}

async fn of_two_nodes_one_sends_a_message(engine: Engine) {
    let server = MailServer::start(Security::None).await;
    let house = house(engine, &server.config()).await;
    let (other, db) = (house.another_node().await, house.database.open().await);
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(queue(&house.node.service, &db, &format!("user{number}@example.com"), &Letter::Test).await);
    }
    let taken = server.takes(40).await;
    for id in &ids {
        ends(&db, *id, "sent").await;
    }
    // Whoever else has one in hand would be done by now, too.
    for node in [&house.node, &other] {
        node.service.deliver_due(Channel::Email, || true).await;
    }
    assert_eq!((taken.len(), server.taken().len()), (40, 40));
    let mut names: Vec<&str> = taken.iter().map(|it| header(it, "Message-ID")).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 40);
}

async fn what_is_sent_is_forgotten(engine: Engine) {
    let server = MailServer::start(Security::None).await;
    let house = house(engine, &server.config()).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    ends(&db, id, "sent").await;
    let dump = house.database.dump().await;
    let row = dump.lines().find(|line| line.contains(&id.to_string())).unwrap();
    assert!(!row.contains("v1."), "nothing sealed is left: {row}");
    assert!(!dump.contains(CODE) && !dump.contains("ada@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_starttls_it_arrives_as_well() {
    let server = MailServer::start(Security::StartTls).await;
    let house = house(Engine::Sqlite, &server.config()).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    ends(&db, id, "sent").await;
    let taken = server.taken().remove(0);
    assert_eq!((&taken["user"], &taken["tls"]), (&USER.into(), &true.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_adds_a_header_or_an_address() {
    let server = MailServer::start(Security::None).await;
    let from_name = |name: &str| Some(name.parse().unwrap());
    let config = MailConfig { from_name: from_name("\"Eve\" <eve@evil.example>, Mallory"), ..server.config() };
    let house = house(Engine::Sqlite, &config).await;
    let db = house.database.open().await;
    // Line breaks can't be in a name to begin with; what can be is what mail knows of quoting and encoding.
    for forged in ["Shop\r\nBcc: eve@evil.example", "Shop\nX: y", "Shop\u{85}"] {
        assert!(forged.parse::<countersign_domain::text::Name>().is_err());
    }
    let hostile = "=?utf-8?q?Shop=0D=0ABcc:_eve@evil.example?= \\\" <x@y.example>,; (comment) \u{202e}\u{2028}ü";
    named(&house, hostile).await;
    queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    let taken = server.takes(1).await.remove(0);
    assert_eq!(taken["to"], serde_json::json!(["ada@example.com"]));
    assert_eq!(header(&taken, "From"), "\"\\\"Eve\\\" <eve@evil.example>, Mallory\" <no-reply@auth.example.com>");
    let names: Vec<&str> = taken["headers"].as_array().unwrap().iter().map(|it| it[0].as_str().unwrap()).collect();
    let mut expected =
        ["Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Reply-To", "Subject", "To"];
    let mut sorted = names.clone();
    sorted.retain(|name| !name.starts_with("X-"));
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected, "{names:?}");
    assert!(!taken["raw"].as_str().unwrap().contains("\nBcc:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_sent_at_once() {
    let server = MailServer::start(Security::Tls).await;
    let house = house(Engine::Sqlite, &server.config()).await;
    let db = house.database.open().await;
    let mut queued = JoinSet::new();
    for number in 0..100 {
        let (service, db) = (std::sync::Arc::clone(&house.node.service), db.clone());
        queued.spawn(async move { queue(&service, &db, &format!("user{number}@example.com"), &sign_in_code()).await });
    }
    let ids = queued.join_all().await;
    assert_eq!(server.takes(100).await.len(), 100);
    for id in ids {
        ends(&db, id, "sent").await;
        assert_eq!(outcome(&db, id).await.as_deref(), Some("sent"));
    }
}
