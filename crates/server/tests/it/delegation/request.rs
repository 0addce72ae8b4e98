//! Requests in the older form: what they say of themselves must be so.

use std::time::Duration;

use countersign_testkit::{
    actors::merged,
    database::Engine,
    house::House,
    on_both_engines,
    service_provider::{Opened, ServiceProvider},
};
use serde_json::{Value, json};

use super::mfa_change::{INITIATE, VERIFY};

on_both_engines!(
    a_backend_takes_a_factor_away_and_gives_it_back,
    what_nobody_has_proved_is_not_set,
    a_request_for_something_else_is_refused,
    a_request_of_somebody_else_is_refused,
    a_jti_is_good_once,
    why_and_for_whom_is_in_the_trail,
    what_is_asked_must_be_whole,
);

const UPDATE: &str = "/mfa/update";
const GET: &str = "/mfa/get";

async fn staged(engine: Engine) -> (House, ServiceProvider) {
    let house = House::in_development(engine).await;
    house.backend().new_app("ada@example.com").await;
    let provider = house.service_provider("c3").await;
    (house, provider)
}

/// As the guide's client makes it.
fn request(provider: &ServiceProvider, jti: &str) -> Value {
    json!({
        "v": "1", "type": "delegation.request", "action": "mfa.update",
        "sp": { "id": "c3", "kid": "hawcx" },
        "subject": { "user_id": "ada@example.com" },
        "params": { "method": "email", "enabled": true },
        "audit": { "reason": "lost the telephone", "requested_by": "desk-7" },
        "jti": jti, "iat": provider.now().seconds(),
    })
}

fn asking(provider: &ServiceProvider, jti: &str) -> Value {
    merged(request(provider, jti), json!({ "action": "mfa.get_status", "params": {} }))
}

fn wanting(provider: &ServiceProvider, jti: &str, method: &str, enabled: bool) -> Value {
    merged(request(provider, jti), json!({ "params": { "method": method, "enabled": enabled } }))
}

async fn state(provider: &ServiceProvider, jti: &str) -> Value {
    provider.call(GET, &asking(provider, jti)).await.ok()
}

async fn refused(house: &House, provider: &ServiceProvider, text: &Value, status: u16, detail: &str) {
    let before = (house.books().await, house.database.number("select count(*) from second_factors").await);
    let answer: Opened = provider.call(UPDATE, text).await;
    answer.refused(status, detail);
    assert_eq!((house.books().await, house.database.number("select count(*) from second_factors").await), before);
}

async fn a_backend_takes_a_factor_away_and_gives_it_back(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let none = json!({
        "status": "success", "user_id": "ada@example.com", "mfa_method": "none", "methods": [], "enabled": false,
        "detail": "The state was retrieved.",
    });
    assert_eq!(state(&provider, "1").await, none);
    let given = provider.call(UPDATE, &wanting(&provider, "2", "email", true)).await.ok();
    assert_eq!(
        (&given["mfa_method"], &given["methods"], &given["enabled"]),
        (&json!("email"), &json!(["email"]), &json!(true))
    );
    assert_eq!(house.only_entry("factor.added").await.detail["factor"], "email");
    // What is so already stays so, and isn't told again.
    provider.call(UPDATE, &wanting(&provider, "3", "email", true)).await.ok();
    assert_eq!(house.entries("factor.added").await.len(), 1);
    let taken = provider.call(UPDATE, &wanting(&provider, "4", "email", false)).await.ok();
    assert_eq!((&taken["mfa_method"], &taken["enabled"]), (&json!("none"), &json!(false)));
    provider.call(UPDATE, &wanting(&provider, "5", "sms", false)).await.ok();
    assert_eq!(house.entries("factor.removed").await.len(), 1);
    let told = house.node.service.outbox(Some(&"ada@example.com".parse().unwrap())).await.unwrap();
    assert_eq!(told.len(), 2);
}

async fn what_nobody_has_proved_is_not_set(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let detail = "The user must show a code for that: begin with /hc_auth/v5/update/initiate.";
    refused(&house, &provider, &wanting(&provider, "1", "totp", true), 409, detail).await;
    refused(&house, &provider, &wanting(&provider, "2", "sms", true), 409, detail).await;
    // An address of which somebody said that it is the user's is none that the user has proved.
    house.set(&["vouch.email=unverified"]).await;
    house.backend().new_app("bob@example.com").await;
    let of_bob = merged(request(&provider, "3"), json!({ "subject": { "user_id": "bob@example.com" } }));
    refused(&house, &provider, &of_bob, 409, detail).await;
    // By a code it is another matter.
    let sms = json!({ "userid": "ada@example.com", "mfa_method": "sms", "contact": "+15551234567" });
    let begun = provider.call(INITIATE, &sms).await.ok();
    let typed = json!({ "userid": "ada@example.com", "session_id": begun["session_id"], "otp": begun["otp"] });
    provider.call(VERIFY, &typed).await.ok();
    assert_eq!(state(&provider, "4").await["methods"], json!(["sms"]));
}

