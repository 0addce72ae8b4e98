//! Signing a user in on an app's own screens.

use std::time::Duration;

use countersign_crypto::{encoding, jose::public_key::Kind};
use countersign_domain::id::MessageId;
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    answer::Answer,
    bound::{BoundApp, a_key},
    database::Engine,
    house::{House, p1},
    http::Client,
    on_both_engines,
    provider::{Parameters, over, redemption},
    token::claims,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_both_engines!(
    an_app_signs_its_user_in_and_redeems_the_code,
    somebody_new_comes_to_be_where_the_project_lets_people_sign_up,
    every_answer_has_another_auth_session_and_the_one_before_is_worthless,
    of_twenty_who_show_one_auth_session_at_once_one_goes_on,
    a_wrong_code_is_asked_for_again_with_what_is_left,
    a_code_of_another_sign_in_is_not_taken,
    an_auth_session_is_good_for_its_own_client_and_project_alone,
    only_a_first_party_app_asks_for_codes,
    who_has_no_account_is_asked_the_same,
    a_disabled_user_gets_no_code,
    a_request_that_wont_do_begins_nothing,
    a_sign_in_that_is_bound_to_a_key_goes_on_with_that_key_alone,
    guesses_at_one_address_end_whatever_sign_in_they_are_made_in,
    a_key_that_the_request_names_must_be_the_one_that_is_shown,
    one_network_begins_so_many_sign_ins_and_no_more,
    a_server_that_sends_no_mail_says_so,
);

pub(super) const PATH: &str = "/oauth2/authorize-challenge";
pub(super) const ADA: &str = "ada@example.com";

/// An app's own screens, and the person in front of them.
pub(super) struct Screens<'h> {
    pub(super) house: &'h House,
    pub(super) http: Client,
    pub(super) email: &'static str,
    pub(super) auth_session: String,
}

impl<'h> Screens<'h> {
    pub(super) fn of(house: &'h House, email: &'static str) -> Self {
        Self { house, http: house.node.client(), email, auth_session: String::new() }
    }

    pub(super) async fn try_to_begin(&self, more: Parameters<'_>) -> Answer {
        let asked = self.house.authorization(&[("state", ""), ("nonce", "n-1"), ("login_hint", self.email)]);
        self.http.post_form(PATH, &over(&asked, more)).await
    }

    pub(super) async fn begin(&mut self) -> Value {
        let answer = self.try_to_begin(&[]).await;
        self.asked(&answer)
    }

