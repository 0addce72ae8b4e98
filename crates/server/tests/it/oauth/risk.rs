//! What speaks against a sign-in, as an app's own screens are told and as the trail has it.

use std::time::Duration;

use bytes::Bytes;
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    database::Engine,
    house::{House, changes, p1},
    http::Client,
    on_both_engines,
    provider::redemption,
};
use hyper::Method;
use serde_json::{Value, json};

use super::challenge::{ADA, Screens, another, with_ada};

on_both_engines!(
    wrong_codes_are_told_to_whoever_names_the_address,
    an_address_that_nobody_has_is_told_the_same,
    wrong_codes_for_one_address_say_nothing_of_another,
    codes_that_were_guessed_at_the_first_door_count_too,
    what_was_never_looked_at_is_no_wrong_code,
    a_strangers_guesses_keep_nobody_out,
    a_first_sign_in_is_no_risk,
    a_place_that_is_new_is_in_the_trail_and_known_from_then_on,
    where_a_session_was_refreshed_is_known,
    who_may_not_come_in_was_not_here,
    what_is_kept_tells_same_from_other_and_nothing_else,
    a_user_who_is_merged_or_deleted_was_nowhere,
    no_more_places_are_kept_than_are_looked_at,
);

const ADA_AT_WORK: &str = "ada@work.example.com";
const GUESSED_AT: &str = "many_failures";

/// Shows wrong codes for an address; the last prompt.
async fn guess(house: &House, email: &'static str, http: &Client, times: u32) -> Value {
    let mut prompt = Value::Null;
    for round in 0..times.div_ceil(5) {
        let mut screens = Screens { http: http.clone(), ..Screens::of(house, email) };
        screens.begin().await;
        // Somebody without an account is sent none, and is asked all the same.
        let code = screens.code().await.unwrap_or_else(|| "123456".to_owned());
        for _ in 0..(times - round * 5).min(5) {
            prompt = screens.go_on("code", &another(&code)).await;
        }
    }
    prompt
}

fn a_stranger(house: &House) -> Client {
    house.node.client().from_address("203.0.113.9").user_agent("Guesser/1")
}

fn told() -> Value {
    json!({ "detected": true, "reasons": [GUESSED_AT] })
}

async fn wrong_codes_are_told_to_whoever_names_the_address(engine: Engine) {
    let house = with_ada(engine).await;
    let fourth = guess(&house, ADA, &a_stranger(&house), 4).await;
    assert_eq!(fourth.get("risk"), None, "{fourth}");
    let mut ada = Screens::of(&house, ADA);
    assert_eq!(ada.begin().await.get("risk"), None);
    guess(&house, ADA, &a_stranger(&house), 1).await;
    let mut ada = Screens::of(&house, ADA);
    for prompt in [ada.begin().await, ada.go_on("method", "email_code").await, ada.go_on("code", "12").await] {
        assert_eq!(prompt["risk"], told(), "{prompt}");
    }
}

async fn an_address_that_nobody_has_is_told_the_same(engine: Engine) {
    let house = with_ada(engine).await;
    for email in [ADA, "nobody@example.com"] {
        guess(&house, email, &a_stranger(&house), 5).await;
    }
    let (mut ada, mut nobody) = (Screens::of(&house, ADA), Screens::of(&house, "nobody@example.com"));
    let begun = ada.begin().await;
    assert_eq!(begun, nobody.begin().await);
    assert_eq!(begun["risk"], told());
    // The masked destinations are all that differs.
    let (mut sent, mut sent_nowhere) =
        (ada.go_on("method", "email_code").await, nobody.go_on("method", "email_code").await);
    assert_ne!(sent["destination"].take(), sent_nowhere["destination"].take());
    assert_eq!(sent, sent_nowhere);
}

