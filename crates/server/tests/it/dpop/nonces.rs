//! Nonces: without one of ours a proof is worth nothing, and every node knows them.

use countersign_crypto::jose::public_key::Kind;
use countersign_testkit::{bound::a_key, database::Engine, house::House, on_both_engines, token::claims};

use super::{MINUTE, SECOND, bound_app, challenged, is_challenge, rows};

on_both_engines!(
    a_proof_without_a_nonce_is_refused_and_told_the_nonce,
    a_proof_with_a_nonce_that_nobody_gave_is_refused,
    a_refresh_without_a_nonce_is_refused_and_changes_nothing,
    nodes_agree_on_nonces,
    a_client_that_knows_no_nonces_can_be_let_off,
);

const MISSING: &str = "the proof has no nonce, or an old one";

async fn a_proof_without_a_nonce_is_refused_and_told_the_nonce(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.bound_app("ada@example.com").await;
    let refused = app.me().await;
    challenged(&refused, "use_dpop_nonce", MISSING);
    app.nonce = Some(refused.header("dpop-nonce").to_owned());
    app.me().await.is_ok();
}

async fn a_proof_with_a_nonce_that_nobody_gave_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    for nonce in ["", "AAAAAAAAAAAAAAAAAAAAAA", "made up", &format!("{}=", app.nonce.as_deref().unwrap())] {
        challenged(&app.me_with(&app.proof_for_me().saying("nonce", nonce)).await, "use_dpop_nonce", MISSING);
    }
    for no_text in [serde_json::json!(1), serde_json::json!([app.nonce])] {
        challenged(&app.me_with(&app.proof_for_me().saying("nonce", no_text)).await, "use_dpop_nonce", MISSING);
    }
    app.me().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_tells_the_nonce_for_the_next_call() {
    let house = House::open(Engine::Sqlite).await;
    let mut app = bound_app(&house).await;
    let nonce = app.nonce.clone().unwrap();
    assert_eq!(app.me().await.ok().header("dpop-nonce"), nonce);
    assert_eq!(app.refresh().await.ok().header("dpop-nonce"), nonce);
    let plain = house.backend().new_app("bob@example.com").await;
    for answer in [plain.me().await.ok(), plain.try_refresh().await.ok(), plain.sessions().await.ok()] {
        assert!(!answer.headers.contains_key("dpop-nonce"));
    }
}

async fn a_refresh_without_a_nonce_is_refused_and_changes_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.bound_app("ada@example.com").await;
    let before = rows(&house).await;
    let refused = app.refresh().await;
    refused.refused(401, 10_002);
    is_challenge(&refused, "use_dpop_nonce", MISSING);
    assert_eq!(rows(&house).await, before);
    app.nonce = Some(refused.header("dpop-nonce").to_owned());
    app.refresh().await.is_ok();
}

async fn nodes_agree_on_nonces(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let here = bound_app(&house).await;
    let there = here.through(other.client().user_agent("app/1"));
    there.me().await.is_ok();
    let informed_there = there.clone().informed().await;
    informed_there.through(house.node.client()).me().await.is_ok();
    // A node that was just started knows them too.
    let later = house.another_node().await;
    here.through(later.client()).me().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_have_nonces_of_their_own() {
    let house = House::open(Engine::Sqlite).await;
    house.another_project("p2").await;
    let nonce_of = |project: &str| {
        let address = countersign_service::address::Address { path: Some(project.to_owned()), host: None };
        let view = house.node.service.project(&address).unwrap();
        house.node.service.dpop_nonce(&view)
    };
    let app = bound_app(&house).await;
    assert_eq!(app.nonce.as_deref(), Some(nonce_of("p1").as_str()));
    let foreign = app.proof_for_me().saying("nonce", nonce_of("p2"));
    challenged(&app.me_with(&foreign).await, "use_dpop_nonce", MISSING);
    app.me().await.is_ok();
}

async fn a_client_that_knows_no_nonces_can_be_let_off(engine: Engine) {
    let house = House::open(engine).await;
    house.set_client("c4", &["dpop.nonce=off"]).await;
    let mut old = house.app_bound_to(&a_key(Kind::Es256), "ada@example.com", "c4").await;
    assert_eq!(claims(&old.app.access)["client_id"], "c4");
    old.me().await.is_ok();
    old.refresh().await.is_ok();
    // One that knows them may use them, and what it says instead counts for nothing.
    old.me_with(&old.proof_for_me().saying("nonce", "made up")).await.is_ok();
    old.sign_out().await.is_ok();
    let other = house.bound_app("bob@example.com").await;
    challenged(&other.me().await, "use_dpop_nonce", MISSING);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_is_good_for_its_five_minutes_and_the_next() {
    let house = House::open(Engine::Sqlite).await;
    // The clock of a house stands where a step begins.
    let app = bound_app(&house).await;
    house.advance(MINUTE * 5).await;
    let answer = app.me().await.ok();
    let next = answer.header("dpop-nonce").to_owned();
    assert_ne!(app.nonce, Some(next.clone()), "a client learns the next one in time");
    house.advance(SECOND * 299).await;
    app.me().await.is_ok();
    house.advance(SECOND).await;
    let refused = app.me().await;
    challenged(&refused, "use_dpop_nonce", MISSING);
    app.me_with(&app.proof_for_me().saying("nonce", next)).await.is_ok();
    app.me_with(&app.proof_for_me().saying("nonce", refused.header("dpop-nonce"))).await.is_ok();
}
