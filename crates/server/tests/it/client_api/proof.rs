//! The verdict on an HMAC that is good for ever.

use countersign_domain::client_api_key::ClientApiKeyKind;
use countersign_testkit::{
    client_app::{ClientApp, hmac_of},
    database::Engine,
    house::House,
    on_both_engines,
};

on_both_engines!(
    a_user_whom_the_backend_proved_is_let_in,
    every_flaw_is_one_refusal_and_leaves_nothing_behind,
    only_the_padded_standard_spelling_is_taken,
    a_proof_is_of_one_user,
    a_proof_is_of_one_project,
    both_names_of_the_headers_are_one_door,
    a_secret_key_and_a_proof_are_never_mixed,
    an_access_token_and_a_proof_are_never_mixed,
    whoever_fails_too_often_waits_and_whoever_is_proved_does_not,
);

/// Everything of a refusal that a caller could tell one from another by.
async fn refusal(app: &ClientApp) -> (u16, String, String) {
    let answer = app.verify().await;
    answer.denied(401, "invalid_credentials");
    (answer.status(), answer.json().to_string(), answer.header("www-authenticate").to_owned())
}

async fn a_user_whom_the_backend_proved_is_let_in(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let me = app.me().await.ok();
    let expected = serde_json::json!({
        "uid": me.text("uid"), "project": "p1", "external_id": "crm-7", "amr": ["hmac"],
        "acr": "urn:countersign:acr:vouched", "vouched_by": house.hmac.key.id.to_string(),
    });
    assert_eq!(me.json(), expected);
    assert_eq!(app.uid().await, me.text("uid"), "the same user at the next call");
}

async fn every_flaw_is_one_refusal_and_leaves_nothing_behind(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=1000000"]).await;
    let app = house.client_app("crm-7");
    let before = house.books().await;
    let hmac = app.hmac.clone().unwrap();
    let flaws = [
        ("no HMAC", app.unproved()),
        ("an empty HMAC", app.showing("")),
        ("garbage", app.showing("garbage")),
        ("another user's HMAC", app.showing(&hmac_of(house.hmac.text.danger_expose(), "crm-8"))),
        ("another user", app.naming("crm-8")),
        ("another case", app.naming("CRM-7")),
        ("no user", app.naming("")),
        ("a user of 256 bytes", house.client_app(&"a".repeat(256))),
        ("no key", app.with_key("")),
        ("an unknown key", app.with_key(&format!("pk_{}", "0".repeat(72)))),
        ("most of a key", app.with_key(&app.key[..app.key.len() - 1])),
        ("the key in another case", app.with_key(&app.key.to_ascii_uppercase())),
        ("a secret key for a publishable one", app.with_key(house.key.secret.danger_expose())),
        ("the secret for the key", app.with_key(house.hmac.text.danger_expose())),
        ("the HMAC under the publishable key", app.showing(&hmac_of(&app.key, "crm-7"))),
        ("the HMAC under the secret without its prefix", {
            app.showing(&hmac_of(&house.hmac.text.danger_expose()["hsec_".len()..], "crm-7"))
        }),
        ("a v2 proof that isn't one", app.showing(&format!("v2.1.{hmac}"))),
    ];
    let mut refusals = Vec::new();
    for (flaw, app) in &flaws {
        refusals.push((*flaw, refusal(app).await));
    }
    for (flaw, refusal) in &refusals {
        assert_eq!(refusal, &refusals[0].1, "{flaw} can be told from {}", refusals[0].0);
    }
    assert_eq!(house.books().await, before);
    app.verify().await.is_ok();
}

async fn only_the_padded_standard_spelling_is_taken(engine: Engine) {
    let house = House::open(engine).await;
    // An id whose HMAC has both letters in which the alphabets differ.
    let app = (0..).map(|number| house.client_app(&format!("crm-{number}")));
    let mut app = app.filter(|it| it.hmac.as_ref().is_some_and(|hmac| hmac.contains('+') && hmac.contains('/')));
    let app = app.next().unwrap();
    let hmac = app.hmac.clone().unwrap();
    let bytes = base64_bytes(&hmac);
    let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let spellings = [
        hmac.trim_end_matches('=').to_owned(),
        hmac.replace('+', "-").replace('/', "_"),
        hmac.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned(),
        format!("{hmac}="),
        format!("\"{hmac}\""),
        format!("sha256={hmac}"),
        hex.to_uppercase(),
        hex,
    ];
    for spelling in spellings {
        refusal(&app.showing(&spelling)).await;
    }
    app.verify().await.is_ok();
}

