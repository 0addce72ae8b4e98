//! Calls that aren't what they claim to be. Each has a twin that is, and is taken.

use std::time::Duration;

use countersign_domain::audit::Act;
use countersign_testkit::{
    database::Engine,
    house::House,
    http::Client,
    on_both_engines,
    service_provider::{ServiceProvider, sealed_to},
};
use serde_json::{Value, json};

use super::{CANT_OPEN, GET, NOT_PROVED, SET, STALE};

on_both_engines!(
    a_call_is_answered_sealed_and_signed_whatever_the_answer_says,
    a_header_that_is_missing_or_spelt_otherwise_is_refused,
    a_call_of_another_time_is_refused,
    a_body_that_was_changed_is_refused,
    a_flipped_bit_anywhere_in_a_signed_envelope_opens_nothing,
    an_envelope_of_another_suite_or_with_a_worthless_key_is_refused,
    nobody_signs_for_another,
    a_call_names_its_sender_in_any_of_three_ways,
    names_that_contradict_each_other_name_nobody,
    a_forged_signature_costs_no_statement,
    forgers_are_held_up_and_their_tries_are_in_the_trail,
);

async fn staged(engine: Engine) -> (House, ServiceProvider) {
    let house = House::open(engine).await;
    house.backend().new_app("ada@example.com").await;
    let provider = house.service_provider("c3").await;
    (house, provider)
}

fn wish(of: &str) -> Value {
    json!({ "userid": "ada@example.com", "suggested_mfa": of })
}

/// What the user wishes, as another call says it.
async fn wished(provider: &ServiceProvider) -> Value {
    provider.call(GET, &json!({ "userid": "ada@example.com" })).await.ok()["suggested_mfa"].clone()
}

/// These headers and this body are refused, and nothing comes of it.
async fn refused(house: &House, http: &Client, body: &[u8], status: u16, detail: &str) {
    let before = house.books().await;
    http.post_bytes(SET, body.to_vec()).await.not_proved(status, detail);
    assert_eq!(house.books().await, before);
}

async fn a_call_is_answered_sealed_and_signed_whatever_the_answer_says(engine: Engine) {
    let (_house, provider) = staged(engine).await;
    let done = provider.call(SET, &wish("always")).await;
    assert_eq!(done.answer.header("content-type"), "application/json");
    assert_eq!(done.answer.header("x-key-id"), "hawcx");
    assert_eq!(done.ok(), json!({ "success": true, "detail": "The preference was set." }));
    assert_eq!(wished(&provider).await, "always");
    for (text, status, detail) in [
        (json!([]), 400, "The body must be a JSON object in UTF-8."),
        (json!({ "suggested_mfa": "always" }), 400, "`userid` is missing."),
        (json!({ "userid": 4, "suggested_mfa": "always" }), 400, "`userid` must be a string."),
        (json!({ "userid": "", "suggested_mfa": "always" }), 400, "`userid` must be 1 to 255 bytes."),
        (json!({ "userid": "a".repeat(256), "suggested_mfa": "none" }), 400, "`userid` must be 1 to 255 bytes."),
        (wish("sometimes"), 400, "`suggested_mfa` must be `none`, `always` or `risk_only`."),
        (json!({ "userid": "eve@example.com", "suggested_mfa": "none" }), 404, "There is no such user."),
    ] {
        provider.call(SET, &text).await.refused(status, detail);
    }
    let twice = sealed_to(
        &provider.credential.idp_recipient,
        br#"{"userid":"ada@example.com","userid":"bob@example.com","suggested_mfa":"none"}"#,
    );
    let answer = provider.signed(&twice).post_bytes(SET, twice).await;
    provider.opened(answer).refused(400, "`userid` stands there twice.");
    assert_eq!(wished(&provider).await, "always");
}

