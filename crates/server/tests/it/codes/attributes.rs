//! What is known of a user, and who may ask.

use countersign_testkit::{database::Engine, house::House, on_both_engines};
use serde_json::{Value, json};

use super::with_email;

on_both_engines!(
    a_user_sees_what_is_known,
    a_backend_may_ask_by_address,
    nobody_else_learns_who_has_an_account,
    another_projects_credentials_say_nothing,
);

const PATH: &str = "/auth/v1/check-auth-attributes";

fn asking(of: Value) -> Value {
    countersign_testkit::actors::merged(json!({ "clientId": "c1", "projectId": "p1" }), of)
}

async fn a_user_sees_what_is_known(engine: Engine) {
    let house = House::in_development(engine).await;
    let phone = json!({ "phoneNumber": "+15551234567" });
    let answer = house.backend().sign_up_with("ada@example.com", phone).await.ok();
    let token = asking(json!({ "authToken": answer.text("authToken") }));
    let known = house.node.client().post(PATH, &token).await.ok().json();
    let expected = json!({
        "email": "ada@example.com", "emailVerified": true, "phoneNumber": "+15551234567", "phoneNumberVerified": true,
        "mfaEnabled": false, "eligibleForMFA": true, "passwordSet": false,
    });
    assert_eq!(known, expected);
}

async fn a_backend_may_ask_by_address(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["vouch.email=unverified"]).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let backend = house.backend().http();
    let known = backend.post(PATH, &asking(json!({ "email": "ADA@example.com" }))).await.ok().json();
    let expected = json!({
        "email": "ada@example.com", "emailVerified": false, "phoneNumber": null, "phoneNumberVerified": false,
        "mfaEnabled": false, "eligibleForMFA": false, "passwordSet": false,
    });
    assert_eq!(known, expected);
    backend.post(PATH, &asking(json!({ "email": "eve@example.com" }))).await.refused(404, 100_012);
    backend.post(PATH, &asking(json!({ "phoneNumber": "+15551234567" }))).await.refused(404, 100_012);
    let ada = with_email(&house, "ada@example.com");
    ada.sign_in(&ada.code(&house).await).await.is_ok();
    let proved = backend.post(PATH, &asking(json!({ "email": "ada@example.com" }))).await.ok().json();
    assert_eq!(proved["emailVerified"], json!(true));
}

async fn nobody_else_learns_who_has_an_account(engine: Engine) {
    let house = House::in_development(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let stranger = house.node.client();
    let bearer = stranger.with("authorization", &format!("Bearer {}", app.access));
    for address in ["ada@example.com", "nobody@example.com"] {
        for http in [&stranger, &bearer] {
            http.post(PATH, &asking(json!({ "email": address }))).await.refused(401, 100_006);
        }
    }
    stranger.post(PATH, &asking(json!({ "authToken": "a.b.c" }))).await.refused(401, 10_002);
    house
        .backend()
        .with_secret("sk_wrong")
        .http()
        .post(PATH, &asking(json!({ "email": "ada@example.com" })))
        .await
        .refused(401, 100_006);
    house.backend().http().post(PATH, &asking(json!({ "email": "ada@example.com" }))).await.is_ok();
}

async fn another_projects_credentials_say_nothing(engine: Engine) {
    let house = House::in_development(engine).await;
    let other = house.another_project("p2").await;
    let app = house.backend().new_app("ada@example.com").await;
    let theirs = house.backend_with(other.secret.danger_expose()).http();
    theirs.post(PATH, &asking(json!({ "email": "ada@example.com" }))).await.refused(400, 100_001);
    let of_p2 = json!({ "clientId": "c1", "projectId": "p2", "authToken": app.access });
    house.node.client().post(PATH, &of_p2).await.refused(400, 100_001);
    house.node.client().post(PATH, &asking(json!({ "authToken": app.access }))).await.is_ok();
}
