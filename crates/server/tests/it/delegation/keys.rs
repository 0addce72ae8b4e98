//! Keys of service providers and our own: they take turns, and end.

use std::time::Duration;

use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    on_both_engines,
    service_provider::ServiceProvider,
};
use serde_json::json;

use super::{GET, NOT_PROVED};

on_both_engines!(
    while_a_key_takes_over_both_work_and_each_is_answered_with_what_it_knows,
    a_key_that_was_revoked_works_no_longer_anywhere,
    our_own_pair_can_be_replaced_while_the_old_one_is_used,
    without_our_pair_the_keys_are_worthless_that_were_given_it,
    a_client_that_is_closed_signs_nothing,
    a_key_is_made_for_a_client_there_is,
    private_halves_of_providers_are_nowhere_and_ours_are_sealed,
);

const FIVE_MINUTES: Duration = Duration::from_mins(5);

async fn is_taken(provider: &ServiceProvider) {
    provider.call(GET, &json!({ "userid": "ada@example.com" })).await.ok();
}

async fn is_refused(provider: &ServiceProvider) {
    let body = provider.sealed(&json!({ "userid": "ada@example.com" }));
    provider.signed(&body).post_bytes(GET, body).await.not_proved(401, NOT_PROVED);
}

fn key_of(provider: &ServiceProvider) -> countersign_domain::id::KeyId {
    provider.credential.name.as_str().parse().unwrap()
}

async fn while_a_key_takes_over_both_work_and_each_is_answered_with_what_it_knows(engine: Engine) {
    let house = House::open(engine).await;
    let old = house.service_provider("c3").await;
    let made = house.node.service.rotate_delegation_key(&p1(), key_of(&old), FIVE_MINUTES).await.unwrap();
    let new = house.provider_with("c3", made.credential.danger_expose());
    // Each opens only what is sealed to its own pair.
    is_taken(&old).await;
    is_taken(&new).await;
    let again = house.node.service.rotate_delegation_key(&p1(), key_of(&old), FIVE_MINUTES).await;
    assert!(again.is_err_and(|problem| problem.to_string().contains("has a successor already")));
    house.advance(FIVE_MINUTES).await;
    is_refused(&old).await;
    is_taken(&new).await;
    let entry = house.only_entry("key.rotated").await;
    assert_eq!(entry.detail["successor"], key_of(&new).to_string());
    assert_eq!(entry.detail["kind"], "delegation");
}

async fn a_key_that_was_revoked_works_no_longer_anywhere(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let (provider, twin) = (house.service_provider("c3").await, house.service_provider("c3").await);
    other.service.tick().await;
    is_taken(&provider.at(&other)).await;
    house.node.service.revoke_delegation_key(&p1(), key_of(&provider)).await.unwrap();
    other.service.tick().await;
    for at in [&house.node, &other] {
        is_refused(&provider.at(at)).await;
        is_taken(&twin.at(at)).await;
    }
    assert_eq!(house.only_entry("key.revoked").await.detail["kind"], "delegation");
}

async fn our_own_pair_can_be_replaced_while_the_old_one_is_used(engine: Engine) {
    let house = House::open(engine).await;
    let old = house.service_provider("c3").await;
    house.advance(Duration::from_secs(1)).await;
    house.node.service.rotate_idp_key(&p1()).await.unwrap();
    let new = house.service_provider("c3").await;
    assert_ne!(old.credential.idp_name, new.credential.idp_name);
    assert_ne!(old.credential.idp_recipient, new.credential.idp_recipient);
    is_taken(&old).await;
    is_taken(&new).await;
    // What is sealed to either is opened, and answered by the one that the caller was given.
    let body = new.sealed(&json!({ "userid": "ada@example.com" }));
    old.opened(old.signed(&body).post_bytes(GET, body).await).ok();
}

async fn without_our_pair_the_keys_are_worthless_that_were_given_it(engine: Engine) {
    let house = House::open(engine).await;
    let old = house.service_provider("c3").await;
    house.advance(Duration::from_secs(1)).await;
    house.node.service.rotate_idp_key(&p1()).await.unwrap();
    let new = house.service_provider("c3").await;
    let own = old.credential.idp_name.as_str().parse().unwrap();
    house.node.service.revoke_idp_key(&p1(), own).await.unwrap();
    is_refused(&old).await;
    is_taken(&new).await;
    // Nor is opened what is sealed to it.
    let body = old.sealed(&json!({ "userid": "ada@example.com" }));
    let answer = new.opened(new.signed(&body).post_bytes(GET, body).await);
    answer.refused(400, super::CANT_OPEN);
    assert!(house.node.service.revoke_idp_key(&p1(), own).await.is_err());
}

async fn a_client_that_is_closed_signs_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let provider = house.service_provider("c3").await;
    let client = "c3".parse().unwrap();
    house.node.service.change_client_state(&p1(), &client, StateChange::Disable).await.unwrap();
    is_refused(&provider).await;
    house.node.service.change_client_state(&p1(), &client, StateChange::Enable).await.unwrap();
    is_taken(&provider).await;
}

async fn a_key_is_made_for_a_client_there_is(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let refused = house.node.service.create_delegation_key(&p1(), &"c9".parse().unwrap(), None).await;
    assert_eq!(refused.err().unwrap().to_string(), "there is no client `c9`");
    assert_eq!(house.books().await, before);
    is_taken(&house.service_provider("c3").await).await;
}

async fn private_halves_of_providers_are_nowhere_and_ours_are_sealed(engine: Engine) {
    let house = House::open(engine).await;
    let provider = house.service_provider("c3").await;
    let rows = house.database.dump().await;
    let encode = |bytes: &[u8; 32]| countersign_crypto::encoding::encode(bytes);
    assert!(rows.contains(&encode(&provider.credential.public().unwrap().verifier.to_bytes())), "the dump is one");
    for private in
        [provider.credential.signer.danger_to_bytes().unwrap(), provider.credential.opener.danger_to_bytes().unwrap()]
    {
        assert!(!rows.contains(&encode(&private)));
    }
    house.node.service.list_idp_keys(&p1()).await.unwrap();
    assert!(!rows.contains("PRIVATE"));
}