    /// What is asked, and the `auth_session` for the next call.
    #[track_caller]
    pub(super) fn asked(&mut self, answer: &Answer) -> Value {
        let json = answer.json();
        assert_eq!((answer.status(), &json["error"]), (403, &json!("insufficient_authorization")), "{answer}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let next = answer.text("auth_session");
        assert_ne!(next, self.auth_session);
        self.auth_session = next;
        json["prompt"].clone()
    }

    pub(super) async fn say(&self, name: &str, value: &str) -> Answer {
        let said = [("client_id", "c3"), ("auth_session", &*self.auth_session), (name, value)];
        self.http.post_form(PATH, &said).await
    }

    pub(super) async fn go_on(&mut self, name: &str, value: &str) -> Value {
        let answer = self.say(name, value).await;
        self.asked(&answer)
    }

    async fn messages(&self) -> Vec<(MessageId, Option<String>)> {
        self.house.messages_to(self.email).await
    }

    /// Has a code sent, and reads it: none came to somebody without an account.
    pub(super) async fn code(&mut self) -> Option<String> {
        let before = self.messages().await;
        let prompt = self.go_on("method", "email_code").await;
        assert_eq!((prompt["type"].as_str(), prompt.get("hint")), (Some("enter_code"), None), "{prompt}");
        let after = self.messages().await;
        let (_, code) = after.into_iter().find(|message| !before.contains(message)).unwrap();
        code
    }

    /// As far as a code that was sent.
    pub(super) async fn at_code(house: &'h House, email: &'static str) -> (Self, String) {
        let mut screens = Self::of(house, email);
        screens.begin().await;
        let code = screens.code().await.unwrap();
        (screens, code)
    }
}

pub(super) fn another(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

pub(super) async fn with_ada(engine: Engine) -> House {
    let house = House::in_development(engine).await;
    house.web_app().await;
    house.user(ADA).await;
    house
}

async fn an_app_signs_its_user_in_and_redeems_the_code(engine: Engine) {
    let house = House::in_development(engine).await;
    house.web_app().await;
    let uid = house.user(ADA).await;
    let mut screens = Screens::of(&house, ADA);
    let prompt = screens.begin().await;
    assert_eq!(
        prompt,
        json!({ "type": "select_method", "methods": [{ "id": "email_code", "label": "A code by e-mail" }] })
    );
    let before = screens.messages().await;
    let prompt = screens.go_on("method", "email_code").await;
    assert_eq!(screens.messages().await.len(), before.len() + 1, "the message is there before the answer");
    assert_eq!(
        (&prompt["destination"], &prompt["code_length"], &prompt["tries_left"]),
        (&json!("a…@example.com"), &json!(6), &json!(5)),
        "{prompt}"
    );
    let (expires_at, resend_at) = (prompt["expires_at"].as_i64().unwrap(), prompt["resend_at"].as_i64().unwrap());
    assert_eq!(expires_at - resend_at, 570);
    let code = screens.messages().await[0].1.clone().unwrap();
    let passed = screens.say("code", &format!("{}-{}", &code[..3], &code[3..])).await.ok();
    assert_eq!(house.only_entry("sign_in.passed").await.user_id, Some(uid.clone()));
    let tokens = house.node.token(&redemption(&passed.text("authorization_code"))).await.ok();
    let claims = claims(&tokens.text("id_token"));
    assert_eq!(
        json!([
            claims["sub"],
            claims["email"],
            claims["email_verified"],
            claims["nonce"],
            claims["amr"],
            claims["acr"]
        ]),
        json!([uid, ADA, true, "n-1", ["otp"], "urn:countersign:acr:one-factor"]),
    );
    screens.say("code", &code).await.oauth_error(400, "invalid_session");
}

async fn somebody_new_comes_to_be_where_the_project_lets_people_sign_up(engine: Engine) {
    let house = House::in_development(engine).await;
    house.web_app().await;
    house.set(&["signup=on"]).await;
    let (screens, code) = Screens::at_code(&house, "eve@example.com").await;
    let before = house.books().await;
    let passed = screens.say("code", &code).await.ok();
    let tokens = house.node.token(&redemption(&passed.text("authorization_code"))).await.ok();
    let claims = claims(&tokens.text("id_token"));
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("eve@example.com"), &json!(true)));
    let after = house.books().await;
    assert_eq!((after.users, after.sessions), (before.users + 1, before.sessions + 1));
    let vouched = house.backend().sign_in("eve@example.com").await.ok();
    assert_eq!(claims["sub"], vouched.text("uid"), "one user, through whichever door");
}

async fn every_answer_has_another_auth_session_and_the_one_before_is_worthless(engine: Engine) {
    let house = with_ada(engine).await;
    let mut screens = Screens::of(&house, ADA);
    screens.begin().await;
    let first = screens.auth_session.clone();
    let code = screens.code().await.unwrap();
    let second = screens.auth_session.clone();
    screens.go_on("code", &another(&code)).await;
    let newest = screens.auth_session.clone();
    for stale in [first, second, "as_garbage".to_owned(), format!("{newest}A"), newest[..newest.len() - 1].to_owned()] {
        let stale = Screens { auth_session: stale, ..Screens::of(&house, ADA) };
        let before = house.books().await;
        stale.say("code", &code).await.oauth_error(400, "invalid_session");
        assert_eq!(house.books().await, before);
    }
    screens.say("code", &code).await.is_ok();
}

