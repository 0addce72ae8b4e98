//! Step-ups: a backend asks, the user proves, the backend has it done.

use std::{fmt::Write, time::Duration};

use countersign_domain::oauth::form::encode;
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    answer::Answer,
    browser::Browser,
    database::Engine,
    house::{House, p1},
    manager::ManagingBackend,
    on_both_engines,
    provider::{Parameters, REDIRECT_URI, VERIFIER},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use super::with_user;

on_both_engines!(
    an_authenticator_app_is_set_up_on_an_apps_own_screens_and_asked_for_from_then_on,
    a_telephone_number_is_proved_by_a_code_and_replaces_the_one_before,
    a_second_factor_that_the_user_has_is_asked_for_in_a_step_up,
    a_user_passes_on_a_page_of_ours_and_goes_back_with_the_receipt,
    a_user_who_says_no_goes_back_without,
    codes_by_mail_become_the_second_factor_of_who_reads_the_mail,
    a_start_token_works_once_and_for_a_step_up_alone,
    a_receipt_works_once_for_the_client_that_asked_and_for_nothing_else,
    of_twenty_who_consume_one_receipt_at_once_one_does,
    nobody_passes_for_somebody_else,
    who_was_revoked_or_locked_out_meanwhile_gets_nothing,
    a_wrong_code_passes_nothing_and_five_end_the_code,
    what_cannot_be_changed_is_refused_before_anybody_is_asked,
    the_first_clients_say_everything_in_an_assertion,
    what_an_old_clients_assertion_says_must_be_right,
    a_page_leads_back_to_registered_addresses_alone,
);

const START: &str = "/v1/management/stepup/start-token";
pub(super) const CONSUME: &str = "/v1/management/stepup/consume";
pub(super) const CHALLENGE: &str = "/oauth2/authorize-challenge";
const ADA: &str = "ada@example.com";
const NUMBER: &str = "+15551234567";

async fn with_app(engine: Engine) -> (House, String) {
    let (house, uid) = with_user(engine).await;
    house.web_app().await;
    (house, uid)
}

/// What an authenticator app shows (RFC 6238), by another library than the server's.
fn app_shows(secret: &str, second: i64) -> String {
    let mut bits = String::new();
    for letter in secret.chars() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap();
        write!(bits, "{value:05b}").unwrap();
    }
    let bytes: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|bits| u8::from_str_radix(str::from_utf8(bits).unwrap(), 2).unwrap())
        .collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(&bytes).unwrap();
    mac.update(&(second / 30).to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

fn now(house: &House) -> i64 {
    house.node.service.now().seconds()
}

fn totp(userid: &str) -> Value {
    json!({ "subject_userid": userid, "purpose": "change_mfa_method", "new_mfa_method": "totp" })
}

fn sms(userid: &str) -> Value {
    json!({
        "subject_userid": userid, "purpose": "change_mfa_method", "new_mfa_method": "sms_otp", "new_phone_number": NUMBER,
    })
}

pub(super) fn email(userid: &str) -> Value {
    json!({ "subject_userid": userid, "purpose": "change_mfa_method", "new_mfa_method": "email_otp" })
}

fn phone(userid: &str, number: &str) -> Value {
    json!({ "subject_userid": userid, "purpose": "change_phone_number", "new_phone_number": number })
}

pub(super) async fn start(backend: &ManagingBackend<'_>, asked: &Value) -> String {
    let started = backend.call(START, asked).await.ok().json();
    assert_eq!(started["expires_in"], 60);
    started["start_token"].as_str().unwrap().to_owned()
}

pub(super) async fn consume(backend: &ManagingBackend<'_>, receipt: &str) -> Answer {
    backend.call(CONSUME, &json!({ "step_up_receipt": receipt })).await
}

/// An app's own screens.
struct Screens<'h> {
    house: &'h House,
    auth_session: String,
}

impl<'h> Screens<'h> {
    async fn begin(house: &'h House, start_token: &str) -> (Self, Answer) {
        let asked = [("client_id", "c3"), ("start_token", start_token)];
        let answer = house.node.client().post_form(CHALLENGE, &asked).await;
        let auth_session = answer.json()["auth_session"].as_str().unwrap_or_default().to_owned();
        (Self { house, auth_session }, answer)
    }

