//! The guide's published client, against a server that runs.

use std::path::Path;

use countersign_service::keys::delegation::DelegationPem;
use countersign_testkit::{database::Engine, house::House};
use serde_json::{Value, json};

use crate::guides::{
    in_python::{python, python_of},
    tools::{run, told as told_by_the_run},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_client_changes_a_second_factor_and_is_told_what_is_wrong() {
    let house = House::open_now(Engine::Sqlite).await;
    house.backend().new_app("ada@example.com").await;
    house.another_project("p2").await;
    let pem = handed_over(&house, "p1", "c3").await;
    let other = handed_over(&house, "p1", "c4").await;
    let elsewhere = handed_over(&house, "p2", "c3").await;
    let told = json!({
        "url": house.public_url(), "user": "ada@example.com",
        "pem": {
            "sp_signing_key_pem": pem.sp_signing_key.danger_expose(),
            "sp_encryption_key_pem": pem.sp_encryption_key.danger_expose(),
            "idp_verify_key_pem": pem.idp_verify_key, "idp_encryption_key_pem": pem.idp_encryption_key,
        },
        "other_signing_key_pem": other.sp_signing_key.danger_expose(),
        "other_verify_key_pem": elsewhere.idp_verify_key,
    });
    let mut script = python();
    script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/delegation/by_guides_client.py"));
    script.arg(told.to_string());
    let done = run(script.into()).await.json();
    changed(&done);
    refused(&done);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_later_versions_calls_with_a_credential_alone() {
    let house = House::open_now(Engine::Sqlite).await;
    house.backend().new_app("ada@example.com").await;
    house.another_project("p2").await;
    let (project, client) = ("p1".parse().unwrap(), "c4".parse().unwrap());
    let made = house.node.service.create_delegation_key(&project, &client, None).await.unwrap();
    let told = json!({
        "url": house.public_url(), "user": "ada@example.com", "credential": made.credential.danger_expose(),
    });
    let mut script = python_of(&told_by_the_run("COUNTERSIGN_TEST_PYTHON_NEWER"));
    script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/delegation/by_later_client.py"));
    script.arg(told.to_string());
    let done = run(script.into()).await.json();
    for way in ["by project", "by key"] {
        assert_eq!(done[way]["email"], "ada@example.com", "{way}: {done}");
    }
    assert_eq!(done["another project"]["status"], 401, "{done}");
    assert_eq!(done["unknown user"]["status"], 404, "{done}");
    assert!(done["unknown user"]["detail"].as_str().unwrap().contains("There is no such user."), "{done}");
}

async fn handed_over(house: &House, project: &str, client: &str) -> DelegationPem {
    let (project, client) = (project.parse().unwrap(), client.parse().unwrap());
    house.node.service.create_delegation_key(&project, &client, None).await.unwrap().pem
}

fn changed(done: &Value) {
    assert_eq!(done["before"]["mfa_method"], "none", "{done}");
    assert_eq!(done["sms"]["told"], json!(["detail", "otp", "session_id", "status"]));
    assert_eq!(done["sms"]["verified"]["mfa_changed_to"], "sms");
    assert_eq!(
        (&done["after_sms"]["mfa_method"], &done["after_sms"]["contact"]),
        (&json!("sms"), &json!("+15551234567"))
    );
    assert_eq!(done["email"]["mfa_changed_to"], "email");
    assert_eq!((&done["state"]["methods"], &done["disabled"]["methods"]), (&json!(["email"]), &json!([])));
    assert_eq!(done["enabled"]["methods"], json!(["email"]));
    assert_eq!(done["totp"]["told"], json!(["detail", "otpauth_uri", "session_id", "status", "totp_secret"]));
    assert_eq!(done["totp"]["uri"], true);
    let suggested = |value: Value| json!({ "suggested_mfa": value });
    let set = json!({ "success": true, "detail": "The preference was set." });
    let expected = json!([suggested(Value::Null), set, suggested(json!("risk_only")), suggested(Value::Null)]);
    assert_eq!(done["suggested"], expected);
}

fn refused(done: &Value) {
    let says = |what: &Value, words: &str| {
        let text = what.as_str().unwrap_or_default();
        assert!(text.starts_with("Delegation") && text.contains(words), "{words}: {what}");
    };
    let wrong = "IdP returned 400: The code isn't right, or the change is over: look at the code, or begin again.";
    for name in ["wrong", "again"] {
        says(&done[name], &wrong.replace("IdP", "IDP"));
    }
    says(&done["unproved"], "IDP returned 409: The user must show a code for that");
    let refused = &done["refused"];
    says(&refused["unknown user"], "IDP returned 404: There is no such user.");
    says(&refused["impossible number"], "IDP returned 400: `contact`");
    for name in ["another client", "no client", "another key"] {
        says(&refused[name], "The call is not proved");
    }
    says(&refused["our key of another"], "DelegationResponseError");
}
