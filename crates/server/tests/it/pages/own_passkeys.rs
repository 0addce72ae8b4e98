//! Passkeys on a user's own page.

use std::time::Duration;

use countersign_testkit::{authenticator::Authenticator, database::Engine, house::House, on_both_engines};
use serde_json::json;

use super::{
    ADA,
    passkeys::{Redirected, passkey_ids, with_ada},
};

on_both_engines!(
    a_user_adds_a_passkey_and_is_told_so,
    a_user_renames_and_removes_their_own_and_nobody_elses,
    a_question_is_answered_once_and_in_its_own_browser,
    an_answer_that_wont_do_adds_nothing,
    csrf_on_every_form_about_passkeys,
);

async fn letters(house: &House) -> usize {
    house.messages_to(ADA).await.into_iter().filter(|(_, code)| code.is_none()).count()
}

async fn a_user_adds_a_passkey_and_is_told_so(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, mut passkey) = (house.browser(), Authenticator::synced(house.public_url()));
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let page = browser.page("/account").await;
    assert!(page.says("Add a passkey") && passkey_ids(&page).is_empty(), "{}", page.answer);
    let policy = page.answer.header("content-security-policy");
    assert!(policy.contains("script-src 'self'; connect-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let chrome = browser.user_agent("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36");
    chrome.makes_passkey(&mut passkey).await.is_ok_redirect();
    let page = browser.page("/account").await;
    assert_eq!(passkey_ids(&page).len(), 1);
    assert!(page.says("<strong>Chrome, Linux</strong>") && page.says("not used yet"), "{}", page.answer);
    assert_eq!(letters(&house).await, 1);
    house.only_entry("passkey.added").await;
}

async fn a_user_renames_and_removes_their_own_and_nobody_elses(engine: Engine) {
    let house = with_ada(engine).await;
    house.user("bob@example.com").await;
    let (ada, _) = house.passkey_of(ADA).await;
    let (bob, _) = house.passkey_of("bob@example.com").await;
    let page = ada.page("/account").await;
    let (own, token) = (passkey_ids(&page).remove(0), page.form_token());
    let of_bob = passkey_ids(&bob.page("/account").await).remove(0);
    for id in [of_bob.as_str(), "pk_nonsense", ""] {
        for what in ["remove", "rename"] {
            let sent = [("form", token.as_str()), ("do", what), ("id", id), ("name", "Mine")];
            let answer = ada.post("/account/passkeys", &sent).await;
            assert_eq!((answer.status(), answer.header("location")), (303, "/account?m=passkey"), "{what} {id}");
        }
    }
    assert!(ada.page("/account?m=passkey").await.says("Nothing was changed"));
    assert!(bob.page("/account").await.says(&of_bob));
    assert!(house.entries("passkey.removed").await.is_empty());
    let renamed = [("form", token.as_str()), ("do", "rename"), ("id", &own), ("name", "My <phone>")];
    ada.post("/account/passkeys", &renamed).await.is_ok_redirect();
    assert!(ada.page("/account").await.says("<strong>My &#60;phone&#62;</strong>"));
    let before = letters(&house).await;
    let removed = [("form", token.as_str()), ("do", "remove"), ("id", &own)];
    ada.post("/account/passkeys", &removed).await.is_ok_redirect();
    assert!(passkey_ids(&ada.page("/account").await).is_empty());
    assert_eq!(letters(&house).await, before + 1);
    house.only_entry("passkey.removed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_proved_too_long_ago_signs_in_again_and_being_signed_in_is_not_enough() {
    let house = with_ada(Engine::Sqlite).await;
    let (browser, _) = house.passkey_of(ADA).await;
    let page = browser.page("/account").await;
    let (token, id) = (page.form_token(), passkey_ids(&page).remove(0));
    let asked = browser.post("/account/passkeys/question", &[("form", &token)]).await.ok().json();
    house.advance(Duration::from_mins(10) + Duration::from_secs(1)).await;
    let mut passkey = Authenticator::synced(house.public_url());
    let made = passkey.create(&asked);
    assert_eq!(browser.post("/account/passkeys/question", &[("form", &token)]).await.status(), 409);
    assert!(browser.page("/account").await.says("you sign in again first"));
    let mut last = None;
    for sent in [
        vec![("do", "add"), ("passkey", made.as_str())],
        vec![("do", "remove"), ("id", id.as_str())],
        vec![("do", "rename"), ("id", id.as_str()), ("name", "Other")],
    ] {
        let mut fields = vec![("form", token.as_str())];
        fields.extend(sent);
        let answer = browser.post("/account/passkeys", &fields).await;
        let page = browser.follow(&answer).await;
        assert_eq!(page.heading(), "Sign in");
        // Who is signed in can't just go on.
        assert!(!page.says("Continue as"), "{}", page.answer);
        let answer = browser.act(&page, "continue", &[]).await;
        assert_eq!(browser.follow(&answer).await.heading(), "Sign in");
        last = Some(page);
    }
    let account = browser.page("/account").await;
    assert_eq!(passkey_ids(&account), std::slice::from_ref(&id));
    assert!(!account.says("Other"), "{}", account.answer);
    assert!(house.entries("passkey.removed").await.is_empty());
    assert_eq!(house.entries("passkey.added").await.len(), 1);
    // The twin: signed in again, by a code.
    let page = browser.asks_for_code(&last.unwrap(), ADA).await;
    let code = house.newest_code(ADA).await;
    let answer = browser.act(&page, "code", &[("code", &code)]).await;
    answer.is_ok_redirect();
    let token = browser.page("/account").await.form_token();
    browser.makes_passkey(&mut passkey).await.is_ok_redirect();
    let removed = [("form", token.as_str()), ("do", "remove"), ("id", &id)];
    browser.post("/account/passkeys", &removed).await.is_ok_redirect();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_proves_lately_too() {
    let house = with_ada(Engine::Sqlite).await;
    let (browser, passkey) = house.passkey_of(ADA).await;
    house.advance(Duration::from_mins(11)).await;
    let token = browser.page("/account").await.form_token();
    let answer = browser.post("/account/passkeys", &[("form", &token), ("do", "add"), ("passkey", "")]).await;
    let page = browser.follow(&answer).await;
    browser.shows_passkey(&page, &passkey).await.is_ok_redirect();
    browser.makes_passkey(&mut Authenticator::synced(house.public_url())).await.is_ok_redirect();
    assert_eq!(passkey_ids(&browser.page("/account").await).len(), 2);
}

async fn a_question_is_answered_once_and_in_its_own_browser(engine: Engine) {
    let house = with_ada(engine).await;
    let (here, there) = (house.browser(), house.browser());
    here.signs_in(&house, ADA, &[]).await.code_for_app();
    there.signs_in(&house, ADA, &[]).await.code_for_app();
    let (own, other) = (here.page("/account").await.form_token(), there.page("/account").await.form_token());
    let asked = here.post("/account/passkeys/question", &[("form", &own)]).await.ok().json();
    let answer = Authenticator::synced(house.public_url()).create(&asked);
    let sent = |token| vec![("form", token), ("do", "add"), ("passkey", answer.as_str())];
    let elsewhere = there.post("/account/passkeys", &sent(&other)).await;
    assert_eq!(elsewhere.header("location"), "/account?m=passkey");
    here.post("/account/passkeys", &sent(&own)).await.is_ok_redirect();
    let again = here.post("/account/passkeys", &sent(&own)).await;
    assert_eq!(again.header("location"), "/account?m=passkey");
    assert_eq!(house.entries("passkey.added").await.len(), 1);
}

async fn an_answer_that_wont_do_adds_nothing(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let mut elsewhere = Authenticator::synced("https://evil.example");
    let refused = browser.makes_passkey(&mut elsewhere).await;
    assert_eq!(refused.header("location"), "/account?m=passkey");
    let token = browser.page("/account").await.form_token();
    for nonsense in ["", "{}", "null", "[[[[", &json!({ "id": "AAAA" }).to_string()] {
        browser.post("/account/passkeys/question", &[("form", &token)]).await.is_ok();
        let sent = [("form", token.as_str()), ("do", "add"), ("passkey", nonsense)];
        let answer = browser.post("/account/passkeys", &sent).await;
        assert_eq!(answer.header("location"), "/account?m=passkey", "{nonsense}");
    }
    assert!(house.entries("passkey.added").await.is_empty());
    assert_eq!(letters(&house).await, 0);
    browser.makes_passkey(&mut Authenticator::synced(house.public_url())).await.is_ok_redirect();
}

async fn csrf_on_every_form_about_passkeys(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, _) = house.passkey_of(ADA).await;
    let (stranger, page) = (house.browser(), browser.page("/account").await);
    let strange = stranger.sent_by_app(&house, &[]).await.form_token();
    let (token, id) = (page.form_token(), passkey_ids(&page).remove(0));
    let asked = browser.post("/account/passkeys/question", &[("form", &token)]).await.ok().json();
    let made = Authenticator::synced(house.public_url()).create(&asked);
    let forms = [
        ("/account/passkeys/question", vec![]),
        ("/account/passkeys", vec![("do", "add"), ("passkey", made.as_str())]),
        ("/account/passkeys", vec![("do", "rename"), ("id", id.as_str()), ("name", "Eve")]),
        ("/account/passkeys", vec![("do", "remove"), ("id", id.as_str())]),
    ];
    for (path, fields) in &forms {
        let with = |token| {
            let mut sent = vec![("form", token)];
            sent.extend(fields.iter().copied());
            sent
        };
        for wrong in ["", "AAAA", &strange] {
            let answer = browser.post(path, &with(wrong)).await;
            assert_eq!(answer.status(), 403, "{path} {fields:?}: {answer}");
        }
        for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "same-site")] {
            let answer = browser.with(name, value).post(path, &with(&token)).await;
            assert_eq!(answer.status(), 403, "{path} {fields:?} with {name}: {answer}");
        }
        let answer = stranger.post(path, &with(&token)).await;
        assert_eq!(answer.status(), 410, "{path} {fields:?}: {answer}");
    }
    assert_eq!(passkey_ids(&browser.page("/account").await), [id]);
    assert!(house.entries("passkey.renamed").await.is_empty());
    // The twin: the question still stands.
    let sent = [("form", token.as_str()), ("do", "add"), ("passkey", &made)];
    browser.with("sec-fetch-site", "same-origin").post("/account/passkeys", &sent).await.is_ok_redirect();
    assert_eq!(house.entries("passkey.added").await.len(), 2);
}
