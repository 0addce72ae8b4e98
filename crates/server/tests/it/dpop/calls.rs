//! Calls with a bound access token.

use countersign_crypto::{digest::sha256, encoding, jose::public_key::Kind};
use countersign_testkit::{
    actors::App,
    bound::{Proof, a_key},
    database::Engine,
    house::House,
    on_both_engines,
    token::claims,
};
use hyper::Method;
use serde_json::{Value, json};

use super::{MINUTE, bound_app, challenged, is_challenge};

on_both_engines!(
    a_bound_token_says_to_which_key_and_works_with_a_proof_of_it,
    keys_of_either_kind_work,
    a_bound_token_shown_as_a_bearer_token_is_refused,
    a_plain_token_shown_as_a_bound_one_is_refused,
    a_bound_token_without_a_proof_or_with_two_is_refused,
    a_proof_of_another_key_is_refused,
    a_proof_for_another_call_or_token_is_refused,
    a_proof_that_is_too_old_or_from_the_future_is_refused,
    a_proof_that_is_none_is_refused,
    every_place_that_takes_an_access_token_asks_for_the_proof,
    a_bound_token_that_is_over_is_refused_in_the_way_it_was_shown,
);

async fn a_bound_token_says_to_which_key_and_works_with_a_proof_of_it(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let jkt = encoding::encode(app.key.thumbprint().0);
    assert_eq!(claims(&app.app.access)["cnf"], json!({ "jkt": jkt }));
    let me = app.me().await.ok();
    assert_eq!((me.text("uid"), me.text("session_id")), (app.app.uid.clone(), app.app.session()));
    let plain = house.backend().new_app("bob@example.com").await;
    assert_eq!(claims(&plain.access).get("cnf"), None);
    plain.me().await.is_ok();
}

async fn keys_of_either_kind_work(engine: Engine) {
    let house = House::open(engine).await;
    for (kind, email) in [(Kind::Es256, "ada@example.com"), (Kind::EdDsa, "bob@example.com")] {
        let mut app = house.app_bound_to(&a_key(kind), email, "c1").await.informed().await;
        app.me().await.is_ok();
        app.refresh().await.is_ok();
        app.me().await.is_ok();
        app.sign_out().await.is_ok();
        assert_eq!(app.me().await.status(), 401);
    }
}

async fn a_bound_token_shown_as_a_bearer_token_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let error = ("invalid_token", "the access token is bound to a key");
    challenged(&app.app.me().await, error.0, error.1);
    // With a proof of the right key it is no better: what says `Bearer` is a copy.
    let with_proof = app.app.through(app.app.http.with("dpop", &app.proof_for_me().text()));
    challenged(&with_proof.me().await, error.0, error.1);
    let sessions = app.app.sessions().await;
    sessions.refused(401, 10_002);
    is_challenge(&sessions, error.0, error.1);
    let profile = app.app.profile().await;
    profile.refused(401, 10_002);
    is_challenge(&profile, error.0, error.1);
    app.me().await.is_ok();
}

async fn a_plain_token_shown_as_a_bound_one_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let plain = house.backend().new_app("bob@example.com").await;
    let disguised = app.holding(&plain);
    let error = ("invalid_token", "the access token is not bound to a key");
    challenged(&disguised.me().await, error.0, error.1);
    let profile = disguised.app.through(disguised.app.http.with("dpop", &disguised.proof("POST", PROFILE).text()));
    let refused = profile.profile().await;
    refused.refused(401, 10_002);
    is_challenge(&refused, error.0, error.1);
    plain.me().await.is_ok();
    plain.profile().await.is_ok();
}

const PROFILE: &str = "/auth/v1beta/authprofile";

async fn a_bound_token_without_a_proof_or_with_two_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let shown = app.app.http.with("authorization", &format!("DPoP {}", app.app.access));
    let error = ("invalid_dpop_proof", "the access token came without a proof of its key");
    challenged(&shown.get("/v1/me").await, error.0, error.1);
    let (one, other) = (app.proof_for_me().text(), app.proof_for_me().text());
    let twice = shown.with("dpop", &one).with("DPoP", &other);
    challenged(&twice.get("/v1/me").await, error.0, error.1);
    shown.with("dpop", &one).get("/v1/me").await.is_ok();
    shown.with("dpop", &other).get("/v1/me").await.is_ok();
}

async fn a_proof_of_another_key_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    for kind in [Kind::Es256, Kind::EdDsa] {
        let refused = app.me_with(&app.proof_for_me().by(&a_key(kind))).await;
        challenged(&refused, "invalid_token", "the access token is bound to another key");
    }
    // The right key's name over another's signature.
    let thief = a_key(Kind::Es256);
    let forged = app.proof_for_me().by(&thief).heading("jwk", app.key.jwk());
    challenged(&app.me_with(&forged).await, "invalid_dpop_proof", "the proof is not signed by its key");
    app.me().await.is_ok();
}

