//! Devices: what a user signs in from, on their own page and for an operator. What one opened ends with it, and nothing else does.

use std::time::Duration;

use countersign_service::{
    devices::{Changed, DeviceRefused},
    passkeys::By,
};
use countersign_testkit::{
    answer::Answer,
    authenticator::Authenticator,
    browser::Browser,
    database::Engine,
    house::{House, Node, p1},
    http::Client,
    on_both_engines,
    program::{Program, Running},
    provider::{REDIRECT_URI, form, redemption},
    wait,
};
use serde_json::Value;
use tokio::task::JoinSet;

use super::{
    ADA,
    passkeys::{Redirected, passkey_ids, with_ada},
};

on_both_engines!(
    a_device_that_is_locked_out_takes_along_what_it_opened_and_nothing_else,
    what_a_device_opened_is_worthless_on_every_node_within_a_second,
    a_code_that_a_device_got_buys_nothing_once_it_is_locked_out,
    an_app_that_showed_the_passkey_itself_loses_its_tokens_too,
    a_device_that_is_let_in_again_signs_in_and_what_was_ended_stays_ended,
    a_device_that_is_deleted_is_forgotten_and_what_it_opened_ends,
    a_device_of_another_user_is_nobodys_business,
    what_was_done_before_is_not_done_again,
    of_a_sign_in_and_a_revocation_at_once_nothing_is_left_signed_in,
    csrf_on_the_forms_about_devices,
);

const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36";

/// Where Ada's passkey signed in, and where she signed in without it.
struct Stage {
    house: House,
    /// Signed in by a code.
    own: Browser,
    passkey: Authenticator,
    /// Signed in by the passkey.
    other: Browser,
    /// Of the app, through that browser.
    tokens: Answer,
    /// Of the app, through the first browser.
    of_own: Answer,
    id: String,
}

impl Stage {
    async fn open(engine: Engine) -> Self {
        let house = with_ada(engine).await;
        let (own, passkey) = house.passkey_of(ADA).await;
        let code = own.authorize(&house, &[]).await.code_for_app();
        let of_own = house.node.token(&redemption(&code)).await.ok();
        let other = house.browser().user_agent(CHROME);
        let page = other.sent_by_app(&house, &[]).await;
        let code = other.shows_passkey(&page, &passkey).await.code_for_app();
        let tokens = house.node.token(&redemption(&code)).await.ok();
        let id = passkey_ids(&own.page("/account").await).remove(0);
        Self { house, own, passkey, other, tokens, of_own, id }
    }

    async fn does(&self, what: &str) -> Answer {
        let token = self.own.page("/account").await.form_token();
        self.own.post("/account/passkeys", &[("form", &token), ("do", what), ("id", &self.id)]).await
    }

    async fn rows(&self) -> i64 {
        self.house.database.number("select count(*) from sessions").await
    }
}

fn with_token(node: &Node, tokens: &Answer) -> Client {
    node.client().with("authorization", &format!("Bearer {}", tokens.text("access_token")))
}

async fn refresh(house: &House, tokens: &Answer) -> Answer {
    let token = tokens.text("refresh_token");
    let sent = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("client_id", "c3")];
    house.node.client().post_form("/oauth2/token", &sent).await
}

