//! Looking into tokens, as whoever holds one can.

use countersign_crypto::{
    encoding,
    jose::{assertion::verified_claims, jws::UnverifiedJws, signing_key::VerifyingKey},
};
use serde_json::Value;

use crate::http::Client;

/// The header of a JWT.
#[track_caller]
pub fn header(jwt: &str) -> Value {
    part(jwt, 0)
}

/// The claims of a JWT.
#[track_caller]
pub fn claims(jwt: &str) -> Value {
    part(jwt, 1)
}

#[track_caller]
fn part(jwt: &str, number: usize) -> Value {
    let encoded = jwt.split('.').nth(number).expect("a JWT has three parts");
    serde_json::from_slice(&encoding::decode(encoded).expect("base64url")).expect("JSON")
}

/// The bytes of a refresh token: version (1), MAC key (4), generation (4), session (16), secret (16), project, MAC (16).
#[track_caller]
pub fn refresh_bytes(token: &str) -> Vec<u8> {
    let encoded = token.strip_prefix("rt_").expect("a refresh token begins so");
    encoding::decode(encoded).expect("base64url")
}

/// The text of such bytes.
pub fn refresh_text(bytes: &[u8]) -> String {
    format!("rt_{}", encoding::encode(bytes))
}

/// The MAC key of a refresh token.
#[track_caller]
pub fn mac_key(token: &str) -> u32 {
    number(token, 1)
}

/// The generation of a refresh token.
#[track_caller]
pub fn generation(token: &str) -> u32 {
    number(token, 5)
}

#[track_caller]
fn number(token: &str, at: usize) -> u32 {
    let bytes = refresh_bytes(token);
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The assertion must be signed by a key that the server publishes.
pub async fn check_assertion(client: &Client, jwt: &str) {
    let kid = header(jwt)["kid"].as_str().expect("`kid` is a text").to_owned();
    let set = client.get("/.well-known/jwks.json").await.ok().json();
    let keys = set["keys"].as_array().expect("`keys` is a list");
    let jwk = keys.iter().find(|key| key["kid"] == *kid).expect("the key is published");
    let coordinate = |name: &str| encoding::decode(jwk[name].as_str().unwrap_or_default()).expect("base64url");
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let key = VerifyingKey::from_point(kid.parse().expect("a key id"), &point).expect("a key");
    let jws = UnverifiedJws::parse(jwt).expect("a JWS");
    verified_claims(&jws, &key).expect("the signature is right");
}
