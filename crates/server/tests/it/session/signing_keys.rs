//! Signing keys take turns: next, active, retired.

use countersign_domain::id::SigningKeyId;
use countersign_testkit::{
    actors::App,
    database::Engine,
    house::{House, Node, p1},
    token::header,
};

use super::{DAY, HOUR, MINUTE, SECOND};

fn kid(app: &App) -> String {
    header(&app.access)["kid"].as_str().unwrap().to_owned()
}

async fn published(node: &Node) -> Vec<String> {
    let set = node.client().get("/.well-known/jwks.json").await.ok().json();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// A house whose sessions last, and an app.
async fn lasting() -> (House, App) {
    let house = House::open(Engine::Sqlite).await;
    house.set(&["refresh.lifetime=10years", "session.idle=10years"]).await;
    let app = house.backend().new_app("ada@example.com").await;
    (house, app)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_key_signs_no_sooner_than_a_day_after_it_was_published() {
    let (house, mut app) = lasting().await;
    let service = &house.node.service;
    let before = published(&house.node).await;
    let first = kid(&app);
    house.advance(SECOND * (86_400 - 1)).await;
    let refused = service.rotate_signing_key(&p1(), false).await.unwrap_err().to_string();
    assert!(refused.contains("wait 1 h"), "{refused}");
    assert_eq!(published(&house.node).await, before);
    house.advance(SECOND).await;
    let active = service.rotate_signing_key(&p1(), false).await.unwrap().to_string();
    assert!(before.contains(&active) && active != first);
    app.refresh().await.is_ok();
    assert_eq!(kid(&app), active);
    let after = published(&house.node).await;
    assert_eq!(after.len(), 3, "a retired key, the active one, and the next");
    assert!(after.contains(&first) && after.contains(&active));
    assert!(service.rotate_signing_key(&p1(), false).await.is_err(), "the new next is seconds old");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_retired_key_signed_is_good_until_it_expires() {
    let (mut house, _) = lasting().await;
    house.set(&["access.lifetime=24h"]).await;
    house.advance(DAY).await;
    let app = house.backend().app("ada@example.com").await;
    house.node.service.rotate_signing_key(&p1(), false).await.unwrap();
    let retired = kid(&app);
    for _ in 0..23 {
        house.advance(HOUR).await;
        house.node.service.maintain().await;
        app.me().await.is_ok();
        assert!(published(&house.node).await.contains(&retired));
    }
    let unseen = house.another_node().await;
    app.through(unseen.client()).me().await.is_ok();
    house.advance(HOUR).await;
    app.profile().await.refused(401, 10_001);
    house.advance(HOUR + MINUTE).await;
    house.node.service.maintain().await;
    house.restart().await;
    assert!(!published(&house.node).await.contains(&retired), "nothing that it signed can be alive");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_take_turns_by_themselves_and_no_token_is_signed_by_a_key_unpublished_the_day_before() {
    let (house, mut app) = lasting().await;
    house.set(&["signing.rotation=10days"]).await;
    let mut signed_by = vec![kid(&app)];
    for _ in 0..32 {
        let yesterday = published(&house.node).await;
        house.advance(DAY).await;
        house.node.service.maintain().await;
        app.refresh().await.is_ok();
        app.me().await.is_ok();
        assert!(yesterday.contains(&kid(&app)));
        if signed_by.last() != Some(&kid(&app)) {
            signed_by.push(kid(&app));
        }
    }
    assert_eq!(signed_by.len(), 4, "three turns in 32 days: {signed_by:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_see_a_turn_due_one_makes_it() {
    let (house, mut app) = lasting().await;
    let second = house.another_node().await;
    house.advance(DAY * 90).await;
    second.service.tick().await;
    tokio::join!(house.node.service.maintain(), second.service.maintain());
    assert_eq!(house.entries("key.rotated").await.len(), 1);
    tokio::join!(house.node.service.tick(), second.service.tick());
    app.refresh().await.is_ok();
    app.through(second.client()).me().await.is_ok();
    assert_eq!(published(&house.node).await, published(&second).await);
}

async fn revoke(house: &House, kid: &str) {
    let id: SigningKeyId = kid.parse().unwrap();
    house.node.service.revoke_signing_key(&p1(), id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_revoked_key_signed_is_worthless_at_once_and_everywhere() {
    let (house, mut app) = lasting().await;
    let second = house.another_node().await;
    for node in [&house.node, &second] {
        app.through(node.client()).me().await.is_ok();
    }
    let old = app.clone();
    revoke(&house, &kid(&old)).await;
    old.profile().await.refused(401, 10_002);
    second.service.tick().await;
    old.through(second.client()).profile().await.refused(401, 10_002);
    app.refresh().await.is_ok();
    for node in [&house.node, &second] {
        app.through(node.client()).me().await.is_ok();
        let keys = published(node).await;
        assert!(keys.contains(&kid(&app)) && !keys.contains(&kid(&old)) && keys.len() == 2, "{keys:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_that_is_not_active_takes_only_its_own_tokens_along() {
    let (house, early) = lasting().await;
    let service = &house.node.service;
    service.rotate_signing_key(&p1(), true).await.unwrap();
    let late = house.backend().app("ada@example.com").await;
    early.me().await.is_ok();
    revoke(&house, &kid(&early)).await;
    early.profile().await.refused(401, 10_002);
    late.me().await.is_ok();
    let next = published(&house.node).await.into_iter().find(|key| *key != kid(&late)).unwrap();
    revoke(&house, &next).await;
    late.me().await.is_ok();
    let keys = published(&house.node).await;
    assert!(keys.len() == 2 && !keys.contains(&next), "another next stands ready: {keys:?}");
    assert!(service.revoke_signing_key(&p1(), next.parse().unwrap()).await.is_err());
}
