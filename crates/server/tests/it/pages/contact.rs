//! A user wants to be known by another address, or another number. Each attack has a twin without it.

use std::time::Duration;

use countersign_domain::{identity::IdentityKind, message::Destination};
use countersign_testkit::{
    answer::Answer,
    browser::Browser,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    provider::redemption,
    token::claims,
};
use tokio::task::JoinSet;

use super::{ADA, passkeys::Redirected, with_ada};

on_both_engines!(
    who_holds_the_new_address_is_known_by_it_and_the_old_one_is_told,
    a_number_is_changed_by_a_text_message,
    what_is_added_takes_nothing_away,
    an_address_that_was_never_proved_is_proved,
    what_cant_be_an_address_or_a_number_gets_no_code,
    the_address_of_somebody_else_is_refused_to_whoever_holds_it_and_to_nobody_else,
    what_somebody_else_merely_said_is_the_owners,
    a_wrong_code_is_tried_five_times_and_another_code_does_not_help_for_ever,
    a_code_works_once,
    a_code_of_another_browser_or_another_user_is_no_use,
    a_new_wish_takes_the_place_of_the_last,
    of_two_who_show_the_code_at_once_one_changes_something,
    of_two_who_want_one_address_at_once_one_gets_it,
    whoever_is_signed_out_meanwhile_changes_nothing,
    csrf_on_the_forms_about_addresses,
);

const PATH: &str = "/account/contact";
const NEW: &str = "lovelace@example.com";
const BOB: &str = "bob@example.com";

/// Ada, signed in just now.
async fn signed_in(house: &House) -> Browser {
    let browser = house.browser();
    browser.signs_in(house, ADA, &[]).await.code_for_app();
    browser
}

/// A second later than whatever was before, so that the newest message is the newest.
async fn ask(house: &House, browser: &Browser, kind: &str, to: &str, replaces: &str) -> Answer {
    house.advance(Duration::from_secs(1)).await;
    let token = browser.page("/account").await.form_token();
    let sent = [("form", &*token), ("do", "ask"), ("kind", kind), ("to", to), ("replaces", replaces)];
    browser.post(PATH, &sent).await
}

async fn prove(browser: &Browser, kind: &str, code: &str) -> Answer {
    let token = browser.page("/account").await.form_token();
    browser.post(PATH, &[("form", &*token), ("do", "prove"), ("kind", kind), ("code", code)]).await
}

#[track_caller]
fn fails(answer: &Answer, mistake: &str) {
    let expected = format!("/account?m={mistake}");
    assert_eq!((answer.status(), answer.header("location")), (303, &*expected), "{answer}");
}

/// What a user is known by, of one kind.
async fn known(house: &House, id: &str, kind: IdentityKind) -> Vec<String> {
    let user = house.node.service.show_user(&p1(), id).await.unwrap();
    let of_kind = user.identities.iter().filter(|record| record.identity.kind() == kind);
    let mut values: Vec<String> = of_kind.map(|record| record.identity.value().to_owned()).collect();
    values.sort();
    values
}

async fn emails(house: &House, id: &str) -> Vec<String> {
    known(house, id, IdentityKind::Email).await
}

async fn subjects(house: &House, to: &str) -> Vec<String> {
    let to: Destination = to.parse().unwrap();
    let caught = house.node.service.outbox(Some(&to)).await.unwrap();
    caught
        .into_iter()
        .map(|it| if it.content.subject.is_empty() { it.content.text } else { it.content.subject })
        .collect()
}

/// The code that was sent there last, and one that isn't it.
async fn codes(house: &House, to: &str) -> (String, String) {
    let to: Destination = to.parse().unwrap();
    let caught = house.node.service.outbox(Some(&to)).await.unwrap();
    let code = caught.first().and_then(|it| it.content.code.clone()).expect("there is a code");
    let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    (code, wrong)
}

const CHANGED: &str = "Your account with A project was changed";

