//! A user's own page.

use std::time::Duration;

use countersign_testkit::{
    browser::{Browser, Page},
    database::Engine,
    on_both_engines,
    provider::redemption,
};

use super::{ADA, with_ada};

on_both_engines!(
    who_is_not_signed_in_signs_in_for_it,
    every_place_is_there_and_can_be_signed_out_of,
    nobody_signs_somebody_else_out,
    who_signs_out_here_is_out_here_alone,
);

/// On PostgreSQL the time is the database's, which no test turns; that it goes there too says storage's own test.
#[tokio::test(flavor = "multi_thread")]
async fn who_signed_out_leaves_no_row_for_long() {
    let house = with_ada(Engine::Sqlite).await;
    let (here, there) = (house.browser(), house.browser());
    here.signs_in(&house, ADA, &[]).await.code_for_app();
    there.signs_in(&house, ADA, &[]).await.code_for_app();
    let page = here.page("/account").await;
    sign_out(&here, &page, &places(&page)[0].1).await.is_ok();
    let rows = async || house.database.number("select count(*) from browser_sessions").await;
    house.advance(Duration::from_mins(59)).await;
    house.node.service.maintain().await;
    assert_eq!(rows().await, 2);
    house.advance(Duration::from_mins(2)).await;
    house.node.service.maintain().await;
    assert_eq!(rows().await, 1);
    assert_eq!(here.get("/account").await.status(), 303, "signed out all the same");
    there.page("/account").await;
}

/// The places on a page, by their names.
fn places(page: &Page) -> Vec<(String, String)> {
    let text = page.text();
    let (_, text) = text.split_once("id=\"places\"").expect("there are places");
    let name = |part: &str| part.split("<strong>").nth(1).unwrap().split("</strong>").next().unwrap().to_owned();
    let id = |part: &str| part.split("name=\"place\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    text.split("<li>").skip(1).map(|part| (name(part), id(part))).collect()
}

async fn sign_out(browser: &Browser, page: &Page, place: &str) -> countersign_testkit::answer::Answer {
    browser.post("/account", &[("form", &page.form_token()), ("place", place)]).await
}

async fn who_is_not_signed_in_signs_in_for_it(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let answer = browser.get("/account").await;
    let page = browser.follow(&answer).await;
    assert_eq!(page.heading(), "Sign in");
    assert!(page.says("to your account with"), "{}", page.answer);
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    let answer = browser.act(&page, "code", &[("code", &code)]).await;
    let page = browser.follow(&answer).await;
    assert!(page.path == "/account" && page.says(ADA) && page.says("this browser"), "{}", page.answer);
}

async fn every_place_is_there_and_can_be_signed_out_of(engine: Engine) {
    let house = with_ada(engine).await;
    let app = house.backend().new_app(ADA).await;
    let (phone, desk) = (
        house.browser().user_agent("Mozilla/5.0 (iPhone) Safari/604.1"),
        house.browser().user_agent("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36"),
    );
    phone.signs_in(&house, ADA, &[]).await.code_for_app();
    let code = desk.signs_in(&house, ADA, &[]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let page = desk.page("/account").await;
    let all = places(&page);
    assert_eq!(all.len(), 5, "{all:?}");
    assert_eq!(all[0].0, "Chrome, Linux", "this browser is first");
    let (_, of_phone) = all.iter().find(|(name, _)| name == "Safari, iPhone").unwrap();
    assert_eq!(sign_out(&desk, &page, of_phone).await.status(), 303);
    assert_eq!(phone.get("/account").await.status(), 303, "signed out there");
    let of_apps: Vec<_> = all.iter().filter(|(_, id)| id.starts_with("ses_")).collect();
    for (_, id) in &of_apps {
        assert_eq!(sign_out(&desk, &page, id).await.status(), 303);
    }
    app.me().await.denied(401, "invalid_credentials");
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    house.node.client().with("authorization", &bearer).get("/v1/me").await.denied(401, "invalid_credentials");
    assert_eq!(places(&desk.page("/account").await).len(), 1);
    house.only_entry("browser_session.ended").await;
}

async fn nobody_signs_somebody_else_out(engine: Engine) {
    let house = with_ada(engine).await;
    let app = house.backend().new_app("bob@example.com").await;
    let (ada, bob) = (house.browser(), house.browser());
    ada.signs_in(&house, ADA, &[]).await.code_for_app();
    bob.signs_in(&house, "bob@example.com", &[]).await.code_for_app();
    let (page, of_bob) = (ada.page("/account").await, places(&bob.page("/account").await));
    assert_eq!(of_bob.len(), 2);
    for (_, id) in of_bob.iter().chain([&(String::new(), "nonsense".to_owned())]) {
        assert_eq!(sign_out(&ada, &page, id).await.status(), 303);
    }
    app.me().await.is_ok();
    assert_eq!(places(&bob.page("/account").await).len(), 2);
    assert!(house.entries("browser_session.ended").await.is_empty());
}

async fn who_signs_out_here_is_out_here_alone(engine: Engine) {
    let house = with_ada(engine).await;
    let (here, there) = (house.browser(), house.browser());
    here.signs_in(&house, ADA, &[]).await.code_for_app();
    there.signs_in(&house, ADA, &[]).await.code_for_app();
    let page = here.page("/account").await;
    let kept = here.cookies();
    let answer = sign_out(&here, &page, &places(&page)[0].1).await.ok();
    assert!(answer.to_string().contains("You are signed out"), "{answer}");
    assert!(here.cookies().keys().all(|name| !name.contains("session")), "the cookie is gone");
    // A copy of it is worth nothing either.
    here.set_cookie("countersign-session-p1", &kept["countersign-session-p1"]);
    assert_eq!(here.authorize(&house, &[("prompt", "none")]).await.error_for_app(), "login_required");
    there.page("/account").await;
}
