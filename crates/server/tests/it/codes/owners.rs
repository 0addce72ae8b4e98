//! Whose an address is, once its owner has proved it: nobody who merely said it keeps a hold on the owner's account.

use countersign_testkit::{
    actors::App,
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use serde_json::json;

use super::{email, with_email};

on_both_engines!(
    who_was_vouched_for_without_proof_is_signed_out_when_the_owner_comes,
    an_address_that_somebody_else_merely_said_goes_to_its_owner,
    a_backend_and_its_owner_who_come_to_an_address_at_once_find_one_user,
    an_address_that_a_backend_vouched_for_finds_its_user_and_counts_as_proved_from_then_on,
);

async fn who_was_vouched_for_without_proof_is_signed_out_when_the_owner_comes(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["vouch.email=unverified"]).await;
    let mut squatter = house.backend().new_app("ada@example.com").await;
    squatter.me().await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    let answer = ada.sign_in(&ada.code(&house).await).await.ok();
    let owner = App::told(house.node.client().user_agent("app/1"), &answer);
    owner.me().await.is_ok();
    squatter.refresh().await.gone("ended");
    squatter.me().await.denied(401, "invalid_credentials");
    assert_eq!(house.only_entry("user.revoked").await.detail["reason"], "address_proved");
    // From now on a backend's word alone doesn't find the owner.
    house.backend().sign_in("ada@example.com").await.refused(409, 100_010);
}

async fn an_address_that_somebody_else_merely_said_goes_to_its_owner(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["vouch.email=unverified", "signup=on"]).await;
    let said = json!({ "externalId": "crm-666" });
    let other = house.backend().sign_up_with("ada@example.com", said.clone()).await.ok();
    let other = App::told(house.node.client().user_agent("app/1"), &other);
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    ada.sign_in(&code).await.refused(403, 100_012);
    other.me().await.is_ok();
    let owner = ada.sign_up(&code).await.ok().text("uid");
    assert_ne!(owner, other.uid);
    let kept = house.node.service.show_user(&p1(), &other.uid).await.unwrap();
    assert!(kept.identities.iter().all(|record| record.identity != email("ada@example.com")));
    assert_eq!(house.only_entry("identity.removed").await.detail["reason"], "proved_by_another");
    other.me().await.is_ok();
}

async fn a_backend_and_its_owner_who_come_to_an_address_at_once_find_one_user(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup=on"]).await;
    let other_node = house.another_node().await;
    for round in 0..8 {
        let address = format!("ada{round}@example.com");
        let ada = with_email(&house, &address);
        let code = ada.code(&house).await;
        let backend = house.backend().through(other_node.client());
        let (vouched, proved) = tokio::join!(backend.sign_up(&address), ada.sign_up(&code));
        assert_eq!(vouched.ok().text("uid"), proved.ok().text("uid"), "{address}");
    }
    assert_eq!(house.entries("identity.removed").await.len(), 0);
}

async fn an_address_that_a_backend_vouched_for_finds_its_user_and_counts_as_proved_from_then_on(engine: Engine) {
    let house = House::in_development(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let ada = with_email(&house, "ada@example.com");
    assert_eq!(ada.sign_in(&ada.code(&house).await).await.ok().text("uid"), app.uid);
    app.me().await.is_ok();
    let user = house.node.service.show_user(&p1(), &app.uid).await.unwrap();
    assert!(user.identities[0].is_proved_here());
    house.backend().sign_in("ada@example.com").await.is_ok();
    house.set(&["vouch.email=unverified"]).await;
    house.backend().sign_in("ada@example.com").await.refused(409, 100_010);
}
