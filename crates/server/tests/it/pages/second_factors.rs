//! Second factors on our pages: in a sign-in, and on a user's own page.

use std::time::Duration;

use countersign_testkit::{
    answer::Answer,
    authenticator_app::AuthenticatorApp,
    browser::{Browser, Page, heading},
    database::Engine,
    house::House,
    on_both_engines,
    provider::redemption,
    token::claims,
};
use serde_json::json;

use super::{ADA, passkeys::Redirected, with_ada};

on_both_engines!(
    who_has_none_sets_an_app_up_where_one_is_required,
    a_user_sets_an_app_up_and_is_asked_for_it_from_then_on,
    a_telephone_is_set_up_in_a_sign_in,
    recovery_codes_are_shown_once_and_let_the_user_in,
    who_has_a_factor_changes_it_only_after_showing_it,
    what_wont_do_changes_nothing,
    csrf_on_every_form_about_factors,
    whoever_is_signed_in_by_one_factor_is_asked_again_where_two_are_required,
);

/// What a link for an app on the same device leads to.
fn otpauth(page: &str) -> String {
    let (_, after) = page.split_once("href=\"otpauth:").unwrap_or_else(|| panic!("there is no link: {page}"));
    format!("otpauth:{}", after.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"))
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn token_of(answer: &Answer) -> String {
    Page { path: "/account/factors".to_owned(), answer: answer.clone() }.form_token()
}

fn hidden(answer: &Answer, name: &str) -> String {
    let text = text(answer);
    let (_, after) = text.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    after.split('"').next().unwrap().to_owned()
}

/// Sets an app up on the account's page.
async fn set_up(house: &House, browser: &Browser) -> AuthenticatorApp {
    let token = browser.page("/account").await.form_token();
    let page = browser.post("/account/factors", &[("form", &token), ("do", "new_totp")]).await.ok();
    let app = AuthenticatorApp::reading(&otpauth(&text(&page)));
    let code = app.code_at(house.node.service.now());
    let sent = [("form", &*token_of(&page)), ("do", "add_totp"), ("sealed", &hidden(&page, "sealed")), ("code", &code)];
    let answer = browser.post("/account/factors", &sent).await;
    assert_eq!((answer.status(), answer.header("location")), (303, "/account"), "{answer}");
    app
}

/// Past the first factor.
async fn half_in(house: &House, browser: &Browser) -> Page {
    let answer = browser.signs_in(house, ADA, &[]).await;
    browser.follow(&answer).await
}

async fn level(house: &House, answer: &Answer) -> String {
    let tokens = house.node.token(&redemption(&answer.code_for_app())).await.ok();
    claims(&tokens.text("id_token"))["acr"].as_str().unwrap().to_owned()
}

const TWO: &str = "urn:countersign:acr:two-factors";

async fn who_has_none_sets_an_app_up_where_one_is_required(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["mfa.policy=required"]).await;
    let browser = house.browser();
    let page = half_in(&house, &browser).await;
    assert_eq!(page.heading(), "Set up a second factor");
    assert!(!browser.cookies().keys().any(|name| name.contains("session")), "nobody is signed in yet");
    let answer = browser.act(&page, "totp", &[]).await;
    let page = browser.follow(&answer).await;
    assert!(page.says("<svg class=\"qr\""), "{}", page.answer);
    let app = AuthenticatorApp::reading(&otpauth(&page.text()));
    let answer = browser.act(&page, "code", &[("code", "000000")]).await;
    let page = browser.follow(&answer).await;
    assert!(page.says("You can try 4 more times"), "{}", page.answer);
    let code = app.code_at(house.node.service.now());
    let answer = browser.act(&page, "code", &[("code", &code)]).await;
    assert_eq!(level(&house, &answer).await, TWO);
    house.only_entry("factor.added").await;
}

async fn a_user_sets_an_app_up_and_is_asked_for_it_from_then_on(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let app = set_up(&house, &browser).await;
    assert!(browser.page("/account").await.says("<strong>Authenticator app</strong>"));
    let entry = house.only_entry("factor.added").await;
    assert_eq!(entry.detail["factor"], "totp");
    let told = house.messages_to(ADA).await;
    assert!(told.iter().any(|(_, code)| code.is_none()), "the user is told");
    let another = house.browser();
    let page = half_in(&house, &another).await;
    assert_eq!(page.heading(), "One more step");
    assert!(!page.says("something is unusual"), "{}", page.answer);
    let answer = another.act(&page, "code", &[("code", &app.next_code(house.node.service.now()))]).await;
    assert_eq!(level(&house, &answer).await, TWO);
    let abroad = house.browser().user_agent("another").with("x-forwarded-for", "203.0.113.9");
    let page = half_in(&house, &abroad).await;
    assert!(page.says("with this device before") && page.says("from this network before"), "{}", page.answer);
    // Another sign-in there needs nothing more.
    another.authorize(&house, &[]).await.code_for_app();
}

async fn a_telephone_is_set_up_in_a_sign_in(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["mfa.policy=required"]).await;
    let browser = house.browser();
    let page = half_in(&house, &browser).await;
    let answer = browser.act(&page, "sms_code", &[]).await;
    let page = browser.follow(&answer).await;
    let answer = browser.act(&page, "phone", &[("phone", "my phone")]).await;
    let page = browser.follow(&answer).await;
    assert!(page.says("This is not a telephone number"), "{}", page.answer);
    let answer = browser.act(&page, "phone", &[("phone", "+1 555 123 4567")]).await;
    let page = browser.follow(&answer).await;
    assert!(page.says("We have sent a code to +1…67"), "{}", page.answer);
    let outbox = house.node.client().get("/dev/outbox?to=%2B15551234567").await.ok().json();
    let code = outbox["messages"][0]["code"].as_str().unwrap().to_owned();
    let answer = browser.act(&page, "code", &[("code", &code)]).await;
    assert_eq!(level(&house, &answer).await, TWO);
    assert!(browser.page("/account").await.says("Text message to +15551234567"));
}

