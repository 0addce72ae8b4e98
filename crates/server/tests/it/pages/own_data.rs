//! A copy of all that is kept of a user, and its end.

use std::time::Duration;

use countersign_testkit::{
    browser::Browser,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    provider::redemption,
    wait,
};
use serde_json::Value;

use super::{
    ADA,
    passkeys::{Redirected, with_ada},
};

on_both_engines!(
    a_copy_has_everything_and_nothing_that_lets_anybody_in,
    a_copy_is_of_whoever_asks_and_not_made_too_often,
    who_deletes_their_account_is_gone_everywhere_within_a_second,
    who_types_something_else_keeps_their_account,
    csrf_on_the_forms_about_data,
);

const BOB: &str = "bob@example.com";

async fn copy(browser: &Browser) -> Value {
    let token = browser.page("/account").await.form_token();
    let answer = browser.post("/account/copy", &[("form", &token)]).await.ok();
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"account.json\"");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

async fn a_copy_has_everything_and_nothing_that_lets_anybody_in(engine: Engine) {
    let house = with_ada(engine).await;
    house.set_client("c3", &["oauth.first_party=off"]).await;
    let app = house.backend().new_app(ADA).await;
    let (browser, passkey) = {
        let (browser, mut passkey) =
            (house.browser(), countersign_testkit::authenticator::Authenticator::synced(house.public_url()));
        let answer = browser.signs_in(&house, ADA, &[]).await;
        let page = browser.follow(&answer).await;
        let code = browser.act(&page, "allow", &[]).await.code_for_app();
        house.node.token(&redemption(&code)).await.is_ok();
        browser.makes_passkey(&mut passkey).await.is_ok_redirect();
        (browser, passkey)
    };
    app.me().await.is_ok();
    let copy = copy(&browser).await;
    let uid = house.user_id(ADA).await.to_string();
    assert_eq!((&copy["user"]["id"], &copy["project"]), (&uid.clone().into(), &"p1".into()), "{copy}");
    assert_eq!(copy["identities"][0]["value"], ADA);
    let count = |name: &str| copy[name].as_array().unwrap_or_else(|| panic!("{name}: {copy}")).len();
    assert_eq!(["browser_sessions", "passkeys", "consents", "places"].map(count), [1, 1, 1, 1], "{copy}");
    assert!(count("sessions") >= 2, "{copy}");
    let id = countersign_crypto::encoding::encode(&passkey.credential_id);
    assert_eq!(copy["passkeys"][0]["credential_id"], id);
    let acts: Vec<&str> =
        copy["audit"]["entries"].as_array().unwrap().iter().map(|it| it["act"].as_str().unwrap()).collect();
    for act in ["passkey.added", "consent.given", "sign_in.passed", "session.opened", "user.exported"] {
        assert!(acts.contains(&act), "{act}: {acts:?}");
    }
    assert_eq!(copy["audit"]["complete"], true);
    // Nothing that proves anybody, not even as a hash.
    let text = copy.to_string();
    let cookie = browser.cookies()["countersign-session-p1"].clone();
    let secret = cookie.rsplit('.').next().unwrap();
    assert!(!text.contains(secret) && !text.contains("hash") && !text.contains("credential\":"), "{text}");
    for (table, column) in [("sessions", "secret_hash"), ("browser_sessions", "secret_hash")] {
        let sql = format!("select count(*) from {table} where {column} is not null and user_id = '{uid}'");
        assert!(house.database.number(&sql).await > 0, "{table} keeps some");
    }
    assert_eq!(house.only_entry("user.exported").await.actor_kind, "user");
}

async fn a_copy_is_of_whoever_asks_and_not_made_too_often(engine: Engine) {
    let house = with_ada(engine).await;
    house.user(BOB).await;
    let (ada, bob) = (house.browser(), house.browser());
    ada.signs_in(&house, ADA, &[]).await.code_for_app();
    bob.signs_in(&house, BOB, &[]).await.code_for_app();
    let of_bob = copy(&bob).await;
    let (ada_id, bob_id) = (house.user_id(ADA).await.to_string(), house.user_id(BOB).await.to_string());
    assert_eq!(of_bob["user"]["id"], bob_id);
    assert!(!of_bob.to_string().contains(&ada_id) && !of_bob.to_string().contains(ADA), "{of_bob}");
    for _ in 0..5 {
        copy(&bob).await;
    }
    let token = bob.page("/account").await.form_token();
    let answer = bob.post("/account/copy", &[("form", &token)]).await;
    assert_eq!(answer.header("location"), "/account?m=later");
    assert_eq!(copy(&ada).await["user"]["id"], ada_id);
}

/// Rows in which a user's id stands.
async fn rows_of(house: &House, uid: &str) -> i64 {
    let mut rows = 0;
    for table in [
        "users",
        "identities",
        "sessions",
        "browser_sessions",
        "passkeys",
        "consents",
        "sign_in_places",
        "contact_changes",
    ] {
        rows += house.database.number(&format!("select count(*) from {table} where user_id = '{uid}'")).await;
    }
    rows
}

