//! Signing in by a passkey on our pages, and what must not pass for one. Each attack has a twin without it.

use std::time::Duration;

use countersign_domain::locale::Locale;
use countersign_service::{
    address::Address, caller::Caller, deliver::carrier::Delivery, passkeys::Registration, projects::state::StateChange,
};
use countersign_testkit::{
    answer::Answer,
    authenticator::{Authenticator, USER_PRESENT},
    browser::{Browser, Page},
    database::Engine,
    house::House,
    on_both_engines,
    provider::redemption,
    token::claims,
};
use serde_json::json;
use tokio::task::JoinSet;

use super::ADA;

on_both_engines!(
    who_has_a_passkey_signs_in_with_nothing_to_type,
    a_passkey_will_do_where_a_code_was_sent,
    an_app_of_somebody_elses_asks_first_and_gets_the_same_proof,
    an_answer_to_the_question_of_another_sign_in,
    an_answer_that_was_given_before,
    a_passkey_that_nobody_unlocked,
    a_passkey_shown_to_another_site,
    a_passkey_that_was_removed,
    a_user_who_is_locked_out,
    another_user_than_the_app_expects,
    a_user_without_an_address,
    of_twenty_who_show_one_answer_at_once_one_is_signed_in,
    a_question_that_another_page_asks_for,
    questions_and_failures_have_a_measure,
    where_there_are_no_passkeys_no_page_speaks_of_them,
    where_no_mail_is_sent_a_passkey_still_opens,
);

pub(super) async fn with_ada(engine: Engine) -> House {
    let house = House::at_localhost(engine).await;
    house.web_app().await;
    house.user(ADA).await;
    house
}

/// Nobody is signed in, and the page says that the passkey won't do.
async fn is_no_use(house: &House, browser: &Browser, answer: &Answer, passed: usize) {
    let page = browser.follow(answer).await;
    assert!(page.says("This passkey can&#39;t be used here"), "{}", page.answer);
    assert!(!browser.cookies().contains_key("countersign-session-p1"));
    assert_eq!(house.entries("sign_in.passed").await.len(), passed);
}

async fn who_has_a_passkey_signs_in_with_nothing_to_type(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[("nonce", "n-1")]).await;
    assert!(page.says("autocomplete=\"username webauthn\"") && page.says("Sign in with a passkey"), "{}", page.answer);
    let code = browser.shows_passkey(&page, &passkey).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let said = claims(&tokens.text("id_token"));
    assert_eq!(
        [&said["sub"], &said["email"], &said["amr"], &said["acr"], &said["nonce"]].map(Clone::clone),
        [
            json!(house.user_id(ADA).await.to_string()),
            json!(ADA),
            json!(["swk", "user", "mfa"]),
            json!("urn:countersign:acr:two-factors"),
            json!("n-1"),
        ]
    );
    // The browser stays signed in, by the same proof.
    let code = browser.authorize(&house, &[("acr_values", "urn:countersign:acr:two-factors")]).await.code_for_app();
    let again = house.node.token(&redemption(&code)).await.ok();
    assert_eq!(claims(&again.text("id_token"))["amr"], json!(["swk", "user", "mfa"]));
    let account = browser.page("/account").await;
    assert!(account.says(ADA) && account.says("last used 20"), "{}", account.answer);
    let entries = house.entries("sign_in.passed").await;
    let entry = entries.iter().find(|entry| entry.detail["method"] == "passkey");
    let key = entry.expect("an entry").key_id.clone().expect("it names the passkey");
    assert!(account.says(&key), "{key}");
}

async fn a_passkey_will_do_where_a_code_was_sent(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    // By mistake, with another address.
    let page = browser.asks_for_code(&page, "bob@example.com").await;
    assert!(page.says("Sign in with a passkey"), "{}", page.answer);
    let code = browser.shows_passkey(&page, &passkey).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    assert_eq!(claims(&tokens.text("id_token"))["email"], ADA);
    assert_eq!(browser.get(&page.path).await.status(), 410, "the sign-in is over");
}

