//! What a backend learns of its users, and whom it can mean.

use countersign_testkit::{database::Engine, house::House, on_both_engines};
use serde_json::{Value, json};

use super::{CREDS, GET, SET};

on_both_engines!(
    a_backend_learns_what_its_user_has,
    a_user_is_found_by_address_and_by_either_id,
    a_name_that_could_mean_two_users_means_none,
    of_nobody_is_told_what_is_told_of_who_never_said,
);

async fn a_backend_learns_what_its_user_has(engine: Engine) {
    let house = House::open(engine).await;
    house.backend().new_app("ada@example.com").await;
    let provider = house.service_provider("c3").await;
    let creds = provider.call(CREDS, &json!({ "userid": "ada@example.com" })).await.ok();
    assert_eq!(
        creds,
        json!({
            "userid": "ada@example.com", "email": "ada@example.com", "email_verified": true, "mfa_method": "none",
            "suggested_mfa": null, "detail": "Credentials retrieved.",
        })
    );
    provider.call(SET, &json!({ "userid": "ada@example.com", "suggested_mfa": "risk_only" })).await.ok();
    let creds = provider.call(CREDS, &json!({ "userid": "ada@example.com" })).await.ok();
    assert_eq!(creds["suggested_mfa"], "risk_only");
    let entry = house.only_entry("mfa_preference.set").await;
    assert_eq!((entry.actor_kind.as_str(), &*entry.detail["preference"]), ("delegation_key", "risk_only"));
}

async fn a_user_is_found_by_address_and_by_either_id(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let provider = house.service_provider("c3").await;
    for userid in ["ada@example.com", "ADA@Example.com", &*app.uid] {
        let creds = provider.call(CREDS, &json!({ "userid": userid })).await.ok();
        assert_eq!((&creds["userid"], &creds["email"]), (&json!(userid), &json!("ada@example.com")));
    }
    house.client_app("user-7").get("/v1/me").await.is_ok();
    let creds = provider.call(CREDS, &json!({ "userid": "user-7" })).await.ok();
    assert_eq!(creds["email"], Value::Null);
    for nobody in ["eve@example.com", "user-8", "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "\u{0}", "' or 1=1 --"] {
        provider.call(CREDS, &json!({ "userid": nobody })).await.refused(404, "There is no such user.");
    }
}

async fn a_name_that_could_mean_two_users_means_none(engine: Engine) {
    let house = House::open(engine).await;
    house.backend().new_app("ada@example.com").await;
    // Somebody whom the customer calls by Ada's address.
    house.client_app("ada@example.com").get("/v1/me").await.is_ok();
    let provider = house.service_provider("c3").await;
    let detail = "`userid` is one user's e-mail address and another's id: say it by the user's id here (u_…).";
    for (path, text) in [
        (CREDS, json!({ "userid": "ada@example.com" })),
        (GET, json!({ "userid": "ada@example.com" })),
        (SET, json!({ "userid": "ada@example.com", "suggested_mfa": "none" })),
    ] {
        provider.call(path, &text).await.refused(409, detail);
    }
    assert!(house.entries("mfa_preference.set").await.is_empty());
}

async fn of_nobody_is_told_what_is_told_of_who_never_said(engine: Engine) {
    let house = House::open(engine).await;
    house.backend().new_app("ada@example.com").await;
    let provider = house.service_provider("c3").await;
    for userid in ["ada@example.com", "eve@example.com"] {
        let answer = provider.call(GET, &json!({ "userid": userid })).await;
        assert_eq!(answer.ok(), json!({ "suggested_mfa": null }));
    }
}