async fn of_twenty_who_show_one_auth_session_at_once_one_goes_on(engine: Engine) {
    let house = with_ada(engine).await;
    let (screens, code) = Screens::at_code(&house, ADA).await;
    let other_node = house.another_node().await;
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let http = if number % 2 == 0 { house.node.client() } else { other_node.client() };
        let said =
            [("client_id", "c3".to_owned()), ("auth_session", screens.auth_session.clone()), ("code", code.clone())];
        calls.spawn(async move {
            let said: Vec<(&str, &str)> = said.iter().map(|(name, value)| (*name, &**value)).collect();
            http.post_form(PATH, &said).await
        });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status() != 200) {
        answer.oauth_error(400, "invalid_session");
    }
    assert_eq!(house.entries("sign_in.passed").await.len(), 1);
}

async fn a_wrong_code_is_asked_for_again_with_what_is_left(engine: Engine) {
    let house = with_ada(engine).await;
    let (mut screens, code) = Screens::at_code(&house, ADA).await;
    // What can be no code is a slip of the finger, and no guess.
    let slip = screens.go_on("code", "12345").await;
    assert_eq!((&slip["tries_left"], &slip["hint"]), (&json!(5), &json!("retry_input")));
    for left in [4, 3, 2, 1] {
        let prompt = screens.go_on("code", &another(&code)).await;
        assert_eq!((&prompt["tries_left"], &prompt["hint"]), (&json!(left), &json!("retry_input")));
    }
    let last = screens.go_on("code", &another(&code)).await;
    assert_eq!((&last["tries_left"], &last["hint"]), (&json!(0), &json!("resend_code")));
    let before = house.books().await;
    let late = screens.go_on("code", &code).await;
    assert_eq!(late["hint"], json!("resend_code"), "the right one comes too late");
    assert_eq!(house.books().await, before);
    let soon = screens.go_on("method", "email_code").await;
    assert_eq!(soon["hint"], json!("wait"));
    assert!((1..=30).contains(&soon["retry_after"].as_i64().unwrap()), "{soon}");
    let (fresh, code) = Screens::at_code(&house, ADA).await;
    fresh.say("code", &code).await.is_ok();
}

async fn a_code_of_another_sign_in_is_not_taken(engine: Engine) {
    let house = with_ada(engine).await;
    let (mut one, code_of_one) = Screens::at_code(&house, ADA).await;
    let (mut other, code_of_other) = Screens::at_code(&house, ADA).await;
    if code_of_one == code_of_other {
        return;
    }
    assert_eq!(one.go_on("code", &code_of_other).await["hint"], json!("retry_input"));
    assert_eq!(other.go_on("code", &code_of_one).await["hint"], json!("retry_input"));
    one.say("code", &code_of_one).await.is_ok();
    other.say("code", &code_of_other).await.is_ok();
}

async fn an_auth_session_is_good_for_its_own_client_and_project_alone(engine: Engine) {
    let house = with_ada(engine).await;
    house.another_project("p2").await;
    house.set_client("c1", &["oauth.redirect_uris=com.example.app:/callback", "oauth.first_party=on"]).await;
    let (screens, code) = Screens::at_code(&house, ADA).await;
    let said = |client: &'static str| {
        [("client_id", client.to_owned()), ("auth_session", screens.auth_session.clone()), ("code", code.clone())]
    };
    for (path, client) in [(PATH.to_owned(), "c1"), (format!("/p/p2{PATH}"), "c3")] {
        let said = said(client);
        let said: Vec<(&str, &str)> = said.iter().map(|(name, value)| (*name, &**value)).collect();
        let answer = screens.http.post_form(&path, &said).await;
        // The other project's `c3` is no first-party client, so that is said first.
        let error = if client == "c1" { "invalid_session" } else { "unauthorized_client" };
        answer.oauth_error(400, error);
    }
    screens.say("code", &code).await.is_ok();
}

async fn only_a_first_party_app_asks_for_codes(engine: Engine) {
    let house = with_ada(engine).await;
    house.set_client("c3", &["oauth.first_party=off"]).await;
    let mut screens = Screens::of(&house, ADA);
    screens.try_to_begin(&[]).await.oauth_error(400, "unauthorized_client");
    house.set_client("c3", &["oauth.first_party=on"]).await;
    screens.begin().await;
}

