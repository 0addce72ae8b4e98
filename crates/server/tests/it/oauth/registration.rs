//! What operators register of a client, and what makes no sense.

use std::time::Duration;

use countersign_crypto::jose::public_key::Kind;
use countersign_testkit::{
    bound::a_key,
    database::{Engine, TestDatabase},
    house::{House, changes, p1},
    on_both_engines,
    program::Program,
    provider::{REDIRECT_URI, redemption},
    wait::until,
};
use serde_json::json;

on_both_engines!(
    what_makes_no_sense_is_refused_and_changes_nothing,
    what_is_registered_reaches_every_node,
    a_clients_settings_are_no_projects,
);

async fn what_makes_no_sense_is_refused_and_changes_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let key = a_key(Kind::Es256);
    let mut private = key.jwk();
    private["d"] = "AAAA".into();
    let (private, short) = (
        json!({"keys": [private]}).to_string(),
        json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}).to_string(),
    );
    for (client, setting, told) in [
        ("c3", "oauth.redirect_uris=http://app.example.com/callback", "must be https"),
        ("c3", "oauth.redirect_uris=https://app.example.com/callback#a", "fragment"),
        ("c3", "oauth.redirect_uris=https://user@app.example.com/", "user"),
        ("c3", "oauth.redirect_uris=https://app.example.com/a/../b", "`..`"),
        ("c3", "oauth.redirect_uris=com.example.app:/callback", "apps on a device"),
        ("c3", "oauth.auth_method=client_secret_basic", "must be `none`"),
        ("c3", "oauth.auth_method=tls", "must be `none`"),
        ("c3", "oauth.pkce=nonce_or_pkce", "authenticate themselves"),
        ("c3", "oauth.pkce=off", "`required`"),
        ("c3", "oauth.grants=password", "must be"),
        ("c3", "oauth.grants=client_credentials", "authenticate themselves"),
        ("c3", "oauth.id_token_alg=HS256", "must be `ES256`"),
        ("c3", "oauth.id_token_alg=none", "must be `ES256`"),
        ("c3", "oauth.first_party=yes", "`on` or `off`"),
        ("c4", "oauth.jwks={}", "JWK Set"),
        ("c4", "oauth.jwks=[]", "JWK Set"),
        ("c4", &format!("oauth.jwks={private}"), "private half"),
        ("c4", &format!("oauth.jwks={short}"), "2048"),
    ] {
        let before = house.database.dump().await;
        let refused = house.node.service.set_client(&p1(), &client.parse().unwrap(), changes(&[setting])).await;
        let problem = refused.err().unwrap_or_else(|| panic!("{setting} was taken")).to_string();
        assert!(problem.contains(told), "{setting}: {problem}");
        assert_eq!(house.database.dump().await, before, "{setting}");
    }
    house.set_client("c1", &["oauth.redirect_uris=com.example.app:/callback https://app.example.com/callback"]).await;
    house.set_client("c4", &[&format!("oauth.jwks={}", json!({"keys": [key.jwk()]}))]).await;
}

async fn what_is_registered_reaches_every_node(engine: Engine) {
    let house = House::open(engine).await;
    let second = house.another_node().await;
    let uid = house.user("ada@example.com").await;
    house.web_app().await;
    second.service.tick().await;
    let code = house.code(&uid, &[]).await;
    second.token(&redemption(&code)).await.is_ok();
    let secret = house.with_secret("client_secret_post").await;
    let asked = [("grant_type", "client_credentials"), ("client_id", "c4"), ("client_secret", secret.as_str())];
    second.service.tick().await;
    second.token(&asked).await.is_ok();
    let listed = house.node.service.list_client_secrets(&p1(), &"c4".parse().unwrap()).await.unwrap();
    house.node.service.revoke_client_secret(&p1(), &"c4".parse().unwrap(), listed[0].id).await.unwrap();
    second.service.tick().await;
    second.token(&asked).await.oauth_error(401, "invalid_client");
    assert_eq!(house.entries("client_secret.created").await.len(), 1);
    assert_eq!(house.only_entry("client_secret.revoked").await.client_id.as_deref(), Some("c4"));
}

async fn a_clients_settings_are_no_projects(engine: Engine) {
    let house = House::open(engine).await;
    let setting = format!("oauth.redirect_uris={REDIRECT_URI}");
    let refused = house.node.service.set_project(&p1(), changes(&[&setting])).await.unwrap_err().to_string();
    assert_eq!(refused, "`oauth.redirect_uris` is a setting of a client, not of the project");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_registers_clients_and_gives_them_secrets() {
    let database = TestDatabase::create(Engine::Sqlite).await;
    let program = Program::new(env!("CARGO_BIN_EXE_countersign"), &database.directory().join("data"));
    let running = program.dev().await;
    let shown = program.json(&["client", "show", "c3"]).await;
    let value = |name: &str| shown["settings"][name]["value"].clone();
    assert_eq!(value("oauth.redirect_uris"), "http://localhost:5000/callback");
    assert_eq!((value("oauth.first_party"), value("oauth.pkce")), (json!("on"), json!("required")));
    let c4 = program.json(&["client", "show", "c4"]).await;
    assert_eq!(c4["settings"]["oauth.auth_method"]["value"], "private_key_jwt");
    assert_eq!(c4["settings"]["oauth.legacy"]["value"], "on");
    let settings = ["oauth.auth_method=client_secret_post", "oauth.grants=client_credentials", "oauth.scopes=read"];
    program.json(&[&["client", "create", "c5", "--kind", "backend"], &settings[..]].concat()).await;
    let made = program.json(&["client", "secret", "create", "c5"]).await;
    let asked = [
        ("grant_type", "client_credentials"),
        ("client_id", "c5"),
        ("client_secret", made["secret"].as_str().unwrap()),
    ];
    let http = running.client();
    let is_heard_of = || async { http.post_form("/oauth2/token", &asked).await.status() == 200 };
    until("the server knows the client", Duration::from_secs(5), is_heard_of).await;
    let listed = program.json(&["client", "secret", "list", "c5"]).await;
    assert_eq!(listed[0]["prefix"], made["prefix"]);
    assert!(!listed.to_string().contains(made["secret"].as_str().unwrap()));
    program.json(&["client", "secret", "revoke", "c5", made["id"].as_str().unwrap()]).await;
    let key = program.json(&["key", "create", "--kind", "signing", "--alg", "RS256"]).await;
    let keys = program.json(&["key", "list"]).await;
    let found = keys["signing"].as_array().unwrap().iter().find(|it| it["id"] == key["id"]).unwrap();
    assert_eq!((&found["alg"], &found["state"]), (&"RS256".into(), &"active".into()));
    assert_eq!(running.stop().await.0, 0);
}
