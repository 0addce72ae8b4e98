//! What the server says of an answer of its own: that it wrote just these bytes. A JWS that names nobody and lets nobody in.

use countersign_domain::clock::Timestamp;
use serde::Serialize;

use super::signing_key::SigningKey;
use crate::{digest::sha256, encoding};

/// The kind of these signatures (RFC 8725 §3.11): none can pass for a token.
const TYPE: &str = "response-signature+jws";

/// Both that there is. Clients refuse one that says more: it could be a token that somebody passes off as this.
#[derive(Serialize)]
struct Claims {
    body_sha256: String,
    iat: i64,
}

/// What a signature or an assertion says of a body.
pub fn body_sha256(body: &[u8]) -> String {
    encoding::encode(sha256(body))
}

/// Signs an answer, whose bytes are these.
pub fn sign(key: &SigningKey, body: &[u8], now: Timestamp) -> String {
    key.sign(TYPE, &Claims { body_sha256: body_sha256(body), iat: now.seconds() })
}

#[cfg(test)]
mod tests {
    use countersign_domain::id::SigningKeyId;
    use serde_json::{Value, json};

    use super::*;
    use crate::jose::{access_token::AccessToken, jws::UnverifiedJws};

    #[test]
    fn a_signature_says_which_bytes_and_when_and_nothing_else() {
        let key = SigningKey::generate(SigningKeyId::from_bytes([1; 16])).unwrap();
        let text = sign(&key, b"{}", Timestamp::from_seconds(1_800_000_000));
        let (jws, public) = (UnverifiedJws::parse(&text).unwrap(), key.verifying_key().unwrap());
        let said: Value = serde_json::from_slice(&public.verify(TYPE, &jws).unwrap()).unwrap();
        let hash = "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o";
        assert_eq!(said, json!({"body_sha256": hash, "iat": 1_800_000_000}));
        assert!(AccessToken::verify(&jws, &public).is_err());
        assert_eq!(jws.unverified_header.alg, "ES256");
    }
}
