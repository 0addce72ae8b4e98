//! Refreshing a bound session: with its key it goes on, without it nothing happens at all.

use countersign_crypto::jose::public_key::Kind;
use countersign_domain::{audit::Act, id::UserId};
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    actors::App,
    bound::{BoundApp, Proof, a_key},
    database::Engine,
    house::{House, p1},
    on_both_engines,
    token::{claims, generation},
};
use serde_json::json;

use super::{bound_app, is_challenge, rows};

on_both_engines!(
    a_bound_session_goes_on_with_a_proof_of_its_key_and_keeps_its_refresh_token,
    a_stolen_refresh_token_is_worthless_and_hurts_nobody,
    a_proof_that_will_not_do_is_refused_and_changes_nothing,
    a_bound_session_is_refreshed_at_every_mount,
    a_bound_session_is_nobodys_theft_wherever_it_is_refreshed_from,
    a_plain_session_is_refreshed_as_ever_whatever_its_header_says,
    a_bound_session_ends_as_any_other,
);

const PATH: &str = "/auth/v1/refreshtoken";

async fn a_bound_session_goes_on_with_a_proof_of_its_key_and_keeps_its_refresh_token(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = bound_app(&house).await;
    let (refresh, session) = (app.app.refresh.clone(), app.app.session());
    for _ in 0..3 {
        let before = app.app.access.clone();
        let answer = app.refresh().await.ok();
        assert_eq!(answer.text("tokenType"), "DPoP");
        assert_eq!(app.app.refresh, refresh, "the key is the proof: nothing rotates");
        assert_ne!(app.app.access, before);
        assert_eq!(claims(&app.app.access)["cnf"], claims(&before)["cnf"]);
        assert_eq!(app.app.session(), session);
        app.me().await.is_ok();
    }
    assert_eq!(generation(&app.app.refresh), 1);
    assert_eq!(house.entries("session.refreshed").await.len(), 3);
}

/// What a thief can send who has the refresh token and no key.
fn without_the_key(app: &BoundApp) -> Vec<(&'static str, App)> {
    let with = |proof: &str| app.app.through(app.app.http.with("dpop", proof));
    let good = app.proof("POST", PATH);
    let forged = good.clone().by(&a_key(Kind::Es256)).heading("jwk", app.key.jwk());
    let twice =
        app.app.http.with("dpop", &app.proof("POST", PATH).text()).with("DPoP", &app.proof("POST", PATH).text());
    vec![
        ("no proof", app.app.clone()),
        ("an empty proof", with("")),
        ("garbage", with("garbage")),
        ("another key's proof", with(&good.clone().by(&a_key(Kind::Es256)).text())),
        ("another kind of key's proof", with(&good.clone().by(&a_key(Kind::EdDsa)).text())),
        ("the key's name over another's signature", with(&forged.text())),
        ("the key's name and no signature", with(&good.clone().heading("alg", "none").text())),
        ("the access token", with(&app.app.access)),
        ("two proofs", app.app.through(twice)),
    ]
}

async fn a_stolen_refresh_token_is_worthless_and_hurts_nobody(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = bound_app(&house).await;
    app.refresh().await.is_ok();
    let unusable = app.app.holding(&format!("{}x", app.app.refresh)).try_refresh().await;
    let before = rows(&house).await;
    let attempts = without_the_key(&app);
    for (what, thief) in &attempts {
        let refused = thief.at("203.0.113.7").try_refresh().await;
        refused.gone("ended");
        assert_eq!(refused.json(), unusable.json(), "{what}: exactly as an unusable token");
        assert!(!refused.headers.contains_key("www-authenticate") && !refused.headers.contains_key("dpop-nonce"));
    }
    assert_eq!(rows(&house).await, before);
    assert_eq!(house.counted(Act::RefreshRefused, "other_key").await, attempts.len() as u64);
    app.me().await.is_ok();
    app.refresh().await.is_ok();
}

async fn a_proof_that_will_not_do_is_refused_and_changes_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = bound_app(&house).await;
    let before = rows(&house).await;
    let now = app.proof("POST", PATH).claims["iat"].as_i64().unwrap();
    let cases: [(Proof, &str); 4] = [
        (app.proof("GET", PATH), "htm of the proof is not the method of this call"),
        (app.proof("POST", "/auth/v1/signout"), "htu of the proof is not the address of this call"),
        (app.proof("POST", PATH).saying("iat", now - 62), "the proof is older than a minute"),
        (app.proof("POST", PATH).saying("iat", now + 8), "the proof is from the future"),
    ];
    for (proof, description) in cases {
        let refused = app.refresh_with(&proof).await;
        refused.refused(401, 10_002);
        is_challenge(&refused, "invalid_dpop_proof", description);
    }
    assert_eq!(rows(&house).await, before);
    app.refresh().await.is_ok();
}

async fn a_bound_session_is_refreshed_at_every_mount(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let body = json!({ "refreshToken": app.app.refresh });
    for at in ["", "/api", "/p/p1", "/p/p1/api"] {
        for version in ["v1", "v1beta"] {
            let path = format!("{at}/auth/{version}/refreshtoken");
            let with = |proof: &Proof| app.app.http.with("dpop", &proof.text());
            with(&app.proof("POST", &path)).post(&path, &body).await.is_ok();
            // Made for one mount, it is good for no other.
            let elsewhere = app.proof("POST", &path.replace("/auth", "/other"));
            let refused = with(&elsewhere).post(&path, &body).await;
            refused.refused(401, 10_002);
        }
    }
}

async fn a_bound_session_is_nobodys_theft_wherever_it_is_refreshed_from(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = bound_app(&house).await;
    let first = app.app.refresh.clone();
    for network in 1..=8 {
        app =
            app.through(app.app.http.from_address(&format!("203.0.{network}.7")).user_agent(&format!("app/{network}")));
        app.refresh().await.is_ok();
        assert_eq!(app.app.refresh, first);
    }
    assert!(house.entries("session.theft").await.is_empty());
    assert!(house.entries("session.foreign_replay").await.is_empty());
    app.me().await.is_ok();
}

async fn a_plain_session_is_refreshed_as_ever_whatever_its_header_says(engine: Engine) {
    let house = House::open(engine).await;
    let bound = bound_app(&house).await;
    let mut plain = house.backend().new_app("bob@example.com").await;
    for proof in [String::new(), "garbage".to_owned(), bound.proof("POST", PATH).text()] {
        plain = plain.through(house.node.client().user_agent("app/1").with("dpop", &proof));
        let before = generation(&plain.refresh);
        let answer = plain.refresh().await.ok();
        assert_eq!(answer.json().get("tokenType"), None);
        assert_eq!(generation(&plain.refresh), before + 1);
        assert_eq!(claims(&plain.access).get("cnf"), None, "a header binds nothing that was open");
    }
}

async fn a_bound_session_ends_as_any_other(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = bound_app(&house).await;
    app.refresh().await.is_ok();
    let user: UserId = app.app.uid.parse().unwrap();
    house.node.service.change_user_state(&p1(), user, StateChange::Revoke).await.unwrap();
    app.refresh().await.gone("ended");
    assert_eq!(app.me().await.status(), 401);
}