async fn who_has_no_account_is_asked_the_same(engine: Engine) {
    let house = with_ada(engine).await;
    let (mut ada, mut nobody) = (Screens::of(&house, ADA), Screens::of(&house, "nobody@example.com"));
    assert_eq!(ada.begin().await, nobody.begin().await);
    assert!(ada.code().await.is_some());
    assert_eq!(nobody.code().await, None, "but a message came");
    let before = house.books().await;
    let prompt = nobody.go_on("code", "123456").await;
    assert_eq!((&prompt["hint"], &prompt["tries_left"]), (&json!("retry_input"), &json!(4)));
    assert_eq!(house.books().await, before);
}

async fn a_disabled_user_gets_no_code(engine: Engine) {
    let house = House::in_development(engine).await;
    house.web_app().await;
    let user = house.user(ADA).await.parse().unwrap();
    let (screens, code) = Screens::at_code(&house, ADA).await;
    house.node.service.change_user_state(&p1(), user, StateChange::Disable).await.unwrap();
    let before = house.books().await;
    screens.say("code", &code).await.oauth_error(400, "access_denied");
    assert_eq!(house.books().await, before);
    screens.say("code", &code).await.oauth_error(400, "invalid_session");
    house.node.service.change_user_state(&p1(), user, StateChange::Enable).await.unwrap();
    let (screens, code) = Screens::at_code(&house, ADA).await;
    screens.say("code", &code).await.is_ok();
}

async fn a_request_that_wont_do_begins_nothing(engine: Engine) {
    let house = with_ada(engine).await;
    let screens = Screens::of(&house, ADA);
    for (more, error) in [
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("redirect_uri", "https://app.example.com/callback/"), "invalid_request"),
        (("scope", "openid everything"), "invalid_scope"),
        (("login_hint", ""), "invalid_request"),
        (("login_hint", "no address"), "invalid_request"),
        (("login_hint", "ada@example.com\r\nBcc: eve@example.com"), "invalid_request"),
    ] {
        screens.try_to_begin(&[more]).await.oauth_error(400, error);
    }
    screens.try_to_begin(&[("client_id", "c9")]).await.oauth_error(401, "invalid_client");
    screens.http.post(PATH, &json!({ "client_id": "c3" })).await.oauth_error(400, "invalid_request");
    assert_eq!(screens.messages().await.len(), 0);
    let begun = screens.try_to_begin(&[]).await;
    assert_eq!(begun.status(), 403);
}

async fn a_sign_in_that_is_bound_to_a_key_goes_on_with_that_key_alone(engine: Engine) {
    let house = with_ada(engine).await;
    let (key, thiefs) = (a_key(Kind::Es256), a_key(Kind::Es256));
    let app = house.app_with_key(&key);
    let refused =
        Screens { http: app.app.http.with("dpop", &app.proof("POST", PATH).text()), ..Screens::of(&house, ADA) };
    let refused = refused.try_to_begin(&[]).await;
    refused.oauth_error(400, "use_dpop_nonce");
    let app = app.knowing(refused.header("dpop-nonce"));
    let showing = |by: &_| house.node.client().with("dpop", &app.proof("POST", PATH).by(by).text());
    let mut screens = Screens { http: showing(&key), ..Screens::of(&house, ADA) };
    screens.begin().await;
    screens.http = showing(&key);
    let code = screens.code().await.unwrap();
    for http in [house.node.client(), showing(&thiefs)] {
        let thief = Screens { http, auth_session: screens.auth_session.clone(), ..Screens::of(&house, ADA) };
        thief.say("code", &code).await.oauth_error(400, "invalid_session");
    }
    screens.http = showing(&key);
    let passed = screens.say("code", &code).await.ok().text("authorization_code");
    house.node.token(&redemption(&passed)).await.oauth_error(400, "invalid_grant");
    let at_token = |by: &_| house.node.client().with("dpop", &app.proof("POST", "/oauth2/token").by(by).text());
    at_token(&thiefs).post_form("/oauth2/token", &redemption(&passed)).await.oauth_error(400, "invalid_grant");
    let tokens = at_token(&key).post_form("/oauth2/token", &redemption(&passed)).await.ok();
    assert_eq!(tokens.text("token_type"), "DPoP");
}

