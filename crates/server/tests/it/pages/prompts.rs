//! What an app says of how its user is to be asked (OpenID Connect Core §3.1.2.1).

use std::time::Duration;

use countersign_domain::identity::Identity;
use countersign_storage::identities;
use countersign_testkit::{
    browser::heading, database::Engine, house::p1, on_both_engines, provider::redemption, token::claims,
};

use super::{ADA, with_ada};

on_both_engines!(
    without_a_page_nobody_is_asked,
    an_app_may_have_its_user_prove_who_they_are_again,
    an_app_may_have_its_user_choose_an_account,
    an_app_that_means_somebody_gets_nobody_else,
    an_app_that_says_who_it_is_about_has_the_address_filled_in,
    an_app_that_wants_more_than_was_proved_has_its_user_asked,
    who_has_no_address_does_not_get_to_an_app_that_was_promised_one,
);

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_too_old_for_an_app_is_made_again() {
    let house = with_ada(Engine::Sqlite).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    house.advance(Duration::from_secs(100)).await;
    browser.authorize(&house, &[("max_age", "100")]).await.code_for_app();
    assert_eq!(
        browser.authorize(&house, &[("max_age", "99"), ("prompt", "none")]).await.error_for_app(),
        "login_required"
    );
    let before = house.node.service.now().seconds();
    let code = browser.signs_in(&house, ADA, &[("max_age", "99")]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    assert_eq!(claims(&tokens.text("id_token"))["auth_time"], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_stays_signed_in_longer_than_the_project_says() {
    let house = with_ada(Engine::Sqlite).await;
    house.set(&["browser.lifetime=1h"]).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    house.advance(Duration::from_mins(59)).await;
    browser.authorize(&house, &[]).await.code_for_app();
    house.advance(Duration::from_mins(1)).await;
    assert_eq!(browser.sent_by_app(&house, &[]).await.heading(), "Sign in");
}

async fn without_a_page_nobody_is_asked(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let silent = [("prompt", "none")];
    assert_eq!(browser.authorize(&house, &silent).await.error_for_app(), "login_required");
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    browser.authorize(&house, &silent).await.code_for_app();
}

async fn an_app_may_have_its_user_prove_who_they_are_again(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    for again in [("prompt", "login"), ("prompt", "login select_account")] {
        let page = browser.sent_by_app(&house, &[again]).await;
        assert_eq!(page.heading(), "Sign in");
        // Who is signed in from before can't go on as that: neither by the button, which isn't there, nor by what it would send.
        if engine == Engine::Sqlite {
            house.advance(Duration::from_secs(1)).await;
            let page = browser.sent_by_app(&house, &[again]).await;
            assert!(!page.says("Continue as"), "{}", page.answer);
            let answer = browser.act(&page, "continue", &[]).await;
            assert_eq!(browser.follow(&answer).await.heading(), "Sign in");
        }
    }
    house
        .node
        .token(&redemption(&browser.signs_in(&house, ADA, &[("prompt", "login")]).await.code_for_app()))
        .await
        .is_ok();
}

async fn an_app_may_have_its_user_choose_an_account(engine: Engine) {
    let house = with_ada(engine).await;
    house.user("bob@example.com").await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let silent = [("prompt", "none"), ("login_hint", "bob@example.com")];
    assert_eq!(browser.authorize(&house, &silent).await.error_for_app(), "login_required");
    let page = browser.sent_by_app(&house, &[("prompt", "select_account")]).await;
    assert!(page.says("Continue as ada@example.com"), "{}", page.answer);
    browser.act(&page, "continue", &[]).await.code_for_app();
    // Or with another: who was signed in is no longer, in this browser.
    let code = browser.signs_in(&house, "bob@example.com", &[("prompt", "select_account")]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    assert_eq!(claims(&tokens.text("id_token"))["email"], "bob@example.com");
    house.only_entry("browser_session.ended").await;
}

async fn an_app_that_means_somebody_gets_nobody_else(engine: Engine) {
    let house = with_ada(engine).await;
    house.user("bob@example.com").await;
    let browser = house.browser();
    let code = browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let of_ada = house.node.token(&redemption(&code)).await.ok().text("id_token");
    let meant = [("id_token_hint", of_ada.as_str())];
    browser.authorize(&house, &meant).await.code_for_app();
    let others = house.browser();
    others.signs_in(&house, "bob@example.com", &[]).await.code_for_app();
    let silent = [("id_token_hint", of_ada.as_str()), ("prompt", "none")];
    assert_eq!(others.authorize(&house, &silent).await.error_for_app(), "login_required");
    // Whoever signs in as somebody else is told, and sent back with an error.
    let answer = others.signs_in(&house, "bob@example.com", &meant).await;
    assert_eq!((answer.status(), heading(&answer).as_str()), (403, "This is another account"));
    assert!(answer.to_string().contains("error=login_required"), "{answer}");
    house.browser().signs_in(&house, ADA, &meant).await.code_for_app();
}

async fn an_app_that_says_who_it_is_about_has_the_address_filled_in(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[("login_hint", "\"><script>@example.com")]).await;
    assert!(page.says("value=\"&#34;&#62;&#60;script&#62;@example.com\""), "{}", page.answer);
    let page = browser.sent_by_app(&house, &[("login_hint", ADA)]).await;
    assert!(page.says("value=\"ada@example.com\""), "{}", page.answer);
    browser.asks_for_code(&page, ADA).await;
}

async fn an_app_that_wants_more_than_was_proved_has_its_user_asked(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let (one, two) = ("urn:countersign:acr:one-factor", "urn:countersign:acr:two-factors");
    for enough in [one, "urn:somebody:elses", &format!("{two} {one}")] {
        browser.authorize(&house, &[("acr_values", enough), ("prompt", "none")]).await.code_for_app();
    }
    let more = [("acr_values", two), ("prompt", "none")];
    assert_eq!(browser.authorize(&house, &more).await.error_for_app(), "login_required");
}

async fn who_has_no_address_does_not_get_to_an_app_that_was_promised_one(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let (uid, db) = (house.user_id(ADA).await, house.database.open().await);
    let gone = db.write(move |mut conn| {
        let address = Identity::Email(ADA.parse().unwrap());
        Box::pin(async move { identities::delete(&mut conn, &p1(), uid, &address).await })
    });
    gone.await.unwrap();
    db.close().await;
    assert_eq!(browser.authorize(&house, &[]).await.error_for_app(), "access_denied");
    // The twin: an app that was promised nothing.
    house.set_client("c3", &["oauth.first_party=off"]).await;
    let page = browser.sent_by_app(&house, &[("scope", "openid")]).await;
    browser.act(&page, "allow", &[]).await.code_for_app();
}
