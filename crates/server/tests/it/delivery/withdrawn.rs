//! Messages with codes that are worth nothing any more: while mail doesn't get through they pile up, and none need arrive later.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign_domain::message::Channel;
use countersign_service::deliver::{
    carrier::{Carrier, Delivery, NotSent},
    content::Message,
};
use countersign_storage::messages;
use countersign_testkit::{
    actors::App,
    answer::Answer,
    browser::{Browser, Page},
    database::Engine,
    house::House,
    on_both_engines, wait,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::PATIENCE;

on_both_engines!(
    codes_that_wait_arrive_once_mail_gets_through,
    of_codes_that_wait_for_one_address_the_three_newest_arrive,
    who_is_in_gets_no_code_any_more,
    a_code_that_was_tried_out_does_not_arrive,
    a_code_for_another_address_than_is_named_now_does_not_arrive,
    a_sign_in_that_is_done_needs_no_code,
    a_sign_in_that_waits_for_consent_needs_no_code,
    who_goes_on_as_somebody_known_needs_no_code,
    a_sign_in_that_was_given_up_needs_no_code,
    a_code_of_a_sign_in_that_was_tried_out_does_not_arrive,
    a_message_that_is_just_leaving_is_left_alone,
);

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
/// More than ever come at once.
const ROOM: usize = 100;
const APART: Duration = Duration::from_secs(31);

/// A post office: what is brought to it while it is closed goes back, and may come again.
#[derive(Clone)]
struct Post(Arc<Office>);

struct Office {
    is_open: AtomicBool,
    brought: Mutex<Vec<(String, String)>>,
    taken: Mutex<Vec<String>>,
    /// Whoever brings something waits here.
    counter: Semaphore,
    waiting: AtomicUsize,
}

impl Post {
    fn closed() -> Self {
        Self(Arc::new(Office {
            is_open: AtomicBool::new(false),
            brought: Mutex::default(),
            taken: Mutex::default(),
            counter: Semaphore::new(ROOM),
            waiting: AtomicUsize::new(0),
        }))
    }

    fn carrier(&self) -> Carrier {
        let post = self.clone();
        Carrier::new(PATIENCE, move |message| {
            let post = post.clone();
            Box::pin(async move { post.take(message).await })
        })
    }

    async fn take(&self, message: Message) -> Result<(), NotSent> {
        let (to, code) = (message.to.as_str().to_owned(), message.content.code.expect("each brings a code"));
        self.0.brought.lock().unwrap().push((to, code.clone()));
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        drop(self.0.counter.acquire().await);
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
        if self.0.is_open.load(Ordering::SeqCst) {
            self.0.taken.lock().unwrap().push(code);
            return Ok(());
        }
        Err(NotSent::channel("it is closed"))
    }

    /// The codes that were brought, each once, in their order.
    fn codes(&self) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        for (_, code) in &*self.0.brought.lock().unwrap() {
            if !codes.contains(code) {
                codes.push(code.clone());
            }
        }
        codes
    }

    /// The code that was brought last, once so many were.
    async fn code(&self, count: usize) -> String {
        wait::until("the code is brought", PATIENCE, || async { self.codes().len() >= count }).await;
        self.codes().remove(count - 1)
    }

    /// Opens, and waits until nothing is left: what has arrived by then.
    async fn opens(&self, house: &House) -> Vec<String> {
        let db = house.database.open().await;
        self.0.is_open.store(true, Ordering::SeqCst);
        house.advance(Duration::from_mins(5)).await;
        wait::until("nothing waits", PATIENCE, || async {
            let mut reader = db.reader().await.unwrap();
            messages::count_waiting(&mut reader.conn(), Channel::Email).await.unwrap() == 0
        })
        .await;
        let mut taken = self.0.taken.lock().unwrap().clone();
        taken.sort_by_key(|code| self.codes().iter().position(|it| it == code));
        taken
    }
}

async fn house_with(post: &Post, engine: Engine) -> House {
    let house = House::with_delivery(engine, Delivery::Channels { email: Some(post.carrier()), sms: None }).await;
    house.web_app().await;
    house.user(ADA).await;
    house.user(BOB).await;
    house
}