fn base64_bytes(text: &str) -> Vec<u8> {
    let url_safe = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    countersign_crypto::encoding::decode(url_safe).unwrap()
}

async fn a_proof_is_of_one_user(engine: Engine) {
    let house = House::open(engine).await;
    let (ada, bob) = (house.client_app("ada"), house.client_app("bob"));
    assert_ne!(ada.uid().await, bob.uid().await);
    refusal(&ada.naming("bob")).await;
    refusal(&bob.naming("ada")).await;
}

async fn a_proof_is_of_one_project(engine: Engine) {
    let house = House::open(engine).await;
    house.another_project("p2").await;
    let theirs = house.node.new_client_api_key("p2", ClientApiKeyKind::Publishable).await;
    let their_secret = house.node.new_client_api_key("p2", ClientApiKeyKind::Hmac).await;
    let ours = house.client_app("crm-7");
    let them = ours.with_key(theirs.text.danger_expose());
    refusal(&them).await;
    let them = them.showing(&hmac_of(their_secret.text.danger_expose(), "crm-7"));
    assert_eq!(them.me().await.ok().text("project"), "p2");
    assert_ne!(them.uid().await, ours.uid().await, "one id names another user in each project");
    // The key names the project, and the path must agree.
    them.get("/p/p2/verify").await.is_ok();
    them.get("/p/p1/verify").await.denied(401, "invalid_credentials");
}

async fn both_names_of_the_headers_are_one_door(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let http = house.node.client();
    let ours = http
        .with("X-Countersign-Api-Key", &app.key)
        .with("X-COUNTERSIGN-USER-EXTERNAL-ID", &app.id)
        .with("x-countersign-user-hmac", app.hmac.as_ref().unwrap());
    assert_eq!(ours.get("/v1/me").await.ok().text("uid"), app.uid().await);
    // One under each name is two.
    let twice = ours.with("x-proficient-user-external-id", &app.id);
    twice.get("/verify").await.denied(401, "invalid_credentials");
}

async fn a_secret_key_and_a_proof_are_never_mixed(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let secret = format!("Bearer {}", house.key.secret.danger_expose());
    let before = house.books().await;
    for app in [app.clone(), app.unproved()] {
        app.http().with("authorization", &secret).get("/verify").await.denied(401, "invalid_credentials");
    }
    assert_eq!(house.books().await, before);
    app.verify().await.is_ok();
    house.secret_bearer().get("/verify").await.is_ok();
    // A publishable key beside it only names the project.
    house.secret_bearer().with("x-proficient-api-key", &app.key).get("/verify").await.is_ok();
    house.secret_bearer().with("x-proficient-api-key", "pk_0").get("/verify").await.denied(401, "invalid_credentials");
}

async fn an_access_token_and_a_proof_are_never_mixed(engine: Engine) {
    let house = House::open(engine).await;
    let token = house.backend().new_app("ada@example.com").await.access;
    let app = house.client_app("crm-7");
    let bearer = format!("Bearer {token}");
    app.http().with("authorization", &bearer).get("/v1/me").await.denied(401, "invalid_credentials");
    let alone = house.node.client().with("authorization", &bearer).get("/v1/me").await.ok();
    assert_eq!(alone.text("email"), "ada@example.com");
}

async fn whoever_fails_too_often_waits_and_whoever_is_proved_does_not(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=5"]).await;
    let app = house.client_app("crm-7");
    let thief = app.showing("garbage");
    for _ in 0..5 {
        thief.get("/p/p1/verify").await.denied(401, "invalid_credentials");
    }
    let refused = thief.get("/p/p1/verify").await;
    refused.denied(429, "rate_limited");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    app.get("/p/p1/verify").await.is_ok();
}