async fn an_app_of_somebody_elses_asks_first_and_gets_the_same_proof(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    house.set_client("c3", &["oauth.first_party=off"]).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let consent = browser.follow(&browser.shows_passkey(&page, &passkey).await).await;
    assert!(consent.heading().ends_with("asks for access"), "{}", consent.answer);
    // Who is known is asked for no passkey any more.
    let question = browser.passkey_question(&consent).await;
    assert_eq!(question.status(), 409, "{question}");
    let code = browser.act(&consent, "allow", &[]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    assert_eq!(claims(&tokens.text("id_token"))["acr"], "urn:countersign:acr:two-factors");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_as_new_a_proof_as_an_app_can_ask_for() {
    let house = with_ada(Engine::Sqlite).await;
    let (browser, passkey) = house.passkey_of(ADA).await;
    house.advance(Duration::from_mins(1)).await;
    let by_code = house.browser();
    by_code.signs_in(&house, ADA, &[]).await.code_for_app();
    let two_factors = ("acr_values", "urn:countersign:acr:two-factors");
    for (browser, asked) in [(&browser, ("max_age", "10")), (&browser, ("prompt", "login")), (&by_code, two_factors)] {
        let page = browser.sent_by_app(&house, &[asked]).await;
        let code = browser.shows_passkey(&page, &passkey).await.code_for_app();
        let tokens = house.node.token(&redemption(&code)).await.ok();
        assert_eq!(claims(&tokens.text("id_token"))["auth_time"], house.node.service.now().seconds(), "{asked:?}");
        house.advance(Duration::from_mins(1)).await;
    }
}

async fn an_answer_to_the_question_of_another_sign_in(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let (victim, attacker) = (house.browser(), house.browser());
    let theirs = attacker.sent_by_app(&house, &[]).await;
    let ours = victim.sent_by_app(&house, &[]).await;
    // The attacker's question, which Ada's browser was made to answer.
    let question = attacker.passkey_question(&theirs).await.ok().json();
    let answer = passkey.get(&question);
    victim.passkey_question(&ours).await.is_ok();
    let shown = victim.act(&ours, "passkey", &[("passkey", &answer)]).await;
    is_no_use(&house, &victim, &shown, 1).await;
    // And a question asked for later takes the place of the one before.
    let first = victim.passkey_question(&ours).await.ok().json();
    victim.passkey_question(&ours).await.is_ok();
    let shown = victim.act(&ours, "passkey", &[("passkey", &passkey.get(&first))]).await;
    is_no_use(&house, &victim, &shown, 1).await;
    victim.shows_passkey(&ours, &passkey).await.code_for_app();
}

async fn an_answer_that_was_given_before(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let question = browser.passkey_question(&page).await.ok().json();
    let answer = passkey.get(&question);
    browser.act(&page, "passkey", &[("passkey", &answer)]).await.code_for_app();
    // In the same sign-in, and in another.
    let again = browser.act(&page, "passkey", &[("passkey", &answer)]).await;
    assert_eq!(again.status(), 410, "{again}");
    let other = house.browser();
    let page = other.sent_by_app(&house, &[]).await;
    let shown = other.act(&page, "passkey", &[("passkey", &answer)]).await;
    is_no_use(&house, &other, &shown, 2).await;
    other.passkey_question(&page).await.is_ok();
    let shown = other.act(&page, "passkey", &[("passkey", &answer)]).await;
    is_no_use(&house, &other, &shown, 2).await;
    other.shows_passkey(&page, &passkey).await.code_for_app();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late() {
    let house = with_ada(Engine::Sqlite).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let question = browser.passkey_question(&page).await.ok().json();
    house.advance(Duration::from_mins(5)).await;
    let shown = browser.act(&page, "passkey", &[("passkey", &passkey.get(&question))]).await;
    is_no_use(&house, &browser, &shown, 1).await;
    browser.shows_passkey(&page, &passkey).await.code_for_app();
}

/// With this done to Ada's phone nobody is signed in; without it, she is.
async fn fails(engine: Engine, attack: impl Fn(&mut Authenticator)) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let mut attacked = passkey.clone();
    attack(&mut attacked);
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let shown = browser.shows_passkey(&page, &attacked).await;
    is_no_use(&house, &browser, &shown, 1).await;
    browser.shows_passkey(&page, &passkey).await.code_for_app();
}

async fn a_passkey_that_nobody_unlocked(engine: Engine) {
    fails(engine, |passkey| passkey.flags = USER_PRESENT | (passkey.flags & 0x18)).await;
}

async fn a_passkey_shown_to_another_site(engine: Engine) {
    fails(engine, |passkey| "https://evil.example".clone_into(&mut passkey.origin)).await;
}

async fn a_passkey_that_was_removed(engine: Engine) {
    let house = with_ada(engine).await;
    let (own, passkey) = house.passkey_of(ADA).await;
    let (browser, early) = (house.browser(), house.browser());
    // The question was asked while there still was the passkey.
    let asked = early.sent_by_app(&house, &[]).await;
    let question = early.passkey_question(&asked).await.ok().json();
    let page = browser.sent_by_app(&house, &[]).await;
    browser.shows_passkey(&page, &passkey).await.code_for_app();
    let account = own.page("/account").await;
    let id = passkey_ids(&account).remove(0);
    let removed = [("form", &*account.form_token()), ("do", "remove"), ("id", &id)];
    own.post("/account/passkeys", &removed).await.is_ok_redirect();
    let shown = early.act(&asked, "passkey", &[("passkey", &passkey.get(&question))]).await;
    is_no_use(&house, &early, &shown, 2).await;
}

async fn a_user_who_is_locked_out(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    house.change_user(ADA, StateChange::Disable).await;
    let denied = browser.shows_passkey(&page, &passkey).await;
    assert_eq!(denied.status(), 403, "{denied}");
    assert!(denied.to_string().contains("This account is closed"), "{denied}");
    assert!(!browser.cookies().contains_key("countersign-session-p1"));
    assert_eq!(house.entries("sign_in.passed").await.len(), 1);
    house.change_user(ADA, StateChange::Enable).await;
    let page = browser.sent_by_app(&house, &[]).await;
    browser.shows_passkey(&page, &passkey).await.code_for_app();
}

async fn another_user_than_the_app_expects(engine: Engine) {
    let house = with_ada(engine).await;
    house.user("bob@example.com").await;
    let (_, of_ada) = house.passkey_of(ADA).await;
    let (_, of_bob) = house.passkey_of("bob@example.com").await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let code = browser.shows_passkey(&page, &of_ada).await.code_for_app();
    let hint = house.node.token(&redemption(&code)).await.ok().text("id_token");
    let fresh = house.browser();
    let page = fresh.sent_by_app(&house, &[("id_token_hint", &hint)]).await;
    let denied = fresh.shows_passkey(&page, &of_bob).await;
    assert_eq!(denied.status(), 403, "{denied}");
    assert!(denied.to_string().contains("This is another account"), "{denied}");
    let page = fresh.sent_by_app(&house, &[("id_token_hint", &hint)]).await;
    fresh.shows_passkey(&page, &of_ada).await.code_for_app();
}

async fn a_user_without_an_address(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let id = house.user_id(ADA).await;
    let sql = format!("delete from identities where user_id = '{id}'");
    house.database.execute(&sql).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let denied = browser.shows_passkey(&page, &passkey).await;
    assert_eq!(denied.status(), 403, "{denied}");
    assert!(denied.to_string().contains("Your account has no e-mail address"), "{denied}");
    // Where no address is promised, none is missed.
    let page = browser.sent_by_app(&house, &[("scope", "profile")]).await;
    browser.shows_passkey(&page, &passkey).await.code_for_app();
}

async fn of_twenty_who_show_one_answer_at_once_one_is_signed_in(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let answer = passkey.get(&browser.passkey_question(&page).await.ok().json());
    let mut racers = JoinSet::new();
    for _ in 0..20 {
        let (one, page, answer) = (browser.with("x-racer", "1"), page.clone(), answer.clone());
        racers.spawn(async move { one.act(&page, "passkey", &[("passkey", &answer)]).await });
    }
    let answers = racers.join_all().await;
    // Who comes too late finds the sign-in over.
    let count = |status| answers.iter().filter(|answer| answer.status() == status).count();
    assert_eq!((count(303), count(410)), (1, 19));
    assert_eq!(house.entries("sign_in.passed").await.len(), 2);
}

async fn a_question_that_another_page_asks_for(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let (browser, stranger) = (house.browser(), house.browser());
    let page = browser.sent_by_app(&house, &[]).await;
    let strange = stranger.sent_by_app(&house, &[]).await.form_token();
    let answer = passkey.get(&browser.passkey_question(&page).await.ok().json());
    let path = format!("{}/passkey", page.action());
    for token in ["", "AAAA", &strange] {
        assert_eq!(browser.post(&path, &[("form", token)]).await.status(), 403);
        let sent = [("form", token), ("do", "passkey"), ("passkey", answer.as_str())];
        assert_eq!(browser.post(page.action(), &sent).await.status(), 403);
    }
    let token = page.form_token();
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let refused = browser.with(name, value).post(&path, &[("form", &token)]).await;
        assert_eq!(refused.status(), 403, "{name}: {refused}");
    }
    let foreign = stranger.post(&path, &[("form", &token)]).await;
    assert_eq!(foreign.status(), 410, "{foreign}");
    // None of them took the place of the question.
    let shown = browser.act(&page, "passkey", &[("passkey", &answer)]).await;
    shown.code_for_app();
}

async fn questions_and_failures_have_a_measure(engine: Engine) {
    let house = with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    house.set(&["limits.failures=3"]).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let mut wrong = passkey.clone();
    "https://evil.example".clone_into(&mut wrong.origin);
    for _ in 0..3 {
        let shown = browser.shows_passkey(&page, &wrong).await;
        is_no_use(&house, &browser, &shown, 1).await;
    }
    let shown = browser.shows_passkey(&page, &wrong).await;
    assert!(browser.follow(&shown).await.says("That was too often"), "{shown}");
    house.set(&["limits.sign_ins=3"]).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(browser.passkey_question(&page).await);
    }
    let late = answers.last().unwrap();
    assert_eq!(late.status(), 429, "{late}");
    assert!((1..=60).contains(&late.header("retry-after").parse::<u32>().unwrap()), "{late}");
    assert!(answers[0].status() == 200 && answers.iter().all(|it| [200, 429].contains(&it.status())));
    assert!(page.says("Wait a minute, then try again"), "the script has words for it: {}", page.answer);
    house.advance(Duration::from_mins(2)).await;
    browser.shows_passkey(&page, &passkey).await.code_for_app();
}