async fn a_device_that_is_locked_out_takes_along_what_it_opened_and_nothing_else(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, own, passkey, other, tokens, of_own, id } = &stage;
    let silent = other.authorize(house, &[("prompt", "none")]).await.code_for_app();
    let second = house.node.token(&redemption(&silent)).await.ok();
    for tokens in [tokens, &second, of_own] {
        with_token(&house.node, tokens).get("/v1/me").await.is_ok();
    }
    let page = own.page("/account").await;
    assert!(page.says("with Chrome, Linux") && page.says("Lock out") && !page.says("locked out"), "{}", page.answer);

    stage.does("revoke").await.is_ok_redirect();
    for tokens in [tokens, &second] {
        with_token(&house.node, tokens).get("/v1/me").await.denied(401, "invalid_credentials");
        refresh(house, tokens).await.oauth_error(400, "invalid_grant");
    }
    assert_eq!(other.get("/account").await.status(), 303, "signed out there");
    assert_eq!(other.authorize(house, &[("prompt", "none")]).await.error_for_app(), "login_required");
    let page = own.page("/account").await;
    assert!(page.says("locked out") && page.says("Let in again") && page.says(id), "{}", page.answer);
    // What was opened without it goes on.
    with_token(&house.node, of_own).get("/v1/me").await.is_ok();
    refresh(house, of_own).await.is_ok();

    // And it signs nobody in.
    let page = other.sent_by_app(house, &[]).await;
    let before = house.entries("sign_in.passed").await.len();
    house.advance(Duration::from_mins(1)).await;
    let refused = other.shows_passkey(&page, passkey).await;
    assert!(other.follow(&refused).await.says("This passkey can&#39;t be used here"), "{refused}");
    assert_eq!(house.entries("sign_in.passed").await.len(), before);
    assert_eq!(other.get("/account").await.status(), 303, "nobody is signed in there");
    let page = own.page("/account").await;
    assert!(page.says("last tried 20"), "who locked it out sees that it was shown: {}", page.answer);

    let entry = house.only_entry("device.revoked").await;
    assert_eq!((&*entry.actor_kind, entry.key_id.as_deref()), ("user", Some(&**id)));
    house.only_entry("browser_session.ended").await;
    let ended = house.entries("session.ended").await;
    assert_eq!(ended.iter().filter(|it| it.detail["reason"] == "revoked").count(), 2);
    assert!(ended.iter().all(|it| it.key_id.as_deref() == Some(id)), "{ended:?}");
    let letters = house.node.service.outbox(None).await.unwrap();
    let said = "A passkey of your account with A project was locked out";
    assert_eq!(letters.iter().filter(|it| it.content.subject == said).count(), 1);
}

async fn what_a_device_opened_is_worthless_on_every_node_within_a_second(engine: Engine) {
    let stage = Stage::open(engine).await;
    let node = stage.house.another_node().await;
    with_token(&node, &stage.tokens).get("/v1/me").await.is_ok();
    with_token(&node, &stage.of_own).get("/v1/me").await.is_ok();
    stage.does("revoke").await.is_ok_redirect();
    let there = with_token(&node, &stage.tokens);
    wait::until("the other node refuses", Duration::from_secs(1), || async {
        there.get("/v1/me").await.status() == 401
    })
    .await;
    with_token(&node, &stage.of_own).get("/v1/me").await.is_ok();
}

async fn a_code_that_a_device_got_buys_nothing_once_it_is_locked_out(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, own, other, .. } = &stage;
    let under_way = other.authorize(house, &[]).await.code_for_app();
    let of_own = own.authorize(house, &[]).await.code_for_app();
    let before = stage.rows().await;
    stage.does("revoke").await.is_ok_redirect();
    // Let in again at once: what was on its way stays worthless.
    stage.does("unrevoke").await.is_ok_redirect();
    house.node.token(&redemption(&under_way)).await.oauth_error(400, "invalid_grant");
    assert_eq!(stage.rows().await, before);
    house.node.token(&redemption(&of_own)).await.is_ok();
}

async fn an_app_that_showed_the_passkey_itself_loses_its_tokens_too(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, passkey, .. } = &stage;
    let asked = house.authorization(&[("state", "")]);
    let path = "/oauth2/authorize-challenge";
    let begun = house.node.client().post_form(path, &asked).await;
    let say = async |last: &Answer, name: &str, value: &str| {
        let session = last.text("auth_session");
        let sent = [("client_id", "c3"), ("auth_session", &*session), (name, value)];
        house.node.client().post_form(path, &sent).await
    };
    let question = say(&begun, "method", "passkey").await;
    let answer = passkey.get(&question.json()["prompt"]);
    let code = say(&question, "passkey", &answer).await.ok().text("authorization_code");
    let tokens = house.node.token(&redemption(&code)).await.ok();
    with_token(&house.node, &tokens).get("/v1/me").await.is_ok();
    stage.does("revoke").await.is_ok_redirect();
    with_token(&house.node, &tokens).get("/v1/me").await.denied(401, "invalid_credentials");
}