    async fn say(&mut self, said: Parameters<'_>) -> Answer {
        let base = [("client_id", "c3"), ("auth_session", self.auth_session.as_str())];
        let answer = self.house.node.client().post_form(CHALLENGE, &[&base, said].concat()).await;
        if let Some(next) = answer.json()["auth_session"].as_str() {
            next.clone_into(&mut self.auth_session);
        }
        answer
    }

    /// By a code to the user's mail; gives what comes after.
    async fn prove_by_mail(&mut self) -> Answer {
        let code = newest(self.house, ADA, async {
            let sent = self.say(&[("method", "email_code")]).await;
            assert_eq!(sent.json()["prompt"]["type"], "enter_code", "{sent}");
        });
        let code = code.await;
        self.say(&[("code", &code)]).await
    }
}

async fn outbox(house: &House, to: &str) -> Vec<Value> {
    let answer = house.node.client().get(&format!("/dev/outbox?to={}", encode(to))).await.ok();
    answer.json()["messages"].as_array().unwrap().clone()
}

/// The code that came to an address because of something.
async fn newest(house: &House, to: &str, because: impl Future<Output = ()>) -> String {
    let before = outbox(house, to).await;
    because.await;
    let after = outbox(house, to).await;
    let new = after.iter().find(|message| !before.contains(message)).expect("a message came");
    new["code"].as_str().expect("there is a code").to_owned()
}

fn prompt(answer: &Answer) -> Value {
    assert_eq!(answer.status(), 403, "{answer}");
    answer.json()["prompt"].clone()
}

/// Passes by mail alone, where nothing more is to be proved.
pub(super) async fn passed_by_mail(house: &House, start_token: &str) -> String {
    let (mut screens, begun) = Screens::begin(house, start_token).await;
    prompt(&begun);
    screens.prove_by_mail().await.ok().text("step_up_receipt")
}

/// Sets an app up; gives what it counts from, and the receipt.
pub(super) async fn set_up_app(house: &House, start_token: &str) -> (String, String) {
    let (mut screens, begun) = Screens::begin(house, start_token).await;
    prompt(&begun);
    let asked = prompt(&screens.prove_by_mail().await);
    assert_eq!(asked["type"], "setup_totp", "{asked}");
    let secret = asked["secret"].as_str().unwrap().to_owned();
    assert!(asked["otpauth_uri"].as_str().unwrap().contains(&format!("secret={secret}")));
    let code = app_shows(&secret, now(house));
    let receipt = screens.say(&[("code", &code)]).await.ok().text("step_up_receipt");
    (secret, receipt)
}

/// What an ordinary sign-in asks after the first factor: nothing, where a code comes.
pub(super) async fn asked_second(house: &House) -> Option<String> {
    let request = house.authorization(&[("state", ""), ("login_hint", ADA)]);
    let begun = house.node.client().post_form(CHALLENGE, &request).await;
    let mut screens = Screens { house, auth_session: begun.text("auth_session") };
    let answer = screens.prove_by_mail().await;
    if answer.status() == 200 {
        return None;
    }
    let asked = prompt(&answer);
    let to_mail = asked["destination"].as_str().is_some_and(|to| to.contains('@'));
    let method = match asked["type"].as_str().unwrap() {
        "enter_totp" => "totp",
        "enter_code" if to_mail => "email_code",
        "enter_code" => "sms_code",
        other => panic!("{other} is asked: {asked}"),
    };
    Some(method.to_owned())
}