async fn who_holds_the_new_address_is_known_by_it_and_the_old_one_is_told(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    let code = browser.authorize(&house, &[]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let other = signed_in(&house).await;
    let page = browser.page("/account").await;
    assert!(page.says("How you are known") && page.says(&format!("Instead of {ADA}")), "{}", page.answer);

    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    assert_eq!(emails(&house, &uid).await, [ADA], "nothing is changed yet");
    let page = browser.page("/account").await;
    assert!(page.says("on its way to l…@example.com"), "{}", page.answer);
    assert!(!other.page("/account").await.says("on its way"), "the code is for the browser that asked");
    let (code, _) = codes(&house, NEW).await;
    assert_eq!(subjects(&house, NEW).await, ["Your code for your account with A project"]);
    prove(&browser, "email", &code).await.is_ok_redirect();

    assert_eq!(emails(&house, &uid).await, [NEW]);
    let page = browser.page("/account").await;
    assert!(page.says(NEW) && !page.says("on its way") && !page.says(ADA), "{}", page.answer);
    assert!(subjects(&house, ADA).await.contains(&CHANGED.to_owned()));
    assert!(!subjects(&house, NEW).await.contains(&CHANGED.to_owned()));
    // Everybody stays signed in, and the app learns the new address.
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    house.node.client().with("authorization", &bearer).get("/v1/me").await.is_ok();
    other.page("/account").await;
    let code = browser.authorize(&house, &[("prompt", "none")]).await.code_for_app();
    let said = claims(&house.node.token(&redemption(&code)).await.ok().text("id_token"));
    assert_eq!((&said["email"], &said["email_verified"], &said["sub"]), (&NEW.into(), &true.into(), &uid.into()));
    let added = house.only_entry("identity.added").await;
    assert_eq!((&*added.actor_kind, &*added.detail["kind"]), ("user", "email"));
    let removed = house.only_entry("identity.removed").await;
    assert_eq!((&*removed.actor_kind, &*removed.detail["kind"]), ("user", "email"));
    // The old address signs nobody in as her any more.
    house.browser().signs_in(&house, NEW, &[]).await.code_for_app();
    assert_ne!(house.node.service.show_user(&p1(), NEW).await.unwrap().user.id.to_string(), "");
    assert!(house.node.service.show_user(&p1(), ADA).await.is_err());
}

async fn a_number_is_changed_by_a_text_message(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    ask(&house, &browser, "phone", "+1 (555) 123-4567", "").await.is_ok_redirect();
    let (code, _) = codes(&house, "+15551234567").await;
    prove(&browser, "phone", &code).await.is_ok_redirect();
    assert_eq!(known(&house, &uid, IdentityKind::Phone).await, ["+15551234567"]);
    assert!(subjects(&house, ADA).await.contains(&CHANGED.to_owned()));

    ask(&house, &browser, "phone", "+4915112345678", "+15551234567").await.is_ok_redirect();
    let (code, _) = codes(&house, "+4915112345678").await;
    prove(&browser, "phone", &code).await.is_ok_redirect();
    assert_eq!(known(&house, &uid, IdentityKind::Phone).await, ["+4915112345678"]);
    let told = subjects(&house, "+15551234567").await;
    assert!(told.iter().any(|text| text.contains("known by this from now on: +49…78")), "{told:?}");
    assert_eq!(emails(&house, &uid).await, [ADA]);
}

async fn what_is_added_takes_nothing_away(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    ask(&house, &browser, "email", NEW, "").await.is_ok_redirect();
    prove(&browser, "email", &codes(&house, NEW).await.0).await.is_ok_redirect();
    assert_eq!(emails(&house, &uid).await, [ADA, NEW]);
    assert!(house.entries("identity.removed").await.is_empty());
    assert!(subjects(&house, ADA).await.contains(&CHANGED.to_owned()));
}

async fn an_address_that_was_never_proved_is_proved(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    let sql = format!(
        "insert into identities (project_id, kind, value, user_id, source, created_at) \
         values ('p1', 'email', '{NEW}', '{uid}', 'vouch', 1)"
    );
    house.database.execute(&sql).await;
    assert!(browser.page("/account").await.says("not confirmed"));
    ask(&house, &browser, "email", NEW, NEW).await.is_ok_redirect();
    prove(&browser, "email", &codes(&house, NEW).await.0).await.is_ok_redirect();
    assert_eq!(emails(&house, &uid).await, [ADA, NEW]);
    assert!(!browser.page("/account").await.says("not confirmed"));
    // There is nothing left to do.
    fails(&ask(&house, &browser, "email", NEW, NEW).await, "yours");
}

async fn what_cant_be_an_address_or_a_number_gets_no_code(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = signed_in(&house).await;
    let before = house.node.service.outbox(None).await.unwrap().len();
    for nonsense in ["", "ada", "a@b@c", "+15551234567"] {
        fails(&ask(&house, &browser, "email", nonsense, "").await, "no-address");
    }
    for nonsense in ["", "12345", "+", "+0", "+1555123456789012345", "ada@example.com", "+1555abc4567"] {
        fails(&ask(&house, &browser, "phone", nonsense, "").await, "no-number");
    }
    for kind in ["", "external_id", "uid"] {
        fails(&ask(&house, &browser, kind, NEW, "").await, "no-address");
    }
    fails(&ask(&house, &browser, "email", NEW, "eve@example.com").await, "gone");
    assert_eq!(house.node.service.outbox(None).await.unwrap().len(), before);
    assert!(browser.page("/account?m=no-number").await.says("This is not a telephone number"));
    let german = browser.with("accept-language", "de").page("/account?m=no-number").await;
    assert!(german.says("keine Telefonnummer mit") && german.says("bekannt sind"), "{}", german.answer);
    for bad in ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com\0"] {
        assert_eq!(ask(&house, &browser, "email", bad, "").await.status(), 400, "no form has this: {bad:?}");
    }
    let other = browser.post(PATH, &[("form", &*browser.page("/account").await.form_token()), ("do", "other")]).await;
    assert_eq!(other.status(), 400, "{other}");
}

