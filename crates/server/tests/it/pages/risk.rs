//! What speaks against a sign-in, as a page says it and as the trail has it.

use std::time::Duration;

use countersign_testkit::{
    browser::{Browser, Page},
    database::Engine,
    house::House,
    on_both_engines,
};

use super::{ADA, with_ada};

on_both_engines!(
    a_page_says_that_codes_were_guessed_for_the_address,
    a_browser_that_is_new_is_in_the_trail_and_signing_in_goes_on,
    what_speaks_against_a_sign_in_waits_with_it_for_consent,
    a_passkey_is_judged_by_its_owners_places_and_not_by_codes_for_whatever_was_typed,
);

const GUESSED_AT: &str = "Wrong codes were typed for this address lately.";
const GUESSED_AT_DE: &str = "falsche Codes eingegeben";

/// A stranger names the address and shows wrong codes; their last page.
async fn guess(house: &House, email: &str, times: usize) -> Page {
    let browser = house.browser().with("x-forwarded-for", "203.0.113.9");
    let page = browser.sent_by_app(house, &[]).await;
    let mut page = browser.asks_for_code(&page, email).await;
    let code = house.messages_to(email).await.pop().and_then(|(_, code)| code).unwrap_or_else(|| "123456".to_owned());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..times {
        let answer = browser.act(&page, "code", &[("code", wrong)]).await;
        page = browser.follow(&answer).await;
    }
    page
}

async fn asked_for_code(house: &House, browser: &Browser, email: &str, more: &[(&str, &str)]) -> Page {
    let page = browser.sent_by_app(house, more).await;
    browser.asks_for_code(&page, email).await
}

async fn a_page_says_that_codes_were_guessed_for_the_address(engine: Engine) {
    let house = with_ada(engine).await;
    for email in [ADA, "nobody@example.com"] {
        assert!(!guess(&house, email, 4).await.says(GUESSED_AT), "{email}");
        assert!(!asked_for_code(&house, &house.browser(), email, &[]).await.says(GUESSED_AT), "{email}");
        assert!(guess(&house, email, 1).await.says(GUESSED_AT), "{email}");
        let page = asked_for_code(&house, &house.browser(), email, &[]).await;
        assert!(page.says(GUESSED_AT), "{}", page.answer);
    }
    let page = asked_for_code(&house, &house.browser(), ADA, &[("ui_locales", "de")]).await;
    assert!(page.says(GUESSED_AT_DE), "{}", page.answer);
    // Another address has nothing to do with it, and its owner comes in as ever.
    assert!(!asked_for_code(&house, &house.browser(), "eve@example.com", &[]).await.says(GUESSED_AT));
    house.advance(Duration::from_mins(10)).await;
    house.browser().signs_in(&house, ADA, &[]).await.code_for_app();
    assert_eq!(house.only_entry("sign_in.passed").await.detail["risk"], "many_failures");
}

fn firefox(house: &House, version: u32) -> Browser {
    house
        .browser()
        .user_agent(&format!("Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"))
}

async fn a_browser_that_is_new_is_in_the_trail_and_signing_in_goes_on(engine: Engine) {
    let house = with_ada(engine).await;
    let mut all = Vec::new();
    for (browser, address) in [
        (firefox(&house, 132), "198.51.100.1"),
        (firefox(&house, 133), "198.51.100.2"),
        (firefox(&house, 133), "203.0.113.1"),
        (house.browser().user_agent("curl/8"), "192.0.2.1"),
    ] {
        house.advance(Duration::from_secs(31)).await;
        browser.with("x-forwarded-for", address).signs_in(&house, ADA, &[]).await.code_for_app();
        let mut entries = house.entries("sign_in.passed").await;
        entries.sort_by_key(|entry| entry.at);
        all.push(entries.pop().unwrap().detail.get("risk").cloned().unwrap_or_default());
    }
    assert_eq!(all, ["", "", "new_network", "new_device,new_network"]);
}

async fn what_speaks_against_a_sign_in_waits_with_it_for_consent(engine: Engine) {
    let house = with_ada(engine).await;
    firefox(&house, 132).signs_in(&house, ADA, &[]).await.code_for_app();
    house.set_client("c3", &["oauth.first_party=off"]).await;
    house.advance(Duration::from_secs(31)).await;
    let browser = house.browser().user_agent("curl/8").with("x-forwarded-for", "203.0.113.1");
    let asked = browser.signs_in(&house, ADA, &[]).await;
    let waiting = "select count(*) from sign_ins where ended_at is null and risk = 'new_device,new_network'";
    assert_eq!(house.database.number(waiting).await, 1);
    let page = browser.follow(&asked).await;
    browser.act(&page, "allow", &[]).await.code_for_app();
    assert_eq!(house.database.number(waiting).await, 0);
    // The twin: one from where the user was before waits with nothing against it.
    house.advance(Duration::from_secs(31)).await;
    let again = house.browser().user_agent("curl/9").with("x-forwarded-for", "203.0.113.2");
    again.signs_in(&house, ADA, &[("prompt", "consent")]).await;
    let unsuspected = "select count(*) from sign_ins where ended_at is null and user_id is not null and risk is null";
    assert_eq!(house.database.number(unsuspected).await, 1);
}

async fn a_passkey_is_judged_by_its_owners_places_and_not_by_codes_for_whatever_was_typed(engine: Engine) {
    let house = super::passkeys::with_ada(engine).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    guess(&house, "eve@example.com", 5).await;
    house.advance(Duration::from_secs(31)).await;
    let browser = house.browser().user_agent("curl/8").with("x-forwarded-for", "203.0.113.1");
    let page = asked_for_code(&house, &browser, "eve@example.com", &[]).await;
    assert!(page.says(GUESSED_AT), "{}", page.answer);
    browser.shows_passkey(&page, &passkey).await.code_for_app();
    let mut entries = house.entries("sign_in.passed").await;
    entries.sort_by_key(|entry| entry.at);
    let last = entries.pop().unwrap();
    assert_eq!((&*last.detail["method"], &*last.detail["risk"]), ("passkey", "new_device,new_network"));
}
