//! Second factors on an app's own screens.

use countersign_domain::{
    identity::Identity,
    mfa::{Factor, FactorKind, Preference},
};
use countersign_service::{passkeys::By, projects::state::StateChange};
use countersign_storage::second_factors::StoredFactor;
use countersign_testkit::{
    answer::Answer,
    authenticator_app::AuthenticatorApp,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    provider::redemption,
    token::claims,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::challenge::{ADA, PATH, Screens, another, with_ada};

on_both_engines!(
    who_has_none_sets_an_app_up_where_one_is_required,
    who_has_one_is_asked_for_it_and_the_token_says_so,
    a_telephone_becomes_a_factor_and_its_codes_are_sent_at_once,
    an_app_that_asks_for_two_factors_gets_them_whatever_the_policy,
    what_a_user_wishes_counts_where_it_is_only_suggested,
    totp_twice_in_one_step,
    a_right_code_after_five_wrong_ones,
    a_new_code_resetting_the_tries,
    guessing_from_many_addresses,
    the_first_factor_alone_buys_nothing,
    the_code_of_another_user_or_sign_in,
    twenty_who_show_one_recovery_code_at_once,
    a_user_who_is_revoked_half_in_begins_again,
    impossible_phone_numbers,
    a_mailbox_is_no_second_factor_to_itself,
);

const PHONE: &str = "+15551234567";

/// Past the first factor.
async fn half_in<'h>(house: &'h House, email: &'static str) -> (Screens<'h>, Value) {
    let (mut screens, code) = Screens::at_code(house, email).await;
    let prompt = screens.go_on("code", &code).await;
    (screens, prompt)
}

/// Ada, who has set an app up; its code of this step is used.
async fn with_app(house: &House, email: &'static str) -> AuthenticatorApp {
    house.set(&["mfa.policy=required"]).await;
    let (mut screens, prompt) = half_in(house, email).await;
    assert_eq!((&prompt["type"], &prompt["methods"][0]["id"]), (&json!("select_method"), &json!("totp")), "{prompt}");
    let prompt = screens.go_on("method", "totp").await;
    assert_eq!(prompt["type"], json!("setup_totp"), "{prompt}");
    let app = AuthenticatorApp::reading(prompt["otpauth_uri"].as_str().unwrap());
    screens.say("code", &app.code_at(house.node.service.now())).await.is_ok();
    house.set(&["mfa.policy=suggested"]).await;
    app
}

fn next_code(house: &House, app: &AuthenticatorApp) -> String {
    app.next_code(house.node.service.now())
}

async fn tokens(house: &House, passed: &Answer) -> Value {
    let code = passed.text("authorization_code");
    claims(&house.node.token(&redemption(&code)).await.ok().text("id_token"))
}

async fn texts(house: &House) -> Vec<String> {
    let to = house.node.client().get("/dev/outbox?to=%2B15551234567").await.ok().json();
    let codes = to["messages"].as_array().unwrap().iter().map(|message| message["code"].as_str().unwrap().to_owned());
    codes.collect()
}

async fn who_has_none_sets_an_app_up_where_one_is_required(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["mfa.policy=required"]).await;
    let (mut screens, prompt) = half_in(&house, ADA).await;
    assert_eq!(
        prompt,
        json!({ "type": "select_method", "methods": [
            { "id": "totp", "label": "Set up an authenticator app" },
            { "id": "sms_code", "label": "Set up codes by text message" },
        ] })
    );
    let prompt = screens.go_on("method", "totp").await;
    let app = AuthenticatorApp::reading(prompt["otpauth_uri"].as_str().unwrap());
    assert_eq!((app.issuer(), &prompt["tries_left"]), (Some("A project"), &json!(5)), "{prompt}");
    let code = app.code_at(house.node.service.now());
    let wrong = screens.go_on("code", &another(&code)).await;
    assert_eq!((&wrong["hint"], &wrong["tries_left"]), (&json!("retry_input"), &json!(4)), "{wrong}");
    assert_eq!(wrong["secret"], prompt["secret"], "the app needn't be set up again");
    let before = house.books().await;
    let passed = screens.say("code", &code).await.ok();
    let id_token = tokens(&house, &passed).await;
    assert_eq!(
        (&id_token["amr"], &id_token["acr"]),
        (&json!(["otp", "mfa"]), &json!("urn:countersign:acr:two-factors"))
    );
    let entry = house.only_entry("factor.added").await;
    assert_eq!(entry.detail["factor"], "totp");
    assert_eq!(house.only_entry("sign_in.passed").await.detail["method"], "email_code+new_totp");
    assert_eq!(house.books().await.sessions, before.sessions + 1);
    let told = house.messages_to(ADA).await;
    assert!(told.iter().any(|(_, code)| code.is_none()), "the user is told that there is a new factor");
}

