//! Signing in on our pages, as it should go.

use countersign_testkit::{database::Engine, house::House, on_both_engines, provider::redemption, token::claims};
use serde_json::json;

use super::{ADA, with_ada};

on_both_engines!(
    somebody_signs_in_by_code_and_the_app_redeems_what_it_gets,
    somebody_new_comes_to_be_where_the_project_lets_people_sign_up,
    whoever_was_vouched_for_is_the_same_user_here,
    the_link_in_the_message_is_as_good_as_the_code,
    whoever_is_signed_in_goes_straight_back,
    a_request_by_form_is_as_good_as_one_by_query,
    an_answer_by_form_goes_to_the_app_in_a_form,
    an_app_that_is_not_known_gets_nobody_sent_back,
    each_project_has_its_own_pages_and_its_own_people,
    pages_speak_the_language_that_the_app_or_the_browser_asks_for,
    a_page_has_the_name_the_logo_and_the_colour_of_its_project,
);

async fn somebody_signs_in_by_code_and_the_app_redeems_what_it_gets(engine: Engine) {
    let house = House::in_development(engine).await;
    house.web_app().await;
    let uid = house.user(ADA).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[("nonce", "n-1")]).await;
    assert_eq!(page.heading(), "Sign in");
    assert!(page.says("to continue to"), "{}", page.answer);
    let page = browser.asks_for_code(&page, ADA).await;
    assert_eq!(page.heading(), "Check your mail");
    let code = house.newest_code(ADA).await;
    let answer = browser.act(&page, "code", &[("code", &format!("{} {}", &code[..3], &code[3..]))]).await;
    let said = answer.back_at_app();
    assert_eq!((said["state"].as_str(), said["iss"].as_str()), ("a state", house.public_url()));
    let tokens = house.node.token(&redemption(&said["code"])).await.ok();
    let claims = claims(&tokens.text("id_token"));
    assert_eq!((&claims["sub"], &claims["email"], &claims["nonce"]), (&json!(uid), &json!(ADA), &json!("n-1")));
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["otp"]), &json!("urn:countersign:acr:one-factor")));
    let entry = house.only_entry("sign_in.passed").await;
    assert_eq!((entry.user_id, entry.client_id), (Some(uid), Some("c3".to_owned())));
    house.only_entry("browser_session.opened").await;
}

async fn somebody_new_comes_to_be_where_the_project_lets_people_sign_up(engine: Engine) {
    let house = House::in_development(engine).await;
    house.web_app().await;
    house.set(&["signup=on"]).await;
    let before = house.books().await;
    let code = house.browser().signs_in(&house, "new@example.com", &[]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let claims = claims(&tokens.text("id_token"));
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("new@example.com"), &json!(true)));
    assert_eq!(house.books().await.users, before.users + 1);
}

