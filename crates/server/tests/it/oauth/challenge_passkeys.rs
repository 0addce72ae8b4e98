//! Signing in by a passkey on an app's own screens.

use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    answer::Answer,
    authenticator::{Authenticator, USER_PRESENT},
    database::Engine,
    house::House,
    on_both_engines,
    provider::{Parameters, over, redemption},
    token::claims,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_both_engines!(
    an_app_shows_the_passkey_of_a_user_who_said_nothing,
    a_passkey_will_do_after_a_code_was_sent,
    what_is_wrong_with_a_passkey_is_not_said,
    an_answer_is_good_in_its_own_sign_in_once,
    of_twenty_who_show_one_answer_at_once_one_gets_a_code,
    a_user_who_is_locked_out_gets_no_code,
    where_there_are_no_passkeys_none_are_offered,
);

const PATH: &str = "/oauth2/authorize-challenge";
const ADA: &str = "ada@example.com";

async fn with_passkey(engine: Engine) -> (House, Authenticator) {
    let house = House::at_localhost(engine).await;
    house.web_app().await;
    house.user(ADA).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    (house, passkey)
}

async fn begin(house: &House, more: Parameters<'_>) -> Answer {
    let asked = house.authorization(&[("state", ""), ("nonce", "n-1")]);
    house.node.client().post_form(PATH, &over(&asked, more)).await
}

async fn say(house: &House, last: &Answer, name: &str, value: &str) -> Answer {
    let session = last.text("auth_session");
    house.node.client().post_form(PATH, &[("client_id", "c3"), ("auth_session", &session), (name, value)]).await
}

#[track_caller]
fn prompt(answer: &Answer) -> Value {
    assert_eq!((answer.status(), answer.text("error").as_str()), (403, "insufficient_authorization"), "{answer}");
    answer.json()["prompt"].clone()
}

/// Begins, and asks for a passkey.
async fn asked(house: &House) -> Answer {
    let begun = begin(house, &[]).await;
    let answer = say(house, &begun, "method", "passkey").await;
    assert_eq!(prompt(&answer)["type"], "passkey", "{answer}");
    answer
}

async fn show(house: &House, asked: &Answer, passkey: &Authenticator) -> Answer {
    say(house, asked, "passkey", &passkey.get(&prompt(asked))).await
}

/// The passkey won't do, and nobody hears why.
#[track_caller]
fn is_no_use(answer: &Answer) {
    let asked = prompt(answer);
    assert_eq!((&asked["type"], &asked["hint"]), (&json!("select_method"), &json!("retry_passkey")), "{answer}");
}

async fn an_app_shows_the_passkey_of_a_user_who_said_nothing(engine: Engine) {
    let (house, passkey) = with_passkey(engine).await;
    let begun = begin(&house, &[]).await;
    assert_eq!(prompt(&begun)["methods"], json!([{ "id": "passkey", "label": "A passkey" }]));
    let asked = say(&house, &begun, "method", "passkey").await;
    let question = prompt(&asked);
    assert_eq!((&question["type"], &question["publicKey"]["rpId"]), (&json!("passkey"), &json!("localhost")));
    assert_eq!(question["expires_at"], house.node.service.now().seconds() + 300);
    assert!(question["publicKey"].get("allowCredentials").is_none_or(|all| all == &json!([])), "{question}");
    let code = show(&house, &asked, &passkey).await.ok().text("authorization_code");
    let tokens = house.node.token(&redemption(&code)).await.ok();
    let said = claims(&tokens.text("id_token"));
    assert_eq!(
        json!([said["email"], said["nonce"], said["amr"], said["acr"]]),
        json!([ADA, "n-1", ["swk", "user", "mfa"], "urn:countersign:acr:two-factors"])
    );
    let entries = house.entries("sign_in.passed").await;
    let by_passkey = entries.iter().filter(|entry| entry.detail["method"] == "passkey" && entry.key_id.is_some());
    assert_eq!(by_passkey.count(), 1);
}

async fn a_passkey_will_do_after_a_code_was_sent(engine: Engine) {
    let (house, passkey) = with_passkey(engine).await;
    let begun = begin(&house, &[("login_hint", ADA)]).await;
    let ids: Vec<Value> = prompt(&begun)["methods"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, [json!("email_code"), json!("passkey")]);
    let sent = say(&house, &begun, "method", "email_code").await;
    assert_eq!(prompt(&sent)["type"], "enter_code");
    let asked = say(&house, &sent, "method", "passkey").await;
    // One that won't do takes nothing from the code.
    let failed = say(&house, &asked, "passkey", "{}").await;
    let left = prompt(&failed);
    assert_eq!(json!([left["type"], left["hint"], left["tries_left"]]), json!(["enter_code", "retry_passkey", 5]));
    let asked = say(&house, &failed, "method", "passkey").await;
    let code = show(&house, &asked, &passkey).await.ok().text("authorization_code");
    house.node.token(&redemption(&code)).await.is_ok();
}