async fn a_device_that_is_let_in_again_signs_in_and_what_was_ended_stays_ended(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, passkey, other, tokens, .. } = &stage;
    stage.does("revoke").await.is_ok_redirect();
    stage.does("unrevoke").await.is_ok_redirect();
    with_token(&house.node, tokens).get("/v1/me").await.denied(401, "invalid_credentials");
    refresh(house, tokens).await.oauth_error(400, "invalid_grant");
    assert_eq!(other.get("/account").await.status(), 303, "signed out there");
    let page = other.sent_by_app(house, &[]).await;
    let code = other.shows_passkey(&page, passkey).await.code_for_app();
    let new = house.node.token(&redemption(&code)).await.ok();
    with_token(&house.node, &new).get("/v1/me").await.is_ok();
    house.only_entry("device.unrevoked").await;
    let letters = house.node.service.outbox(None).await.unwrap();
    let said = "A passkey of your account with A project was let in again";
    assert_eq!(letters.iter().filter(|it| it.content.subject == said).count(), 1);
}

async fn a_device_that_is_deleted_is_forgotten_and_what_it_opened_ends(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, own, passkey, other, tokens, of_own, .. } = &stage;
    stage.does("remove").await.is_ok_redirect();
    with_token(&house.node, tokens).get("/v1/me").await.denied(401, "invalid_credentials");
    with_token(&house.node, of_own).get("/v1/me").await.is_ok();
    assert_eq!(other.get("/account").await.status(), 303, "signed out there");
    assert!(passkey_ids(&own.page("/account").await).is_empty());
    assert_eq!(house.database.number("select count(*) from device_sessions").await, 0);
    let page = other.sent_by_app(house, &[]).await;
    let refused = other.shows_passkey(&page, passkey).await;
    assert!(other.follow(&refused).await.says("This passkey can&#39;t be used here"), "{refused}");
    let again = stage.does("remove").await;
    assert_eq!(again.header("location"), "/account?m=passkey");
}

async fn a_device_of_another_user_is_nobodys_business(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, id, tokens, .. } = &stage;
    house.user("bob@example.com").await;
    let (bob, _) = house.passkey_of("bob@example.com").await;
    let token = bob.page("/account").await.form_token();
    let before = house.books().await;
    for id in [id.as_str(), "pky_nonsense", ""] {
        for what in ["revoke", "unrevoke", "remove"] {
            let answer = bob.post("/account/passkeys", &[("form", &*token), ("do", what), ("id", id)]).await;
            assert_eq!((answer.status(), answer.header("location")), (303, "/account?m=passkey"), "{what} {id}");
        }
    }
    let service = &house.node.service;
    let (of_bob, device) = (house.user_id("bob@example.com").await, id.parse().unwrap());
    for refused in [
        service.revoke_device(&p1(), of_bob, device, By::Operator).await,
        service.unrevoke_device(&p1(), of_bob, device, By::Operator).await,
        service.delete_device(&p1(), of_bob, device, By::Operator).await,
    ] {
        assert!(matches!(refused, Err(DeviceRefused::NotFound)), "{refused:?}");
    }
    assert_eq!(house.books().await, before);
    with_token(&house.node, tokens).get("/v1/me").await.is_ok();
    stage.does("revoke").await.is_ok_redirect();
}

async fn what_was_done_before_is_not_done_again(engine: Engine) {
    let stage = Stage::open(engine).await;
    let (service, ada) = (&stage.house.node.service, stage.house.user_id(ADA).await);
    let id = stage.id.parse().unwrap();
    let revoke = async || service.revoke_device(&p1(), ada, id, By::Operator).await.unwrap();
    let unrevoke = async || service.unrevoke_device(&p1(), ada, id, By::Operator).await.unwrap();
    assert_eq!(unrevoke().await, Changed::Already);
    assert_eq!([revoke().await, revoke().await], [Changed::Done, Changed::Already]);
    assert_eq!([unrevoke().await, unrevoke().await], [Changed::Done, Changed::Already]);
    assert_eq!(stage.house.only_entry("device.revoked").await.actor_kind, "operator");
    stage.house.only_entry("device.unrevoked").await;
    let letters = stage.house.node.service.outbox(None).await.unwrap();
    assert!(!letters.iter().any(|it| it.content.subject.contains("locked out")), "the operator tells nobody");
}