async fn whoever_was_vouched_for_is_the_same_user_here(engine: Engine) {
    let house = House::in_development(engine).await;
    house.web_app().await;
    let vouched = house.backend().new_app(ADA).await;
    let code = house.browser().signs_in(&house, "Ada@Example.com", &[]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    assert_eq!(claims(&tokens.text("id_token"))["sub"], json!(vouched.uid));
    vouched.me().await.is_ok();
}

async fn the_link_in_the_message_is_as_good_as_the_code(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    browser.asks_for_code(&page, ADA).await;
    let link = house.newest_link(ADA).await;
    // Looking at it does nothing, however often.
    let opened = browser.page(&link).await;
    let opened_again = browser.page(&link).await;
    assert_eq!((opened.heading(), opened_again.heading()), ("Sign in".to_owned(), "Sign in".to_owned()));
    let (_, secret) = link.split_once("?k=").unwrap();
    let answer = browser.act(&opened, "link", &[("k", secret)]).await;
    house.node.token(&redemption(&answer.code_for_app())).await.is_ok();
    let method = &house.only_entry("sign_in.passed").await.detail["method"];
    assert_eq!(method, "email_link");
    // It worked once.
    let again = browser.act(&opened, "link", &[("k", secret)]).await;
    assert_eq!(again.status(), 410, "{again}");
}

async fn whoever_is_signed_in_goes_straight_back(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let code = browser.authorize(&house, &[("state", "another")]).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    assert_eq!(claims(&tokens.text("id_token"))["amr"], json!(["otp"]));
    // The twin: another browser is asked.
    let page = house.browser().sent_by_app(&house, &[]).await;
    assert_eq!(page.heading(), "Sign in");
    // Where nobody stays signed in, everybody is asked.
    house.set(&["browser.lifetime=0s"]).await;
    assert_eq!(browser.sent_by_app(&house, &[]).await.heading(), "Sign in");
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    assert_eq!(browser.sent_by_app(&house, &[]).await.heading(), "Sign in");
}

async fn a_request_by_form_is_as_good_as_one_by_query(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let from_elsewhere = browser.with("sec-fetch-site", "cross-site").with("origin", "https://app.example.com");
    let asked = house.authorization(&[("state", "a+b&c=d ü")]);
    let answer = from_elsewhere.post("/oauth2/authorize", &asked).await;
    assert_eq!(answer.status(), 303, "{answer}");
    assert!(answer.headers.get("set-cookie").is_none(), "a form of another site changes nothing here");
    let answer = browser.get(answer.header("location")).await;
    let page = browser.follow(&answer).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    let said = browser.act(&page, "code", &[("code", &code)]).await.back_at_app();
    assert_eq!(said["state"], "a+b&c=d ü");
}

async fn an_answer_by_form_goes_to_the_app_in_a_form(engine: Engine) {
    let house = with_ada(engine).await;
    let answer = house.browser().signs_in(&house, ADA, &[("response_mode", "form_post")]).await.ok();
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(page.contains("<form method=\"post\" action=\"https://app.example.com/callback\">"), "{page}");
    assert!(page.contains("name=\"state\" value=\"a state\""), "{page}");
    assert!(answer.header("content-security-policy").contains("form-action 'self' https://app.example.com;"));
    let (_, after) = page.split_once("name=\"code\" value=\"").unwrap();
    house.node.token(&redemption(after.split('"').next().unwrap())).await.is_ok();
}

async fn an_app_that_is_not_known_gets_nobody_sent_back(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let wrong = [
        ("client_id", "c9", "is not known here"),
        ("redirect_uri", "https://evil.example/callback", "is not registered"),
        ("redirect_uri", "https://app.example.com/callback/", "is not registered"),
        ("redirect_uri", "https://app.example.com/Callback", "is not registered"),
        ("redirect_uri", "https://app.example.com@evil.example/callback", "is not registered"),
        ("redirect_uri", "https://app.example.com/a/../callback", "is not registered"),
        ("redirect_uri", "https://app.example.com/callback#x", "is not registered"),
        ("redirect_uri", "javascript:alert(1)", "is not registered"),
    ];
    for (name, value, said) in wrong {
        let answer = browser.authorize(&house, &[(name, value)]).await;
        assert_eq!(answer.status(), 400, "{value}");
        assert!(String::from_utf8_lossy(&answer.body).contains(said), "{answer}");
        assert!(answer.headers.get("location").is_none() && !answer.to_string().contains("evil.example"), "{answer}");
    }
    // What the app itself got wrong is told to the app.
    let answer = browser.authorize(&house, &[("code_challenge_method", "plain")]).await;
    assert_eq!(answer.error_for_app(), "invalid_request");
    let entries = house.entries("browser_session.opened").await;
    assert!(entries.is_empty());
    // The twin.
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
}

async fn each_project_has_its_own_pages_and_its_own_people(engine: Engine) {
    let house = with_ada(engine).await;
    house.another_project("p2").await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let names: Vec<String> = browser.cookies().into_keys().collect();
    assert_eq!(names, ["countersign-session-p1", "countersign-visit-p1"]);
    // The session of one project is none in another, even if its cookie is given the other name.
    let session = browser.cookies()["countersign-session-p1"].clone();
    browser.set_cookie("countersign-session-p2", &session);
    let elsewhere = browser.get("/p/p2/account").await;
    assert_eq!(elsewhere.status(), 303, "{elsewhere}");
    assert!(elsewhere.header("location").starts_with("/p/p2/sign-in/"), "{elsewhere}");
    assert_eq!(browser.get("/p/p1/account").await.status(), 200);
    assert_eq!(browser.get("/p/p9/account").await.status(), 400);
}

async fn pages_speak_the_language_that_the_app_or_the_browser_asks_for(engine: Engine) {
    let house = with_ada(engine).await;
    let german = house.browser().with("accept-language", "de-AT,de;q=0.9,en;q=0.5");
    let page = german.sent_by_app(&house, &[]).await;
    assert_eq!(page.heading(), "Anmelden");
    assert!(page.says("<html lang=\"de\">"));
    let page = german.sent_by_app(&house, &[("ui_locales", "en de")]).await;
    assert_eq!(page.heading(), "Sign in");
    let page = house.browser().sent_by_app(&house, &[("ui_locales", "de")]).await;
    assert_eq!(page.heading(), "Anmelden");
}

async fn a_page_has_the_name_the_logo_and_the_colour_of_its_project(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["page.logo=https://cdn.example.com/logo.svg", "page.color=#ffee00"]).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    assert!(page.says("src=\"https://cdn.example.com/logo.svg\""), "{}", page.answer);
    assert!(page.answer.header("content-security-policy").contains("img-src https://cdn.example.com/logo.svg;"));
    let text = page.text();
    let (_, style) = text.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let style = browser.get(&style.split('"').next().unwrap().replace("&amp;", "&")).await.ok();
    let style = String::from_utf8(style.body.to_vec()).unwrap();
    assert!(style.contains("--accent: #ffee00; --on-accent: #000;"), "{style}");
}
