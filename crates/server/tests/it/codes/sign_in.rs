//! Signing in by code.

use std::time::Duration;

use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    actors::{App, merged},
    answer::Answer,
    database::Engine,
    house::House,
    on_both_engines,
    token::claims,
};
use serde_json::json;
use tokio::task::JoinSet;

use super::{another, is_wrong, with_email, with_phone};

on_both_engines!(
    whoever_shows_the_code_is_signed_in_and_refreshes_alone,
    a_code_by_sms_is_as_good,
    a_code_works_once,
    of_twenty_who_show_one_code_at_once_one_is_signed_in,
    a_wrong_code_is_refused_and_opens_nothing,
    a_code_of_another_address_is_refused,
    a_code_of_another_project_is_refused,
    the_three_newest_codes_are_good,
    what_an_address_is_worth_shows_neither_in_the_answer_nor_in_the_number_of_messages,
    a_disabled_user_stays_out,
    a_message_is_in_the_language_that_the_app_asks_for,
    bad_bodies_send_nothing,
);

async fn whoever_shows_the_code_is_signed_in_and_refreshes_alone(engine: Engine) {
    let house = House::in_development(engine).await;
    let vouched = house.backend().new_app("ada@example.com").await;
    let ada = with_email(&house, "Ada@Example.com");
    let code = ada.code(&house).await;
    let answer = ada.sign_in(&format!("{} {}", &code[..3], &code[3..])).await.ok();
    let mut app = App::told(house.node.client().user_agent("app/1"), &answer);
    assert_eq!(app.uid, vouched.uid, "one user, through whichever door");
    let claims = claims(&app.access);
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["otp"]), &json!("urn:countersign:acr:one-factor")));
    assert!(claims.get("vby").is_none(), "nobody vouched: {claims}");
    app.refresh().await.is_ok();
    app.me().await.is_ok();
    vouched.me().await.is_ok();
}

async fn a_code_by_sms_is_as_good(engine: Engine) {
    let house = House::in_development(engine).await;
    let phone = json!({ "phoneNumber": "+15551234567" });
    let uid = house.backend().sign_up_with("ada@example.com", phone).await.ok().text("uid");
    let ada = with_phone(&house, "+15551234567");
    let answer = ada.sign_in(&ada.code(&house).await).await.ok();
    assert_eq!(answer.text("uid"), uid);
    assert_eq!(claims(&answer.text("authToken"))["amr"], json!(["otp", "sms"]));
}

async fn a_code_works_once(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    ada.sign_in(&code).await.is_ok();
    let books = house.books().await;
    is_wrong(&ada.sign_in(&code).await);
    assert_eq!(house.books().await, books);
    ada.sign_in(&ada.code(&house).await).await.is_ok();
}

async fn of_twenty_who_show_one_code_at_once_one_is_signed_in(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    let other_node = house.another_node().await;
    let code = ada.code(&house).await;
    let before = house.books().await;
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let mut caller = ada.at(&format!("198.51.{number}.7"));
        if number % 2 == 1 {
            caller.http = other_node.client().from_address(&format!("198.51.{number}.7"));
        }
        let code = code.clone();
        calls.spawn(async move { caller.sign_in(&code).await });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1);
    answers.iter().filter(|answer| answer.status() != 200).for_each(is_wrong);
    assert_eq!(house.books().await.sessions, before.sessions + 1);
}

async fn a_wrong_code_is_refused_and_opens_nothing(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    is_wrong(&ada.sign_in("123456").await);
    let code = ada.code(&house).await;
    let books = house.books().await;
    is_wrong(&ada.sign_in(&another(&code)).await);
    for text in ["", "12345", "1234567", "abcdef", &"1".repeat(5000)] {
        is_wrong(&ada.sign_in(text).await);
    }
    assert_eq!(house.books().await, books);
    ada.sign_in(&code).await.is_ok();
}

async fn a_code_of_another_address_is_refused(engine: Engine) {
    let house = House::in_development(engine).await;
    for address in ["ada@example.com", "eve@example.com"] {
        house.backend().sign_up(address).await.is_ok();
    }
    let (ada, eve) = (with_email(&house, "ada@example.com"), with_email(&house, "eve@example.com"));
    ada.code(&house).await;
    let code = eve.code(&house).await;
    is_wrong(&ada.sign_in(&code).await);
    eve.sign_in(&code).await.is_ok();
}