async fn what_is_wrong_with_a_passkey_is_not_said(engine: Engine) {
    let (house, passkey) = with_passkey(engine).await;
    let unknown =
        Authenticator { user_handle: passkey.user_handle.clone(), ..Authenticator::synced(house.public_url()) };
    let locked = Authenticator { flags: USER_PRESENT | (passkey.flags & 0x18), ..passkey.clone() };
    let elsewhere = Authenticator { origin: "https://evil.example".to_owned(), ..passkey.clone() };
    let other_key = Authenticator { key: unknown.key.clone(), ..passkey.clone() };
    let mut answers = Vec::new();
    for attack in [&unknown, &locked, &elsewhere, &other_key] {
        let answer = show(&house, &asked(&house).await, attack).await;
        is_no_use(&answer);
        answers.push(answer.json()["prompt"].clone());
    }
    for nonsense in ["{}", "null", "0", "[[[["] {
        let answer = say(&house, &asked(&house).await, "passkey", nonsense).await;
        is_no_use(&answer);
        answers.push(answer.json()["prompt"].clone());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(house.entries("sign_in.passed").await.len(), 1);
    show(&house, &asked(&house).await, &passkey).await.is_ok();
}

async fn an_answer_is_good_in_its_own_sign_in_once(engine: Engine) {
    let (house, passkey) = with_passkey(engine).await;
    let (ours, theirs) = (asked(&house).await, asked(&house).await);
    let for_them = passkey.get(&prompt(&theirs));
    let failed = say(&house, &ours, "passkey", &for_them).await;
    is_no_use(&failed);
    // The question is used up, so the right answer comes too late.
    let late = say(&house, &failed, "passkey", &passkey.get(&prompt(&ours))).await;
    is_no_use(&late);
    say(&house, &theirs, "passkey", &for_them).await.is_ok();
    say(&house, &theirs, "passkey", &for_them).await.oauth_error(400, "invalid_session");
    let replayed = say(&house, &asked(&house).await, "passkey", &for_them).await;
    is_no_use(&replayed);
    assert_eq!(house.entries("sign_in.passed").await.len(), 2);
}

async fn of_twenty_who_show_one_answer_at_once_one_gets_a_code(engine: Engine) {
    let (house, passkey) = with_passkey(engine).await;
    let asked = asked(&house).await;
    let (session, answer) = (asked.text("auth_session"), passkey.get(&prompt(&asked)));
    let mut racers = JoinSet::new();
    for _ in 0..20 {
        let (http, session, answer) = (house.node.client(), session.clone(), answer.clone());
        racers.spawn(async move {
            let said = [("client_id", "c3"), ("auth_session", &*session), ("passkey", &*answer)];
            http.post_form(PATH, &said).await.status()
        });
    }
    let statuses = racers.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 19, "{statuses:?}");
    assert_eq!(house.entries("sign_in.passed").await.len(), 2);
}

async fn a_user_who_is_locked_out_gets_no_code(engine: Engine) {
    let (house, passkey) = with_passkey(engine).await;
    let before = asked(&house).await;
    house.change_user(ADA, StateChange::Disable).await;
    show(&house, &before, &passkey).await.oauth_error(400, "access_denied");
    assert_eq!(house.entries("sign_in.passed").await.len(), 1);
    house.change_user(ADA, StateChange::Enable).await;
    show(&house, &asked(&house).await, &passkey).await.is_ok();
}

async fn where_there_are_no_passkeys_none_are_offered(engine: Engine) {
    let house = House::in_development(engine).await;
    house.web_app().await;
    house.user(ADA).await;
    begin(&house, &[]).await.oauth_error(400, "invalid_request");
    let begun = begin(&house, &[("login_hint", ADA)]).await;
    assert_eq!(prompt(&begun)["methods"], json!([{ "id": "email_code", "label": "A code by e-mail" }]));
    let refused = say(&house, &begun, "method", "passkey").await;
    assert_eq!(prompt(&refused)["hint"], "retry_passkey");
}