/// Whoever comes first: when both are done, nobody is signed in by the device.
async fn of_a_sign_in_and_a_revocation_at_once_nothing_is_left_signed_in(engine: Engine) {
    for _ in 0..6 {
        let stage = Stage::open(engine).await;
        let Stage { house, own, passkey, other, id, .. } = &stage;
        let newcomer = house.browser();
        let page = newcomer.sent_by_app(house, &[]).await;
        let answer = passkey.get(&newcomer.passkey_question(&page).await.ok().json());
        let token = own.page("/account").await.form_token();
        let mut racers = JoinSet::new();
        let (own, id) = (own.with("x-racer", "1"), id.clone());
        racers.spawn(
            async move { own.post("/account/passkeys", &[("form", &token), ("do", "revoke"), ("id", &id)]).await },
        );
        let shown = newcomer.with("x-racer", "2");
        racers.spawn(async move { shown.act(&page, "passkey", &[("passkey", &answer)]).await });
        let silent = other.with("x-racer", "3");
        let query = format!("/oauth2/authorize?{}", form(&house.authorization(&[("prompt", "none")])));
        racers.spawn(async move { silent.get(&query).await });
        let mut codes = Vec::new();
        for answer in racers.join_all().await {
            assert_eq!(answer.status(), 303, "{answer}");
            if answer.header("location").contains("code=") {
                codes.push(answer.code_for_app());
            }
        }
        for code in codes {
            house.node.token(&redemption(&code)).await.oauth_error(400, "invalid_grant");
        }
        let live = "select count(*) from browser_sessions where passkey_id is not null and ended_at is null";
        assert_eq!(house.database.number(live).await, 0);
    }
}