async fn the_address_of_somebody_else_is_refused_to_whoever_holds_it_and_to_nobody_else(engine: Engine) {
    let house = with_ada(engine).await;
    house.user(BOB).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    let (taken, free) = (ask(&house, &browser, "email", BOB, ADA).await, browser.page("/account").await);
    taken.is_ok_redirect();
    let (of_bob, wrong) = codes(&house, BOB).await;
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let page = browser.page("/account").await;
    // Whether or not somebody has it, all that is to be seen is the same.
    let shape = |text: String| text.replace("l…@", "…@").replace("b…@", "…@");
    assert_eq!(shape(free.text()), shape(page.text()));
    assert_eq!(subjects(&house, BOB).await[0], subjects(&house, NEW).await[0]);

    ask(&house, &browser, "email", BOB, ADA).await.is_ok_redirect();
    fails(&prove(&browser, "email", &wrong).await, "wrong-code");
    fails(&prove(&browser, "email", &of_bob).await, "wrong-code");
    let (code, _) = codes(&house, BOB).await;
    fails(&prove(&browser, "email", &code).await, "taken");
    assert!(browser.page("/account?m=taken").await.says("Another account is known by this already"));
    assert_eq!(emails(&house, &uid).await, [ADA]);
    assert_eq!(house.user_id(BOB).await.to_string().len(), uid.len());
    assert!(house.entries("identity.added").await.is_empty());
    fails(&prove(&browser, "email", &code).await, "code-over");
}

async fn what_somebody_else_merely_said_is_the_owners(engine: Engine) {
    let house = with_ada(engine).await;
    house.user(BOB).await;
    let (browser, uid, bob) = (signed_in(&house).await, house.user_id(ADA).await, house.user_id(BOB).await);
    let sql = format!(
        "insert into identities (project_id, kind, value, user_id, source, created_at) \
         values ('p1', 'email', '{NEW}', '{bob}', 'vouch', 1)"
    );
    house.database.execute(&sql).await;
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    prove(&browser, "email", &codes(&house, NEW).await.0).await.is_ok_redirect();
    assert_eq!(emails(&house, &uid.to_string()).await, [NEW]);
    assert_eq!(emails(&house, &bob.to_string()).await, [BOB]);
    let removed = house.entries("identity.removed").await;
    let of_bob: Vec<_> = removed.iter().filter(|it| it.user_id == Some(bob.to_string())).collect();
    assert_eq!(of_bob[0].detail["reason"], "proved_by_another");
}