async fn an_authenticator_app_is_set_up_on_an_apps_own_screens_and_asked_for_from_then_on(engine: Engine) {
    let (house, uid) = with_app(engine).await;
    let backend = house.managing_backend().await;
    assert_eq!(asked_second(&house).await, None);
    let (_, receipt) = set_up_app(&house, &start(&backend, &totp(ADA)).await).await;
    assert_eq!(asked_second(&house).await, None, "nothing has changed yet");
    let told = outbox(&house, ADA).await.len();
    assert_eq!(consume(&backend, &receipt).await.ok().json(), json!({ "ok": true }));
    assert_eq!(asked_second(&house).await.as_deref(), Some("totp"));
    assert_eq!(outbox(&house, ADA).await.len(), told + 2, "a notice, and the code of that sign-in");
    for (act, actor) in [("step_up.started", "client"), ("step_up.passed", "user"), ("step_up.applied", "client")] {
        let entry = house.only_entry(act).await;
        assert_eq!((entry.actor_kind.as_str(), entry.user_id.as_deref()), (actor, Some(uid.as_str())), "{act}");
        assert_eq!((entry.detail["change"].as_str(), entry.client_id.as_deref()), ("totp", Some("c4")));
    }
}

async fn a_telephone_number_is_proved_by_a_code_and_replaces_the_one_before(engine: Engine) {
    let (house, uid) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let numbers = async || {
        let known = house.node.service.show_user(&p1(), &uid).await.unwrap();
        let numbers = known.identities.into_iter().filter(|record| record.identity.value().starts_with('+'));
        numbers.map(|record| (record.identity.value().to_owned(), record.is_proved_here())).collect::<Vec<_>>()
    };
    for number in [NUMBER, "+15551234568"] {
        let start_token = start(&backend, &phone(&uid, number)).await;
        let (mut screens, begun) = Screens::begin(&house, &start_token).await;
        prompt(&begun);
        let mut asked = None;
        let code = newest(&house, number, async {
            asked = Some(prompt(&screens.prove_by_mail().await));
        });
        let code = code.await;
        let asked = asked.unwrap();
        assert_eq!((&asked["type"], &asked["tries_left"]), (&json!("enter_code"), &json!(5)), "{asked}");
        assert!(!asked["destination"].as_str().unwrap().contains("55512345"), "{asked}");
        let receipt = screens.say(&[("code", &code)]).await.ok().text("step_up_receipt");
        consume(&backend, &receipt).await.is_ok();
        assert_eq!(numbers().await, [(number.to_owned(), true)]);
    }
    // Where a second factor goes by text message, it goes to the new number.
    let start_token = start(&backend, &sms(&uid)).await;
    let (mut screens, _) = Screens::begin(&house, &start_token).await;
    let code = newest(&house, NUMBER, async { drop(prompt(&screens.prove_by_mail().await)) }).await;
    let receipt = screens.say(&[("code", &code)]).await.ok().text("step_up_receipt");
    consume(&backend, &receipt).await.is_ok();
    assert_eq!(asked_second(&house).await.as_deref(), Some("sms_code"));
}

async fn a_second_factor_that_the_user_has_is_asked_for_in_a_step_up(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let (secret, receipt) = set_up_app(&house, &start(&backend, &totp(ADA)).await).await;
    consume(&backend, &receipt).await.is_ok();
    // Even of who wishes never to be asked.
    let wish = json!({ "userid": ADA, "mfa_enforcement": "off" });
    backend.call(super::ENFORCEMENT, &wish).await.is_ok();
    assert_eq!(asked_second(&house).await, None);
    let (mut screens, _) = Screens::begin(&house, &start(&backend, &email(ADA)).await).await;
    let asked = prompt(&screens.prove_by_mail().await);
    assert_eq!(asked["type"], "enter_totp", "{asked}");
    // The code that set the app up is used up; the next one isn't.
    let used = prompt(&screens.say(&[("code", &app_shows(&secret, now(&house)))]).await);
    assert_eq!(used["hint"], "retry_input", "{used}");
    let receipt = screens.say(&[("code", &app_shows(&secret, now(&house) + 30))]).await.ok().text("step_up_receipt");
    consume(&backend, &receipt).await.is_ok();
    backend.call(super::ENFORCEMENT, &json!({ "userid": ADA, "mfa_enforcement": "always_on" })).await.is_ok();
    assert_eq!(asked_second(&house).await.as_deref(), Some("email_code"), "the app is a factor no more");
}

/// Is sent to our page by the app, and proves by mail who it is.
async fn proved_on_page(house: &House, browser: &Browser, start_token: &str) -> Answer {
    let sent = format!("/sign-in/step-up?start_token={start_token}&client_id=c3&state=a%20state");
    let first = browser.follow(&browser.get(&sent).await).await;
    let mut page = None;
    let code = newest(house, ADA, async {
        page = Some(browser.asks_for_code(&first, ADA).await);
    });
    let code = code.await;
    browser.act(&page.unwrap(), "code", &[("code", &code)]).await
}

