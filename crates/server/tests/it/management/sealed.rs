//! Calls of management that are sealed instead of signed by an assertion.

use countersign_testkit::{database::Engine, on_both_engines};
use serde_json::json;

use super::{ENFORCEMENT, PHONE, POLICY, with_user};

on_both_engines!(
    a_sealed_call_is_answered_sealed_whatever_the_answer_says,
    an_envelope_is_good_for_one_call_at_one_address,
    a_call_that_is_proved_in_two_ways_is_refused,
);

async fn a_sealed_call_is_answered_sealed_whatever_the_answer_says(engine: Engine) {
    let (house, uid) = with_user(engine).await;
    let provider = house.service_provider("c4").await;
    assert_eq!(provider.call(POLICY, &json!({})).await.ok()["mfa_policy"], "suggested");
    let phone = json!({ "userid": "ada@example.com", "phone": "+15551234567" });
    assert_eq!(provider.call(PHONE, &phone).await.ok(), json!({ "ok": true }));
    let wish = json!({ "userid": uid, "mfa_enforcement": "risk_based" });
    assert_eq!(provider.call(ENFORCEMENT, &wish).await.ok(), json!({ "mfa_enforcement": "risk_based" }));
    let entry = house.only_entry("user.set").await;
    assert_eq!((entry.actor_kind.as_str(), entry.client_id.as_deref()), ("delegation_key", Some("c4")));
    let before = house.books().await;
    for (path, text, status, detail) in [
        (PHONE, json!([]), 400, "The body must be a JSON object in UTF-8."),
        (
            PHONE,
            json!({ "userid": uid, "phone": "+1555" }),
            400,
            "`phone` must be a telephone number in E.164 form like `+15551234567`.",
        ),
        (
            PHONE,
            json!({ "userid": uid, "phone": "+15551" }),
            400,
            "`phone` must be a telephone number in E.164 form like `+15551234567`.",
        ),
        (PHONE, json!({ "userid": uid, "phone": "+1555123456" }), 400, "`phone` is no number that there could be."),
        (PHONE, json!({ "userid": "bob@example.com", "phone": "+15551234567" }), 404, "There is no such user."),
        (
            "/v1/management/stepup/consume",
            json!({ "step_up_receipt": "x" }),
            400,
            "This is no step-up receipt of this project, or it has expired.",
        ),
    ] {
        provider.call(path, &text).await.refused(status, detail);
    }
    assert_eq!(house.books().await, before);
}

async fn an_envelope_is_good_for_one_call_at_one_address(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let provider = house.service_provider("c4").await;
    let body = provider.sealed(&json!({ "userid": "ada@example.com", "phone": "+15551234567" }));
    let http = provider.signed(&body);
    provider.opened(http.post_bytes(POLICY, body.clone()).await).ok();
    let before = house.books().await;
    for path in [PHONE, POLICY] {
        let answer = provider.opened(http.post_bytes(path, body.clone()).await);
        answer.refused(401, "This envelope was used before: seal another one for each call.");
    }
    assert_eq!(house.books().await, before);
    let again = provider.sealed(&json!({ "userid": "ada@example.com", "phone": "+15551234567" }));
    provider.opened(provider.signed(&again).post_bytes(PHONE, again).await).ok();
    assert_eq!(house.books().await.identities, before.identities + 1);
}

async fn a_call_that_is_proved_in_two_ways_is_refused(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let provider = house.service_provider("c4").await;
    let body = provider.sealed(&json!({}));
    let assertion = backend.sign(&backend.claims(POLICY, str::from_utf8(&body).unwrap(), &json!({})));
    let both = provider.signed(&body).with("authorization", &format!("Bearer {assertion}"));
    let refused = both.post_bytes(POLICY, body.clone()).await.detail(400);
    assert_eq!(refused, "The call is proved in two ways at once: who knows which is meant?");
    provider.opened(provider.signed(&body).post_bytes(POLICY, body).await).ok();
}