async fn wrong_codes_for_one_address_say_nothing_of_another(engine: Engine) {
    let house = with_ada(engine).await;
    guess(&house, ADA, &a_stranger(&house), 5).await;
    let mut eve = Screens::of(&house, "eve@example.com");
    assert_eq!(eve.begin().await.get("risk"), None);
    house.another_project("p2").await;
    house
        .node
        .service
        .set_client(
            &"p2".parse().unwrap(),
            &"c3".parse().unwrap(),
            changes(&["oauth.redirect_uris=https://app.example.com/callback", "oauth.first_party=on"]),
        )
        .await
        .unwrap();
    let asked = house.authorization(&[("state", ""), ("nonce", "n-1"), ("login_hint", ADA)]);
    let there = house.node.client().post_form("/p/p2/oauth2/authorize-challenge", &asked).await;
    assert_eq!((there.status(), there.json()["prompt"].get("risk")), (403, None), "{there}");
}

async fn codes_that_were_guessed_at_the_first_door_count_too(engine: Engine) {
    let house = with_ada(engine).await;
    let ada = crate::codes::with_email(&house, ADA).at("203.0.113.9");
    let code = ada.code(&house).await;
    for _ in 0..5 {
        crate::codes::is_wrong(&ada.sign_in(&another(&code)).await);
    }
    assert_eq!(Screens::of(&house, ADA).begin().await["risk"], told());
}

async fn what_was_never_looked_at_is_no_wrong_code(engine: Engine) {
    let house = with_ada(engine).await;
    // No code was sent, and what is shown can be none.
    let mut screens = Screens::of(&house, ADA);
    screens.begin().await;
    for _ in 0..6 {
        assert_eq!(screens.go_on("code", "123456").await.get("risk"), None);
    }
    let code = screens.code().await.unwrap();
    for _ in 0..6 {
        assert_eq!(screens.go_on("code", "12345").await.get("risk"), None);
    }
    screens.say("code", &code).await.is_ok();
}

async fn a_strangers_guesses_keep_nobody_out(engine: Engine) {
    let house = with_ada(engine).await;
    let (screens, code) = Screens::at_code(&house, ADA).await;
    guess(&house, ADA, &a_stranger(&house), 12).await;
    let passed = screens.say("code", &code).await.ok().text("authorization_code");
    house.node.token(&redemption(&passed)).await.is_ok();
    assert_eq!(house.only_entry("sign_in.passed").await.detail["risk"], GUESSED_AT);
    // A day later they are forgotten.
    house.advance(Duration::from_hours(25)).await;
    let (screens, code) = Screens::at_code(&house, ADA).await;
    screens.say("code", &code).await.is_ok();
    assert_eq!(risks(&house).await, [GUESSED_AT, ""]);
}

/// What spoke against each sign-in, the oldest first.
async fn risks(house: &House) -> Vec<String> {
    let mut entries = house.entries("sign_in.passed").await;
    entries.sort_by_key(|entry| entry.at);
    entries.into_iter().map(|entry| entry.detail.get("risk").cloned().unwrap_or_default()).collect()
}

/// Signs in from there.
async fn from(house: &House, email: &'static str, address: &str, agent: &str) -> String {
    house.advance(Duration::from_secs(31)).await;
    let http = house.node.client().from_address(address).user_agent(agent);
    let mut screens = Screens { http, ..Screens::of(house, email) };
    assert_eq!(screens.begin().await.get("risk"), None, "nothing that depends on the user is told before the proof");
    let code = screens.code().await.unwrap();
    screens.say("code", &code).await.ok().text("authorization_code")
}

async fn a_first_sign_in_is_no_risk(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["signup=on"]).await;
    from(&house, ADA, "198.51.100.1", "Shop/1").await;
    let (screens, code) = Screens::at_code(&house, "new@example.com").await;
    screens.say("code", &code).await.is_ok();
    assert_eq!(risks(&house).await, ["", ""]);
}

async fn a_place_that_is_new_is_in_the_trail_and_known_from_then_on(engine: Engine) {
    let house = with_ada(engine).await;
    for (address, agent) in [
        ("198.51.100.1", "Shop/1.0 (Pixel 8)"),
        // Another address of the same network, and the app was updated.
        ("198.51.100.200", "Shop/1.1 (Pixel 8)"),
        ("203.0.113.5", "Shop/1.1 (Pixel 8)"),
        ("203.0.113.5", "Shop/1.1 (Pixel 9)"),
        ("192.0.2.77", "Other"),
        ("192.0.2.77", "Other"),
        // Each is known for itself.
        ("198.51.100.1", "Other"),
    ] {
        from(&house, ADA, address, agent).await;
    }
    assert_eq!(risks(&house).await, ["", "", "new_network", "new_device", "new_device,new_network", "", ""]);
    // Eve is another user.
    house.user("eve@example.com").await;
    from(&house, "eve@example.com", "192.0.2.200", "Yet another").await;
    assert_eq!(risks(&house).await.last().unwrap(), "");
}

