//! Algorithms of `id_tokens`, and the keys for them.

use std::time::Duration;

use countersign_domain::{id::SigningKeyId, signing_algorithm::SigningAlgorithm};
use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    on_both_engines,
    token::{claims, header},
};
use serde_json::Value;

use super::{is_live, signed_in, with_web_app};

on_both_engines!(
    a_client_gets_its_id_tokens_by_the_algorithm_it_registered,
    a_project_gets_keys_of_an_algorithm_when_they_are_first_needed,
    private_keys_are_sealed,
);

async fn published(house: &House) -> Vec<Value> {
    let set = house.node.client().get("/.well-known/jwks.json").await.ok().json();
    set["keys"].as_array().unwrap().clone()
}

fn of(keys: &[Value], alg: &str) -> Vec<String> {
    keys.iter().filter(|key| key["alg"] == alg).map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn a_client_gets_its_id_tokens_by_the_algorithm_it_registered(engine: Engine) {
    let (mut house, uid) = with_web_app(engine).await;
    for alg in ["EdDSA", "RS256", "ES256"] {
        house.set_client("c3", &[&format!("oauth.id_token_alg={alg}")]).await;
        let answer = signed_in(&house, &uid).await;
        let head = header(&answer.text("id_token"));
        assert_eq!((&head["alg"], &head["typ"]), (&alg.into(), &"JWT".into()));
        assert!(of(&published(&house).await, alg).contains(&head["kid"].as_str().unwrap().to_owned()));
        assert_eq!(claims(&answer.text("id_token"))["sub"], uid);
        // Any API must be able to check an access token: that stays as it is.
        assert_eq!(header(&answer.text("access_token"))["alg"], "ES256");
        assert!(is_live(&house, &answer.text("access_token")).await);
        assert!(!is_live(&house, &answer.text("id_token")).await);
    }
    house.restart().await;
    house.set_client("c3", &["oauth.id_token_alg=RS256"]).await;
    assert_eq!(header(&signed_in(&house, &uid).await.text("id_token"))["alg"], "RS256");
}

async fn a_project_gets_keys_of_an_algorithm_when_they_are_first_needed(engine: Engine) {
    let house = House::open(engine).await;
    assert_eq!(published(&house).await.len(), 2);
    house.set_client("c3", &["oauth.id_token_alg=EdDSA"]).await;
    house.set_client("c1", &["oauth.id_token_alg=EdDSA"]).await;
    let keys = published(&house).await;
    assert_eq!((of(&keys, "ES256").len(), of(&keys, "EdDSA").len(), keys.len()), (2, 2, 4));
    let okp = keys.iter().find(|key| key["alg"] == "EdDSA").unwrap();
    assert_eq!((&okp["kty"], &okp["crv"], &okp["use"]), (&"OKP".into(), &"Ed25519".into(), &"sig".into()));
    let made = house.node.service.create_signing_key(&p1(), SigningAlgorithm::Rs256).await.unwrap();
    let keys = published(&house).await;
    let rsa = keys.iter().find(|key| key["kid"] == made.to_string()).unwrap();
    assert_eq!((&rsa["kty"], &rsa["alg"], &rsa["e"]), (&"RSA".into(), &"RS256".into(), &"AQAB".into()));
    assert_eq!(of(&keys, "RS256").len(), 2);
    let again = house.node.service.create_signing_key(&p1(), SigningAlgorithm::Rs256).await;
    assert!(again.unwrap_err().to_string().contains("already"));
    let discovered = house.node.client().get("/.well-known/openid-configuration").await.ok().json();
    assert_eq!(discovered["id_token_signing_alg_values_supported"], serde_json::json!(["ES256", "EdDSA", "RS256"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_each_algorithm_take_turns_by_themselves() {
    let (house, uid) = with_web_app(Engine::Sqlite).await;
    house.set_client("c3", &["oauth.id_token_alg=EdDSA"]).await;
    let kid = async |house: &House| {
        header(&signed_in(house, &uid).await.text("id_token"))["kid"].as_str().unwrap().to_owned()
    };
    let first = kid(&house).await;
    let next = of(&published(&house).await, "EdDSA").into_iter().find(|kid| *kid != first).unwrap();
    let service = &house.node.service;
    assert!(service.rotate_signing_key_for(&p1(), SigningAlgorithm::EdDsa, false).await.is_err(), "published today");
    house.advance(Duration::from_hours(24)).await;
    service.rotate_signing_key_for(&p1(), SigningAlgorithm::EdDsa, false).await.unwrap();
    assert_eq!(kid(&house).await, next);
    let keys = published(&house).await;
    assert_eq!((of(&keys, "ES256").len(), of(&keys, "EdDSA").len()), (2, 3));
    house.advance(Duration::from_hours(24 * 90)).await;
    service.maintain().await;
    let turned = house.entries("key.rotated").await.len();
    assert_eq!(turned, 3, "one by hand, and one of each algorithm by time");
    assert_ne!(kid(&house).await, next);
    let last: SigningKeyId = kid(&house).await.parse().unwrap();
    service.revoke_signing_key(&p1(), last).await.unwrap();
    assert_ne!(kid(&house).await, last.to_string());
    assert!(!of(&published(&house).await, "EdDSA").contains(&last.to_string()));
    assert_eq!(of(&published(&house).await, "ES256").len(), 3, "those of another algorithm stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_one_key_is_signed_for_by_it_until_another_is_pinned() {
    let (mut house, uid) = with_web_app(Engine::Sqlite).await;
    let kid = async |house: &House| {
        header(&signed_in(house, &uid).await.text("id_token"))["kid"].as_str().unwrap().to_owned()
    };
    let first = kid(&house).await;
    house.set_client("c3", &["oauth.signing_key=pinned"]).await;
    for _ in 0..3 {
        house.advance(Duration::from_hours(24 * 90)).await;
        house.node.service.maintain().await;
        house.node.service.maintain().await;
    }
    house.restart().await;
    assert_eq!(kid(&house).await, first);
    assert!(of(&published(&house).await, "ES256").contains(&first), "whoever looks finds it");
    let answer = signed_in(&house, &uid).await;
    assert_ne!(header(&answer.text("access_token"))["kid"], first, "access tokens go with the time");
    // By hand it is another.
    house.set_client("c3", &["oauth.signing_key=pinned"]).await;
    let second = kid(&house).await;
    assert_ne!(second, first);
    house.node.service.maintain().await;
    house.restart().await;
    assert!(!of(&published(&house).await, "ES256").contains(&first), "nobody needs it any more");
    // A key that was made worthless signs nothing, whoever pinned it.
    house.node.service.revoke_signing_key(&p1(), second.parse().unwrap()).await.unwrap();
    assert_ne!(kid(&house).await, second);
    let service = &house.node.service;
    for wrong in ["oauth.signing_key=sig_01ARZ3NDEKTSV4RRFFQ69G5FAV", "oauth.signing_key=x"] {
        let changes = countersign_testkit::house::changes(&[wrong]);
        service.set_client(&p1(), &"c3".parse().unwrap(), changes).await.unwrap_err();
    }
}

async fn private_keys_are_sealed(engine: Engine) {
    let house = House::open(engine).await;
    house.set_client("c3", &["oauth.id_token_alg=RS256"]).await;
    house.set_client("c3", &["oauth.id_token_alg=EdDSA"]).await;
    let dump = house.database.dump().await;
    let rows: Vec<&str> = dump.lines().filter(|line| line.starts_with("signing_keys: ")).collect();
    assert_eq!(rows.len(), 6);
    for row in rows {
        let sealed = row.split(" | ").nth(4).unwrap();
        assert!(sealed.starts_with("v1."), "{row}");
    }
}
