//! Whether an app that isn't the project's own may know what it asks for.

use countersign_service::projects::state::StateChange;
use countersign_testkit::{database::Engine, house::House, on_both_engines, provider::redemption};

use super::{ADA, with_ada};

on_both_engines!(
    an_app_of_somebody_elses_is_allowed_once,
    who_says_no_is_sent_back_without_a_code,
    an_app_that_asks_for_more_asks_again,
    an_app_may_have_its_user_asked_again,
    who_is_signed_in_no_more_can_not_say_yes,
    somebody_else_can_not_say_yes,
    what_is_asked_without_a_page_is_refused_until_it_was_allowed,
);

async fn with_a_strange_app(engine: Engine) -> House {
    let house = with_ada(engine).await;
    house.set_client("c3", &["oauth.first_party=off"]).await;
    house
}

async fn an_app_of_somebody_elses_is_allowed_once(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let answer = browser.signs_in(&house, ADA, &[("scope", "openid email phone")]).await;
    let page = browser.follow(&answer).await;
    assert!(page.heading().ends_with("asks for access"), "{}", page.answer);
    assert!(page.says("see your e-mail address") && page.says("see your telephone number") && page.says(ADA));
    assert!(!page.says("see your name"), "{}", page.answer);
    let code = browser.act(&page, "allow", &[]).await.code_for_app();
    house.node.token(&redemption(&code)).await.is_ok();
    assert_eq!(house.only_entry("consent.given").await.detail["scope"], "openid email phone");
    browser.authorize(&house, &[]).await.code_for_app();
    // The form that was sent is worth nothing a second time.
    assert_eq!(browser.act(&page, "allow", &[]).await.status(), 410);
}

async fn who_says_no_is_sent_back_without_a_code(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let page = browser.follow(&browser.signs_in(&house, ADA, &[]).await).await;
    assert_eq!(browser.act(&page, "deny", &[]).await.error_for_app(), "access_denied");
    house.only_entry("consent.refused").await;
    // Next time they are asked again, and needn't sign in.
    let page = browser.sent_by_app(&house, &[]).await;
    assert!(page.heading().ends_with("asks for access"), "{}", page.answer);
}

async fn an_app_that_asks_for_more_asks_again(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let page = browser.follow(&browser.signs_in(&house, ADA, &[("scope", "openid email")]).await).await;
    browser.act(&page, "allow", &[]).await.code_for_app();
    let page = browser.sent_by_app(&house, &[("scope", "openid profile")]).await;
    assert!(page.says("see your name"), "{}", page.answer);
    browser.act(&page, "allow", &[]).await.code_for_app();
    browser.authorize(&house, &[("scope", "openid email profile")]).await.code_for_app();
}

async fn an_app_may_have_its_user_asked_again(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let page = browser.follow(&browser.signs_in(&house, ADA, &[]).await).await;
    browser.act(&page, "allow", &[]).await.code_for_app();
    let page = browser.sent_by_app(&house, &[("prompt", "consent")]).await;
    assert!(page.heading().ends_with("asks for access"), "{}", page.answer);
    browser.act(&page, "allow", &[]).await.code_for_app();
}

async fn who_is_signed_in_no_more_can_not_say_yes(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let page = browser.follow(&browser.signs_in(&house, ADA, &[]).await).await;
    house.change_user(ADA, StateChange::Revoke).await;
    let answer = browser.act(&page, "allow", &[]).await;
    assert_eq!((answer.status(), house.entries("consent.given").await.len()), (410, 0), "{answer}");
    assert_eq!(browser.get(&page.path).await.status(), 410);
}

async fn somebody_else_can_not_say_yes(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    house.user("bob@example.com").await;
    let browser = house.browser();
    let page = browser.follow(&browser.signs_in(&house, ADA, &[]).await).await;
    // In another tab of the same browser somebody else signs in.
    browser.signs_in(&house, "bob@example.com", &[("prompt", "login")]).await;
    let answer = browser.act(&page, "allow", &[]).await;
    assert_eq!((answer.status(), house.entries("consent.given").await.len()), (410, 0), "{answer}");
}

async fn what_is_asked_without_a_page_is_refused_until_it_was_allowed(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let page = browser.follow(&browser.signs_in(&house, ADA, &[]).await).await;
    assert_eq!(browser.authorize(&house, &[("prompt", "none")]).await.error_for_app(), "consent_required");
    browser.act(&page, "allow", &[]).await.code_for_app();
    browser.authorize(&house, &[("prompt", "none")]).await.code_for_app();
}