async fn who_has_one_is_asked_for_it_and_the_token_says_so(engine: Engine) {
    let house = with_ada(engine).await;
    let app = with_app(&house, ADA).await;
    let (screens, prompt) = half_in(&house, ADA).await;
    assert_eq!(prompt, json!({ "type": "enter_totp", "code_length": 6, "tries_left": 5 }));
    let passed = screens.say("code", &next_code(&house, &app)).await.ok();
    assert_eq!(tokens(&house, &passed).await["amr"], json!(["otp", "mfa"]));
    let entries = house.entries("sign_in.passed").await;
    assert!(entries.iter().any(|entry| entry.detail["method"] == "email_code+totp"), "{entries:?}");
}

async fn a_telephone_becomes_a_factor_and_its_codes_are_sent_at_once(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["mfa.policy=required"]).await;
    let (mut screens, _) = half_in(&house, ADA).await;
    let prompt = screens.go_on("method", "sms_code").await;
    assert_eq!(prompt["type"], json!("setup_sms"), "{prompt}");
    let prompt = screens.go_on("phone", "+1 (555) 123-4567").await;
    assert_eq!((&prompt["type"], &prompt["tries_left"]), (&json!("enter_code"), &json!(5)), "{prompt}");
    let code = texts(&house).await.remove(0);
    let first = code.clone();
    assert_eq!(screens.go_on("code", &another(&code)).await["hint"], json!("retry_input"));
    screens.say("code", &code).await.is_ok();
    let (mut screens, prompt) = half_in(&house, ADA).await;
    assert_eq!(prompt["type"], json!("enter_code"), "{prompt}");
    assert!(!prompt["destination"].as_str().unwrap().contains("1234"), "{prompt}");
    let all = texts(&house).await;
    assert_eq!(all.len(), 2, "it was sent without a question");
    assert_eq!(screens.go_on("method", "sms_code").await["hint"], json!("wait"));
    let newest = all.iter().find(|code| **code != first).unwrap();
    let passed = screens.say("code", newest).await.ok();
    assert_eq!(tokens(&house, &passed).await["amr"], json!(["otp", "sms", "mfa"]));
}

async fn an_app_that_asks_for_two_factors_gets_them_whatever_the_policy(engine: Engine) {
    let house = with_ada(engine).await;
    let app = with_app(&house, ADA).await;
    house.set(&["mfa.policy=off"]).await;
    let (screens, code) = Screens::at_code(&house, ADA).await;
    let passed = screens.say("code", &code).await.ok();
    assert_eq!(tokens(&house, &passed).await["acr"], json!("urn:countersign:acr:one-factor"));
    let mut screens = Screens::of(&house, ADA);
    let begun = screens.try_to_begin(&[("acr_values", "urn:countersign:acr:two-factors")]).await;
    screens.asked(&begun);
    let code = screens.code().await.unwrap();
    assert_eq!(screens.go_on("code", &code).await["type"], json!("enter_totp"));
    let passed = screens.say("code", &next_code(&house, &app)).await.ok();
    assert_eq!(tokens(&house, &passed).await["acr"], json!("urn:countersign:acr:two-factors"));
}

async fn what_a_user_wishes_counts_where_it_is_only_suggested(engine: Engine) {
    let house = with_ada(engine).await;
    with_app(&house, ADA).await;
    let user = house.user_id(ADA).await;
    let wish = async |preference| {
        house.node.service.set_mfa_preference(&p1(), user, preference, By::Operator).await.unwrap();
    };
    for (preference, policy, is_asked) in [
        (Preference::Always, "suggested", true),
        (Preference::None, "suggested", false),
        (Preference::None, "required", true),
        (Preference::RiskOnly, "suggested", false),
    ] {
        wish(preference).await;
        house.set(&[&format!("mfa.policy={policy}")]).await;
        let (screens, code) = Screens::at_code(&house, ADA).await;
        let answer = screens.say("code", &code).await;
        assert_eq!(answer.status() == 403, is_asked, "{preference:?} {policy}: {answer}");
    }
    // From another device something speaks against it.
    house.set(&["mfa.policy=suggested"]).await;
    let mut screens = Screens::of(&house, ADA);
    screens.http = screens.http.with("user-agent", "another device").with("x-forwarded-for", "203.0.113.9");
    screens.begin().await;
    let code = screens.code().await.unwrap();
    let prompt = screens.go_on("code", &code).await;
    assert_eq!(prompt["type"], json!("enter_totp"));
    assert_eq!(prompt["risk"], json!({ "detected": true, "reasons": ["new_device", "new_network"] }));
}