/// The outcomes of all messages, counted.
async fn withdrawn(house: &House) -> i64 {
    house.database.number("select count(*) from messages where outcome = 'withdrawn' and sealed is null").await
}

fn body(more: &Value) -> Value {
    let mut body = json!({ "method": 0, "email": ADA, "clientId": "c1", "projectId": "p1" });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Asks for a code at door 1, and reads it where it waits.
async fn asks(house: &House, post: &Post, count: usize) -> String {
    if count > 1 {
        house.advance(APART).await;
    }
    house.node.client().post("/auth/v1/sendverificationtoken", &body(&json!({}))).await.is_ok();
    post.code(count).await
}

async fn signs_in(house: &House, code: &str) -> Answer {
    house.node.client().post("/auth/v1/signin", &body(&json!({ "confirmationCode": code }))).await
}

async fn codes_that_wait_arrive_once_mail_gets_through(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let codes = [asks(&house, &post, 1).await, asks(&house, &post, 2).await];
    assert_eq!(post.opens(&house).await, codes);
    assert_eq!(withdrawn(&house).await, 0);
    signs_in(&house, &codes[0]).await.is_ok();
}

async fn of_codes_that_wait_for_one_address_the_three_newest_arrive(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let mut codes = Vec::new();
    for count in 1..=4 {
        codes.push(asks(&house, &post, count).await);
    }
    assert_eq!(post.opens(&house).await, codes[1..]);
    assert_eq!(withdrawn(&house).await, 1);
    signs_in(&house, &codes[0]).await.refused(400, 100_050);
    signs_in(&house, &codes[1]).await.is_ok();
}

async fn who_is_in_gets_no_code_any_more(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let codes = [asks(&house, &post, 1).await, asks(&house, &post, 2).await];
    App::told(house.node.client(), &signs_in(&house, &codes[0]).await.ok());
    assert_eq!(withdrawn(&house).await, 2);
    assert!(post.opens(&house).await.is_empty());
}

async fn a_code_that_was_tried_out_does_not_arrive(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let code = asks(&house, &post, 1).await;
    let another = another(&code);
    // A stranger on one network can't burn it, many can.
    for network in 0..20 {
        let client = house.node.client().from_address(&format!("10.0.{network}.1"));
        for _ in 0..5 {
            client.post("/auth/v1/signin", &body(&json!({ "confirmationCode": another }))).await;
        }
        if withdrawn(&house).await > 0 {
            break;
        }
    }
    signs_in(&house, &code).await.refused(400, 100_050);
    assert!(post.opens(&house).await.is_empty());
}

/// On the page that asks for the code, which waits.
async fn is_asked_for_code(house: &House, post: &Post) -> (Browser, Page, String) {
    let browser = house.browser();
    let page = browser.sent_by_app(house, &[]).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let code = post.code(1).await;
    (browser, page, code)
}

/// On PostgreSQL the time is the database's, which no test turns; there the next test says the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_code_of_a_sign_in_takes_the_place_of_the_one_before() {
    let post = Post::closed();
    let house = house_with(&post, Engine::Sqlite).await;
    let (browser, page, _) = is_asked_for_code(&house, &post).await;
    house.advance(APART).await;
    let answer = browser.act(&page, "resend", &[]).await;
    assert_eq!((answer.status(), answer.header("location")), (303, &*page.path), "{answer}");
    let second = post.code(2).await;
    assert_eq!(withdrawn(&house).await, 1);
    assert_eq!(post.opens(&house).await, [second.as_str()]);
    browser.act(&page, "code", &[("code", &second)]).await.code_for_app();
}

async fn a_code_for_another_address_than_is_named_now_does_not_arrive(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let (browser, page, _) = is_asked_for_code(&house, &post).await;
    house.advance(APART).await;
    let page = browser.asks_for_code(&page, BOB).await;
    assert!(page.says(BOB), "{}", page.answer);
    let second = post.code(2).await;
    assert_eq!(post.opens(&house).await, [second.as_str()]);
}

