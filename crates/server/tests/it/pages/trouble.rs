//! What goes wrong while somebody signs in, and what they are told then.

use std::time::Duration;

use countersign_domain::sign_in;
use countersign_service::{deliver::carrier::Delivery, projects::state::StateChange};
use countersign_testkit::{
    answer::Answer, browser::heading, database::Engine, house::House, on_both_engines, provider::redemption,
};
use tokio::task::JoinSet;

use super::{ADA, with_ada};

on_both_engines!(
    a_wrong_code_is_asked_for_again_until_it_is_over,
    what_is_no_address_is_asked_for_again,
    who_mistyped_their_address_says_it_again,
    two_tabs_sign_in_each_for_itself,
    who_goes_back_after_signing_in_is_told_that_it_is_over,
    of_twenty_who_send_the_code_at_once_one_gets_in,
    who_has_no_account_is_told_so_once_the_address_is_theirs,
    a_closed_account_is_told_so_too,
    who_cancels_is_sent_back_with_an_error,
    where_no_mail_can_be_sent_the_page_says_so,
    one_network_begins_so_many_sign_ins_and_no_more,
    another_browser_sees_nothing_of_a_sign_in,
    whoever_is_refused_is_told_in_the_language_that_the_app_asks_for,
);

async fn a_wrong_code_is_asked_for_again_until_it_is_over(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in (1..sign_in::TRIES).rev() {
        let asked = browser.follow(&browser.act(&page, "code", &[("code", wrong)]).await).await;
        assert!(asked.says(&format!("you can try {left} more times")), "{}", asked.answer);
        assert!(asked.says("role=\"alert\"") && asked.says("aria-invalid=\"true\""));
    }
    let over = browser.follow(&browser.act(&page, "code", &[("code", wrong)]).await).await;
    assert!(over.says("can&#39;t be used any more") && !over.says("id=\"code\""), "{}", over.answer);
    let too_late = browser.follow(&browser.act(&page, "code", &[("code", &code)]).await).await;
    assert!(too_late.says("can&#39;t be used any more"), "{}", too_late.answer);
    assert!(house.entries("sign_in.passed").await.is_empty());
}

async fn what_is_no_address_is_asked_for_again(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    for typed in ["ada", "", "ada@", "ädä@example.com", "ada@example.com, eve@example.com"] {
        let asked = browser.follow(&browser.act(&page, "email", &[("email", typed)]).await).await;
        assert!(asked.says("This is not an e-mail address"), "{}", asked.answer);
    }
    let page = browser.asks_for_code(&page, " Ada@Example.com ").await;
    assert_eq!(page.heading(), "Check your mail");
}

async fn who_mistyped_their_address_says_it_again(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let page = browser.asks_for_code(&page, "adda@example.com").await;
    assert!(page.says("/sign-in/") && page.says("?other=1"), "{}", page.answer);
    let first = browser.page(&format!("{}?other=1", page.path)).await;
    assert!(first.heading() == "Sign in" && first.says("value=\"adda@example.com\""), "{}", first.answer);
    let page = browser.asks_for_code(&first, ADA).await;
    let code = house.newest_code(ADA).await;
    browser.act(&page, "code", &[("code", &code)]).await.code_for_app();
}

async fn two_tabs_sign_in_each_for_itself(engine: Engine) {
    let house = with_ada(engine).await;
    house.user("bob@example.com").await;
    let browser = house.browser();
    let (one, two) = (browser.sent_by_app(&house, &[]).await, browser.sent_by_app(&house, &[]).await);
    let one = browser.asks_for_code(&one, ADA).await;
    let two = browser.asks_for_code(&two, "bob@example.com").await;
    let (of_ada, of_bob) = (house.newest_code(ADA).await, house.newest_code("bob@example.com").await);
    if of_ada != of_bob {
        let asked = browser.follow(&browser.act(&two, "code", &[("code", &of_ada)]).await).await;
        assert!(asked.says("That was not the code"), "{}", asked.answer);
    }
    browser.act(&one, "code", &[("code", &of_ada)]).await.code_for_app();
    // The other tab may go on with its own, or as whoever is signed in by now.
    let again = browser.page(&two.path).await;
    assert!(again.says("Continue as ada@example.com"), "{}", again.answer);
    browser.act(&again, "continue", &[]).await.code_for_app();
}