async fn totp_twice_in_one_step(engine: Engine) {
    let house = with_ada(engine).await;
    let app = with_app(&house, ADA).await;
    let code = next_code(&house, &app);
    let (screens, _) = half_in(&house, ADA).await;
    screens.say("code", &code).await.is_ok();
    let before = house.books().await;
    let (mut screens, _) = half_in(&house, ADA).await;
    let prompt = screens.go_on("code", &code).await;
    assert_eq!((&prompt["hint"], &prompt["tries_left"]), (&json!("retry_input"), &json!(4)), "{prompt}");
    assert_eq!(house.books().await, before);
}

async fn a_right_code_after_five_wrong_ones(engine: Engine) {
    let house = with_ada(engine).await;
    let app = with_app(&house, ADA).await;
    let (mut screens, _) = half_in(&house, ADA).await;
    let code = next_code(&house, &app);
    for left in [4, 3, 2, 1] {
        assert_eq!(screens.go_on("code", &another(&code)).await["tries_left"], json!(left));
    }
    let prompt = screens.go_on("code", &another(&code)).await;
    assert_eq!((&prompt["tries_left"], &prompt["hint"]), (&json!(0), &json!("restart_flow")), "{prompt}");
    let before = house.books().await;
    assert_eq!(screens.go_on("code", &code).await["hint"], json!("restart_flow"), "the right one comes too late");
    assert_eq!(house.books().await, before);
    let (screens, _) = half_in(&house, ADA).await;
    screens.say("code", &code).await.is_ok();
}

async fn a_new_code_resetting_the_tries(engine: Engine) {
    let house = with_ada(engine).await;
    with_app(&house, ADA).await;
    let (mut screens, _) = half_in(&house, ADA).await;
    screens.go_on("code", "000000").await;
    // Asking for the same factor again is no new beginning.
    let prompt = screens.go_on("method", "totp").await;
    assert_eq!(prompt["tries_left"], json!(4), "{prompt}");
}

async fn guessing_from_many_addresses(engine: Engine) {
    let house = with_ada(engine).await;
    let app = with_app(&house, ADA).await;
    for network in 0..6 {
        let (mut screens, _) = half_in(&house, ADA).await;
        screens.http = screens.http.with("x-forwarded-for", &format!("203.0.{network}.1"));
        for _ in 0..5 {
            assert_eq!(screens.go_on("code", "000000").await["type"], json!("enter_totp"));
        }
    }
    // The sign-in is another, and so is the network; the user is the same.
    let (mut screens, _) = half_in(&house, ADA).await;
    let code = next_code(&house, &app);
    let prompt = screens.go_on("code", &code).await;
    assert_eq!(prompt["hint"], json!("wait"), "{prompt}");
    assert_eq!(house.entries("sign_in.passed").await.len(), 1);
    // The twin: somebody else isn't kept out.
    house.user("bob@example.com").await;
    with_app(&house, "bob@example.com").await;
}

async fn the_first_factor_alone_buys_nothing(engine: Engine) {
    let house = with_ada(engine).await;
    let app = with_app(&house, ADA).await;
    let before = house.books().await;
    let (mut screens, code) = Screens::at_code(&house, ADA).await;
    screens.go_on("code", &code).await;
    // It was good once.
    assert_eq!(screens.go_on("code", &code).await["hint"], json!("retry_input"));
    for (name, value) in
        [("method", "email_code"), ("method", "passkey"), ("method", "recovery_code"), ("phone", PHONE)]
    {
        let prompt = screens.go_on(name, value).await;
        assert_eq!((&prompt["type"], &prompt["hint"]), (&json!("enter_totp"), &json!("retry_input")), "{name}={value}");
    }
    assert_eq!(house.books().await, before);
    assert!(texts(&house).await.is_empty());
    screens.say("code", &next_code(&house, &app)).await.is_ok();
}