async fn recovery_codes_are_shown_once_and_let_the_user_in(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let app = set_up(&house, &browser).await;
    // The browser was proved by one factor alone, and the user has two by now.
    let browser = house.browser();
    let page = half_in(&house, &browser).await;
    let code = app.next_code(house.node.service.now());
    browser.act(&page, "code", &[("code", &code)]).await.code_for_app();
    let token = browser.page("/account").await.form_token();
    let shown = browser.post("/account/factors", &[("form", &token), ("do", "codes")]).await.ok();
    assert_eq!((heading(&shown), shown.header("cache-control")), ("Your recovery codes".to_owned(), "no-store"));
    let text = text(&shown);
    let codes: Vec<&str> = text.split("<li><code>").skip(1).map(|after| after.split('<').next().unwrap()).collect();
    assert_eq!(codes.len(), 10);
    let account = browser.page("/account").await;
    assert!(account.says("You have 10 recovery codes left") && !account.says(codes[0]));
    for (code, is_good) in [(codes[0], true), (codes[0], false), ("0000-0000-0000-0000", false), (codes[1], true)] {
        let another = house.browser();
        let page = half_in(&house, &another).await;
        let answer = another.act(&page, "recovery_code", &[("code", &code.to_lowercase().replace('-', " "))]).await;
        if is_good {
            assert_eq!(level(&house, &answer).await, TWO);
        } else {
            let page = another.follow(&answer).await;
            assert!(page.says("This is none of your recovery codes"), "{}", page.answer);
        }
    }
    assert_eq!(house.entries("recovery_code.used").await.len(), 2);
}

async fn who_has_a_factor_changes_it_only_after_showing_it(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let app = set_up(&house, &browser).await;
    // A thief with the mailbox and a browser that one factor opened.
    let token = browser.page("/account").await.form_token();
    for what in ["remove", "prefer", "codes", "new_totp"] {
        let sent = [("form", &*token), ("do", what), ("kind", "totp"), ("preference", "none")];
        let answer = browser.post("/account/factors", &sent).await;
        assert_eq!(answer.status(), 303, "{answer}");
        assert!(answer.header("location").starts_with("/sign-in/"), "{answer}");
    }
    assert!(house.entries("factor.removed").await.is_empty());
    assert!(house.entries("mfa_preference.set").await.is_empty());
    // The twin: who shows the factor as well.
    let answer = browser.post("/account/factors", &[("form", &token), ("do", "remove"), ("kind", "totp")]).await;
    let page = browser.follow(&answer).await;
    let before = house.messages_to(ADA).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let new = house.messages_to(ADA).await.into_iter().find(|message| !before.contains(message));
    let answer = browser.act(&page, "code", &[("code", &new.unwrap().1.unwrap())]).await;
    let page = browser.follow(&answer).await;
    let code = app.next_code(house.node.service.now());
    let answer = browser.act(&page, "code", &[("code", &code)]).await;
    assert_eq!((answer.status(), answer.header("location")), (303, "/account"), "{answer}");
    let token = browser.page("/account").await.form_token();
    let sent = [("form", &*token), ("do", "prefer"), ("preference", "risk_only")];
    browser.post("/account/factors", &sent).await.is_ok_redirect();
    house.only_entry("mfa_preference.set").await;
    browser.post("/account/factors", &[("form", &token), ("do", "remove"), ("kind", "totp")]).await.is_ok_redirect();
    house.only_entry("factor.removed").await;
    assert!(!browser.page("/account").await.says("<strong>Authenticator app</strong>"));
}

