//! Text messages, with a provider that is a server of ours.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
};
use countersign_domain::message::Channel;
use countersign_server::{
    config::sms::{Authentication, Preset, SmsConfig},
    sms::Provider,
};
use countersign_service::deliver::{carrier::Delivery, health::ChannelState};
use countersign_testkit::{database::Engine, house::House, on_both_engines, program::Program, wait};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{PATIENCE, ends, outcome, queue, sign_in_code};

on_both_engines!(a_message_reaches_the_provider_as_a_form, what_the_provider_cannot_take_now_is_tried_again);

const SECRET: &str = "s3cret-of-provider";
const TO: &str = "+15551234567";
const TEXT: &str = "402913 is your code for A project. It is good for 10 minutes. Give it to nobody.";

/// A request that a provider got.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

#[derive(Clone, Default)]
struct Book {
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

/// A provider, which takes what it gets unless it was told to answer otherwise.
struct Stage {
    book: Book,
    url: String,
    running: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn take(
    State(book): State<Book>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let said = format!("{{\"said about\": {}}}", Value::String(body.clone()));
    book.asked.lock().unwrap().push(Asked { method, uri, headers, body });
    let status = book.answers.lock().unwrap().pop_front().unwrap_or(201);
    if status == 0 {
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
    (StatusCode::from_u16(status).unwrap(), said)
}

impl Stage {
    async fn open() -> Self {
        let book = Book::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(take).with_state(book.clone());
        let running = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { book, url, running }
    }

    fn config(&self) -> SmsConfig {
        SmsConfig {
            url: Some(format!("{}/messages?v=1", self.url)),
            form: ["To={to}", "Body={text}", "From={from}"].map(str::to_owned).to_vec(),
            from: Some("A & B".to_owned()),
            timeout: Duration::from_secs(2),
            ..SmsConfig::default()
        }
    }

    fn answers(&self, statuses: &[u16]) {
        self.book.answers.lock().unwrap().extend(statuses);
    }

    fn asked(&self) -> Vec<Asked> {
        self.book.asked.lock().unwrap().clone()
    }

    async fn is_asked(&self, count: usize) -> Asked {
        wait::until("the provider is asked", PATIENCE, || async { self.asked().len() >= count }).await;
        self.asked().remove(count - 1)
    }
}

async fn house(engine: Engine, config: &SmsConfig) -> House {
    let carrier = Provider::new(config).unwrap().expect("it names a provider").carrier();
    House::with_delivery(engine, Delivery::Channels { email: None, sms: Some(carrier) }).await
}

async fn a_message_reaches_the_provider_as_a_form(engine: Engine) {
    let provider = Stage::open().await;
    let config = SmsConfig { user: Some("we".to_owned()), secret: Some(SECRET.to_owned()), ..provider.config() };
    let house = house(engine, &config).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, TO, &sign_in_code()).await;
    ends(&db, id, "sent").await;
    let asked = provider.asked();
    assert_eq!(asked.len(), 1);
    let asked = &asked[0];
    assert_eq!((asked.method.as_str(), asked.uri.to_string()), ("POST", "/messages?v=1".to_owned()));
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("authorization"), "Basic d2U6czNjcmV0LW9mLXByb3ZpZGVy");
    let expected = "To=%2B15551234567&Body=402913+is+your+code+for+A+project.+It+is+good+for+10+minutes.+Give+it+to+nobody.&From=A+%26+B";
    assert_eq!(asked.body, expected);
    assert_eq!(house.node.service.channel_state(Channel::Sms), ChannelState::Works);
    assert!(!house.database.dump().await.contains(TO));
}

async fn what_the_provider_cannot_take_now_is_tried_again(engine: Engine) {
    let provider = Stage::open().await;
    provider.answers(&[503, 429]);
    let house = house(engine, &provider.config()).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, TO, &sign_in_code()).await;
    provider.is_asked(1).await;
    wait::until("the channel fails", PATIENCE, || async {
        house.node.service.channel_state(Channel::Sms) == ChannelState::Fails
    })
    .await;
    wait::until("the provider is asked until it takes the message", PATIENCE, || async {
        house.advance(Duration::from_secs(1)).await;
        outcome(&db, id).await.is_some()
    })
    .await;
    assert_eq!(outcome(&db, id).await.as_deref(), Some("sent"));
    assert_eq!(provider.asked().len(), 3);
    assert_eq!(house.node.service.channel_state(Channel::Sms), ChannelState::Works);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_will_never_take_is_not_tried_again() {
    let provider = Stage::open().await;
    let house = house(Engine::Sqlite, &SmsConfig { status: Some(201), ..provider.config() }).await;
    let db = house.database.open().await;
    // 200 where 201 means yes: it may have been sent, and twice is worse than never.
    for (count, status) in [400, 422, 200].into_iter().enumerate() {
        provider.answers(&[status]);
        let id = queue(&house.node.service, &db, TO, &sign_in_code()).await;
        ends(&db, id, "refused").await;
        house.advance(Duration::from_mins(1)).await;
        house.node.service.deliver_due(Channel::Sms, || true).await;
        assert_eq!(provider.asked().len(), count + 1, "{status}");
    }
    assert_eq!(house.node.service.channel_state(Channel::Sms), ChannelState::Works);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_stalls_or_sends_elsewhere_is_a_channel_that_fails() {
    for status in [0, 302, 401, 404] {
        let provider = Stage::open().await;
        provider.answers(&[status]);
        let house = house(Engine::Sqlite, &provider.config()).await;
        let db = house.database.open().await;
        let id = queue(&house.node.service, &db, TO, &sign_in_code()).await;
        wait::until("the channel fails", PATIENCE, || async {
            house.node.service.channel_state(Channel::Sms) == ChannelState::Fails
        })
        .await;
        assert_eq!(outcome(&db, id).await, None);
        assert_eq!(provider.asked().len(), 1, "nobody is followed elsewhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_headers_and_tokens_are_sent_as_described() {
    let provider = Stage::open().await;
    let config = SmsConfig {
        json: Some(r#"{"messages": [{"to": "{to}", "text": "{text}", "quote": "\""}], "n": 1}"#.to_owned()),
        form: Vec::new(),
        headers: vec!["X-Api-Key: key {secret}".to_owned(), "Accept: application/json".to_owned()],
        authentication: Some(Authentication::Bearer),
        secret: Some(SECRET.to_owned()),
        method: countersign_server::config::sms::Method::Put,
        ..provider.config()
    };
    let house = house(Engine::Sqlite, &config).await;
    let db = house.database.open().await;
    let id = queue(&house.node.service, &db, TO, &sign_in_code()).await;
    ends(&db, id, "sent").await;
    let asked = provider.is_asked(1).await;
    assert_eq!(asked.method, Method::PUT);
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!(asked.header("x-api-key"), format!("key {SECRET}"));
    assert_eq!(asked.header("authorization"), format!("Bearer {SECRET}"));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body, json!({ "messages": [{ "to": TO, "text": TEXT, "quote": "\"" }], "n": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn twilio_is_asked_as_twilio_wants_it() {
    let provider = Stage::open().await;
    let config = |from: &str| SmsConfig {
        preset: Some(Preset::Twilio),
        account: Some("AC00".to_owned()),
        url: Some(format!("{}/2010-04-01/Accounts/AC00/Messages.json", provider.url)),
        from: Some(from.to_owned()),
        secret: Some(SECRET.to_owned()),
        timeout: Duration::from_secs(2),
        ..SmsConfig::default()
    };
    for (from, field) in [("+15557654321", "From=%2B15557654321"), ("MG77", "MessagingServiceSid=MG77")] {
        let house = house(Engine::Sqlite, &config(from)).await;
        let db = house.database.open().await;
        let id = queue(&house.node.service, &db, TO, &sign_in_code()).await;
        ends(&db, id, "sent").await;
        let asked = provider.asked().pop().unwrap();
        let fields: Vec<&str> = asked.body.split('&').collect();
        assert_eq!((fields[0], fields[1]), ("To=%2B15551234567", field));
        assert!(fields[2].starts_with("Body=402913+is"), "{fields:?}");
        assert_eq!(asked.header("authorization"), "Basic QUMwMDpzM2NyZXQtb2YtcHJvdmlkZXI=");
    }
}

fn operator(directory: &tempfile::TempDir) -> Program {
    Program::new(env!("CARGO_BIN_EXE_countersign"), &directory.path().join("data"))
        .environment("COUNTERSIGN_HTTP__PUBLIC_URL", "https://auth.example.com")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_sent_by_hand_and_what_went_wrong_is_said_plainly() {
    let (provider, directory) = (Stage::open().await, tempfile::tempdir().unwrap());
    let program = operator(&directory)
        .environment("COUNTERSIGN_SMS__URL", &provider.url)
        .environment("COUNTERSIGN_SMS__FORM", r#"["to={to}", "text={text}"]"#)
        .environment("COUNTERSIGN_SMS__HEADERS", "X-Api-Key: {secret}")
        .environment("COUNTERSIGN_SMS__SECRET", SECRET)
        .environment("COUNTERSIGN_SMS__TIMEOUT", "1s");
    program.run(&["check-config"]).await.ok();
    let test = &["sms", "test", "--to", TO];
    let printed = program.json(test).await;
    assert_eq!((&printed["sent"], &printed["channel"]), (&json!(true), &json!("sms")));
    let asked = provider.is_asked(1).await;
    assert_eq!(asked.body, "to=%2B15551234567&text=This+is+a+test%3A+messages+from+auth.example.com+reach+you.");
    assert_eq!(asked.header("x-api-key"), SECRET);
    for (status, expected) in [
        (400, "the provider doesn't take the message (400). It says: {\"said about\": "),
        (401, "the provider doesn't take who we are (401)"),
        (500, "the provider is out of order (500)"),
        (0, "no answer within 1s"),
    ] {
        provider.answers(&[status]);
        let said = program.run(test).await.refused(1);
        assert!(said.contains(expected) && !said.contains(SECRET), "{said}");
    }
    let away = program.environment("COUNTERSIGN_SMS__URL", "http://127.0.0.1:1").run(test).await.refused(1);
    assert!(away.contains("the provider can't be reached: "), "{away}");
    let said = operator(&directory).run(test).await.refused(1);
    assert!(said.contains("sms.url or sms.preset isn't configured"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_provider_understands_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let twilio = "preset = \"twilio\"\naccount = \"AC1\"\nsecret_file = \"/nowhere\"\n";
    let own = "url = \"https://api.example.com/\"\n";
    let refused = [
        ("from = \"+1555\"".to_owned(), 2, "sms.url is missing"),
        (own.to_owned(), 2, "sms.form or sms.json must say"),
        (format!("{own}form = \"To={{to}}\""), 2, "a place for {to} and one for {text}"),
        (format!("{own}form = [\"To={{to}}\", \"Body={{txt}}\"]"), 2, "no {txt}"),
        (format!("{own}json = '{{\"to\": '"), 2, "sms.json must be JSON"),
        (format!("{own}form = [\"a={{to}}{{text}}\"]\njson = \"{{}}\""), 2, "one of them"),
        (format!("{own}form = [\"a={{to}}{{text}}{{from}}\"]"), 2, "sms.from is missing"),
        (
            format!("{own}form = [\"a={{to}}{{text}}\"]\nuser = \"we\""),
            2,
            "sms.secret_file or COUNTERSIGN_SMS__SECRET is missing",
        ),
        (format!("{own}form = [\"a={{to}}{{text}}\"]\nheaders = \"X: {{secret}}\""), 2, "and there is none"),
        (
            format!("{own}form = [\"a={{to}}{{text}}\"]\nsecret = \"{SECRET}\""),
            2,
            "sms.secret stands in the configuration file",
        ),
        (format!("{own}form = [\"a={{to}}{{text}}\"]\nstatus = 20"), 2, "sms.status must be a status"),
        (format!("{own}form = [\"a={{to}}{{text}}\"]\nmethod = \"GET\""), 2, "sms.method"),
        ("url = \"http://api.example.com/\"\nform = [\"a={to}{text}\"]".to_owned(), 2, "sms.url must be https"),
        (
            "url = \"https://u:p@api.example.com/\"\nform = [\"a={to}{text}\"]".to_owned(),
            2,
            "sms.url must not hold a password",
        ),
        ("preset = \"twilio\"".to_owned(), 2, "sms.account must be"),
        (twilio.to_owned(), 2, "sms.from is missing"),
        (format!("{twilio}from = \"+1555\"\njson = \"{{}}\""), 2, "sms.preset says what the request holds"),
        (format!("{twilio}from = \"+1555\""), 1, "can't read sms.secret_file, /nowhere"),
        ("preset = \"nexmo\"".to_owned(), 2, "sms.preset"),
    ];
    for (toml, status, expected) in refused {
        let file = directory.path().join("countersign.toml");
        std::fs::write(&file, format!("[sms]\n{toml}\n")).unwrap();
        let said =
            operator(&directory).run(&["check-config", "--config", file.to_str().unwrap()]).await.refused(status);
        assert!(said.contains(expected) && !said.contains(SECRET), "{toml}: {said}");
    }
}
