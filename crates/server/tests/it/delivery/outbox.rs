//! `/dev/outbox`: where messages stay in development.

use std::{fs, time::Duration};

use countersign_domain::locale::Locale;
use countersign_domain::message::Channel;
use countersign_service::{
    deliver::{health::ChannelState, letter::Letter},
    projects::set::SettingChanges,
};
use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    http::Client,
    on_both_engines,
    program::Program,
};
use serde_json::{Value, json};

use super::{CODE, LINK, outcome, queue, queue_in, sign_in_code};

on_both_engines!(messages_are_in_the_outbox_as_soon_as_they_are_written_and_never_leave,);

async fn named(house: &House, name: &str) {
    let change = SettingChanges { name: Some(name.parse().unwrap()), settings: Vec::new() };
    house.node.service.set_project(&p1(), change).await.unwrap();
}

async fn listed(http: &Client, query: &str) -> Vec<Value> {
    let answer = http.get(&format!("/dev/outbox{query}")).await.ok();
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()["messages"].as_array().unwrap().clone()
}

async fn messages_are_in_the_outbox_as_soon_as_they_are_written_and_never_leave(engine: Engine) {
    let house = House::in_development(engine).await;
    named(&house, "Shop").await;
    let (service, db, http) = (&house.node.service, house.database.open().await, house.node.client());
    assert_eq!(listed(&http, "").await, [Value::Null; 0]);

    let drawn_up = service.now().seconds();
    let mail = queue_in(service, &db, "ada@example.com", Locale::De, &sign_in_code()).await;
    house.advance(Duration::from_secs(1)).await;
    let sms = queue(service, &db, "+15551234567", &sign_in_code()).await;
    let all = listed(&http, "").await;
    assert_eq!(
        all.iter().map(|it| it["id"].as_str().unwrap()).collect::<Vec<_>>(),
        [sms.to_string(), mail.to_string()]
    );
    let mut one = listed(&http, "?to=Ada%40Example.com").await.remove(0);
    let (text, html, at) = (one["text"].take(), one["html"].take(), one["at"].take());
    let expected = json!({
        "id": mail.to_string(), "channel": "email", "to": "ada@example.com",
        "subject": "Ihr Code zur Anmeldung bei Shop", "text": null, "html": null,
        "code": CODE, "link": LINK, "at": null,
    });
    assert_eq!(one, expected);
    assert!((drawn_up..drawn_up + 5).contains(&at.as_i64().unwrap()), "{at}");
    assert!(text.as_str().unwrap().contains(CODE) && html.as_str().unwrap().starts_with("<!doctype html>"));
    for query in ["?to=%2B15551234567", "?to=+15551234567"] {
        let one = listed(&http, query).await.remove(0);
        assert_eq!((&one["id"], &one["channel"]), (&json!(sms.to_string()), &json!("sms")));
        assert_eq!(one["text"], "402913 is your code for Shop. It is good for 10 minutes. Give it to nobody.");
        assert_eq!((&one["subject"], &one["html"]), (&json!(""), &json!("")));
    }
    assert_eq!(listed(&http, "?to=bob@example.com").await, [Value::Null; 0]);
    for id in [mail, sms] {
        assert_eq!(outcome(&db, id).await.as_deref(), Some("caught"));
    }
    let dump = house.database.dump().await;
    assert!(!dump.contains(CODE) && !dump.contains("hFv8") && !dump.contains("ada@example.com"), "it is sealed");
    assert_eq!(service.channel_state(Channel::Sms), ChannelState::Works, "there is always a way into the outbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_outlive_the_server_and_go_after_a_day() {
    let mut house = House::in_development(Engine::Sqlite).await;
    let db = house.database.open().await;
    queue(&house.node.service, &db, "ada@example.com", &Letter::Test).await;
    house.restart().await;
    assert_eq!(listed(&house.node.client(), "").await.len(), 1);
    house.advance(Duration::from_hours(23)).await;
    house.node.service.maintain().await;
    assert_eq!(listed(&house.node.client(), "").await.len(), 1);
    house.advance(Duration::from_hours(2)).await;
    house.node.service.maintain().await;
    assert_eq!(listed(&house.node.client(), "").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_a_page_that_runs_nothing_and_loads_nothing() {
    let house = House::in_development(Engine::Sqlite).await;
    named(&house, "<script>alert(1)</script>").await;
    let db = house.database.open().await;
    queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    let browser = house.node.client().with("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let page = browser.get("/dev/outbox?to=ada@example.com").await.ok();
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("vary", "accept"),
    ] {
        assert_eq!(page.header(name), value);
    }
    assert!(!page.headers.contains_key("access-control-allow-origin"), "no other page may read it");
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(text.contains(&format!(">{CODE}<")) && text.contains(&format!("href=\"{LINK}\"")), "{text}");
    assert!(text.contains("&#60;script&#62;") && !text.contains("<script"), "{text}");
    assert!(!text.contains("style=\"") && !text.contains("http-equiv"), "{text}");
    let style = browser.get("/dev/outbox.css").await.ok();
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(String::from_utf8_lossy(&style.body).contains("prefers-color-scheme: dark"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_are_refused() {
    let house = House::in_development(Engine::Sqlite).await;
    let db = house.database.open().await;
    queue(&house.node.service, &db, "ada@example.com", &sign_in_code()).await;
    let http = house.node.client();
    let own = house.public_url().to_owned();
    let refused: [&[(&str, &str)]; 9] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost:5000"), ("sec-fetch-site", "same-origin")],
        // A name that was made to lead here.
        &[("host", "evil.example"), ("sec-fetch-site", "same-origin")],
        &[("host", "localhost.evil.example:7420")],
    ];
    for path in ["/dev/outbox", "/dev/outbox.css"] {
        for headers in refused {
            let page = headers.iter().fold(http.clone(), |page, (name, value)| page.with(name, value));
            let answer = page.get(path).await;
            answer.denied(403, "forbidden");
            assert!(!String::from_utf8_lossy(&answer.body).contains(CODE));
        }
    }
    let taken: [&[(&str, &str)]; 6] = [
        &[],
        &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        &[("sec-fetch-site", "same-origin"), ("origin", &own)],
        &[("host", "localhost:7420")],
        &[("host", "[::1]:7420")],
    ];
    for headers in taken {
        let page = headers.iter().fold(http.clone(), |page, (name, value)| page.with(name, value));
        assert_eq!(listed(&page, "?to=ada@example.com").await.len(), 1, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_message_can_be_sent_to_is_refused() {
    let house = House::in_development(Engine::Sqlite).await;
    let http = house.node.client();
    for query in
        ["?to=ada", "?to=%2B1", "?to=a@example.com%0d%0aBcc:b@example.com", "?to=a@example.com&to=b@example.com"]
    {
        http.get(&format!("/dev/outbox{query}")).await.denied(400, "invalid_request");
    }
    assert_eq!(listed(&http, "?to=").await.len(), 0);
    http.post("/dev/outbox", &json!({})).await.denied(405, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_there_is_no_outbox() {
    let house = House::open(Engine::Sqlite).await;
    for path in ["/dev/outbox", "/dev/outbox?to=ada@example.com", "/dev/outbox.css"] {
        house.node.client().get(path).await.denied(404, "resource_not_found");
    }
    assert_eq!(house.node.service.channel_state(Channel::Email), ChannelState::Absent);
}

#[tokio::test(flavor = "multi_thread")]
async fn development_says_where_the_outbox_is_and_sends_nothing_by_a_server_that_is_configured() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::new(env!("CARGO_BIN_EXE_countersign"), &directory.path().join("data"))
        .environment("COUNTERSIGN_MAIL__HOST", "mail.example.com")
        .environment("COUNTERSIGN_MAIL__FROM", "no-reply@example.com");
    let server = program.dev().await;
    let dev: Value = serde_json::from_str(&fs::read_to_string(program.data().join("dev.json")).unwrap()).unwrap();
    let url = dev["outbox_url"].as_str().unwrap();
    assert!(server.log().contains(url), "people are told, too");
    let path = url.strip_prefix(dev["url"].as_str().unwrap()).unwrap();
    let answer = server.client().get(path).await.ok();
    assert_eq!(answer.json(), json!({ "messages": [] }));
}
