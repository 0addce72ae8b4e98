//! Proofs that expire.

use std::time::Duration;

use countersign_crypto::{encoding, secret::SecretText, user_mac::HmacSecret};
use countersign_domain::id::ProjectId;
use countersign_testkit::{client_app::ClientApp, database::Engine, house::House, on_both_engines};
use proptest::{
    prelude::{ProptestConfig, any},
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::json;

use super::SECOND;

on_both_engines!(
    a_proof_is_taken_until_its_end,
    a_proof_may_not_end_further_ahead_than_the_project_allows,
    a_project_chooses_which_versions_it_takes,
    a_v1_answer_for_a_chosen_id_is_no_v2_proof,
    a_moment_has_one_spelling,
    a_proof_is_of_one_project,
    a_changed_proof_is_none,
);

fn secret(house: &House) -> HmacSecret {
    HmacSecret::new(SecretText::new(house.hmac.text.danger_expose().to_owned()))
}

fn p1() -> ProjectId {
    "p1".parse().unwrap()
}

/// The app of a user who was proved until so long from now.
fn proved_for(house: &House, id: &str, span: Duration) -> ClientApp {
    let expires = house.node.service.now().plus(span).seconds();
    house.client_app(id).showing(&secret(house).v2(&p1(), id, expires, None))
}

async fn a_proof_is_taken_until_its_end(engine: Engine) {
    let house = House::open(engine).await;
    let app = proved_for(&house, "crm-7", SECOND * 60);
    let me = app.me().await.ok().json();
    assert_eq!(me["amr"], json!(["hmac_v2"]));
    assert_eq!(me["expires_at"], json!(house.node.service.now().seconds() + 60));
    if engine == Engine::Sqlite {
        house.advance(SECOND * 59).await;
        app.verify().await.is_ok();
        house.advance(SECOND).await;
        app.verify().await.denied(401, "invalid_credentials");
    }
}

async fn a_proof_may_not_end_further_ahead_than_the_project_allows(engine: Engine) {
    let house = House::open(engine).await;
    let minutes = |count: u64| Duration::from_mins(count);
    proved_for(&house, "crm-7", minutes(5) + SECOND * 5).verify().await.denied(401, "invalid_credentials");
    proved_for(&house, "crm-7", minutes(5)).verify().await.is_ok();
    house.set(&["hmac.lifetime=1h"]).await;
    proved_for(&house, "crm-7", minutes(59)).verify().await.is_ok();
}

async fn a_project_chooses_which_versions_it_takes(engine: Engine) {
    let house = House::open(engine).await;
    let (v1, v2) = (house.client_app("crm-7"), proved_for(&house, "crm-7", SECOND * 60));
    for (versions, v1_status, v2_status) in [("v1", 200, 401), ("v2", 401, 200), ("both", 200, 200)] {
        house.set(&[&format!("hmac.versions={versions}")]).await;
        assert_eq!((v1.verify().await.status(), v2.verify().await.status()), (v1_status, v2_status), "{versions}");
    }
}

async fn a_v1_answer_for_a_chosen_id_is_no_v2_proof(engine: Engine) {
    let house = House::open(engine).await;
    let expires = house.node.service.now().seconds() + 60;
    // A backend that computes v1 for whatever id it is asked for.
    for chosen in
        [format!("v2.{expires}.p1.crm-7"), format!("v2.{expires}.crm-7"), "countersign user proof v2".to_owned()]
    {
        let answer = encoding::encode(secret(&house).v1(&chosen));
        house
            .client_app("crm-7")
            .showing(&format!("v2.{expires}.{answer}"))
            .verify()
            .await
            .denied(401, "invalid_credentials");
    }
    proved_for(&house, "crm-7", SECOND * 60).verify().await.is_ok();
}

async fn a_moment_has_one_spelling(engine: Engine) {
    let house = House::open(engine).await;
    let app = proved_for(&house, "crm-7", SECOND * 60);
    let right = app.hmac.clone().unwrap();
    let (head, rest) = (right.split_once('.').unwrap().0, right.split_once('.').unwrap().1);
    for wrong in [format!("{head}.0{rest}"), format!("{head}.+{rest}"), format!("{head}. {rest}"), right.to_uppercase()]
    {
        app.showing(&wrong).verify().await.denied(401, "invalid_credentials");
    }
    app.verify().await.is_ok();
}

async fn a_proof_is_of_one_project(engine: Engine) {
    let house = House::open(engine).await;
    let expires = house.node.service.now().seconds() + 60;
    let of_another = secret(&house).v2(&"p2".parse().unwrap(), "crm-7", expires, None);
    house.client_app("crm-7").showing(&of_another).verify().await.denied(401, "invalid_credentials");
    proved_for(&house, "crm-7", SECOND * 60).verify().await.is_ok();
}

async fn a_changed_proof_is_none(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=1000000"]).await;
    let app = proved_for(&house, "crm-7", SECOND * 240);
    let right = app.hmac.clone().unwrap();
    let mut runner = TestRunner::new(ProptestConfig::default());
    let change = (0..right.len(), any::<char>().prop_filter("visible ASCII", char::is_ascii_graphic));
    for _ in 0..100 {
        let (at, to) = change.new_tree(&mut runner).unwrap().current();
        let mut changed = right.clone().into_bytes();
        changed[at] = to as u8;
        let changed = String::from_utf8(changed).unwrap();
        let status = app.showing(&changed).verify().await.status();
        assert_eq!(status, if changed == right { 200 } else { 401 }, "{at} {to}");
    }
}