/// What the app hears.
fn heard(answer: &Answer, name: &str) -> Option<String> {
    assert_eq!(answer.status(), 303, "{answer}");
    let (uri, query) = answer.header("location").split_once('?').unwrap();
    assert_eq!(uri, REDIRECT_URI);
    let form = countersign_domain::oauth::form::Form::parse(query.as_bytes()).unwrap();
    assert_eq!(form.text("state"), Some("a state"));
    assert!(form.text("iss").is_some() && form.text("code").is_none());
    form.text(name).map(str::to_owned)
}

async fn a_user_passes_on_a_page_of_ours_and_goes_back_with_the_receipt(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let browser = house.browser();
    let start_token = start(&backend, &totp(ADA)).await;
    let answer = proved_on_page(&house, &browser, &start_token).await;
    let page = browser.follow(&answer).await;
    let (_, after) = page.text().split_once("otpauth://").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a link");
    let secret = after.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert!(page.says("<svg"), "there is a code to be photographed");
    // What is wrong is asked for again.
    let wrong = browser.follow(&browser.act(&page, "code", &[("code", "abc")]).await).await;
    let back = browser.act(&wrong, "code", &[("code", &app_shows(&secret, now(&house)))]).await;
    let receipt = heard(&back, "step_up_receipt").unwrap();
    consume(&backend, &receipt).await.is_ok();
    assert_eq!(asked_second(&house).await.as_deref(), Some("totp"));
    // Nobody is signed in by that.
    let account = browser.get("/account").await;
    assert_eq!(account.status(), 303, "{account}");
    // A number is proved there, too.
    house.set(&["mfa.policy=off"]).await;
    let start_token = start(&backend, &phone(ADA, NUMBER)).await;
    let (browser, mut page) = (house.browser(), None);
    let first = proved_on_page(&house, &browser, &start_token).await;
    // The app that the user has is asked for, whatever the project's policy.
    let second = browser.follow(&first).await;
    let code = newest(&house, NUMBER, async {
        let shown = app_shows(&secret, now(&house) + 30);
        page = Some(browser.follow(&browser.act(&second, "code", &[("code", &shown)]).await).await);
    });
    let code = code.await;
    let back = browser.act(&page.unwrap(), "code", &[("code", &code)]).await;
    consume(&backend, &heard(&back, "step_up_receipt").unwrap()).await.is_ok();
}

async fn a_user_who_says_no_goes_back_without(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let browser = house.browser();
    let answer = proved_on_page(&house, &browser, &start(&backend, &totp(ADA)).await).await;
    let page = browser.follow(&answer).await;
    let back = browser.act(&page, "cancel", &[]).await;
    assert_eq!((heard(&back, "error").as_deref(), heard(&back, "step_up_receipt")), (Some("access_denied"), None));
    assert_eq!(browser.get(page.action()).await.status(), 410);
    assert_eq!(house.entries("step_up.passed").await.len(), 0);
}

async fn codes_by_mail_become_the_second_factor_of_who_reads_the_mail(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let receipt = passed_by_mail(&house, &start(&backend, &email(ADA)).await).await;
    consume(&backend, &receipt).await.is_ok();
    assert_eq!(asked_second(&house).await.as_deref(), Some("email_code"));
}

