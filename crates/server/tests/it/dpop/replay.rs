//! A proof that comes again.

use countersign_testkit::{database::Engine, house::House, on_both_engines};
use tokio::task::JoinSet;

use super::{MINUTE, bound_app, challenged, is_challenge, rows};

on_both_engines!(
    a_proof_is_taken_once,
    of_many_who_show_one_proof_at_once_one_is_served,
    a_proof_that_was_refused_for_its_nonce_is_not_used_up_for_another,
    a_refresh_with_a_proof_that_was_used_is_refused_and_changes_nothing,
    each_node_remembers_the_proofs_that_it_has_seen,
);

const REPLAYED: &str = "the proof was used before";

async fn a_proof_is_taken_once(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let proof = app.proof_for_me();
    let text = proof.text();
    let shown = app.app.http.with("authorization", &format!("DPoP {}", app.app.access));
    shown.with("dpop", &text).get("/v1/me").await.is_ok();
    challenged(&shown.with("dpop", &text).get("/v1/me").await, "invalid_dpop_proof", REPLAYED);
    // Signed anew it has another signature, and is the same proof; so it is when something else about it is new.
    challenged(&app.me_with(&proof).await, "invalid_dpop_proof", REPLAYED);
    let iat = proof.claims["iat"].as_i64().unwrap();
    challenged(&app.me_with(&proof.saying("iat", iat - 1)).await, "invalid_dpop_proof", REPLAYED);
    app.me().await.is_ok();
}

async fn of_many_who_show_one_proof_at_once_one_is_served(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let proof = app.proof_for_me();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (app, proof) = (app.clone(), proof.clone());
        calls.spawn(async move { app.me_with(&proof).await.status() });
    }
    let mut statuses = calls.join_all().await;
    statuses.sort_unstable();
    let mut expected = vec![401; 20];
    expected[0] = 200;
    assert_eq!(statuses, expected);
}

async fn a_proof_that_was_refused_for_its_nonce_is_not_used_up_for_another(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.bound_app("ada@example.com").await;
    let proof = app.proof_for_me();
    let first = app.me_with(&proof).await;
    // Sent again by a network that lost the answer, it is told the same.
    let again = app.me_with(&proof).await;
    for refused in [&first, &again] {
        challenged(refused, "use_dpop_nonce", "the proof has no nonce, or an old one");
    }
    let informed = app.informed().await;
    informed.me().await.is_ok();
}

async fn a_refresh_with_a_proof_that_was_used_is_refused_and_changes_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let proof = app.proof("POST", "/auth/v1/refreshtoken");
    app.refresh_with(&proof).await.is_ok();
    let before = rows(&house).await;
    let refused = app.refresh_with(&proof).await;
    refused.refused(401, 10_002);
    is_challenge(&refused, "invalid_dpop_proof", REPLAYED);
    assert_eq!(rows(&house).await, before);
    app.clone().refresh().await.is_ok();
}

async fn each_node_remembers_the_proofs_that_it_has_seen(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let app = bound_app(&house).await;
    let there = app.through(other.client());
    let proof = app.proof_for_me();
    app.me_with(&proof).await.is_ok();
    // So far the promise goes, and no further: within its minute, once on each node. What is bought is spent in the database.
    there.me_with(&proof).await.is_ok();
    for node in [&app, &there] {
        challenged(&node.me_with(&proof).await, "invalid_dpop_proof", REPLAYED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_stays_used_for_as_long_as_it_lives() {
    let house = House::open(Engine::Sqlite).await;
    let app = bound_app(&house).await;
    let ahead = app.proof_for_me();
    let iat = ahead.claims["iat"].as_i64().unwrap();
    let ahead = ahead.saying("iat", iat + 5);
    app.me_with(&ahead).await.is_ok();
    house.advance(MINUTE).await;
    challenged(&app.me_with(&ahead).await, "invalid_dpop_proof", REPLAYED);
    house.advance(MINUTE).await;
    challenged(&app.me_with(&ahead).await, "invalid_dpop_proof", "the proof is older than a minute");
    // The same id in a proof of today is a new proof only once the old one is forgotten.
    let anew = app.proof_for_me().saying("jti", ahead.claims["jti"].clone());
    challenged(&app.me_with(&anew).await, "invalid_dpop_proof", REPLAYED);
    house.advance(MINUTE).await;
    let anew = app.proof_for_me().saying("jti", ahead.claims["jti"].clone());
    app.me_with(&anew).await.is_ok();
}