async fn a_proof_for_another_call_or_token_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let other_method = "htm of the proof is not the method of this call";
    let other_uri = "htu of the proof is not the address of this call";
    let other_token = "ath of the proof is not the hash of this access token";
    let other = encoding::encode(sha256("another token"));
    let cases: [(Proof, &str); 8] = [
        (app.proof_with_token("POST", "/v1/me"), other_method),
        (app.proof_for_me().saying("htm", "get"), other_method),
        (app.proof_with_token("GET", "/v1/you"), other_uri),
        (app.proof_for_me().saying("htu", "https://evil.example/v1/me"), other_uri),
        (app.proof_for_me().saying("htu", "/v1/me"), other_uri),
        (app.proof("GET", "/v1/me"), other_token),
        (app.proof_for_me().saying("ath", other), other_token),
        (app.proof_for_me().saying("ath", app.app.access.as_str()), other_token),
    ];
    for (proof, description) in cases {
        challenged(&app.me_with(&proof).await, "invalid_dpop_proof", description);
    }
    let spelt_otherwise = format!("{}/v1/x/%2E%2E/m%65?a=b#c", app.url.replace("http", "HTTP"));
    app.me_with(&app.proof_for_me().saying("htu", spelt_otherwise)).await.is_ok();
}

async fn a_proof_that_is_too_old_or_from_the_future_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let now = app.proof_for_me().claims["iat"].as_i64().unwrap();
    for (iat, description) in [
        (now - 62, "the proof is older than a minute"),
        (now + 8, "the proof is from the future"),
        (0, "the proof is older than a minute"),
    ] {
        challenged(&app.me_with(&app.proof_for_me().saying("iat", iat)).await, "invalid_dpop_proof", description);
    }
    for iat in [now - 55, now + 4] {
        app.me_with(&app.proof_for_me().saying("iat", iat)).await.is_ok();
    }
}

async fn a_proof_that_is_none_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let mut private = app.key.jwk();
    private["d"] = json!("AAAA");
    let good = || app.proof_for_me();
    let cases: [(Proof, &str); 10] = [
        (good().heading("typ", "JWT"), "the proof is of another type than dpop+jwt"),
        (good().heading("alg", "none"), "the algorithm of the proof is not its key's"),
        (good().heading("alg", "HS256"), "the algorithm of the proof is not its key's"),
        (good().heading("alg", "EdDSA"), "the algorithm of the proof is not its key's"),
        (good().heading("jwk", private), "the key holds its private half"),
        (good().heading("jwk", json!({ "kty": "oct", "k": "AAAA" })), "the key holds its private half"),
        (good().heading("jwk", Value::Null), "the key is no JSON object"),
        (good().heading("crit", json!(["b64"])), "the proof has a critical extension"),
        (good().saying("jti", ""), "jti of the proof must be 1 to 128 bytes"),
        (good().saying("jti", "x".repeat(129)), "jti of the proof must be 1 to 128 bytes"),
    ];
    for (proof, description) in cases {
        challenged(&app.me_with(&proof).await, "invalid_dpop_proof", description);
    }
    let shown = app.app.http.with("authorization", &format!("DPoP {}", app.app.access));
    for text in ["", "garbage", "a.b.c", app.app.access.as_str(), &"x".repeat(5_000)] {
        let refused = shown.with("dpop", text).get("/v1/me").await;
        assert_eq!((refused.status(), &refused.json()["error"]["code"]), (401, &"invalid_credentials".into()));
        assert!(refused.header("www-authenticate").starts_with("DPoP error=\"invalid_dpop_proof\""), "{text}");
    }
    app.me().await.is_ok();
}

async fn every_place_that_takes_an_access_token_asks_for_the_proof(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    for path in ["/v1/me".to_owned(), format!("/auth/v1/user/{}/sessions", app.app.uid)] {
        for at in ["", "/p/p1"] {
            let path = format!("{at}{path}");
            app.call(&Method::GET, &path, &app.proof_with_token("GET", &path)).await.is_ok();
            let stranger = app.proof_with_token("GET", &path).by(&a_key(Kind::Es256));
            let refused = app.call(&Method::GET, &path, &stranger).await;
            assert_eq!(refused.status(), 401, "{path}: {refused}");
            is_challenge(&refused, "invalid_token", "the access token is bound to another key");
        }
    }
    // Where the token is in the body, the header is all that shows the key.
    let with = |proof: Proof| app.app.through(app.app.http.with("dpop", &proof.text()));
    let answer = with(app.proof_with_token("POST", PROFILE)).profile().await.ok();
    assert_eq!(answer.text("uid"), app.app.uid);
    let refused = with(app.proof_with_token("POST", PROFILE).by(&a_key(Kind::Es256))).profile().await;
    refused.refused(401, 10_002);
    is_challenge(&refused, "invalid_token", "the access token is bound to another key");
    let refused = with(app.proof("POST", PROFILE)).profile().await;
    refused.refused(401, 10_002);
    is_challenge(&refused, "invalid_dpop_proof", "ath of the proof is not the hash of this access token");
}

async fn a_bound_token_that_is_over_is_refused_in_the_way_it_was_shown(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let forged = app.holding(&App { access: format!("{}x", app.app.access), ..app.app.clone() });
    challenged(&forged.me().await, "invalid_token", "not an access token of this project");
    app.sign_out().await.is_ok();
    challenged(&app.me().await, "invalid_token", "the session of the access token has ended");
    let other = house.bound_app("bob@example.com").await.informed().await;
    house.advance(MINUTE * 15).await;
    if engine == Engine::Sqlite {
        challenged(&other.me().await, "invalid_token", "the access token has expired");
    }
}
