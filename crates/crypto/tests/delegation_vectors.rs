//! `sdk/vectors/delegation.json`: examples of the delegation envelope for whoever writes the other side. They are made here with randomness that can
//! be foreseen, and checked from the file.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU8, Ordering},
};

use countersign_crypto::{
    delegation::{
        credential::{Credential, KeyName},
        envelope::{CannotOpen, UnverifiedEnvelope, seal},
        keys::{IdpKeys, Opener, Recipient, Signer, Verifier},
        signature::{BadHeader, Headers, NotTaken, SignedHeaders, UnverifiedSignature, sign},
    },
    encoding,
    entropy::Entropy,
};
use countersign_domain::clock::Timestamp;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;
const SP_SIGNS: [u8; 32] = [0x11; 32];
const SP_OPENS: [u8; 32] = [0x12; 32];
const IDP_SIGNS: [u8; 32] = [0x33; 32];
const IDP_OPENS: [u8; 32] = [0x34; 32];

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/vectors/delegation.json")
}

fn vectors() -> Value {
    serde_json::from_slice(&fs::read(file()).unwrap()).unwrap()
}

/// Each draw is one byte again and again, and the next draw the next byte.
fn foreseen(first: u8) -> Entropy {
    let next = AtomicU8::new(first);
    Entropy::new(move |buffer| buffer.fill(next.fetch_add(1, Ordering::Relaxed)))
}

fn text(of: &Value) -> &str {
    of.as_str().unwrap()
}

fn signer(seed: [u8; 32]) -> Signer {
    Signer::from_bytes(&seed).unwrap()
}

fn opener(bytes: [u8; 32]) -> Opener {
    Opener::from_bytes(&bytes).unwrap()
}

fn keys() -> Value {
    let signs = |seed| {
        let (key, public) = (signer(seed), signer(seed).verifier().unwrap());
        json!({
            "private": encoding::encode(seed), "private_pem": key.danger_to_pem().unwrap().danger_expose(),
            "public": encoding::encode(public.to_bytes()), "public_pem": public.to_pem(),
        })
    };
    let opens = |bytes| {
        let (key, public) = (opener(bytes), opener(bytes).recipient());
        json!({
            "private": encoding::encode(bytes), "private_pem": key.danger_to_pem().unwrap().danger_expose(),
            "public": encoding::encode(public.to_bytes()), "public_pem": public.to_pem(),
        })
    };
    json!({
        "sp_signs": signs(SP_SIGNS), "sp_opens": opens(SP_OPENS),
        "idp_signs": signs(IDP_SIGNS), "idp_opens": opens(IDP_OPENS),
    })
}

fn sealed(name: &str, plaintext: &str, first: u8) -> Value {
    let body = seal(&opener(IDP_OPENS).recipient(), plaintext.as_bytes(), &foreseen(first)).unwrap();
    json!({
        "name": name, "sealed_to": "idp_opens", "plaintext": plaintext,
        "ephemeral_private": encoding::encode([first; 32]), "iv": encoding::encode([first + 1; 12]),
        "body": String::from_utf8(body).unwrap(),
    })
}

fn signed(body: &str) -> Value {
    let SignedHeaders { timestamp, signature } = sign(&signer(SP_SIGNS), body.as_bytes(), Timestamp::from_seconds(NOW));
    json!({
        "name": "a signed call", "signed_by": "sp_signs", "now": NOW, "body": body, "timestamp": timestamp,
        "signature": signature,
    })
}

/// A member of an envelope, as text.
fn member(body: &str, name: &str) -> String {
    text(&serde_json::from_str::<Value>(body).unwrap()[name]).to_owned()
}

/// The envelope with other bytes in a member.
fn changed(body: &str, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let before = member(body, name);
    let mut bytes = encoding::decode(&before).unwrap();
    change(&mut bytes);
    body.replace(&before, &encoding::encode(bytes))
}

