//! What a backend sets is what the next sign-in asks for.

use countersign_testkit::{
    answer::Answer,
    authenticator_app::AuthenticatorApp,
    database::Engine,
    house::House,
    on_both_engines,
    provider::{Parameters, over},
};
use serde_json::{Value, json};

use super::{
    SET,
    mfa_change::{INITIATE, VERIFY},
};

on_both_engines!(
    a_telephone_that_a_backend_set_is_asked_at_the_next_sign_in,
    an_app_whose_seed_a_backend_passed_on_is_asked_at_the_next_sign_in,
    what_a_backend_says_of_its_users_wishes_counts,
);

const PATH: &str = "/oauth2/authorize-challenge";
const ADA: &str = "ada@example.com";

async fn staged(engine: Engine) -> House {
    let house = House::in_development(engine).await;
    house.web_app().await;
    house.backend().new_app(ADA).await;
    house
}

async fn post(house: &House, said: Parameters<'_>) -> Answer {
    house.node.client().post_form(PATH, said).await
}

async fn go_on(house: &House, session: &str, name: &str, value: &str) -> Answer {
    post(house, &[("client_id", "c3"), ("auth_session", session), (name, value)]).await
}

/// The newest code that came to an address.
async fn codes(house: &House, to: &str) -> Vec<String> {
    let caught = house.node.service.outbox(Some(&to.parse().unwrap())).await.unwrap();
    caught.into_iter().filter_map(|message| message.content.code.clone()).collect()
}

/// Past the first factor.
async fn past_the_first(house: &House) -> Answer {
    let asked = house.authorization(&[("state", ""), ("nonce", "n-1"), ("login_hint", ADA)]);
    let begun = post(house, &over(&asked, &[])).await;
    let before = codes(house, ADA).await;
    let sent = go_on(house, &begun.text("auth_session"), "method", "email_code").await;
    let code = codes(house, ADA).await.into_iter().find(|code| !before.contains(code)).expect("a code came");
    go_on(house, &sent.text("auth_session"), "code", &code).await
}

fn of_ada(more: Value) -> Value {
    countersign_testkit::actors::merged(json!({ "userid": ADA }), more)
}

async fn a_telephone_that_a_backend_set_is_asked_at_the_next_sign_in(engine: Engine) {
    let house = staged(engine).await;
    let provider = house.service_provider("c3").await;
    past_the_first(&house).await.ok().text("authorization_code");
    let begun = provider.call(INITIATE, &of_ada(json!({ "mfa_method": "sms", "contact": "+15551234567" }))).await.ok();
    provider.call(VERIFY, &of_ada(json!({ "session_id": begun["session_id"], "otp": begun["otp"] }))).await.ok();
    let before = codes(&house, "+15551234567").await;
    let asked = past_the_first(&house).await;
    assert_eq!((asked.status(), &asked.json()["prompt"]["type"]), (403, &json!("enter_code")), "{asked}");
    let code = codes(&house, "+15551234567").await.into_iter().find(|code| !before.contains(code)).unwrap();
    go_on(&house, &asked.text("auth_session"), "code", &code).await.ok().text("authorization_code");
}

async fn an_app_whose_seed_a_backend_passed_on_is_asked_at_the_next_sign_in(engine: Engine) {
    let house = staged(engine).await;
    let provider = house.service_provider("c3").await;
    let begun = provider.call(INITIATE, &of_ada(json!({ "mfa_method": "totp" }))).await.ok();
    let app = AuthenticatorApp::reading(begun["otpauth_uri"].as_str().unwrap());
    let shown = app.code_at(house.node.service.now());
    provider.call(VERIFY, &of_ada(json!({ "session_id": begun["session_id"], "otp": shown }))).await.ok();
    let asked = past_the_first(&house).await;
    assert_eq!((asked.status(), &asked.json()["prompt"]["type"]), (403, &json!("enter_totp")), "{asked}");
    // The code that set it up is used up.
    let again = go_on(&house, &asked.text("auth_session"), "code", &shown).await;
    assert_eq!((again.status(), &again.json()["prompt"]["hint"]), (403, &json!("retry_input")), "{again}");
    let next = app.next_code(house.node.service.now());
    go_on(&house, &again.text("auth_session"), "code", &next).await.ok().text("authorization_code");
}

async fn what_a_backend_says_of_its_users_wishes_counts(engine: Engine) {
    let house = staged(engine).await;
    let provider = house.service_provider("c3").await;
    let begun = provider.call(INITIATE, &of_ada(json!({ "mfa_method": "sms", "contact": "+15551234567" }))).await.ok();
    provider.call(VERIFY, &of_ada(json!({ "session_id": begun["session_id"], "otp": begun["otp"] }))).await.ok();
    for (wish, status) in [("none", 200), ("always", 403)] {
        provider.call(SET, &of_ada(json!({ "suggested_mfa": wish }))).await.ok();
        assert_eq!(past_the_first(&house).await.status(), status, "{wish}");
    }
}
