//! Proofs of every content under a good signature, and whether they are for a call.
#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_crypto::{
    digest::sha256,
    dpop::{AHEAD, Call, LIFETIME, SignedProof},
};
use countersign_domain::{clock::Timestamp, http_uri::HttpUri};
use countersign_fuzz::{
    assert_tells_no_secret,
    issued::CLIENT_KEY,
    json::{self, Json},
};
use libfuzzer_sys::fuzz_target;

// Method, address and access token (empty: none) of a call, the second in which it comes, then header and claims of its proof.
fuzz_target!(|lines: &str| {
    let lines: Vec<&str> = lines.splitn(6, '\n').collect();
    let [method, uri, token, now, head, claims] = lines[..] else {
        return;
    };
    let (Some(uri), Ok(now)) = (HttpUri::parse(uri), now.parse().map(Timestamp::from_seconds)) else {
        return;
    };
    let proof = match SignedProof::read(CLIENT_KEY.sign(head.as_bytes(), claims.as_bytes()).as_bytes()) {
        Ok(proof) => proof,
        Err(refused) => return assert_tells_no_secret(&refused.to_string()),
    };
    assert_eq!(proof.thumbprint(), CLIENT_KEY.thumbprint());
    let (Some(Json::Object(head)), Some(Json::Object(said))) =
        (json::read(head.as_bytes()), json::read(claims.as_bytes()))
    else {
        panic!("a proof of what is no JSON object");
    };
    assert_eq!((json::text(&head, "typ"), json::text(&head, "alg")), (Some("dpop+jwt"), Some("ES256")));
    assert!(json::single(&head, "crit").is_none());
    let id = json::text(&said, "jti").expect("a proof without an id");
    assert!((1..=128).contains(&id.len()));
    let hash = sha256([&CLIENT_KEY.thumbprint().0[..], id.as_bytes()].concat());
    assert_eq!(proof.hash(), hash);

    let token = (!token.is_empty()).then_some(token);
    let uris = [uri.clone()];
    if proof.check(&Call { method, uris: &uris, access_token: token }, now).is_err() {
        return;
    }
    assert_eq!(json::text(&said, "htm"), Some(method));
    assert_eq!(json::text(&said, "htu").and_then(HttpUri::parse), Some(uri));
    if let Some(Json::Integer(made)) = json::single(&said, "iat") {
        let made = Timestamp::from_seconds(*made);
        assert!(made <= now.plus(AHEAD) && now <= made.plus(LIFETIME), "out of its time");
    }
    if let Some(token) = token {
        assert_eq!(json::text(&said, "ath"), Some(URL_SAFE_NO_PAD.encode(sha256(token)).as_str()));
    }
});