async fn a_header_that_is_missing_or_spelt_otherwise_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let body = provider.sealed(&wish("none"));
    let good = provider.signed(&body);
    let seconds = provider.now().seconds();
    let bad_time = "`X-Timestamp` is no whole number of seconds, as digits without a zero before them.";
    for text in ["", "+1", "01", "1.0", " 1", &format!("+{seconds}"), &format!("0{seconds}"), "18446744073709551617"] {
        // HTTP takes white space off a value.
        let detail = if text.trim() == "1" { STALE } else { bad_time };
        refused(&house, &good.with("x-timestamp", text), &body, 401, detail).await;
    }
    let bad_signature = "`X-Signature` is not 64 bytes in base64url.";
    for text in ["", "AA", "!", &"A".repeat(85)] {
        refused(&house, &good.with("x-signature", text), &body, 401, bad_signature).await;
    }
    let bad_alg = "`X-Signature-Alg` is not `ed25519`.";
    refused(&house, &good.with("x-signature-alg", "rsa-pss-sha256"), &body, 401, bad_alg).await;
    let bad_suite = "X-Enc-Alg must be x25519-aesgcm.";
    refused(&house, &good.with("x-enc-alg", "aes"), &body, 400, bad_suite).await;
    let bare = provider.http.with("x-sp-id", "c3");
    refused(&house, &bare, &body, 401, "`X-Enc-Alg` is not `x25519-aesgcm`.").await;
    let bare = bare.with("x-enc-alg", "x25519-aesgcm");
    refused(&house, &bare, &body, 401, bad_alg).await;
    let bare = bare.with("x-signature-alg", "ed25519");
    refused(&house, &bare, &body, 401, bad_time).await;
    let bare = bare.with("x-timestamp", &seconds.to_string());
    refused(&house, &bare, &body, 401, bad_signature).await;
    assert_eq!(wished(&provider).await, Value::Null);
    provider.opened(good.post_bytes(SET, body).await).ok();
    assert_eq!(wished(&provider).await, "none");
}

async fn a_call_of_another_time_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let span = Duration::from_secs;
    for at in [provider.now().plus(span(301)), provider.now().minus(span(301))] {
        let body = provider.sealed(&wish("none"));
        refused(&house, &provider.signed_at(&body, at), &body, 401, STALE).await;
    }
    assert_eq!(wished(&provider).await, Value::Null);
    for at in [provider.now().plus(span(300)), provider.now().minus(span(300))] {
        let body = provider.sealed(&wish("none"));
        provider.opened(provider.signed_at(&body, at).post_bytes(SET, body).await).ok();
    }
}

async fn a_body_that_was_changed_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let body = provider.sealed(&wish("none"));
    let signed = provider.signed(&body);
    let mut longer = body.clone();
    longer.push(b' ');
    refused(&house, &signed, &longer, 401, NOT_PROVED).await;
    refused(&house, &signed, b"", 401, NOT_PROVED).await;
    refused(&house, &signed, &provider.sealed(&wish("none")), 401, NOT_PROVED).await;
    let other_time = signed.with("x-timestamp", &(provider.now().seconds() + 1).to_string());
    refused(&house, &other_time, &body, 401, NOT_PROVED).await;
    provider.opened(signed.post_bytes(SET, body).await).ok();
}

async fn a_flipped_bit_anywhere_in_a_signed_envelope_opens_nothing(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let body = provider.sealed(&wish("none"));
    let before = house.books().await;
    let good: Value = serde_json::from_slice(&body).unwrap();
    let flipped = |name: &str, at: usize| {
        let mut bytes = base64_of(&good[name]);
        bytes[at] ^= 1;
        let mut changed = good.clone();
        changed[name] = json!(countersign_crypto::encoding::encode(bytes));
        changed.to_string().into_bytes()
    };
    let length = base64_of(&good["ct"]).len();
    let mut shorter = good.clone();
    shorter["ct"] = json!(countersign_crypto::encoding::encode(&base64_of(&good["ct"])[..length - 1]));
    let mut tagless = good.clone();
    tagless["ct"] = json!(countersign_crypto::encoding::encode([7; 15]));
    let mut swapped = good.clone();
    swapped["ct"] = serde_json::from_slice::<Value>(&provider.sealed(&wish("none"))).unwrap()["ct"].clone();
    for bad in [
        flipped("epk", 0),
        flipped("epk", 31),
        flipped("iv", 0),
        flipped("ct", 0),
        flipped("ct", length - 1),
        shorter.to_string().into_bytes(),
        tagless.to_string().into_bytes(),
        swapped.to_string().into_bytes(),
    ] {
        // Signed anew, as only the sender can: so it gets to be opened.
        let answer = provider.signed(&bad).post_bytes(SET, bad).await;
        provider.opened(answer).refused(400, CANT_OPEN);
    }
    assert_eq!(house.books().await, before);
    assert_eq!(wished(&provider).await, Value::Null);
    provider.opened(provider.signed(&body).post_bytes(SET, body).await).ok();
}