async fn where_there_are_no_passkeys_no_page_speaks_of_them(engine: Engine) {
    let house = super::with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    assert!(!page.says("asskey") && !page.says("webauthn") && !page.says("<script"), "{}", page.answer);
    assert_eq!(browser.passkey_question(&page).await.status(), 409);
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    assert!(!browser.page("/account").await.says("asskey"));
}

async fn where_no_mail_is_sent_a_passkey_still_opens(engine: Engine) {
    let house = House::at_localhost_with_delivery(engine, Delivery::NOWHERE).await;
    house.web_app().await;
    let ada = house.user(ADA).await.parse().unwrap();
    let service = &house.node.service;
    let project = service.project(&Address { path: Some("p1".to_owned()), host: None }).unwrap();
    let challenge = service.begin_registration(&project, ada).await.unwrap();
    let mut passkey = Authenticator::synced(house.public_url());
    let response = passkey.create(&challenge.options);
    let name = "".parse().unwrap();
    let registration = Registration {
        user: ada,
        state: &challenge.state,
        response: &response,
        name,
        locale: Locale::En,
        browser: None,
    };
    let caller = Caller {
        address: [127, 0, 0, 1].into(),
        user_agent: String::new(),
        origin: None,
        request_id: "request-1".to_owned(),
    };
    service.finish_registration(&project, registration, &caller).await.unwrap();
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    assert!(page.says("sign in another way") && !page.says("type=\"email\""), "{}", page.answer);
    assert!(page.says("Sign in with a passkey"), "{}", page.answer);
    browser.shows_passkey(&page, &passkey).await.code_for_app();
}

/// The passkeys on a user's own page.
pub(super) fn passkey_ids(account: &Page) -> Vec<String> {
    let text = account.text();
    let after = text.split("action=\"/account/passkeys\"").skip(1);
    let id = |part: &str| Some(part.split_once("name=\"id\" value=\"")?.1.split('"').next()?.to_owned());
    let mut ids: Vec<String> = after.filter_map(id).collect();
    ids.dedup();
    ids
}

pub(super) trait Redirected {
    /// It was done, and leads back to the account.
    fn is_ok_redirect(&self);
}

impl Redirected for Answer {
    #[track_caller]
    fn is_ok_redirect(&self) {
        assert_eq!((self.status(), self.header("location")), (303, "/account"), "{self}");
    }
}
