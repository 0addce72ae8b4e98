//! Tokens that somebody was given, put to the test: at Countersign, and at an API with a client library of its own.

use std::{ffi::OsString, time::Duration};

use countersign_testkit::actors::{App, Backend};
use serde_json::{Value, json};

use super::{dev::Dev, tools::run};

/// A program that checks an access token as an API would: `PROGRAM … JWKS_URI ISSUER AUDIENCE TOKEN` prints the claims, or fails.
pub(super) struct Verifier(pub(super) Vec<OsString>);

impl Verifier {
    async fn verify(&self, [jwks_uri, issuer, audience, token]: [&str; 4]) -> Result<Value, String> {
        let mut command = tokio::process::Command::new(&self.0[0]);
        command.args(&self.0[1..]).args([jwks_uri, issuer, audience, token]);
        let done = run(command).await;
        if done.status == 0 { Ok(serde_json::from_str(&done.stdout).unwrap()) } else { Err(done.stderr) }
    }

    /// The claims of a token of `dev`, which must be good, and must be for nobody else.
    async fn claims(&self, dev: &Dev, token: &str) -> Value {
        let (jwks_uri, issuer) = (dev.fact("/oauth/jwks_uri"), dev.fact("/oauth/issuer"));
        let claims = self.verify([jwks_uri, issuer, issuer, token]).await.expect("the library takes the token");
        let forged = forge(token);
        for wrong in [
            [jwks_uri, issuer, "http://localhost/another", token],
            [jwks_uri, "http://localhost/another", issuer, token],
            [jwks_uri, issuer, issuer, &forged],
        ] {
            let outcome = self.verify(wrong).await;
            assert!(outcome.is_err(), "the library takes anything: {wrong:?}");
        }
        claims
    }
}

/// The same claims under a signature of somebody else's: one bit in its middle differs.
fn forge(token: &str) -> String {
    let (content, signature) = token.rsplit_once('.').unwrap();
    let (first, rest) = signature.split_at(signature.len() / 2);
    let turned = if rest.starts_with('A') { 'B' } else { 'A' };
    format!("{content}.{first}{turned}{}", &rest[1..])
}

/// Tokens of `email` for the app `c1`: they verify, they say who it is, they refresh, and they die with the session.
pub(super) async fn are_real(dev: &Dev, verifier: &Verifier, mut app: App, email: &str) {
    let first = app.clone();
    let session = says_who_it_is(dev, verifier, &app, email).await;

    app.refresh().await.is_ok();
    assert_ne!(app.refresh, first.refresh, "a refresh token was given twice");
    assert_ne!(app.access, first.access, "an access token was given twice");
    assert_eq!(says_who_it_is(dev, verifier, &app, email).await, session, "a refresh stays within its session");

    assert_eq!(app.sign_out().await.ok().json(), json!({ "id": session }));
    app.try_refresh().await.gone("ended");
    first.try_refresh().await.gone("ended");
    assert_eq!(app.me().await.status(), 401, "the access token outlives its session");
}

/// A token that has expired is worth nothing to the library, and nothing to Countersign.
pub(super) async fn expire(verifier: &Verifier) {
    let dev = Dev::start().await;
    let lifetime = Duration::from_secs(10);
    dev.program.run(&["client", "set", "c1", "access.lifetime=10s"]).await.ok();
    let backend = Backend::new(&dev.client(), dev.fact("/secret_key"));
    let mut vouched = backend.sign_up("ada@example.com").await.ok();
    // A running server hears of a setting within a second.
    while vouched.json()["authTokenExpiresIn"] != lifetime.as_secs() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        vouched = backend.sign_in("ada@example.com").await.ok();
    }
    let app = dev.app(&vouched.json());
    let (jwks_uri, issuer) = (dev.fact("/oauth/jwks_uri"), dev.fact("/oauth/issuer"));
    let question = [jwks_uri, issuer, issuer, &app.access];
    verifier.verify(question).await.expect("the library takes the token");

    tokio::time::sleep(lifetime + Duration::from_secs(1)).await;
    let why = verifier.verify(question).await.expect_err("the token has expired");
    assert!(why.to_lowercase().contains("expired"), "{why}");
    assert_eq!(app.me().await.status(), 401);
}

/// Countersign and the library must say the same of the access token. Gives its session.
async fn says_who_it_is(dev: &Dev, verifier: &Verifier, app: &App, email: &str) -> String {
    let me = app.me().await.ok().json();
    let session = me["session_id"].as_str().expect("a session").to_owned();
    assert_eq!((&me["uid"], &me["email"]), (&json!(app.uid), &json!(email)), "{me}");
    assert_eq!((&me["project"], &me["client_id"]), (&json!("p1"), &json!("c1")), "{me}");

    let claims = verifier.claims(dev, &app.access).await;
    let issuer = dev.fact("/oauth/issuer");
    for (name, value) in [
        ("sub", json!(app.uid)),
        ("iss", json!(issuer)),
        ("aud", json!(issuer)),
        ("client_id", json!("c1")),
        ("sid", json!(session)),
        ("exp", me["expires_at"].clone()),
        ("amr", me["amr"].clone()),
        ("vby", me["vouched_by"].clone()),
    ] {
        assert_eq!(claims[name], value, "{name} of {claims}");
    }
    session
}