fn base64_of(text: &Value) -> Vec<u8> {
    countersign_crypto::encoding::decode(text.as_str().unwrap()).unwrap()
}

async fn an_envelope_of_another_suite_or_with_a_worthless_key_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let body = provider.sealed(&wish("none"));
    let before = house.books().await;
    let good: Value = serde_json::from_slice(&body).unwrap();
    let with = |name: &str, value: &str| {
        let mut changed = good.clone();
        changed[name] = json!(value);
        changed.to_string().into_bytes()
    };
    let zeros = countersign_crypto::encoding::encode([0; 32]);
    let mut more = good.clone();
    more["aad"] = json!("");
    for bad in [
        with("enc", "x25519-aes128gcm"),
        with("epk", &zeros),
        with("epk", &countersign_crypto::encoding::encode([7; 31])),
        with("epk", &countersign_crypto::encoding::encode([7; 33])),
        with("epk", &format!("{}=", good["epk"].as_str().unwrap())),
        with("iv", "AA"),
        more.to_string().into_bytes(),
        b"{}".to_vec(),
        b"".to_vec(),
        b"\xff".to_vec(),
    ] {
        let answer = provider.signed(&bad).post_bytes(SET, bad).await;
        provider.opened(answer).refused(400, CANT_OPEN);
    }
    // Sealed to somebody else: to the provider itself.
    let mine = sealed_to(&provider.credential.public().unwrap().recipient, wish("none").to_string().as_bytes());
    let answer = provider.signed(&mine).post_bytes(SET, mine).await;
    provider.opened(answer).refused(400, CANT_OPEN);
    assert_eq!(house.books().await, before);
    assert_eq!(wished(&provider).await, Value::Null);
    provider.opened(provider.signed(&body).post_bytes(SET, body).await).ok();
}

async fn nobody_signs_for_another(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let other = house.service_provider("c4").await;
    let body = provider.sealed(&wish("none"));
    let good = provider.signed(&body);
    // Another provider's signature under this one's name, and this one's under the other's.
    refused(&house, &other.signed(&body).with("x-sp-id", "c3"), &body, 401, NOT_PROVED).await;
    refused(&house, &good.with("x-sp-id", "c4"), &body, 401, NOT_PROVED).await;
    refused(&house, &good.with("x-key-id", other.credential.name.as_str()), &body, 401, NOT_PROVED).await;
    // Of clients that have no keys, or aren't there.
    for client in ["c1", "c9", "C3", "", "../c3"] {
        refused(&house, &good.with("x-sp-id", client), &body, 401, NOT_PROVED).await;
    }
    for key in ["hawcx2", "key_01ARZ3NDEKTSV4RRFFQ69G5FAV", ""] {
        refused(&house, &good.with("x-key-id", key), &body, 401, NOT_PROVED).await;
    }
    // Of another project, with the same names.
    house.another_project("p2").await;
    let elsewhere = good.post_bytes(&format!("/p/p2{SET}"), body.clone()).await;
    elsewhere.not_proved(401, NOT_PROVED);
    assert_eq!(wished(&provider).await, Value::Null);
    provider.opened(good.post_bytes(SET, body).await).ok();
    other.call(GET, &json!({ "userid": "ada@example.com" })).await.ok();
}