async fn what_wont_do_changes_nothing(engine: Engine) {
    let house = with_ada(engine).await;
    house.user("bob@example.com").await;
    let (browser, other) = (house.browser(), house.browser());
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    other.signs_in(&house, "bob@example.com", &[]).await.code_for_app();
    let token = browser.page("/account").await.form_token();
    let page = browser.post("/account/factors", &[("form", &token), ("do", "new_totp")]).await.ok();
    let app = AuthenticatorApp::reading(&otpauth(&text(&page)));
    let (sealed, code) = (hidden(&page, "sealed"), app.code_at(house.node.service.now()));
    let sends = async |browser: &Browser, sealed: &str, code: &str| {
        let token = browser.page("/account").await.form_token();
        let sent = [("form", &*token), ("do", "add_totp"), ("sealed", sealed), ("code", code)];
        browser.post("/account/factors", &sent).await
    };
    // The seed that was sealed for another browser, a garbled one, none.
    for (browser, sealed) in [(&other, sealed.as_str()), (&browser, &sealed[..40]), (&browser, "")] {
        let answer = sends(browser, sealed, &code).await;
        assert_eq!((answer.status(), answer.header("location")), (303, "/account?m=code"), "{answer}");
    }
    let again = sends(&browser, &sealed, "000000").await.ok();
    assert!(text(&again).contains("That was not the code"));
    assert_eq!(otpauth(&text(&again)), otpauth(&text(&page)), "the app needn't be set up again");
    for (what, name, value) in [("remove", "kind", "totp"), ("remove", "kind", "x"), ("prefer", "preference", "x")] {
        let answer = browser.post("/account/factors", &[("form", &token), ("do", what), (name, value)]).await;
        assert_eq!((answer.status(), answer.header("location")), (303, "/account?m=code"), "{answer}");
    }
    assert!(house.entries("factor.added").await.is_empty());
    sends(&browser, &sealed, &code).await.is_ok_redirect();
    house.only_entry("factor.added").await;
}

async fn csrf_on_every_form_about_factors(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let token = browser.page("/account").await.form_token();
    for what in ["new_totp", "add_totp", "remove", "prefer", "codes"] {
        for forged in ["", "forged", &token[1..]] {
            let answer = browser.post("/account/factors", &[("form", forged), ("do", what)]).await;
            assert_eq!(answer.status(), 403, "{what} {forged}: {answer}");
        }
        let elsewhere = browser.with("sec-fetch-site", "cross-site");
        assert_eq!(elsewhere.post("/account/factors", &[("form", &token), ("do", what)]).await.status(), 403);
    }
    assert!(house.entries("recovery_codes.made").await.is_empty());
    set_up(&house, &browser).await;
}

async fn whoever_is_signed_in_by_one_factor_is_asked_again_where_two_are_required(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    browser.authorize(&house, &[]).await.code_for_app();
    let asking = [("acr_values", TWO)];
    let silent = [("acr_values", TWO), ("prompt", "none")];
    assert_eq!(browser.authorize(&house, &silent).await.error_for_app(), "login_required");
    assert_eq!(browser.sent_by_app(&house, &asking).await.heading(), "Sign in");
    house.set(&["mfa.policy=required"]).await;
    assert_eq!(browser.sent_by_app(&house, &[]).await.heading(), "Sign in");
    assert_eq!(browser.authorize(&house, &[("prompt", "none")]).await.error_for_app(), "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_was_shown_long_ago_is_not_set_up() {
    let house = with_ada(Engine::Sqlite).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let token = browser.page("/account").await.form_token();
    let page = browser.post("/account/factors", &[("form", &token), ("do", "new_totp")]).await.ok();
    let app = AuthenticatorApp::reading(&otpauth(&text(&page)));
    house.advance(Duration::from_mins(11)).await;
    let code = app.code_at(house.node.service.now());
    let sent = [("form", &*token), ("do", "add_totp"), ("sealed", &hidden(&page, "sealed")), ("code", &code)];
    let answer = browser.post("/account/factors", &sent).await;
    assert!(answer.header("location").starts_with("/sign-in/"), "who was proved too long ago signs in again: {answer}");
    assert_eq!(json!(house.entries("factor.added").await.len()), json!(0));
}