async fn guesses_at_one_address_end_whatever_sign_in_they_are_made_in(engine: Engine) {
    let house = with_ada(engine).await;
    for _ in 0..6 {
        let (mut screens, code) = Screens::at_code(&house, ADA).await;
        for _ in 0..5 {
            screens.go_on("code", &another(&code)).await;
        }
    }
    let (mut screens, code) = Screens::at_code(&house, ADA).await;
    let before = house.books().await;
    let prompt = screens.go_on("code", &code).await;
    assert_eq!(prompt["hint"], json!("wait"));
    assert!(prompt["retry_after"].as_i64().unwrap() > 60, "{prompt}");
    assert_eq!(house.books().await, before);
    // Others aren't concerned.
    house.user("eve@example.com").await;
    let (eve, code) = Screens::at_code(&house, "eve@example.com").await;
    eve.say("code", &code).await.is_ok();
}

async fn a_key_that_the_request_names_must_be_the_one_that_is_shown(engine: Engine) {
    let house = with_ada(engine).await;
    let (key, others) = (a_key(Kind::Es256), a_key(Kind::Es256));
    let app = house.app_with_key(&key);
    let showing = |app: &BoundApp| house.node.client().with("dpop", &app.proof("POST", PATH).text());
    let told = Screens { http: showing(&app), ..Screens::of(&house, ADA) }.try_to_begin(&[]).await;
    let app = app.knowing(told.header("dpop-nonce"));
    let begin = async |named: &str| {
        let screens = Screens { http: showing(&app), ..Screens::of(&house, ADA) };
        screens.try_to_begin(&[("dpop_jkt", named)]).await
    };
    begin(&encoding::encode(others.thumbprint().0)).await.oauth_error(400, "invalid_dpop_proof");
    assert_eq!(begin(&encoding::encode(key.thumbprint().0)).await.status(), 403);
}

async fn one_network_begins_so_many_sign_ins_and_no_more(engine: Engine) {
    let house = with_ada(engine).await;
    house.set(&["limits.sign_ins=3"]).await;
    let mut screens = Screens::of(&house, ADA);
    for _ in 0..3 {
        screens.begin().await;
    }
    let refused = screens.try_to_begin(&[]).await;
    refused.oauth_error(429, "temporarily_unavailable");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    // What is under way goes on, and others begin.
    screens.code().await.unwrap();
    let mut elsewhere = Screens { http: house.node.client().from_address("203.0.113.9"), ..Screens::of(&house, ADA) };
    elsewhere.begin().await;
}

async fn a_server_that_sends_no_mail_says_so(engine: Engine) {
    let house = House::open(engine).await;
    house.web_app().await;
    let mut screens = Screens::of(&house, ADA);
    screens.begin().await;
    screens.say("method", "email_code").await.oauth_error(503, "temporarily_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_code_may_be_asked_for_after_half_a_minute_and_a_sign_in_is_over_after_half_an_hour() {
    let house = with_ada(Engine::Sqlite).await;
    let (mut screens, first) = Screens::at_code(&house, ADA).await;
    house.advance(Duration::from_secs(30)).await;
    let second = screens.code().await.unwrap();
    if first != second {
        assert_eq!(screens.go_on("code", &first).await["hint"], json!("retry_input"), "the first is no good any more");
    }
    house.advance(Duration::from_mins(10)).await;
    assert_eq!(screens.go_on("code", &second).await["hint"], json!("resend_code"));
    let third = screens.code().await.unwrap();
    house.advance(Duration::from_mins(5)).await;
    let (mut late, _) = Screens::at_code(&house, ADA).await;
    screens.say("code", &third).await.is_ok();
    house.advance(Duration::from_mins(30)).await;
    late.say("code", "123456").await.oauth_error(400, "invalid_session");
    late.begin().await;
}
