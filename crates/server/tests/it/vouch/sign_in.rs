//! `private/signin` and `private/signup`.

use countersign_testkit::{database::Engine, house::House, on_both_engines};
use serde_json::json;

on_both_engines!(a_user_who_is_vouched_for_gets_tokens);

async fn a_user_who_is_vouched_for_gets_tokens(engine: Engine) {
    let house = House::open(engine).await;
    let vouched = house.backend().sign_up("ada@example.com").await.ok().json();
    let uid = vouched["uid"].as_str().unwrap();
    assert!(uid.starts_with("u_"), "{vouched}");
    let again = house.backend().sign_in_with("Ada@Example.com", json!({})).await.ok().json();
    assert_eq!(again["uid"], uid);
}
