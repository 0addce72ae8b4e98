//! The guide's published client sees to a user's devices.

use std::path::Path;

use countersign_testkit::{
    database::Engine,
    house::{House, p1},
};
use serde_json::json;

use super::{ADA, signs_in};
use crate::guides::{in_python::python, tools::run};

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_lists_revokes_restores_and_deletes_a_device() {
    let house = House::open_now_at_localhost(Engine::Sqlite).await;
    house.web_app().await;
    house.user(ADA).await;
    let (_, passkey) = house.passkey_of(ADA).await;
    let (other, tokens) = signs_in(&house, &passkey).await;
    let made = house.node.service.create_delegation_key(&p1(), &"c3".parse().unwrap(), None).await.unwrap();
    let pem = made.pem;
    let told_to_it = json!({
        "url": house.node.base(),
        "pem": {
            "sp_signing_key_pem": pem.sp_signing_key.danger_expose(),
            "sp_encryption_key_pem": pem.sp_encryption_key.danger_expose(),
            "idp_verify_key_pem": pem.idp_verify_key,
            "idp_encryption_key_pem": pem.idp_encryption_key,
        },
        "user": ADA,
        "access_token": tokens.text("access_token"),
    });
    let mut script = python();
    script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/delegation/devices_by_guides_client.py"));
    script.arg(told_to_it.to_string());
    let done = run(script.into()).await.json();
    assert_eq!(done["listed"]["total_devices"], 1, "{done}");
    assert_eq!(done["alive"], json!([200, 401, 401]), "{done}");
    assert_eq!(done["states"], json!([false, true, false, null]), "{done}");
    assert_eq!(done["details"]["revoke"], "The device was revoked.");
    assert_eq!(done["details"]["again"], "The device is already revoked.");
    assert_eq!(done["details"]["unrevoke"], "The device was unrevoked.");
    assert_eq!(done["details"]["delete"], "The device was deleted.");
    assert_eq!((&done["older"]["revoked"], &done["older"]["status"]), (&json!(true), &json!("success")), "{done}");
    for name in ["unknown device", "unknown user", "gone"] {
        assert!(done["refused"][name].as_str().unwrap().contains("404"), "{name}: {done}");
    }
    assert_eq!(other.get("/account").await.status(), 303, "signed out there");
}