async fn a_request_for_something_else_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let detail = "`action` must be the one that this path is for.";
    for action in ["mfa.get_status", "device.revoke", "MFA.update", ""] {
        refused(&house, &provider, &merged(request(&provider, "1"), json!({ "action": action })), 400, detail).await;
    }
    provider.call(GET, &request(&provider, "1")).await.refused(400, detail);
    provider.call(UPDATE, &request(&provider, "1")).await.ok();
}

async fn a_request_of_somebody_else_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let detail = "`sp.id` and `sp.kid` must be what the headers say.";
    let kid = provider.credential.name.as_str();
    for sp in [
        json!({ "id": "c4", "kid": "hawcx" }),
        json!({ "id": "C3", "kid": "hawcx" }),
        json!({ "id": "c3", "kid": kid }),
        json!({ "id": "c3", "kid": null }),
        json!({ "id": "c3" }),
    ] {
        refused(&house, &provider, &merged(request(&provider, "1"), json!({ "sp": sp })), 401, detail).await;
    }
    provider.call(UPDATE, &request(&provider, "1")).await.ok();
    // Whoever names its key says so in both places.
    let named = merged(request(&provider, "2"), json!({ "sp": { "id": "c3", "kid": kid } }));
    let body = provider.sealed(&named);
    provider.opened(provider.signed(&body).with("x-key-id", kid).post_bytes(UPDATE, body).await).ok();
}

/// On PostgreSQL the database keeps the time, and it goes on meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_another_time_is_refused() {
    let (house, provider) = staged(Engine::Sqlite).await;
    let detail = "`iat` is more than 300 seconds from now: compare the clocks.";
    let now = provider.now().seconds();
    for iat in [now - 301, now + 301, 0, i64::MAX, i64::MIN] {
        refused(&house, &provider, &merged(request(&provider, "1"), json!({ "iat": iat })), 401, detail).await;
    }
    for (jti, iat) in [("1", now - 300), ("2", now + 300)] {
        provider.call(UPDATE, &merged(request(&provider, jti), json!({ "iat": iat }))).await.ok();
    }
}

async fn a_jti_is_good_once(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let other = house.another_node().await;
    let detail = "This `jti` was used before: draw another one for each request.";
    provider.call(UPDATE, &wanting(&provider, "1", "email", true)).await.ok();
    refused(&house, &provider, &wanting(&provider, "1", "email", false), 401, detail).await;
    refused(&house, &provider.at(&other), &wanting(&provider, "1", "email", false), 401, detail).await;
    provider.call(GET, &asking(&provider, "1")).await.refused(401, detail);
    // Another client's is another.
    let theirs = house.service_provider("c4").await;
    let text = merged(wanting(&theirs, "1", "email", false), json!({ "sp": { "id": "c4", "kid": "hawcx" } }));
    theirs.call(UPDATE, &text).await.ok();
}

async fn why_and_for_whom_is_in_the_trail(engine: Engine) {
    let (house, provider) = staged(engine).await;
    provider.call(UPDATE, &request(&provider, "1")).await.ok();
    let entry = house.only_entry("factor.added").await;
    assert_eq!((&*entry.detail["reason"], &*entry.detail["requested_by"]), ("lost the telephone", "desk-7"));
    assert_eq!((entry.actor_kind.as_str(), entry.client_id.as_deref()), ("delegation_key", Some("c3")));
    for (jti, by, said) in [("2", "ada@example.com", "user"), ("3", "zoe@example.com", "z…@example.com")] {
        house.advance(Duration::from_secs(1)).await;
        let audit = json!({ "audit": { "reason": "asked for it", "requested_by": by } });
        provider.call(UPDATE, &merged(wanting(&provider, jti, "email", jti == "3"), audit)).await.ok();
        let newest = house.trail().await.into_iter().rfind(|entry| entry.act.starts_with("factor.")).unwrap();
        assert_eq!(newest.detail["requested_by"], said);
    }
}

async fn what_is_asked_must_be_whole(engine: Engine) {
    let (house, provider) = staged(engine).await;
    for (change, detail) in [
        (json!({ "v": "2" }), "`v` must be `1`."),
        (json!({ "type": "request" }), "`type` must be `delegation.request`."),
        (json!({ "jti": null }), "`jti` is missing."),
        (json!({ "iat": "now" }), "`iat` must be a whole number."),
        (json!({ "subject": {} }), "`subject.user_id` is missing."),
        (json!({ "params": {} }), "`params.method` is missing."),
        (json!({ "params": { "method": "email" } }), "`params.enabled` is missing."),
        (
            json!({ "params": { "method": "hmac", "enabled": true } }),
            "`params.method` must be `totp`, `sms` or `email`.",
        ),
        (json!({ "audit": {} }), "`audit.reason` is missing."),
        (
            json!({ "audit": { "reason": "a\nb", "requested_by": "x" } }),
            "`audit.reason` must be 1 to 255 bytes without control characters.",
        ),
    ] {
        refused(&house, &provider, &merged(request(&provider, "1"), change), 400, detail).await;
    }
    provider.call(UPDATE, &request(&provider, "1")).await.ok();
}