async fn a_wrong_code_is_tried_five_times_and_another_code_does_not_help_for_ever(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let (code, wrong) = codes(&house, NEW).await;
    for _ in 0..4 {
        fails(&prove(&browser, "email", &wrong).await, "wrong-code");
    }
    // What isn't even like a code costs no try.
    fails(&prove(&browser, "email", "12345").await, "wrong-code");
    fails(&prove(&browser, "email", &wrong).await, "wrong-code");
    fails(&prove(&browser, "email", &code).await, "code-over");
    assert_eq!(emails(&house, &uid).await, [ADA]);
    assert!(!browser.page("/account").await.says("on its way"));
    // The twin: another code has tries of its own; but thirty wrong ones in an hour are enough for one address.
    for round in 0..5 {
        ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
        let (_, wrong) = codes(&house, NEW).await;
        for _ in 0..5 {
            fails(&prove(&browser, "email", &wrong).await, "wrong-code");
        }
        assert_eq!(emails(&house, &uid).await, [ADA], "round {round}");
    }
    fails(&ask(&house, &browser, "email", NEW, ADA).await, "later");
    ask(&house, &browser, "email", "other@example.com", ADA).await.is_ok_redirect();
    prove(&browser, "email", &codes(&house, "other@example.com").await.0).await.is_ok_redirect();
    assert_eq!(emails(&house, &uid).await, ["other@example.com"]);
}