async fn who_goes_back_after_signing_in_is_told_that_it_is_over(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    browser.act(&page, "code", &[("code", &code)]).await.code_for_app();
    let shown_again = browser.get(&page.path).await;
    assert_eq!((shown_again.status(), heading(&shown_again).as_str()), (410, "This sign-in is over"));
    let sent_again = browser.act(&page, "code", &[("code", &code)]).await;
    assert_eq!((sent_again.status(), heading(&sent_again).as_str()), (410, "This sign-in is over"));
    assert!(sent_again.to_string().contains("begin again"), "{sent_again}");
    assert_eq!(house.entries("sign_in.passed").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_left_open_too_long_says_so() {
    let house = with_ada(Engine::Sqlite).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    house.advance(sign_in::CODE_LIFETIME).await;
    let asked = browser.follow(&browser.act(&page, "code", &[("code", &code)]).await).await;
    assert!(asked.says("can&#39;t be used any more") && asked.says("Send another code"), "{}", asked.answer);
    let asked = browser.follow(&browser.act(&asked, "resend", &[]).await).await;
    assert!(asked.says("in 30 seconds") && asked.says("id=\"code\""), "{}", asked.answer);
    let code = house.newest_code(ADA).await;
    house.advance(Duration::from_mins(9)).await;
    browser.act(&asked, "code", &[("code", &code)]).await.code_for_app();
    let page = browser.sent_by_app(&house, &[("prompt", "login")]).await;
    house.advance(sign_in::LIFETIME).await;
    let answer = browser.act(&page, "email", &[("email", ADA)]).await;
    assert_eq!((answer.status(), heading(&answer).as_str()), (410, "This sign-in is over"));
}

async fn of_twenty_who_send_the_code_at_once_one_gets_in(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (browser, page, code) = (browser.with("x-nothing", "1"), page.clone(), code.clone());
        calls.spawn(async move { browser.act(&page, "code", &[("code", &code)]).await });
    }
    let answers = calls.join_all().await;
    let passed: Vec<_> = answers.iter().filter(|answer| answer.status() == 303).collect();
    assert!(passed.len() == 1 && answers.iter().all(|answer| [303, 410].contains(&answer.status())), "{answers:?}");
    house.node.token(&redemption(&passed[0].code_for_app())).await.is_ok();
    assert_eq!(house.entries("browser_session.opened").await.len(), 1);
}

async fn who_has_no_account_is_told_so_once_the_address_is_theirs(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["signup=on"]).await;
    let before = house.books().await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let page = browser.asks_for_code(&page, "new@example.com").await;
    let code = house.newest_code("new@example.com").await;
    // Meanwhile the project has closed.
    house.set(&["signup=off"]).await;
    let answer = browser.act(&page, "code", &[("code", &code)]).await;
    assert_eq!((answer.status(), heading(&answer).as_str()), (403, "There is no account"));
    assert!(answer.to_string().contains("error=access_denied"), "there is a way back: {answer}");
    assert_eq!(house.books().await.users, before.users);
    assert!(browser.cookies().keys().all(|name| !name.contains("session")));
}

async fn a_closed_account_is_told_so_too(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    house.change_user(ADA, StateChange::Disable).await;
    // Who was signed in is no longer.
    let answer = browser.signs_in(&house, ADA, &[]).await;
    assert_eq!((answer.status(), heading(&answer).as_str()), (403, "This account is closed"));
    assert_eq!(browser.authorize(&house, &[("prompt", "none")]).await.error_for_app(), "login_required");
    house.change_user(ADA, StateChange::Enable).await;
    assert_eq!(browser.authorize(&house, &[("prompt", "none")]).await.error_for_app(), "login_required");
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
}