async fn a_start_token_works_once_and_for_a_step_up_alone(engine: Engine) {
    let (house, uid) = with_app(engine).await;
    house.set(&["limits.failures=100000"]).await;
    let backend = house.managing_backend().await;
    let second = house.another_node().await;
    let start_token = start(&backend, &email(ADA)).await;
    let refused = async |token: &str| {
        let (_, answer) = Screens::begin(&house, token).await;
        answer.oauth_error(400, "invalid_session");
        let page = house.browser().get(&format!("/sign-in/step-up?start_token={token}&client_id=c3")).await;
        assert_eq!(page.status(), 410, "{page}");
    };
    // What was changed, what nobody signed, what is something else.
    let parts: Vec<&str> = start_token.split('.').collect();
    let said = countersign_crypto::encoding::decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&said).unwrap();
    assert!(claims["sub"] == uid && claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() == 60);
    claims["sub"] = json!(house.user("eve@example.com").await);
    let changed = format!("{}.{}.{}", parts[0], countersign_crypto::encoding::encode(claims.to_string()), parts[2]);
    let code = house.code(&uid, &[]).await;
    let tokens = house.node.token(&countersign_testkit::provider::redemption(&code)).await.ok();
    for other in [changed.as_str(), "garbage", &tokens.text("access_token"), &tokens.text("id_token")] {
        refused(other).await;
    }
    // It opens nothing else.
    let bearer = house.node.client().with("authorization", &format!("Bearer {start_token}"));
    bearer.get("/v1/me").await.denied(401, "invalid_credentials");
    let unasked = consume(&backend, &start_token).await.detail(400);
    assert_eq!(unasked, "This is no step-up receipt of this project, or it has expired.");
    assert_eq!(house.entries("step_up.passed").await.len(), 0);
    // The twin.
    let (_, begun) = Screens::begin(&house, &start_token).await;
    prompt(&begun);
    refused(&start_token).await;
    let on_other = [("client_id", "c3"), ("start_token", start_token.as_str())];
    second.client().post_form(CHALLENGE, &on_other).await.oauth_error(400, "invalid_session");
    // Of twenty who begin at once, one does.
    let start_token = start(&backend, &email(ADA)).await;
    let begun = futures_util::future::join_all((0..20).map(|_| Screens::begin(&house, &start_token))).await;
    assert_eq!(begun.iter().filter(|(_, answer)| answer.status() == 403).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_token_and_a_receipt_have_an_end() {
    let (house, _) = with_app(Engine::Sqlite).await;
    let backend = house.managing_backend().await;
    let (late, in_time) = (start(&backend, &email(ADA)).await, start(&backend, &email(ADA)).await);
    house.advance(Duration::from_secs(59)).await;
    let (mut screens, begun) = Screens::begin(&house, &in_time).await;
    prompt(&begun);
    house.advance(Duration::from_secs(1)).await;
    Screens::begin(&house, &late).await.1.oauth_error(400, "invalid_session");
    let receipt = screens.prove_by_mail().await.ok().text("step_up_receipt");
    let again = start(&backend, &email(ADA)).await;
    let old = passed_by_mail(&house, &again).await;
    house.advance(Duration::from_secs(299)).await;
    consume(&backend, &receipt).await.is_ok();
    house.advance(Duration::from_secs(1)).await;
    let refused = consume(&backend, &old).await.detail(400);
    assert_eq!(refused, "This is no step-up receipt of this project, or it has expired.");
}

async fn a_receipt_works_once_for_the_client_that_asked_and_for_nothing_else(engine: Engine) {
    let (house, uid) = with_app(engine).await;
    house.set(&["limits.failures=100000"]).await;
    let backend = house.managing_backend().await;
    let second = house.another_node().await;
    let receipt = passed_by_mail(&house, &start(&backend, &email(ADA)).await).await;
    let before = house.books().await;
    let no_receipt = "This is no step-up receipt of this project, or it has expired.";
    // Of the same kind for another purpose, for another user, changed, or something else.
    let parts: Vec<&str> = receipt.split('.').collect();
    let said = countersign_crypto::encoding::decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&said).unwrap();
    assert!(claims.get("purpose").is_none() && claims.get("new_mfa_method").is_none(), "nothing of it is told");
    claims["jti"] = json!("stp_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    let changed = format!("{}.{}.{}", parts[0], countersign_crypto::encoding::encode(claims.to_string()), parts[2]);
    let open = start(&backend, &totp(ADA)).await;
    for other in [changed.as_str(), "garbage", "", &open, &format!("{receipt}x")] {
        assert_eq!(consume(&backend, other).await.detail(400), no_receipt, "{other}");
    }
    // Another client may not have it done.
    let (method, jwks) = (
        "oauth.auth_method=private_key_jwt",
        json!({ "keys": [
        countersign_testkit::manager::named(&backend.ed, countersign_testkit::manager::ED_KID)
    ] }),
    );
    let b5: countersign_domain::id::ClientId = "c5".parse().unwrap();
    let kind = countersign_domain::client::ClientKind::Backend;
    house.node.service.create_client(&p1(), b5, "Another".parse().unwrap(), kind).await.unwrap();
    house.set_client("c5", &[method, &format!("oauth.jwks={jwks}"), "management=on"]).await;
    let as_another = json!({ "iss": "c5", "sub": "c5" });
    let shown = json!({ "step_up_receipt": receipt });
    assert_eq!(backend.call_over(CONSUME, &shown, &as_another).await.detail(400), no_receipt);
    // It begins nothing, and opens nothing.
    Screens::begin(&house, &receipt).await.1.oauth_error(400, "invalid_session");
    let bearer = house.node.client().with("authorization", &format!("Bearer {receipt}"));
    bearer.get("/v1/me").await.denied(401, "invalid_credentials");
    let deeds = house.books().await.deeds - before.deeds;
    assert_eq!(deeds, 3, "a step-up was started, a client made and set up");
    // The twin, once.
    consume(&backend, &receipt).await.is_ok();
    let body = shown.to_string();
    for node in [&house.node, &second] {
        let assertion = backend.sign(&backend.claims(CONSUME, &body, &json!({})));
        let refused = backend.call_with(node, CONSUME, &body, &assertion).await.detail(409);
        assert_eq!(refused, "The receipt was used before.");
    }
    assert_eq!(house.only_entry("step_up.applied").await.user_id, Some(uid));
}

async fn of_twenty_who_consume_one_receipt_at_once_one_does(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let second = house.another_node().await;
    let backend = house.managing_backend().await;
    second.service.tick().await;
    let receipt = passed_by_mail(&house, &start(&backend, &email(ADA)).await).await;
    let body = json!({ "step_up_receipt": receipt }).to_string();
    let calls = (0..20).map(|n| {
        let assertion = backend.sign(&backend.claims(CONSUME, &body, &json!({})));
        let node = if n % 2 == 0 { &house.node } else { &second };
        let (backend, body) = (&backend, &body);
        async move { backend.call_with(node, CONSUME, body, &assertion).await.status() }
    });
    let mut statuses = futures_util::future::join_all(calls).await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses[19]), (200, 409, 409), "{statuses:?}");
    assert_eq!(house.entries("step_up.applied").await.len(), 1);
}