async fn where_a_session_was_refreshed_is_known(engine: Engine) {
    let house = with_ada(engine).await;
    let code = from(&house, ADA, "198.51.100.1", "Shop/1").await;
    let on_the_way = house.node.client().from_address("203.0.113.5").user_agent("Shop on the way");
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let refresh = tokens.text("refresh_token");
    let asked = [("grant_type", "refresh_token"), ("client_id", "c3"), ("refresh_token", &*refresh)];
    on_the_way.post_form("/oauth2/token", &asked).await.is_ok();
    from(&house, ADA, "203.0.113.80", "Shop on the way").await;
    // The twin: nothing was refreshed there.
    from(&house, ADA, "192.0.2.80", "Shop elsewhere").await;
    assert_eq!(risks(&house).await, ["", "", "new_device,new_network"]);
}

async fn who_may_not_come_in_was_not_here(engine: Engine) {
    let house = House::in_development(engine).await;
    house.web_app().await;
    let user = house.user(ADA).await.parse().unwrap();
    from(&house, ADA, "198.51.100.1", "Shop/1").await;
    house.node.service.change_user_state(&p1(), user, StateChange::Disable).await.unwrap();
    let http = house.node.client().from_address("203.0.113.5").user_agent("Other");
    let mut screens = Screens { http, ..Screens::of(&house, ADA) };
    screens.begin().await;
    let code = screens.code().await.unwrap();
    screens.say("code", &code).await.oauth_error(400, "access_denied");
    house.node.service.change_user_state(&p1(), user, StateChange::Enable).await.unwrap();
    from(&house, ADA, "203.0.113.5", "Other").await;
    assert_eq!(risks(&house).await, ["", "new_device,new_network"]);
}

async fn what_is_kept_tells_same_from_other_and_nothing_else(engine: Engine) {
    let house = with_ada(engine).await;
    from(&house, ADA, "198.51.100.1", "Shop/1").await;
    assert_eq!(house.database.number("select count(*) from sign_in_places").await, 1);
    let everything = house.database.dump().await;
    for told in ["198.51.100", "Shop/1"] {
        assert!(!everything.contains(told), "{told}");
    }
}

async fn a_user_who_is_merged_or_deleted_was_nowhere(engine: Engine) {
    let house = with_ada(engine).await;
    from(&house, ADA, "198.51.100.1", "Shop/1").await;
    let (ada, eve) = (house.user(ADA_AT_WORK).await, house.user("eve@example.com").await);
    from(&house, ADA_AT_WORK, "198.51.100.1", "Shop/1").await;
    from(&house, "eve@example.com", "198.51.100.1", "Shop/1").await;
    let places = async || house.database.number("select count(*) from sign_in_places").await;
    assert_eq!(places().await, 3);
    house.node.service.merge_users(&p1(), eve.parse().unwrap(), ada.parse().unwrap()).await.unwrap();
    assert_eq!(places().await, 2);
    house.secret_bearer().send(Method::DELETE, &format!("/users/{ada}"), Bytes::new()).await.is_ok();
    assert_eq!(places().await, 1);
}

async fn no_more_places_are_kept_than_are_looked_at(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["limits.sign_ins=1000"]).await;
    for number in 0..34 {
        from(&house, ADA, &format!("198.51.{number}.1"), "Shop/1").await;
    }
    assert_eq!(house.database.number("select count(*) from sign_in_places").await, 32);
    // The first is long forgotten, and the second last is known.
    from(&house, ADA, "198.51.32.1", "Shop/1").await;
    from(&house, ADA, "198.51.0.1", "Shop/1").await;
    let risks = risks(&house).await;
    assert_eq!(risks[34..], ["", "new_network"]);
}
