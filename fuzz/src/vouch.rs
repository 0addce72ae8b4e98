//! What must hold of every vouch that was taken from a body.

use countersign_domain::{
    clock::Timestamp,
    proof::{Level, Method},
    text::{DeviceId, ExternalId, PhoneNumber},
};
use countersign_wire::vouch::sign_in::{SignIn, Vouch};

use crate::json::{self, Json, Members};

/// Compares a vouch with the body that it was read from.
pub fn assert_read_from(vouch: &Vouch, body: &Members) {
    assert!(
        matches!(json::single(body, "method"), Some(Json::Integer(4))) || json::text(body, "method") == Some("PRIVATE")
    );
    assert_eq!(Some(vouch.project.as_str()), json::text(body, "projectId"));
    assert_eq!(Some(vouch.client.as_str()), json::text(body, "clientId"));
    let email = json::text(body, "email").expect("no vouch without an address");
    assert_eq!(vouch.email.as_str(), email.to_ascii_lowercase());
    assert_eq!(vouch.external_id.as_ref().map(ExternalId::as_str), json::text(body, "externalId"));
    assert_eq!(vouch.phone.as_ref().map(PhoneNumber::as_str), json::text(body, "phoneNumber"));
    assert_eq!(vouch.device.as_ref().map(DeviceId::as_str), json::text(body, "deviceId"));
    assert_eq!(vouch.email_verified.map(Json::Boolean).as_ref(), json::single(body, "emailVerified"));
    assert_authentication(vouch, object(body, "authentication"));
    assert_reads_again(vouch);
}

fn assert_authentication(vouch: &Vouch, body: &Members) {
    assert!(vouch.methods.len() <= 8);
    let methods: Vec<Json> = vouch.methods.iter().map(|method| Json::Text(method.as_str().to_owned())).collect();
    match json::single(body, "amr") {
        None => assert!(methods.is_empty()),
        Some(listed) => assert_eq!(*listed, Json::List(methods)),
    }
    assert_eq!(vouch.level.map(Level::as_str), json::text(body, "acr"));
    match (vouch.auth_time, json::single(body, "authTime")) {
        (None, None) => {}
        // Beyond the ends of time, a time stays at the end.
        (Some(at), Some(Json::Integer(seconds))) => assert_eq!(at.micros(), seconds.saturating_mul(1_000_000)),
        (read, written) => panic!("{written:?} was read as {read:?}"),
    }
}

/// Printed again, a vouch says the same.
fn assert_reads_again(vouch: &Vouch) {
    let body = serde_json::json!({
        "method": "PRIVATE", "projectId": vouch.project, "clientId": vouch.client, "email": vouch.email.as_str(),
        "emailVerified": vouch.email_verified,
        "externalId": vouch.external_id.as_ref().map(ExternalId::as_str),
        "phoneNumber": vouch.phone.as_ref().map(PhoneNumber::as_str),
        "deviceId": vouch.device.as_ref().map(DeviceId::as_str),
        "authentication": {
            "amr": vouch.methods.iter().map(Method::as_str).collect::<Vec<_>>(),
            "acr": vouch.level.map(Level::as_str),
            "authTime": vouch.auth_time.map(Timestamp::seconds),
        },
    });
    let again = SignIn::parse(body.to_string().as_bytes()).unwrap().vouch;
    assert_eq!((&again.project, &again.client, &again.email), (&vouch.project, &vouch.client, &vouch.email));
    assert_eq!((&again.external_id, &again.phone, &again.device), (&vouch.external_id, &vouch.phone, &vouch.device));
    assert_eq!((&again.methods, again.level), (&vouch.methods, vouch.level));
    let seconds = |vouch: &Vouch| vouch.auth_time.map(Timestamp::seconds);
    assert_eq!((again.email_verified, seconds(&again)), (vouch.email_verified, seconds(vouch)));
}

/// The members of a body that was taken.
pub fn members(body: &[u8]) -> Vec<(String, Json)> {
    match json::read(body) {
        Some(Json::Object(members)) => members,
        other => panic!("{other:?} was taken for an object"),
    }
}

/// The members of an object in it; missing, there are none.
pub fn object<'m>(members: &'m Members, name: &str) -> &'m Members {
    match json::single(members, name) {
        None => &[],
        Some(Json::Object(members)) => members,
        Some(other) => panic!("`{name}` is {other:?} and was read as an object"),
    }
}