async fn nobody_passes_for_somebody_else(engine: Engine) {
    const EVE: &str = "eve@example.com";
    let (house, _) = with_app(engine).await;
    house.set(&["signup=on"]).await;
    house.user(EVE).await;
    let backend = house.managing_backend().await;
    let users = house.books().await.users;
    // On a page somebody may type another address: it is another's, or nobody's yet.
    for other in [EVE, "new@example.com"] {
        let browser = house.browser();
        let token = start(&backend, &email(ADA)).await;
        let sent = format!("/sign-in/step-up?start_token={token}&client_id=c3&state=a%20state");
        let first = browser.follow(&browser.get(&sent).await).await;
        assert!(first.says(ADA), "whose it is stands there already");
        let mut page = None;
        let code = newest(&house, other, async { page = Some(browser.asks_for_code(&first, other).await) });
        let code = code.await;
        let denied = browser.act(&page.unwrap(), "code", &[("code", &code)]).await;
        assert_eq!(denied.status(), 403, "{denied}");
    }
    assert_eq!(house.entries("step_up.passed").await.len(), 0);
    assert_eq!(house.books().await.users, users, "nobody came to be");
    // Who is signed in as the right one proves it again all the same.
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let token = start(&backend, &email(ADA)).await;
    let sent = format!("/sign-in/step-up?start_token={token}&client_id=c3&state=a%20state");
    let page = browser.follow(&browser.get(&sent).await).await;
    let answer = browser.act(&page, "continue", &[]).await;
    assert_eq!(browser.follow(&answer).await.heading(), page.heading());
    assert_eq!(house.entries("step_up.passed").await.len(), 0);
    // The twin.
    let mut next = None;
    let code = newest(&house, ADA, async { next = Some(browser.asks_for_code(&page, ADA).await) }).await;
    let back = browser.act(&next.unwrap(), "code", &[("code", &code)]).await;
    consume(&backend, &heard(&back, "step_up_receipt").unwrap()).await.is_ok();
}

