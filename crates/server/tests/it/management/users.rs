//! What a backend says of its users.

use countersign_testkit::{answer::Answer, database::Engine, house::House, on_both_engines};
use serde_json::{Value, json};

use super::{ENFORCEMENT, PHONE, with_user};

on_both_engines!(
    a_users_telephone_number_is_set_and_the_user_is_told,
    a_number_of_another_user_is_nobodys_to_give,
    a_number_that_is_none_is_refused,
    when_a_user_is_asked_for_a_second_factor_is_read_and_set,
    a_user_is_known_by_address_uid_and_the_customers_own_id,
);

async fn told(house: &House, to: &str) -> Vec<Value> {
    let answer: Answer = house.node.client().get(&format!("/dev/outbox?to={to}")).await.ok();
    answer.json()["messages"].as_array().unwrap().clone()
}

async fn profile(house: &House, uid: &str) -> Vec<String> {
    let known = house.node.service.show_user(&countersign_testkit::house::p1(), uid).await.unwrap();
    known.identities.iter().map(|record| record.identity.value().to_owned()).collect()
}

async fn a_users_telephone_number_is_set_and_the_user_is_told(engine: Engine) {
    let (house, uid) = with_user(engine).await;
    let backend = house.managing_backend().await;
    for number in ["+15551234567", "+15551234568"] {
        let asked = json!({ "userid": "ada@example.com", "phone": number });
        assert_eq!(backend.call(PHONE, &asked).await.ok().json(), json!({ "ok": true }));
        let known_as = profile(&house, &uid).await;
        let numbers: Vec<&String> = known_as.iter().filter(|value| value.starts_with('+')).collect();
        assert_eq!(numbers, [number], "what was said before is replaced");
    }
    let messages = told(&house, "ada@example.com").await;
    assert_eq!(messages.len(), 2);
    assert!(messages[0]["text"].as_str().unwrap().contains("another telephone number"), "{}", messages[0]);
    // What is so already changes nothing, and nobody is told.
    backend.call(PHONE, &json!({ "userid": uid, "phone": "+15551234568" })).await.is_ok();
    assert_eq!(told(&house, "ada@example.com").await.len(), 2);
    assert_eq!(house.entries("user.set").await.len(), 2);
}

async fn a_number_of_another_user_is_nobodys_to_give(engine: Engine) {
    let (house, uid) = with_user(engine).await;
    house.user("eve@example.com").await;
    let backend = house.managing_backend().await;
    backend.call(PHONE, &json!({ "userid": "eve@example.com", "phone": "+15551234567" })).await.is_ok();
    let before = house.books().await;
    let refused = backend.call(PHONE, &json!({ "userid": uid, "phone": "+15551234567" })).await.detail(409);
    assert_eq!(refused, "Another user has this telephone number.");
    assert_eq!(house.books().await, before);
    backend.call(PHONE, &json!({ "userid": uid, "phone": "+15551234568" })).await.is_ok();
}

async fn a_number_that_is_none_is_refused(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let before = house.books().await;
    for number in ["", "5551234567", "+", "+1", "+0123456789", "+1555123456789012", "+1 555 123 4567", "+1555123456x"] {
        let refused = backend.call(PHONE, &json!({ "userid": "ada@example.com", "phone": number })).await.detail(400);
        assert!(refused.starts_with("`phone` must be"), "{number}: {refused}");
    }
    let nobody = backend.call(PHONE, &json!({ "userid": "bob@example.com", "phone": "+15551234567" })).await;
    assert_eq!(nobody.detail(404), "There is no such user.");
    assert_eq!(backend.call(PHONE, &json!([])).await.detail(400), "The body must be a JSON object in UTF-8.");
    assert_eq!(house.books().await, before);
}

async fn when_a_user_is_asked_for_a_second_factor_is_read_and_set(engine: Engine) {
    let (house, uid) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let read = async || {
        let answer = backend.call(ENFORCEMENT, &json!({ "userid": "ada@example.com" })).await.ok();
        answer.json()["mfa_enforcement"].clone()
    };
    assert_eq!(read().await, Value::Null);
    for (n, wanted) in ["always_on", "risk_based", "off", "always_on"].into_iter().enumerate() {
        let set = backend.call(ENFORCEMENT, &json!({ "userid": uid, "mfa_enforcement": wanted })).await.ok();
        assert_eq!(set.json(), json!({ "mfa_enforcement": wanted }));
        assert_eq!(read().await, wanted);
        assert_eq!(told(&house, "ada@example.com").await.len(), n + 1);
    }
    let refused = backend.call(ENFORCEMENT, &json!({ "userid": uid, "mfa_enforcement": "sometimes" })).await;
    assert_eq!(refused.detail(400), "`mfa_enforcement` must be `always_on`, `risk_based` or `off`.");
    assert_eq!(read().await, "always_on");
    backend.call(ENFORCEMENT, &json!({ "userid": "bob@example.com" })).await.detail(404);
    let entries = house.entries("mfa.enforcement_set").await;
    assert_eq!(entries.len(), 4);
    assert_eq!((entries[0].actor_kind.as_str(), entries[0].user_id.as_deref()), ("client", Some(uid.as_str())));
}

async fn a_user_is_known_by_address_uid_and_the_customers_own_id(engine: Engine) {
    let (house, uid) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let of_app = house.client_app("crm-7").http().get("/verify").await.ok();
    let other = of_app.header("x-countersign-user").to_owned();
    for (userid, status) in [
        ("ada@example.com", 200),
        ("ADA@example.com", 200),
        (&uid, 200),
        ("crm-7", 200),
        (&other, 200),
        ("", 404),
        ("crm-8", 404),
    ] {
        let answer = backend.call(ENFORCEMENT, &json!({ "userid": userid })).await;
        assert_eq!(answer.status(), status, "{userid}: {answer}");
    }
    // A customer's own id that is spelt as somebody's address, or as their uid, means neither.
    for spelt_as in ["ada@example.com", &uid] {
        house.client_app(spelt_as).http().get("/verify").await.is_ok();
        let refused = backend.call(ENFORCEMENT, &json!({ "userid": spelt_as })).await.detail(409);
        assert_eq!(refused, "The userid means more than one user: use the e-mail address, or the uid.");
    }
}