async fn csrf_on_the_forms_about_devices(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, own, id, tokens, .. } = &stage;
    let (stranger, token) = (house.browser(), own.page("/account").await.form_token());
    let strange = stranger.sent_by_app(house, &[]).await.form_token();
    for what in ["revoke", "unrevoke", "remove"] {
        let with = |token| [("form", token), ("do", what), ("id", id.as_str())];
        for wrong in ["", "AAAA", &strange] {
            assert_eq!(own.post("/account/passkeys", &with(wrong)).await.status(), 403, "{what}");
        }
        for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "same-site")] {
            let answer = own.with(name, value).post("/account/passkeys", &with(&token)).await;
            assert_eq!(answer.status(), 403, "{what} with {name}: {answer}");
        }
        assert_eq!(stranger.post("/account/passkeys", &with(&token)).await.status(), 410, "{what}");
    }
    assert!(house.entries("device.revoked").await.is_empty());
    with_token(&house.node, tokens).get("/v1/me").await.is_ok();
    let revoked = [("form", token.as_str()), ("do", "revoke"), ("id", id.as_str())];
    own.with("sec-fetch-site", "same-origin").post("/account/passkeys", &revoked).await.is_ok_redirect();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_proved_too_long_ago_signs_in_again_before_a_device_is_changed() {
    let stage = Stage::open(Engine::Sqlite).await;
    let Stage { house, own, id, tokens, .. } = &stage;
    let token = own.page("/account").await.form_token();
    house.advance(Duration::from_mins(10) + Duration::from_secs(1)).await;
    let mut last = None;
    for what in ["revoke", "unrevoke", "remove"] {
        let answer = own.post("/account/passkeys", &[("form", &*token), ("do", what), ("id", id)]).await;
        let page = own.follow(&answer).await;
        assert_eq!(page.heading(), "Sign in", "{what}");
        last = Some(page);
    }
    assert!(house.entries("device.revoked").await.is_empty());
    assert!(passkey_ids(&own.page("/account").await).contains(id));
    refresh(house, tokens).await.is_ok();
    let page = own.asks_for_code(&last.unwrap(), ADA).await;
    let code = house.newest_code(ADA).await;
    own.act(&page, "code", &[("code", &code)]).await.is_ok_redirect();
    stage.does("revoke").await.is_ok_redirect();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_opened_is_remembered_as_long_as_it_lives_and_no_longer() {
    let stage = Stage::open(Engine::Sqlite).await;
    let Stage { house, .. } = &stage;
    let rows = async || house.database.number("select count(*) from device_sessions").await;
    assert_eq!(rows().await, 1);
    house.advance(Duration::from_hours(24 * 10)).await;
    house.node.service.maintain().await;
    assert_eq!(rows().await, 1, "the session may be refreshed yet");
    house.advance(Duration::from_hours(24 * 400)).await;
    for _ in 0..2 {
        house.advance(Duration::from_mins(11)).await;
        house.node.service.maintain().await;
    }
    assert_eq!((stage.rows().await, rows().await), (0, 0));
}

/// The server is one process, the operator's command another.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_locks_out_a_device_of_a_running_server_within_a_second() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::new(env!("CARGO_BIN_EXE_countersign"), &directory.path().join("data"));
    let server = program.dev().await;
    let redirect_uri = format!("oauth.redirect_uris={REDIRECT_URI}");
    program.json(&["client", "set", "c3", &redirect_uri]).await;
    let own = Browser::of(server.client());
    let page = own.follow(&own.get("/account").await).await;
    let page = own.asks_for_code(&page, ADA).await;
    let code = newest_code(&server).await;
    own.act(&page, "code", &[("code", &code)]).await.is_ok_redirect();
    let mut passkey = Authenticator::synced(&server.base().replace("127.0.0.1", "localhost"));
    own.makes_passkey(&mut passkey).await.is_ok_redirect();

    let query = form(&[
        ("response_type", "code"),
        ("client_id", "c3"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid email"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ]);
    let other = Browser::of(server.client()).user_agent(CHROME);
    let address = format!("/oauth2/authorize?{query}");
    wait::until("the server knows where the app is", Duration::from_secs(5), || async {
        other.get(&address).await.status() == 303
    })
    .await;
    let page = other.follow(&other.get(&address).await).await;
    let code = other.shows_passkey(&page, &passkey).await.code_for_app();
    let tokens = server.client().post_form("/oauth2/token", &redemption(&code)).await.ok();
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    let app = server.client().with("authorization", &bearer);
    app.get("/v1/me").await.is_ok();

    let devices = program.json(&["user", "devices", ADA]).await;
    let device = &devices[0];
    assert_eq!((&device["user_agent"], &device["revoked_at"]), (&CHROME.into(), &Value::Null), "{devices}");
    assert!(device["last_attempted_at"].is_string() && device["created_at"].is_string(), "{devices}");
    let id = device["id"].as_str().unwrap();
    let done = program.json(&["user", "device", "revoke", ADA, id]).await;
    assert_eq!(done["changed"], true);
    wait::until("the server refuses", Duration::from_secs(1), || async { app.get("/v1/me").await.status() == 401 })
        .await;
    assert_eq!(other.get("/account").await.status(), 303, "signed out there");
    assert_eq!(program.json(&["user", "device", "revoke", ADA, id]).await["changed"], false);
    assert!(program.json(&["user", "devices", ADA]).await[0]["revoked_at"].is_string());
    program.json(&["user", "device", "unrevoke", ADA, id]).await;
    assert_eq!(app.get("/v1/me").await.status(), 401);
    let page = other.follow(&other.get("/account").await).await;
    other.shows_passkey(&page, &passkey).await.is_ok_redirect();
    program.json(&["user", "device", "delete", ADA, id]).await;
    assert_eq!(other.get("/account").await.status(), 303, "signed out there");
    assert_eq!(program.json(&["user", "devices", ADA]).await, Value::Array(Vec::new()));
    program.run(&["user", "device", "revoke", ADA, id]).await.refused(1);
}

async fn newest_code(server: &Running) -> String {
    let caught = server.client().get(&format!("/dev/outbox?to={ADA}")).await.ok().json();
    caught["messages"][0]["code"].as_str().expect("a code").to_owned()
}