async fn who_was_revoked_or_locked_out_meanwhile_gets_nothing(engine: Engine) {
    let (house, uid) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let user = uid.parse().unwrap();
    let receipt = passed_by_mail(&house, &start(&backend, &email(ADA)).await).await;
    for change in [StateChange::Disable, StateChange::Enable] {
        house.node.service.change_user_state(&p1(), user, change).await.unwrap();
    }
    let refused = consume(&backend, &receipt).await.detail(400);
    assert_eq!(refused, "This is no step-up receipt of this project, or it has expired.");
    house.node.service.change_user_state(&p1(), user, StateChange::Disable).await.unwrap();
    assert_eq!(backend.call(START, &email(ADA)).await.detail(409), "The user is locked out.");
    house.node.service.change_user_state(&p1(), user, StateChange::Enable).await.unwrap();
    let receipt = passed_by_mail(&house, &start(&backend, &email(ADA)).await).await;
    consume(&backend, &receipt).await.is_ok();
}

async fn a_wrong_code_passes_nothing_and_five_end_the_code(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let (mut screens, _) = Screens::begin(&house, &start(&backend, &phone(ADA, NUMBER)).await).await;
    let code = newest(&house, NUMBER, async { drop(prompt(&screens.prove_by_mail().await)) }).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in (0..5).rev() {
        let asked = prompt(&screens.say(&[("code", wrong)]).await);
        assert_eq!(asked["tries_left"], left, "{asked}");
    }
    let over = prompt(&screens.say(&[("code", &code)]).await);
    assert_eq!(over["hint"], "resend_code", "{over}");
    assert_eq!(house.entries("step_up.passed").await.len(), 0);
    // Another isn't sent at once.
    let wait = prompt(&screens.say(&[("method", "sms_code")]).await);
    assert_eq!(wait["hint"], "wait", "{wait}");
}

async fn what_cannot_be_changed_is_refused_before_anybody_is_asked(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let backend = house.managing_backend().await;
    house.user("eve@example.com").await;
    backend.call(super::PHONE, &json!({ "userid": "eve@example.com", "phone": NUMBER })).await.is_ok();
    let before = house.books().await;
    let without_number = json!({ "subject_userid": ADA, "purpose": "change_mfa_method", "new_mfa_method": "sms_otp" });
    let unknown = json!({ "subject_userid": ADA, "purpose": "change_mfa_method", "new_mfa_method": "push" });
    for (asked, status, detail) in [
        (totp("bob@example.com"), 404, "There is no such user."),
        (phone(ADA, NUMBER), 409, "Another user has this telephone number."),
        (without_number, 400, "The user has no telephone number: name it as new_phone_number."),
        (
            unknown,
            400,
            "New_mfa_method must be sms_otp, email_otp or totp, and new_phone_number goes with sms_otp alone.",
        ),
        (
            phone(ADA, "5551234567"),
            400,
            "`new_phone_number` must be a telephone number in E.164 form like `+15551234567`.",
        ),
        (
            json!({ "subject_userid": ADA, "purpose": "device_revoke" }),
            400,
            "`purpose` must be `change_mfa_method` or `change_phone_number`.",
        ),
    ] {
        assert_eq!(backend.call(START, &asked).await.detail(status), detail, "{asked}");
    }
    assert_eq!(house.books().await, before);
    start(&backend, &phone(ADA, "+15551234569")).await;
    // Where no message leaves, none can be proved.
    let house = House::open(engine).await;
    house.user(ADA).await;
    let backend = house.managing_backend().await;
    let refused = backend.call(START, &phone(ADA, NUMBER)).await.detail(400);
    assert_eq!(refused, "This server has no way to send such codes: see its configuration.");
    start(&backend, &totp(ADA)).await;
}