async fn who_cancels_is_sent_back_with_an_error(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    assert_eq!(browser.act(&page, "cancel", &[]).await.error_for_app(), "access_denied");
    assert_eq!(browser.get(&page.path).await.status(), 410);
}

async fn where_no_mail_can_be_sent_the_page_says_so(engine: Engine) {
    let house = House::with_delivery(engine, Delivery::NOWHERE).await;
    house.web_app().await;
    house.user(ADA).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    assert!(page.says("can&#39;t send mail at the moment"), "{}", page.answer);
    let asked = browser.follow(&browser.act(&page, "email", &[("email", ADA)]).await).await;
    assert!(asked.says("can&#39;t send mail at the moment"), "{}", asked.answer);
}

async fn one_network_begins_so_many_sign_ins_and_no_more(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["limits.sign_ins=3"]).await;
    for _ in 0..3 {
        house.browser().sent_by_app(&house, &[]).await;
    }
    let answer = house.browser().authorize(&house, &[]).await;
    assert_eq!((answer.status(), heading(&answer).as_str()), (429, "Too many at once"));
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
    house.browser().with("x-forwarded-for", "203.0.113.9").sent_by_app(&house, &[]).await;
}

async fn another_browser_sees_nothing_of_a_sign_in(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    let other = house.browser();
    other.sent_by_app(&house, &[]).await;
    let looked = other.get(&page.path).await;
    assert_eq!(looked.status(), 410);
    assert!(!looked.to_string().contains(ADA), "{looked}");
    let answer = other.act(&page, "code", &[("code", &code)]).await;
    assert_eq!(answer.status(), 410, "{answer}");
    // The twin.
    browser.act(&page, "code", &[("code", &code)]).await.code_for_app();
}

async fn whoever_is_refused_is_told_in_the_language_that_the_app_asks_for(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["signup=on"]).await;
    // What the browser reads doesn't count.
    let browser = house.browser().with("accept-language", "en");
    let german: [(&str, &str); 1] = [("ui_locales", "fr-CA de en")];
    let lang = |answer: &Answer| answer.to_string().contains("<html lang=\"de\"");

    let page = browser.sent_by_app(&house, &german).await;
    let page = browser.asks_for_code(&page, "new@example.com").await;
    let code = house.newest_code("new@example.com").await;
    house.set(&["signup=off"]).await;
    let forged = browser.post(page.action(), &[("form", "AAAA"), ("do", "code"), ("code", &code)]).await;
    assert!(forged.status() == 403 && lang(&forged), "{forged}");
    let answer = browser.act(&page, "code", &[("code", &code)]).await;
    assert_eq!((answer.status(), heading(&answer).as_str(), lang(&answer)), (403, "Es gibt kein Konto", true));

    let mistaken = browser.authorize(&house, &[german[0], ("client_id", "c9")]).await;
    assert_eq!((mistaken.status(), lang(&mistaken)), (400, true), "{mistaken}");
    let form = browser.authorize(&house, &[german[0], ("prompt", "none"), ("response_mode", "form_post")]).await;
    assert!(form.status() == 200 && lang(&form), "{form}");
    house.set(&["limits.sign_ins=1"]).await;
    let late = loop {
        let answer = browser.authorize(&house, &german).await;
        if answer.status() != 303 {
            break answer;
        }
    };
    assert_eq!((late.status(), heading(&late).as_str(), lang(&late)), (429, "Zu viele auf einmal", true));
    // The twin: where the app doesn't say, the browser does.
    let english = browser.authorize(&house, &[("client_id", "c9")]).await;
    assert!(english.status() == 400 && !lang(&english), "{english}");
}
