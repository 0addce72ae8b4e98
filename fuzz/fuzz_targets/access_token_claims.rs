//! Claims of every content under a good signature, as another node of the deployment may have written them.
#![no_main]

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_crypto::{
    entropy::Entropy,
    jose::{access_token::AccessToken, jws::UnverifiedJws},
};
use countersign_domain::clock::Timestamp;
use countersign_fuzz::{
    issued::{PKCS8, SIGNER, VERIFIER},
    json::{self, Json},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|claims: &[u8]| {
    let text = sign(claims);
    let Some(token) = read(&text) else {
        return;
    };
    let Some(Json::Object(members)) = json::read(claims) else {
        panic!("claims that are no JSON object");
    };
    assert_eq!(json::text(&members, "iss"), Some(token.issuer.as_str()));
    assert_eq!(json::text(&members, "sub"), Some(token.user.to_string().as_str()));
    assert_eq!(json::text(&members, "aud"), Some(token.audience.as_str()));
    assert_eq!(json::text(&members, "client_id"), Some(token.client.as_str()));
    assert_eq!(json::text(&members, "sid"), Some(token.session.to_string().as_str()));
    assert_eq!(json::text(&members, "vby"), token.vouched_by.map(|key| key.to_string()).as_deref());

    let bound_to = token.bound_to.map(|key| Json::Text(URL_SAFE_NO_PAD.encode(key.0)));
    let cnf = match json::single(&members, "cnf") {
        None => None,
        Some(Json::Object(cnf)) => json::single(cnf, "jkt").cloned(),
        Some(other) => panic!("{other:?} was read as a confirmation"),
    };
    assert_eq!(bound_to, cnf, "a bound token passes for a plain one, or for another's");

    let again = read(&token.sign(&SIGNER, &Entropy::system())).expect("a token that was just made");
    assert_eq!(in_seconds(&again), in_seconds(&token));
    assert_eq!((again.issuer, again.audience, again.user), (token.issuer, token.audience, token.user));
    assert_eq!((again.client, again.session, again.scope), (token.client, token.session, token.scope));
    assert_eq!((again.vouched_by, again.generations), (token.vouched_by, token.generations));
    assert_eq!(again.bound_to, token.bound_to);
    assert_eq!((again.proof.methods, again.proof.level), (token.proof.methods, token.proof.level));
});

/// At the ends of time the microseconds don't come back, the seconds do.
fn in_seconds(token: &AccessToken) -> [i64; 3] {
    [token.issued_at, token.expires_at, token.proof.at].map(Timestamp::seconds)
}

fn read(text: &str) -> Option<AccessToken> {
    AccessToken::verify(&UnverifiedJws::parse(text).ok()?, &VERIFIER).ok()
}

fn sign(claims: &[u8]) -> String {
    let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{}"}}"#, SIGNER.id());
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    #[expect(clippy::disallowed_methods, reason = "ECDSA's nonce decides nothing here")]
    let nonces = SystemRandom::new();
    thread_local! {
        static PAIR: EcdsaKeyPair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &PKCS8).unwrap();
    }
    let signature = PAIR.with(|pair| pair.sign(&nonces, signed.as_bytes())).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