async fn the_first_clients_say_everything_in_an_assertion(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let said = json!({ "purpose": "mfa_change", "new_mfa_method": "totp" });
    let started = backend.call_by_header(START, ADA, &said).await.ok();
    assert!(!started.headers.contains_key("x-response-signature"));
    let (_, receipt) = set_up_app(&house, &started.text("start_token")).await;
    let done = backend.call_by_header(CONSUME, ADA, &json!({ "receipt": receipt })).await.ok();
    assert_eq!(done.json(), json!({ "ok": true }));
    assert_eq!(asked_second(&house).await.as_deref(), Some("totp"));
    assert_eq!(house.only_entry("step_up.applied").await.detail["purpose"], "mfa_change");
    // What changes nothing is proved and consumed all the same: the backend only wants to know that it is the user.
    backend.call(super::ENFORCEMENT, &json!({ "userid": ADA, "mfa_enforcement": "off" })).await.is_ok();
    let started = backend.call_by_header(START, ADA, &json!({ "purpose": "device_revoke" })).await.ok();
    let (mut screens, _) = Screens::begin(&house, &started.text("start_token")).await;
    assert_eq!(prompt(&screens.prove_by_mail().await)["type"], "enter_totp");
}

async fn what_an_old_clients_assertion_says_must_be_right(engine: Engine) {
    let (house, _) = with_app(engine).await;
    house.user("eve@example.com").await;
    house.set(&["limits.failures=100000"]).await;
    let backend = house.managing_backend().await;
    let before = house.books().await;
    let said = json!({ "purpose": "mfa_change", "new_mfa_method": "email_otp" });
    let other_key = json!({ "jkt": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
    let consume_url = format!("{}{CONSUME}", house.public_url());
    for (over, status, detail) in [
        (
            json!({ "cnf": other_key }),
            401,
            "The call is not proved: cnf of the assertion must be the key of the DPoP proof.",
        ),
        (
            json!({ "cnf": null }),
            401,
            "The call is not proved: cnf of the assertion must be the key of the DPoP proof.",
        ),
        (
            json!({ "aud": consume_url }),
            401,
            "The call is not proved: aud of the assertion must be the address of this call.",
        ),
        (json!({ "purpose": "" }), 400, "`purpose` must be 1 to 64 letters, digits, `_`, `-`, `.` or `:`."),
        (json!({ "purpose": null }), 400, "`purpose` must be 1 to 64 letters, digits, `_`, `-`, `.` or `:`."),
        (json!({ "iss": "c9" }), 401, "Sign the call by a key that a client of this project registered."),
    ] {
        assert_eq!(backend.call_by_header_over(START, ADA, &said, &over).await.detail(status), detail, "{over}");
    }
    assert_eq!(house.books().await, before);
    let started = backend.call_by_header(START, ADA, &said).await.ok();
    let receipt = passed_by_mail(&house, &started.text("start_token")).await;
    // The receipt is of another user.
    let refused = backend.call_by_header(CONSUME, "eve@example.com", &json!({ "receipt": receipt })).await.detail(400);
    assert_eq!(refused, "This is no step-up receipt of this project, or it has expired.");
    backend.call_by_header(CONSUME, ADA, &json!({ "receipt": receipt })).await.is_ok();
}

async fn a_page_leads_back_to_registered_addresses_alone(engine: Engine) {
    let (house, _) = with_app(engine).await;
    let backend = house.managing_backend().await;
    let begin = async |more: &str| {
        let token = start(&backend, &email(ADA)).await;
        house.browser().get(&format!("/sign-in/step-up?start_token={token}{more}")).await.status()
    };
    assert_eq!(VERIFIER.len(), 43);
    for more in [
        // The backend that asked has no address to go back to.
        "",
        "&client_id=c9",
        "&client_id=c3&redirect_uri=https%3A%2F%2Fevil.example%2F",
        "&client_id=c3&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback%2F",
        "&client_id=c3&client_id=c3",
    ] {
        assert_eq!(begin(more).await, 400, "{more}");
    }
    assert_eq!(begin("&client_id=c3&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback").await, 303);
    // One of somebody else's isn't asked to.
    house.set_client("c3", &["oauth.first_party=off"]).await;
    assert_eq!(begin("&client_id=c3").await, 400);
}
