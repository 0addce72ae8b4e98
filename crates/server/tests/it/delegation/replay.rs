//! What was taken once isn't taken again: at no address, at no server, under no other signature.

use std::time::Duration;

use countersign_domain::audit::Act;
use countersign_testkit::{
    database::Engine,
    house::House,
    on_both_engines,
    service_provider::{Opened, ServiceProvider},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{CREDS, GET, REPLAYED, SET};

on_both_engines!(
    a_call_is_taken_once,
    of_many_who_send_one_call_at_once_one_is_served,
    a_call_that_one_node_took_is_refused_at_the_others,
    an_envelope_that_is_moved_to_another_address_is_refused,
    an_envelope_in_another_spelling_is_the_same,
    an_envelope_that_somebody_else_signs_is_refused,
);

async fn staged(engine: Engine) -> (House, ServiceProvider) {
    let house = House::open(engine).await;
    house.backend().new_app("ada@example.com").await;
    let provider = house.service_provider("c3").await;
    (house, provider)
}

fn wish(of: &str) -> Value {
    json!({ "userid": "ada@example.com", "suggested_mfa": of })
}

fn of_ada() -> Value {
    json!({ "userid": "ada@example.com" })
}

async fn sent(provider: &ServiceProvider, path: &str, body: &[u8]) -> Opened {
    provider.opened(provider.signed(body).post_bytes(path, body.to_vec()).await)
}

async fn a_call_is_taken_once(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let body = provider.sealed(&wish("none"));
    sent(&provider, SET, &body).await.ok();
    provider.call(SET, &wish("always")).await.ok();
    let before = house.books().await;
    sent(&provider, SET, &body).await.refused(401, REPLAYED);
    assert_eq!(house.books().await, before);
    assert_eq!(provider.call(GET, &of_ada()).await.ok()["suggested_mfa"], "always");
    assert_eq!(house.counted(Act::DelegationRefused, "replayed").await, 1);
}

async fn of_many_who_send_one_call_at_once_one_is_served(engine: Engine) {
    let (_house, provider) = staged(engine).await;
    let body = provider.sealed(&wish("none"));
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (provider, body) = (provider.clone(), body.clone());
        calls.spawn(async move { sent(&provider, SET, &body).await.status });
    }
    let mut statuses = calls.join_all().await;
    statuses.sort_unstable();
    let mut expected = vec![401; 20];
    expected[0] = 200;
    assert_eq!(statuses, expected);
}

async fn a_call_that_one_node_took_is_refused_at_the_others(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let other = house.another_node().await;
    let body = provider.sealed(&wish("none"));
    sent(&provider, SET, &body).await.ok();
    sent(&provider.at(&other), SET, &body).await.refused(401, REPLAYED);
    provider.at(&other).call(SET, &wish("always")).await.ok();
}

async fn an_envelope_that_is_moved_to_another_address_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    // It would be right there, too.
    let body = provider.sealed(&of_ada());
    let signed = provider.signed(&body);
    provider.opened(signed.post_bytes(GET, body.clone()).await).ok();
    provider.opened(signed.post_bytes(CREDS, body.clone()).await).refused(401, REPLAYED);
    house.advance(Duration::from_secs(1)).await;
    sent(&provider, CREDS, &body).await.refused(401, REPLAYED);
    sent(&provider, CREDS, &provider.sealed(&of_ada())).await.ok();
}

async fn an_envelope_in_another_spelling_is_the_same(engine: Engine) {
    let (_house, provider) = staged(engine).await;
    let body = provider.sealed(&wish("none"));
    sent(&provider, SET, &body).await.ok();
    let json: Value = serde_json::from_slice(&body).unwrap();
    let turned = format!(
        r#" {{ "ct":{}, "iv":{}, "epk":{}, "enc":"\u007825519-aesgcm" }} "#,
        json["ct"], json["iv"], json["epk"]
    );
    sent(&provider, SET, turned.as_bytes()).await.refused(401, REPLAYED);
    // The spelling itself is one that is taken.
    let fresh: Value = serde_json::from_slice(&provider.sealed(&wish("always"))).unwrap();
    let turned = format!(
        r#" {{ "ct":{}, "iv":{}, "epk":{}, "enc":"\u007825519-aesgcm" }} "#,
        fresh["ct"], fresh["iv"], fresh["epk"]
    );
    sent(&provider, SET, turned.as_bytes()).await.ok();
}

async fn an_envelope_that_somebody_else_signs_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let other = house.service_provider("c4").await;
    let body = provider.sealed(&of_ada());
    sent(&provider, CREDS, &body).await.ok();
    sent(&other, CREDS, &body).await.refused(401, REPLAYED);
    // Longer than the signature was fresh.
    house.advance(Duration::from_mins(50)).await;
    sent(&other, CREDS, &body).await.refused(401, REPLAYED);
    sent(&other, CREDS, &other.sealed(&of_ada())).await.ok();
}