async fn a_sign_in_that_is_done_needs_no_code(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let (browser, page, code) = is_asked_for_code(&house, &post).await;
    // Somebody else asks too: what is theirs stays.
    let other = house.browser();
    let others_page = other.sent_by_app(&house, &[]).await;
    other.asks_for_code(&others_page, BOB).await;
    let others = post.code(2).await;
    browser.act(&page, "code", &[("code", &code)]).await.code_for_app();
    assert_eq!(withdrawn(&house).await, 1);
    assert_eq!(post.opens(&house).await, [others.as_str()]);
}

async fn a_sign_in_that_waits_for_consent_needs_no_code(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    house.set_client("c3", &["oauth.first_party=off"]).await;
    let (browser, page, code) = is_asked_for_code(&house, &post).await;
    let page = browser.follow(&browser.act(&page, "code", &[("code", &code)]).await).await;
    assert!(page.heading().ends_with("asks for access"), "{}", page.answer);
    assert!(post.opens(&house).await.is_empty());
    browser.act(&page, "allow", &[]).await.code_for_app();
}

async fn who_goes_on_as_somebody_known_needs_no_code(engine: Engine) {
    for first_party in ["on", "off"] {
        let post = Post::closed();
        let house = house_with(&post, engine).await;
        let (browser, page, code) = is_asked_for_code(&house, &post).await;
        browser.act(&page, "code", &[("code", &code)]).await.code_for_app();
        house.set_client("c3", &[&format!("oauth.first_party={first_party}")]).await;
        let page = browser.sent_by_app(&house, &[("prompt", "select_account")]).await;
        let page = browser.asks_for_code(&page, BOB).await;
        post.code(2).await;
        assert_eq!(withdrawn(&house).await, 1);
        let answer = browser.act(&page, "continue", &[]).await;
        if first_party == "on" {
            answer.code_for_app();
        } else {
            assert!(browser.follow(&answer).await.heading().ends_with("asks for access"), "{answer}");
        }
        assert_eq!(withdrawn(&house).await, 2);
        assert!(post.opens(&house).await.is_empty());
    }
}

async fn a_sign_in_that_was_given_up_needs_no_code(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let (browser, page, _) = is_asked_for_code(&house, &post).await;
    assert_eq!(browser.act(&page, "cancel", &[]).await.error_for_app(), "access_denied");
    assert_eq!(withdrawn(&house).await, 1);
    assert!(post.opens(&house).await.is_empty());
}

async fn a_code_of_a_sign_in_that_was_tried_out_does_not_arrive(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let (browser, page, code) = is_asked_for_code(&house, &post).await;
    let another = another(&code);
    for _ in 0..4 {
        browser.act(&page, "code", &[("code", &another)]).await;
    }
    assert_eq!(withdrawn(&house).await, 0, "it is still good for once");
    browser.act(&page, "code", &[("code", &another)]).await;
    assert_eq!(withdrawn(&house).await, 1);
    assert!(post.opens(&house).await.is_empty());
}

async fn a_message_that_is_just_leaving_is_left_alone(engine: Engine) {
    let post = Post::closed();
    let house = house_with(&post, engine).await;
    let counter = post.0.counter.acquire_many(u32::try_from(ROOM).unwrap()).await.unwrap();
    post.0.is_open.store(true, Ordering::SeqCst);
    let (browser, page, code) = is_asked_for_code(&house, &post).await;
    wait::until("it is leaving", PATIENCE, || async { post.0.waiting.load(Ordering::SeqCst) == 1 }).await;
    browser.act(&page, "code", &[("code", &code)]).await.code_for_app();
    drop(counter);
    let sent = "select count(*) from messages where outcome = 'sent'";
    wait::until("what became of it is written down", PATIENCE, || async { house.database.number(sent).await == 1 })
        .await;
    assert_eq!(post.opens(&house).await, [code.as_str()], "it left once");
}

/// A code that isn't this one.
fn another(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}