async fn a_call_names_its_sender_in_any_of_three_ways(engine: Engine) {
    let (house, provider) = staged(engine).await;
    house.another_project("p2").await;
    let bare = |body: &[u8]| {
        let signed = countersign_crypto::delegation::signature::sign(&provider.credential.signer, body, provider.now());
        let http = provider.http.with("x-enc-alg", "x25519-aesgcm").with("x-signature-alg", "ed25519");
        http.with("x-timestamp", &signed.timestamp).with("x-signature", &signed.signature)
    };
    let kid = provider.credential.name.as_str().to_owned();
    let publishable = house.publishable.text.danger_expose().to_owned();
    let ways: [&[(&str, &str)]; 8] = [
        &[("x-sp-id", "c3")],
        &[("x-key-id", &kid)],
        &[("x-config-id", "p1")],
        &[("x-config-id", &publishable), ("x-key-id", &kid)],
        &[("apikey", &publishable), ("x-key-id", "hawcx")],
        &[("x-sp-id", "c3"), ("x-key-id", &kid), ("x-config-id", "p1"), ("apikey", &publishable)],
        &[("x-key-id", "hawcx")],
        &[],
    ];
    for headers in ways {
        let body = provider.sealed(&json!({ "userid": "ada@example.com" }));
        let http = headers.iter().fold(bare(&body), |http, (name, value)| http.with(name, value));
        let answer = provider.opened(http.post_bytes(GET, body).await);
        let named = headers.contains(&("x-key-id", &kid));
        let own = provider.credential.idp_name.as_str();
        // Whoever names its key knows ours by name.
        assert_eq!(answer.answer.header("x-key-id"), if named { own } else { "hawcx" });
        answer.ok();
    }
    // At the path of its project it is the same.
    let body = provider.sealed(&json!({ "userid": "ada@example.com" }));
    provider.opened(provider.signed(&body).post_bytes(&format!("/p/p1{GET}"), body).await).ok();
}

async fn names_that_contradict_each_other_name_nobody(engine: Engine) {
    let (house, provider) = staged(engine).await;
    house.another_project("p2").await;
    let of_p2 = house.node.new_client_api_key("p2", countersign_domain::client_api_key::ClientApiKeyKind::Publishable);
    let of_p2 = of_p2.await.text.danger_expose().to_owned();
    let kid = provider.credential.name.as_str();
    let body = provider.sealed(&wish("none"));
    let good = provider.signed(&body);
    for (name, value) in [("x-config-id", "p2"), ("x-config-id", "p9"), ("apikey", &*of_p2), ("apikey", "pk_no")] {
        refused(&house, &good.with(name, value), &body, 401, NOT_PROVED).await;
        refused(&house, &good.with(name, value).with("x-key-id", kid), &body, 401, NOT_PROVED).await;
    }
    let at_p2 = good.with("x-key-id", kid).post_bytes(&format!("/p/p2{SET}"), body.clone()).await;
    at_p2.not_proved(401, NOT_PROVED);
    assert_eq!(wished(&provider).await, Value::Null);
    provider.opened(good.with("x-key-id", kid).with("x-config-id", "p1").post_bytes(SET, body).await).ok();
}

async fn a_forged_signature_costs_no_statement(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let forger = house.service_provider("c4").await;
    let body = provider.sealed(&wish("none"));
    // Where the database is away, whoever needs it is told so: a forger isn't.
    house.node.service.close().await;
    let made_up = forger.signed(&body).with("x-sp-id", "c3").post_bytes(SET, body.clone()).await;
    made_up.not_proved(401, NOT_PROVED);
    let right = provider.opened(provider.signed(&body).post_bytes(SET, body).await);
    right.refused(503, "The server can't answer just now. Try again in a moment.");
}

async fn forgers_are_held_up_and_their_tries_are_in_the_trail(engine: Engine) {
    let (house, provider) = staged(engine).await;
    house.set(&["limits.failures=3"]).await;
    let body = provider.sealed(&wish("none"));
    let from = |address: &str| provider.signed(&body).from_address(address);
    for _ in 0..3 {
        from("192.0.2.7").with("x-sp-id", "c4").post_bytes(SET, body.clone()).await.not_proved(401, NOT_PROVED);
    }
    let held_up = from("192.0.2.7").with("x-sp-id", "c4").post_bytes(SET, body.clone()).await;
    held_up.not_proved(429, "Too many failed calls from this network.");
    assert!(held_up.header("retry-after").parse::<u64>().unwrap() >= 1);
    // Who signs as one should isn't held up by them, from wherever.
    provider.opened(from("192.0.2.7").post_bytes(SET, body.clone()).await).ok();
    assert_eq!(house.counted(Act::DelegationRefused, "not_signed").await, 4);
    assert_eq!(house.counted(Act::DelegationRefused, "replayed").await, 0);
}
