//! Public keys that callers send along.
#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_crypto::{
    digest::sha256,
    jose::public_key::{Kind, PublicKey},
};
use countersign_fuzz::{
    assert_tells_no_secret,
    json::{self, Json, Members},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|jwk: &[u8]| {
    let key = match PublicKey::from_jwk(jwk) {
        Ok(key) => key,
        Err(refused) => return assert_tells_no_secret(&refused.to_string()),
    };
    let Some(Json::Object(members)) = json::read(jwk) else {
        panic!("a key that is no JSON object");
    };
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(members.iter().all(|(name, _)| name != private), "the private half was taken");
    }
    let canonical = match key.kind() {
        Kind::Es256 => {
            let (x, y) = (coordinate(&members, "x"), coordinate(&members, "y"));
            says(&members, "EC", "P-256");
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
        }
        Kind::EdDsa => {
            let x = coordinate(&members, "x");
            says(&members, "OKP", "Ed25519");
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)
        }
    };
    assert_eq!(key.thumbprint().0, sha256(canonical));
    assert!(key.verify(b"", &[0; 64]).is_err(), "zeros are a signature");
});

fn says(members: &Members, kty: &str, crv: &str) {
    assert_eq!((json::text(members, "kty"), json::text(members, "crv")), (Some(kty), Some(crv)));
}

/// It has one spelling, so the text is its own.
fn coordinate<'m>(members: &'m Members, name: &str) -> &'m str {
    let text = json::text(members, name).expect("a key without a coordinate");
    let bytes = URL_SAFE_NO_PAD.decode(text).expect("a coordinate that is no base64url");
    assert_eq!((bytes.len(), URL_SAFE_NO_PAD.encode(&bytes).as_str()), (32, text));
    text
}