fn refused_envelopes(good: &str, other: &str) -> Vec<Value> {
    let order_one = |epk: &mut Vec<u8>| {
        epk.fill(0);
        epk[0] = 1;
    };
    let (epk, iv) = (member(good, "epk"), member(good, "iv"));
    let loose = format!("{}{}", &epk[..42], char::from(epk.as_bytes()[42] + 1));
    let all = [
        ("a flipped bit of epk", "refused", changed(good, "epk", |epk| epk[0] ^= 1)),
        ("the highest bit of epk, which X25519 ignores", "ephemeral_key", changed(good, "epk", |epk| epk[31] |= 0x80)),
        ("a flipped bit of iv", "refused", changed(good, "iv", |iv| iv[0] ^= 1)),
        ("a flipped bit of ct", "refused", changed(good, "ct", |ct| ct[0] ^= 1)),
        ("a flipped bit of the tag", "refused", changed(good, "ct", |ct| *ct.last_mut().unwrap() ^= 1)),
        ("ct cut short", "refused", changed(good, "ct", |ct| ct.truncate(20))),
        ("ct shorter than a tag", "ciphertext", changed(good, "ct", |ct| ct.truncate(15))),
        ("ct of another envelope", "refused", good.replace(&member(good, "ct"), &member(other, "ct"))),
        ("epk of 31 bytes", "ephemeral_key", changed(good, "epk", |epk| epk.truncate(31))),
        ("epk of 33 bytes", "ephemeral_key", changed(good, "epk", |epk| epk.push(0))),
        ("iv of 11 bytes", "nonce", changed(good, "iv", |iv| iv.truncate(11))),
        ("iv of 16 bytes", "nonce", changed(good, "iv", |iv| iv.resize(16, 0))),
        ("epk of zeros: the shared secret is zeros", "ephemeral_key", changed(good, "epk", |epk| epk.fill(0))),
        ("epk of small order: the shared secret is zeros", "ephemeral_key", changed(good, "epk", order_one)),
        ("another suite", "suite", good.replace("x25519-aesgcm", "x25519-aesgcm2")),
        ("padding", "nonce", good.replace(&iv, &format!("{iv}="))),
        ("loose bits at the end", "ephemeral_key", good.replace(&epk, &loose)),
        ("a member more", "not_an_envelope", good.replacen('{', r#"{"kid":"a","#, 1)),
        ("a member twice", "not_an_envelope", good.replacen('{', r#"{"enc":"x25519-aesgcm","#, 1)),
        ("no object", "not_an_envelope", format!("[{good}]")),
    ];
    all.into_iter().map(|(name, why, body)| json!({ "name": name, "why": why, "body": body })).collect()
}

fn refused_signatures(good: &Value) -> Vec<Value> {
    let with = |name: &str, why: &str, member: &str, value: Value| {
        let mut bad = good.clone();
        bad[member] = value;
        bad["name"] = name.into();
        bad["why"] = why.into();
        bad
    };
    let (body, signature) = (text(&good["body"]), text(&good["signature"]));
    let mut flipped = encoding::decode(signature).unwrap();
    flipped[0] ^= 1;
    vec![
        with("the body was changed", "not_signed", "body", body.replace("x25519", "X25519").into()),
        with("a flipped bit of the signature", "not_signed", "signature", encoding::encode(flipped).into()),
        with("another time", "not_signed", "timestamp", (NOW + 1).to_string().into()),
        with("by another key", "not_signed", "signed_by", "idp_signs".into()),
        with("301 seconds late", "stale", "now", (NOW + 301).into()),
        with("301 seconds early", "stale", "now", (NOW - 301).into()),
        with("padding", "signature", "signature", format!("{signature}==").into()),
        with("a sign before the time", "timestamp", "timestamp", "+1800000000".into()),
        with("a zero before the time", "timestamp", "timestamp", "01800000000".into()),
        with("no time", "timestamp", "timestamp", "".into()),
    ]
}

fn credential() -> Value {
    let idp = IdpKeys { signer: signer(IDP_SIGNS), opener: opener(IDP_OPENS) };
    let name = |text| KeyName::parse(text).unwrap();
    // The private halves are drawn in this order: `sp_signs`, `sp_opens`.
    let made = Credential::generate(name("spk_example"), &idp, name("idpk_example"), &foreseen(SP_SIGNS[0])).unwrap();
    json!({
        "kid": made.name.as_str(), "hkid": made.idp_name.as_str(),
        "text": made.danger_to_text().unwrap().danger_expose(),
    })
}

fn made() -> String {
    let sealed = [
        sealed("a request", r#"{"userid":"ada@example.com","mfa_method":"email"}"#, 0x51),
        sealed("an empty text", "", 0x61),
        sealed("letters beyond ASCII", r#"{"detail":"Grüße, 世界"}"#, 0x71),
    ];
    let (good, other) = (text(&sealed[0]["body"]), text(&sealed[2]["body"]));
    let signed = signed(good);
    let vectors = json!({
        "profile": "docs/reference/delegation-envelope.md",
        "keys": keys(),
        "sealed": sealed,
        "refused_envelopes": refused_envelopes(good, other),
        "refused_signatures": refused_signatures(&signed),
        "signed": [signed],
        "credential": credential(),
    });
    format!("{}\n", serde_json::to_string_pretty(&vectors).unwrap())
}

#[test]
fn the_file_is_what_the_program_makes() {
    let made = made();
    if fs::read_to_string(file()).is_ok_and(|there| there == made) {
        return;
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("delegation.json");
    fs::write(&new, made).unwrap();
    panic!("the file says something else: if the program is right, put {} in its place", new.display());
}

fn opened(body: &str) -> Result<String, CannotOpen> {
    let opened = UnverifiedEnvelope::parse(body.as_bytes())?.open([&opener(IDP_OPENS)])?;
    Ok(String::from_utf8(opened.text.to_vec()).unwrap())
}

#[test]
fn what_is_sealed_in_the_file_opens() {
    let vectors = vectors();
    let sealed = vectors["sealed"].as_array().unwrap();
    assert_eq!(sealed.len(), 3);
    for vector in sealed {
        assert_eq!(opened(text(&vector["body"])).unwrap(), text(&vector["plaintext"]), "{}", vector["name"]);
    }
}

fn why(error: CannotOpen) -> &'static str {
    match error {
        CannotOpen::NotAnEnvelope => "not_an_envelope",
        CannotOpen::Suite => "suite",
        CannotOpen::EphemeralKey => "ephemeral_key",
        CannotOpen::Nonce => "nonce",
        CannotOpen::Ciphertext => "ciphertext",
        CannotOpen::Refused => "refused",
    }
}

#[test]
fn envelopes_that_the_file_says_are_refused_are_and_for_that_reason() {
    let vectors = vectors();
    let refused = vectors["refused_envelopes"].as_array().unwrap();
    assert_eq!(refused.len(), 20);
    for vector in refused {
        let error = opened(text(&vector["body"])).unwrap_err();
        assert_eq!(why(error), vector["why"], "{}", vector["name"]);
    }
}

/// Taken, or why not.
fn judged(vector: &Value, now: i64) -> &'static str {
    let headers = Headers {
        enc_alg: Some("x25519-aesgcm"),
        timestamp: vector["timestamp"].as_str(),
        signature_alg: Some("ed25519"),
        signature: vector["signature"].as_str(),
    };
    let vectors = vectors();
    let verifier = Verifier::from_pem(text(&vectors["keys"][text(&vector["signed_by"])]["public_pem"])).unwrap();
    let read = match UnverifiedSignature::read(&headers) {
        Ok(read) => read,
        Err(BadHeader::Timestamp) => return "timestamp",
        Err(BadHeader::Signature) => return "signature",
        Err(_) => return "algorithm",
    };
    match read.verify([&verifier], text(&vector["body"]).as_bytes(), Timestamp::from_seconds(now)) {
        Ok(_) => "taken",
        Err(NotTaken::Stale) => "stale",
        Err(NotTaken::NotSigned) => "not_signed",
    }
}

#[test]
fn signatures_in_the_file_are_taken_or_refused_as_it_says() {
    let vectors = vectors();
    for now in [NOW - 300, NOW, NOW + 300] {
        assert_eq!(judged(&vectors["signed"][0], now), "taken", "{now}");
    }
    let refused = vectors["refused_signatures"].as_array().unwrap();
    assert_eq!(refused.len(), 10);
    for vector in refused {
        assert_eq!(judged(vector, vector["now"].as_i64().unwrap()), vector["why"], "{}", vector["name"]);
    }
}

#[test]
fn the_keys_and_the_credential_in_the_file_are_read() {
    let vectors = vectors();
    let key = |name: &str, member: &str| text(&vectors["keys"][name][member]).to_owned();
    for name in ["sp_signs", "idp_signs"] {
        let verifier = Signer::from_pem(&key(name, "private_pem")).unwrap().verifier().unwrap();
        assert_eq!(Verifier::from_pem(&key(name, "public_pem")).unwrap(), verifier);
        assert_eq!(encoding::encode(verifier.to_bytes()), key(name, "public"));
    }
    for name in ["sp_opens", "idp_opens"] {
        let recipient = Opener::from_pem(&key(name, "private_pem")).unwrap().recipient();
        assert_eq!(Recipient::from_pem(&key(name, "public_pem")).unwrap(), recipient);
        assert_eq!(encoding::encode(recipient.to_bytes()), key(name, "public"));
    }
    let credential = &vectors["credential"];
    let read = Credential::parse(text(&credential["text"])).unwrap();
    assert_eq!((read.name.as_str(), read.idp_name.as_str()), (text(&credential["kid"]), text(&credential["hkid"])));
    let public = read.public().unwrap();
    assert_eq!(public.verifier.to_pem(), key("sp_signs", "public_pem"));
    assert_eq!(public.recipient.to_pem(), key("sp_opens", "public_pem"));
    assert_eq!(read.idp_verifier.to_pem(), key("idp_signs", "public_pem"));
    assert_eq!(read.idp_recipient.to_pem(), key("idp_opens", "public_pem"));
}
