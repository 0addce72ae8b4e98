//! A user takes back what an app of somebody else's may know and do.

use countersign_testkit::{
    answer::Answer,
    browser::{Browser, Page},
    database::Engine,
    house::{House, p1},
    http::Client,
    on_both_engines,
    provider::redemption,
};

use super::{ADA, with_ada};

on_both_engines!(
    what_is_taken_back_is_over_and_asked_for_anew,
    what_else_somebody_is_signed_in_to_goes_on,
    an_app_that_is_the_projects_own_is_not_there,
    a_code_that_is_on_its_way_buys_nothing,
    another_node_hears_of_it,
    an_operator_takes_it_back_too,
    nobody_takes_back_what_others_allowed,
    csrf_on_the_form_that_takes_back,
);

const PATH: &str = "/account/consents";
const BOB: &str = "bob@example.com";

async fn with_a_strange_app(engine: Engine) -> House {
    let house = with_ada(engine).await;
    house.set_client("c3", &["oauth.first_party=off", "oauth.scopes=openid profile email read"]).await;
    house
}

/// Signs in and allows the app what it asks for: the code.
async fn allows(house: &House, browser: &Browser, email: &str) -> String {
    let answer = browser.signs_in(house, email, &[("scope", "openid email read")]).await;
    let page = browser.follow(&answer).await;
    browser.act(&page, "allow", &[]).await.code_for_app()
}

/// What the app may be asked about its user.
fn with_token(house: &House, tokens: &Answer) -> Client {
    house.node.client().with("authorization", &format!("Bearer {}", tokens.text("access_token")))
}

async fn refresh(house: &House, tokens: &Answer) -> Answer {
    let token = tokens.text("refresh_token");
    let sent = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("client_id", "c3")];
    house.node.client().post_form("/oauth2/token", &sent).await
}

async fn take_back(browser: &Browser, page: &Page, client: &str) -> Answer {
    browser.post(PATH, &[("form", &page.form_token()), ("client", client)]).await
}

#[track_caller]
fn is_back(answer: &Answer) {
    assert_eq!((answer.status(), answer.header("location")), (303, "/account"), "{answer}");
}