async fn a_code_works_once(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = signed_in(&house).await;
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let (code, _) = codes(&house, NEW).await;
    prove(&browser, "email", &code).await.is_ok_redirect();
    fails(&prove(&browser, "email", &code).await, "code-over");
    house.only_entry("identity.added").await;
    assert_eq!(house.database.number("select count(*) from contact_changes").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_after_ten_minutes_is_no_use() {
    let house = with_ada(Engine::Sqlite).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let (code, _) = codes(&house, NEW).await;
    house.advance(Duration::from_mins(10)).await;
    assert!(!browser.page("/account").await.says("on its way"));
    fails(&prove(&browser, "email", &code).await, "code-over");
    assert_eq!(emails(&house, &uid).await, [ADA]);
    house.advance(Duration::from_hours(2)).await;
    house.node.service.maintain().await;
    assert_eq!(house.database.number("select count(*) from contact_changes").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_still_good_is_taken_though_the_sign_in_has_grown_old() {
    let house = with_ada(Engine::Sqlite).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    house.advance(Duration::from_mins(9)).await;
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    house.advance(Duration::from_mins(9)).await;
    prove(&browser, "email", &codes(&house, NEW).await.0).await.is_ok_redirect();
    assert_eq!(emails(&house, &uid).await, [NEW]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_proved_too_long_ago_signs_in_again_before_a_code_is_sent() {
    let house = with_ada(Engine::Sqlite).await;
    let browser = signed_in(&house).await;
    house.advance(Duration::from_mins(10) + Duration::from_secs(1)).await;
    assert!(browser.page("/account").await.says("To change this you sign in again first."));
    let answer = ask(&house, &browser, "email", NEW, ADA).await;
    let page = browser.follow(&answer).await;
    assert_eq!(page.heading(), "Sign in");
    assert!(subjects(&house, NEW).await.is_empty());
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    browser.act(&page, "code", &[("code", &code)]).await.is_ok_redirect();
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    assert_eq!(subjects(&house, NEW).await.len(), 1);
}

async fn a_code_of_another_browser_or_another_user_is_no_use(engine: Engine) {
    let house = with_ada(engine).await;
    house.user(BOB).await;
    let (browser, elsewhere, bob) = (signed_in(&house).await, signed_in(&house).await, house.browser());
    bob.signs_in(&house, BOB, &[]).await.code_for_app();
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let (code, _) = codes(&house, NEW).await;
    fails(&prove(&elsewhere, "email", &code).await, "code-over");
    fails(&prove(&bob, "email", &code).await, "code-over");
    fails(&prove(&browser, "phone", &code).await, "code-over");
    fails(&prove(&browser, "nonsense", &code).await, "code-over");
    assert!(house.entries("identity.added").await.is_empty());
    prove(&browser, "email", &code).await.is_ok_redirect();
}

async fn a_new_wish_takes_the_place_of_the_last(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, uid) = (signed_in(&house).await, house.user_id(ADA).await.to_string());
    ask(&house, &browser, "email", "first@example.com", ADA).await.is_ok_redirect();
    let (first, _) = codes(&house, "first@example.com").await;
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let (second, _) = codes(&house, NEW).await;
    if first != second {
        fails(&prove(&browser, "email", &first).await, "wrong-code");
    }
    prove(&browser, "email", &second).await.is_ok_redirect();
    assert_eq!(emails(&house, &uid).await, [NEW]);
}

async fn of_two_who_show_the_code_at_once_one_changes_something(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = signed_in(&house).await;
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let (code, _) = codes(&house, NEW).await;
    let token = browser.page("/account").await.form_token();
    let mut racers = JoinSet::new();
    for _ in 0..10 {
        let (one, token, code) = (browser.with("x-racer", "1"), token.clone(), code.clone());
        racers.spawn(async move {
            one.post(PATH, &[("form", &*token), ("do", "prove"), ("kind", "email"), ("code", &code)]).await
        });
    }
    let answers = racers.join_all().await;
    let count = |location: &str| answers.iter().filter(|answer| answer.header("location") == location).count();
    assert_eq!((count("/account"), count("/account?m=code-over")), (1, 9));
    house.only_entry("identity.added").await;
}

async fn of_two_who_want_one_address_at_once_one_gets_it(engine: Engine) {
    let house = with_ada(engine).await;
    house.user(BOB).await;
    let (ada, bob) = (signed_in(&house).await, house.browser());
    bob.signs_in(&house, BOB, &[]).await.code_for_app();
    let mut wishes = Vec::new();
    for (browser, old) in [(&ada, ADA), (&bob, BOB)] {
        ask(&house, browser, "email", NEW, old).await.is_ok_redirect();
        wishes.push((browser.page("/account").await.form_token(), codes(&house, NEW).await.0));
        house.advance(Duration::from_secs(1)).await;
    }
    let mut racers = JoinSet::new();
    for (browser, (token, code)) in [ada.with("x-racer", "1"), bob.with("x-racer", "2")].into_iter().zip(wishes) {
        racers.spawn(async move {
            browser.post(PATH, &[("form", &*token), ("do", "prove"), ("kind", "email"), ("code", &code)]).await
        });
    }
    let mut said: Vec<String> =
        racers.join_all().await.iter().map(|answer| answer.header("location").to_owned()).collect();
    said.sort();
    assert_eq!(said, ["/account", "/account?m=taken"]);
    house.only_entry("identity.added").await;
}

async fn whoever_is_signed_out_meanwhile_changes_nothing(engine: Engine) {
    let house = with_ada(engine).await;
    let (browser, elsewhere) = (signed_in(&house).await, signed_in(&house).await);
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let (code, _) = codes(&house, NEW).await;
    let token = browser.page("/account").await.form_token();
    house.change_user(ADA, countersign_service::projects::state::StateChange::Revoke).await;
    let shown = [("form", &*token), ("do", "prove"), ("kind", "email"), ("code", &code)];
    assert_eq!(browser.post(PATH, &shown).await.status(), 410);
    assert_eq!(elsewhere.get("/account").await.status(), 303);
    assert!(house.entries("identity.added").await.is_empty());
    let browser = signed_in(&house).await;
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    prove(&browser, "email", &codes(&house, NEW).await.0).await.is_ok_redirect();
}

async fn csrf_on_the_forms_about_addresses(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = signed_in(&house).await;
    ask(&house, &browser, "email", NEW, ADA).await.is_ok_redirect();
    let (code, _) = codes(&house, NEW).await;
    let (stranger, token) = (house.browser(), browser.page("/account").await.form_token());
    let strange = stranger.sent_by_app(&house, &[]).await.form_token();
    let forms = [
        vec![("do", "ask"), ("kind", "email"), ("to", "eve@example.com"), ("replaces", ADA)],
        vec![("do", "prove"), ("kind", "email"), ("code", code.as_str())],
    ];
    for fields in &forms {
        let with = |token| [vec![("form", token)], fields.clone()].concat();
        for wrong in ["", "AAAA", &strange] {
            assert_eq!(browser.post(PATH, &with(wrong)).await.status(), 403, "{fields:?}");
        }
        for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "same-site")] {
            assert_eq!(browser.with(name, value).post(PATH, &with(&token)).await.status(), 403, "{fields:?} {name}");
        }
        assert_eq!(stranger.post(PATH, &with(&token)).await.status(), 410, "{fields:?}");
    }
    assert!(subjects(&house, "eve@example.com").await.is_empty());
    assert!(house.entries("identity.added").await.is_empty());
    let shown = [("form", &*token), ("do", "prove"), ("kind", "email"), ("code", &code)];
    browser.with("sec-fetch-site", "same-origin").post(PATH, &shown).await.is_ok_redirect();
}