async fn a_code_of_another_project_is_refused(engine: Engine) {
    let house = House::in_development(engine).await;
    let other = house.another_project("p2").await;
    let backend = house.backend();
    backend.sign_up("ada@example.com").await.is_ok();
    let there = house.node.client();
    let of_p2 =
        |more| merged(json!({ "method": 0, "email": "ada@example.com", "clientId": "c1", "projectId": "p2" }), more);
    house.backend_with(other.secret.danger_expose()).of_project("p2").sign_up("ada@example.com").await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    is_wrong(&there.post("/auth/v1/signin", &of_p2(json!({ "confirmationCode": code }))).await);
    there.post("/p/p1/auth/v1/signin", &of_p2(json!({ "confirmationCode": code }))).await.refused(400, 100_001);
    ada.sign_in(&code).await.is_ok();
}

async fn the_three_newest_codes_are_good(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(ada.code(&house).await);
        match engine {
            Engine::Sqlite => house.advance(Duration::from_secs(1)).await,
            // Here time is the database's, which is looked at five times a second.
            Engine::Postgres => tokio::time::sleep(Duration::from_millis(450)).await,
        }
    }
    // Two of four may be alike, once in a hundred thousand runs.
    if codes[1..].contains(&codes[0]) {
        return;
    }
    is_wrong(&ada.sign_in(&codes[0]).await);
    ada.sign_in(&codes[1]).await.is_ok();
    // Whoever is in needs no other.
    is_wrong(&ada.sign_in(&codes[3]).await);
}

async fn what_an_address_is_worth_shows_neither_in_the_answer_nor_in_the_number_of_messages(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let (ada, nobody) = (with_email(&house, "ada@example.com"), with_email(&house, "nobody@example.com"));
    let (known, unknown) = (ada.ask().await.ok(), nobody.ask().await.ok());
    assert_eq!(known.body, unknown.body);
    let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&unknown));
    let (to_ada, to_nobody) = (ada.messages(&house).await, nobody.messages(&house).await);
    assert_eq!((to_ada.len(), to_nobody.len()), (1, 1));
    assert!(to_ada[0].code.is_some() && to_nobody[0].code.is_none());
    let text = &to_nobody[0].text;
    assert!(!text.chars().any(|char| char.is_ascii_digit()), "there is no code in it: {text}");
    // A guess at the code that nobody was told is answered as a guess at any other.
    is_wrong(&nobody.sign_in("123456").await);
    house.set(&["signup=on"]).await;
    assert!(nobody.code(&house).await.len() == 6);
}

async fn a_disabled_user_stays_out(engine: Engine) {
    let house = House::in_development(engine).await;
    let uid = house.backend().sign_up("ada@example.com").await.ok().text("uid");
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    let project = "p1".parse().unwrap();
    let user = uid.parse().unwrap();
    house.node.service.change_user_state(&project, user, StateChange::Disable).await.unwrap();
    let books = house.books().await;
    ada.sign_in(&code).await.refused(401, 100_006);
    assert_eq!(house.books().await, books);
    house.node.service.change_user_state(&project, user, StateChange::Enable).await.unwrap();
    ada.sign_in(&code).await.is_ok();
}

async fn a_message_is_in_the_language_that_the_app_asks_for(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let mut ada = with_email(&house, "ada@example.com");
    let english = ada.message(&house).await.text;
    ada.http = ada.http.with("accept-language", "de-AT,de;q=0.9,en;q=0.5");
    let german = ada.message(&house).await.text;
    assert!(english.contains("minutes") && german.contains("Minuten"), "{english}\n{german}");
}

async fn bad_bodies_send_nothing(engine: Engine) {
    let house = House::in_development(engine).await;
    let ada = with_email(&house, "ada@example.com");
    let (http, path) = (&ada.http, "/auth/v1/sendverificationtoken");
    for (more, code) in [
        (json!({ "projectId": "p9" }), 100_001),
        (json!({ "clientId": "c9" }), 100_002),
        (json!({ "method": 4 }), 100_050),
        (json!({ "method": 1 }), 100_050),
        (json!({ "method": null }), 100_050),
        (json!({ "email": "ada@example.com\r\nBcc: eve@example.com" }), 100_050),
        (json!({ "email": ["ada@example.com"] }), 100_050),
    ] {
        http.post(path, &ada.body(more)).await.refused(400, code);
    }
    http.post(path, &json!([])).await.refused(400, 100_003);
    assert_eq!(house.node.service.outbox(None).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_over_after_ten_minutes() {
    let house = House::in_development(Engine::Sqlite).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    let early = ada.code(&house).await;
    house.advance(Duration::from_secs(599)).await;
    let late = ada.code(&house).await;
    house.advance(Duration::from_secs(1)).await;
    if early != late {
        is_wrong(&ada.sign_in(&early).await);
    }
    ada.sign_in(&late).await.is_ok();
}