async fn what_is_taken_back_is_over_and_asked_for_anew(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let tokens = house.node.token(&redemption(&allows(&house, &browser, ADA).await)).await.ok();
    with_token(&house, &tokens).get("/v1/me").await.is_ok();
    let page = browser.page("/account").await;
    for said in ["Apps that you allowed", "<strong>A client</strong>", "since 20"] {
        assert!(page.says(said), "{said}: {}", page.answer);
    }
    let may = "It may: know that it is you, see your e-mail address, use “read” in your name";
    assert!(page.says(may), "{}", page.answer);
    let german = browser.with("accept-language", "de").page("/account").await;
    for said in ["Apps, denen", "Die App darf: wissen, dass", "Zurücknehmen, was A client darf"] {
        assert!(german.says(said), "{said}: {}", german.answer);
    }

    is_back(&take_back(&browser, &page, "c3").await);
    with_token(&house, &tokens).get("/v1/me").await.denied(401, "invalid_credentials");
    refresh(&house, &tokens).await.oauth_error(400, "invalid_grant");
    let page = browser.page("/account").await;
    assert!(!page.says("Apps that you allowed") && page.says("this browser"), "{}", page.answer);
    let entry = house.only_entry("consent.taken_back").await;
    assert_eq!((&*entry.actor_kind, entry.client_id.as_deref()), ("user", Some("c3")));
    let entry = house.only_entry("session.ended").await;
    assert_eq!((&*entry.actor_kind, &*entry.detail["reason"]), ("user", "revoked"));
    assert_eq!(browser.authorize(&house, &[("prompt", "none")]).await.error_for_app(), "consent_required");

    // The twin: whoever allows it again is in again.
    let page = browser.sent_by_app(&house, &[("scope", "openid email read")]).await;
    assert!(page.heading().ends_with("asks for access"), "{}", page.answer);
    let code = browser.act(&page, "allow", &[]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    with_token(&house, &tokens).get("/v1/me").await.is_ok();
    refresh(&house, &tokens).await.is_ok();
}

async fn what_else_somebody_is_signed_in_to_goes_on(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    house.user(BOB).await;
    let (ada, bob) = (house.browser(), house.browser());
    let elsewhere = house.backend().new_app(ADA).await;
    let of_bob = house.node.token(&redemption(&allows(&house, &bob, BOB).await)).await.ok();
    let mut of_ada = Vec::new();
    for _ in 0..3 {
        let code = if of_ada.is_empty() {
            allows(&house, &ada, ADA).await
        } else {
            ada.authorize(&house, &[("scope", "openid email")]).await.code_for_app()
        };
        of_ada.push(house.node.token(&redemption(&code)).await.ok());
    }
    is_back(&take_back(&ada, &ada.page("/account").await, "c3").await);
    for tokens in &of_ada {
        with_token(&house, tokens).get("/v1/me").await.denied(401, "invalid_credentials");
    }
    assert_eq!(house.entries("session.ended").await.len(), 3);
    elsewhere.me().await.is_ok();
    ada.page("/account").await;
    with_token(&house, &of_bob).get("/v1/me").await.is_ok();
    assert!(bob.page("/account").await.says("Apps that you allowed"));
}

async fn an_app_that_is_the_projects_own_is_not_there(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let code = browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let page = browser.page("/account").await;
    assert!(!page.says("Apps that you allowed"), "{}", page.answer);
    is_back(&take_back(&browser, &page, "c3").await);
    with_token(&house, &tokens).get("/v1/me").await.is_ok();
    assert!(house.entries("consent.taken_back").await.is_empty());
}

async fn a_code_that_is_on_its_way_buys_nothing(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let first = allows(&house, &browser, ADA).await;
    let second = browser.authorize(&house, &[("scope", "openid email")]).await.code_for_app();
    house.node.token(&redemption(&first)).await.is_ok();
    let before = house.books().await.sessions;
    is_back(&take_back(&browser, &browser.page("/account").await, "c3").await);
    house.node.token(&redemption(&second)).await.oauth_error(400, "invalid_grant");
    assert_eq!(house.books().await.sessions, before);
}

async fn another_node_hears_of_it(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let other = house.another_node().await;
    let browser = house.browser();
    let tokens = house.node.token(&redemption(&allows(&house, &browser, ADA).await)).await.ok();
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    let there = other.client().with("authorization", &bearer);
    other.service.tick().await;
    there.get("/v1/me").await.is_ok();
    is_back(&take_back(&browser, &browser.page("/account").await, "c3").await);
    other.service.tick().await;
    there.get("/v1/me").await.denied(401, "invalid_credentials");
}

async fn an_operator_takes_it_back_too(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let tokens = house.node.token(&redemption(&allows(&house, &browser, ADA).await)).await.ok();
    let (service, ada) = (&house.node.service, house.user_id(ADA).await);
    let consents = service.list_consents(&p1(), ada).await.unwrap();
    let said: Vec<_> = consents.iter().map(|it| (it.client.as_str(), it.scope.to_string())).collect();
    assert_eq!(said, [("c3", "openid email read".to_owned())]);
    service.take_consent_back(&p1(), ada, &"c3".parse().unwrap(), None).await.unwrap();
    assert_eq!(service.list_consents(&p1(), ada).await.unwrap(), []);
    with_token(&house, &tokens).get("/v1/me").await.denied(401, "invalid_credentials");
    assert_eq!(house.only_entry("consent.taken_back").await.actor_kind, "operator");
    assert_eq!(house.only_entry("session.ended").await.actor_kind, "operator");
}

async fn nobody_takes_back_what_others_allowed(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    house.user(BOB).await;
    let (ada, bob) = (house.browser(), house.browser());
    let tokens = house.node.token(&redemption(&allows(&house, &ada, ADA).await)).await.ok();
    let answer = bob.signs_in(&house, BOB, &[]).await;
    let page = bob.follow(&answer).await;
    bob.act(&page, "deny", &[]).await.error_for_app();
    let page = bob.page("/account").await;
    for client in ["c3", "c1", "c9", "", "<c3>"] {
        is_back(&take_back(&bob, &page, client).await);
    }
    assert!(house.entries("consent.taken_back").await.is_empty());
    assert!(house.entries("session.ended").await.is_empty());
    with_token(&house, &tokens).get("/v1/me").await.is_ok();
    assert!(ada.page("/account").await.says("Apps that you allowed"));
}

async fn csrf_on_the_form_that_takes_back(engine: Engine) {
    let house = with_a_strange_app(engine).await;
    let browser = house.browser();
    let tokens = house.node.token(&redemption(&allows(&house, &browser, ADA).await)).await.ok();
    let (stranger, page) = (house.browser(), browser.page("/account").await);
    let (strange, own) = (stranger.sent_by_app(&house, &[]).await.form_token(), page.form_token());
    for wrong in ["", "AAAA", &strange] {
        let answer = browser.post(PATH, &[("form", wrong), ("client", "c3")]).await;
        assert_eq!(answer.status(), 403, "{answer}");
    }
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let answer = browser.with(name, value).post(PATH, &[("form", &own), ("client", "c3")]).await;
        assert_eq!(answer.status(), 403, "{name}: {answer}");
    }
    assert_eq!(stranger.post(PATH, &[("form", &own), ("client", "c3")]).await.status(), 410);
    assert_eq!(browser.get(PATH).await.status(), 405);
    assert!(house.entries("consent.taken_back").await.is_empty());
    with_token(&house, &tokens).get("/v1/me").await.is_ok();
    // The twin.
    is_back(&browser.with("sec-fetch-site", "same-origin").post(PATH, &[("form", &own), ("client", "c3")]).await);
    house.only_entry("consent.taken_back").await;
}