async fn the_code_of_another_user_or_sign_in(engine: Engine) {
    let house = with_ada(engine).await;
    house.user("bob@example.com").await;
    let adas = with_app(&house, ADA).await;
    let bobs = with_app(&house, "bob@example.com").await;
    let (mut screens, _) = half_in(&house, ADA).await;
    let (right, wrong) = (next_code(&house, &adas), next_code(&house, &bobs));
    if right != wrong {
        assert_eq!(screens.go_on("code", &wrong).await["hint"], json!("retry_input"));
    }
    screens.say("code", &right).await.is_ok();
}

async fn twenty_who_show_one_recovery_code_at_once(engine: Engine) {
    let house = with_ada(engine).await;
    with_app(&house, ADA).await;
    let user = house.user_id(ADA).await;
    let codes = house.node.service.make_recovery_codes(&p1(), user, By::Operator).await.unwrap();
    let code = codes[3].danger_expose().to_owned();
    let mut all = Vec::new();
    for _ in 0..4 {
        let (screens, prompt) = half_in(&house, ADA).await;
        assert_eq!(prompt["methods"], json!([{ "id": "recovery_code", "label": "A recovery code" }]), "{prompt}");
        all.push(screens.auth_session.clone());
    }
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let (http, handle, code) = (house.node.client(), all[number % all.len()].clone(), code.to_lowercase());
        calls.spawn(async move {
            let said = [("client_id", "c3"), ("auth_session", &*handle), ("method", "recovery_code"), ("code", &*code)];
            http.post_form(PATH, &said).await
        });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1, "{answers:?}");
    house.only_entry("recovery_code.used").await;
    assert_eq!(house.node.service.mfa_state(&p1(), user).await.unwrap().recovery_codes, 9);
}

async fn a_user_who_is_revoked_half_in_begins_again(engine: Engine) {
    let house = with_ada(engine).await;
    let app = with_app(&house, ADA).await;
    let (screens, _) = half_in(&house, ADA).await;
    house.change_user(ADA, StateChange::Revoke).await;
    let before = house.books().await;
    screens.say("code", &next_code(&house, &app)).await.oauth_error(400, "invalid_session");
    assert_eq!(house.books().await, before);
    house.change_user(ADA, StateChange::Disable).await;
    house.change_user(ADA, StateChange::Enable).await;
    let (screens, _) = half_in(&house, ADA).await;
    screens.say("code", &next_code(&house, &app)).await.is_ok();
}

async fn impossible_phone_numbers(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["mfa.policy=required"]).await;
    let (mut screens, _) = half_in(&house, ADA).await;
    screens.go_on("method", "sms_code").await;
    for number in ["5551234567", "+0123456789", "+1", "+1555123456789012345", "+1555abc4567"] {
        let prompt = screens.go_on("phone", number).await;
        assert_eq!((&prompt["type"], &prompt["hint"]), (&json!("setup_sms"), &json!("retry_input")), "{number:?}");
    }
    assert!(texts(&house).await.is_empty());
    assert_eq!(screens.go_on("phone", PHONE).await["type"], json!("enter_code"));
}

async fn a_mailbox_is_no_second_factor_to_itself(engine: Engine) {
    let house = with_ada(engine).await;
    let user = house.user_id(ADA).await;
    let email = ADA.parse().unwrap();
    let factor = Factor {
        kind: FactorKind::Email,
        contact: Some(Identity::Email(email)),
        created_at: house.node.service.now(),
        last_used_at: None,
    };
    let stored = StoredFactor { factor, sealed_seed: None, used_step: 0 };
    house.node.service.add_factor(&p1(), user, stored, By::Operator).await.unwrap();
    let (mut screens, code) = Screens::at_code(&house, ADA).await;
    let before = house.messages_to(ADA).await;
    let prompt = screens.go_on("code", &code).await;
    assert_eq!((&prompt["type"], &prompt["destination"]), (&json!("enter_code"), &json!("a…@example.com")), "{prompt}");
    let new = house.messages_to(ADA).await.into_iter().find(|message| !before.contains(message));
    let code = new.unwrap().1.unwrap();
    let passed = screens.say("code", &code).await.ok();
    let id_token = tokens(&house, &passed).await;
    assert_eq!(
        (&id_token["amr"], &id_token["acr"]),
        (&json!(["otp"]), &json!("urn:countersign:acr:one-factor")),
        "two codes to one mailbox are one factor"
    );
    house.set(&["mfa.policy=required"]).await;
    let (_, prompt) = half_in(&house, ADA).await;
    assert_eq!(prompt["methods"][0]["label"], json!("Set up an authenticator app"), "{prompt}");
}