async fn who_deletes_their_account_is_gone_everywhere_within_a_second(engine: Engine) {
    let house = with_ada(engine).await;
    house.user(BOB).await;
    let (bob, _) = house.passkey_of(BOB).await;
    let (browser, passkey) = house.passkey_of(ADA).await;
    let uid = house.user_id(ADA).await.to_string();
    let node = house.another_node().await;
    let other = house.browser();
    let page = other.sent_by_app(&house, &[]).await;
    let code = other.shows_passkey(&page, &passkey).await.code_for_app();
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let under_way = other.authorize(&house, &[]).await.code_for_app();
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    let there = node.client().with("authorization", &bearer);
    there.get("/v1/me").await.is_ok();
    let page = browser.page("/account").await;
    assert!(page.says("Everything that is kept of you here is deleted at once"), "{}", page.answer);
    assert!(page.says(&format!("To confirm, type {ADA}")), "{}", page.answer);
    let token = page.form_token();
    let asked = [("form", &*token), ("do", "ask"), ("kind", "email"), ("to", "new@example.com"), ("replaces", "")];
    browser.post("/account/contact", &asked).await.is_ok_redirect();
    assert!(rows_of(&house, &uid).await > 5);

    // As people type it.
    let answer = browser.post("/account/erase", &[("form", &token), ("known_as", " Ada@Example.com ")]).await;
    assert_eq!(answer.status(), 200, "{answer}");
    assert!(answer.to_string().contains("Your account is deleted"), "{answer}");
    wait::until("the other node refuses", Duration::from_secs(1), || async {
        there.get("/v1/me").await.status() == 401
    })
    .await;
    assert_eq!(rows_of(&house, &uid).await, 0);
    assert_eq!(house.database.number("select count(*) from device_sessions").await, 0);
    assert!(house.node.service.show_user(&p1(), ADA).await.is_err());
    assert!(!browser.cookies().contains_key("countersign-session-p1"));
    for gone in [&browser, &other] {
        assert_eq!(gone.get("/account").await.status(), 303, "nobody is signed in there");
    }
    house.node.token(&redemption(&under_way)).await.oauth_error(400, "invalid_grant");
    let page = other.sent_by_app(&house, &[]).await;
    let refused = other.shows_passkey(&page, &passkey).await;
    assert!(other.follow(&refused).await.says("This passkey can&#39;t be used here"), "{refused}");
    let entry = house.only_entry("user.deleted").await;
    assert_eq!((&*entry.actor_kind, entry.user_id), ("user", Some(uid)));
    let to = ADA.parse().unwrap();
    let letters = house.node.service.outbox(Some(&to)).await.unwrap();
    assert!(letters.iter().any(|it| it.content.subject == "Your account with A project was deleted"));
    // Nobody else is touched.
    bob.page("/account").await;
}

async fn who_types_something_else_keeps_their_account(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let token = browser.page("/account").await.form_token();
    for typed in ["", "yes", "DELETE", BOB, "ada@example"] {
        let answer = browser.post("/account/erase", &[("form", &token), ("known_as", typed)]).await;
        assert_eq!((answer.status(), answer.header("location")), (303, "/account?m=unconfirmed"), "{typed}");
    }
    let page = browser.page("/account?m=unconfirmed").await;
    assert!(page.says("Your account was not deleted"), "{}", page.answer);
    assert!(house.entries("user.deleted").await.is_empty());
    assert_eq!(browser.post("/account/erase", &[("form", &*token), ("known_as", ADA)]).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_proved_too_long_ago_signs_in_again_before_anything_is_given_out_or_deleted() {
    let house = with_ada(Engine::Sqlite).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let token = browser.page("/account").await.form_token();
    house.advance(Duration::from_mins(10) + Duration::from_secs(1)).await;
    for (path, fields) in
        [("/account/copy", vec![("form", &*token)]), ("/account/erase", vec![("form", &*token), ("known_as", ADA)])]
    {
        let answer = browser.post(path, &fields).await;
        assert_eq!(browser.follow(&answer).await.heading(), "Sign in", "{path}");
    }
    assert!(house.entries("user.exported").await.is_empty() && house.entries("user.deleted").await.is_empty());
    let page = browser.sent_by_app(&house, &[("prompt", "login")]).await;
    let page = browser.asks_for_code(&page, ADA).await;
    let code = house.newest_code(ADA).await;
    browser.act(&page, "code", &[("code", &code)]).await.code_for_app();
    copy(&browser).await;
}

async fn csrf_on_the_forms_about_data(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let (stranger, token) = (house.browser(), browser.page("/account").await.form_token());
    let strange = stranger.sent_by_app(&house, &[]).await.form_token();
    for path in ["/account/copy", "/account/erase"] {
        let with = |token| [("form", token), ("known_as", ADA)];
        for wrong in ["", "AAAA", &strange] {
            assert_eq!(browser.post(path, &with(wrong)).await.status(), 403, "{path}");
        }
        for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "same-site")] {
            assert_eq!(browser.with(name, value).post(path, &with(&token)).await.status(), 403, "{path} {name}");
        }
        assert_eq!(stranger.post(path, &with(&token)).await.status(), 410, "{path}");
        // A link or a picture does nothing.
        assert_eq!(browser.get(path).await.status(), 405, "{path}");
    }
    assert!(house.entries("user.exported").await.is_empty() && house.entries("user.deleted").await.is_empty());
    copy(&browser.with("sec-fetch-site", "same-origin")).await;
}
