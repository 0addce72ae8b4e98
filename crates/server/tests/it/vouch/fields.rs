//! Each member of a vouch, wrong in each way: 100050, and the message begins with its name.

use countersign_testkit::{actors::merged, answer::Answer, database::Engine, house::House, on_both_engines};
use serde_json::{Value, json};

on_both_engines!(
    a_member_that_is_missing_or_wrong_is_named,
    a_member_that_may_be_missing_may_be_null,
    the_longest_texts_are_taken_and_a_byte_more_is_not,
    no_control_character_is_taken_in_any_text,
);

const TEXT: [Value; 0] = [];

/// What is no text.
fn no_texts() -> Vec<Value> {
    vec![json!(4), json!(true), json!(["ada@example.com"]), json!({ "value": "ada@example.com" })]
}

/// A body with this member, which may stand within another.
fn with(body: &Value, name: &str, value: &Value) -> Value {
    match name.split_once('.') {
        Some((outer, inner)) => merged(body.clone(), json!({ outer: { inner: value } })),
        None => merged(body.clone(), json!({ name: value })),
    }
}

struct Field {
    name: &'static str,
    is_required: bool,
    in_sign_in: bool,
    wrong: Vec<Value>,
}

fn fields() -> Vec<Field> {
    let field = |name, wrong: Vec<Value>| Field { name, is_required: false, in_sign_in: true, wrong };
    let text = |name, also: &[Value]| field(name, [no_texts(), also.to_vec()].concat());
    let required = |field| Field { is_required: true, ..field };
    let of_sign_up = |field| Field { in_sign_in: false, ..field };
    let too_long = |length| json!("a".repeat(length));
    vec![
        required(field("method", vec![json!(3), json!("SECRET"), json!(""), json!(true), json!([]), json!({})])),
        required(text(
            "email",
            &[json!(""), json!("ada"), json!("@"), json!("ada@"), json!(format!("{}@example.com", "a".repeat(65)))],
        )),
        required(text("clientId", &TEXT)),
        required(text("projectId", &TEXT)),
        field("emailVerified", vec![json!("true"), json!(1), json!([]), json!({}), json!("")]),
        text("externalId", &[json!(""), too_long(256)]),
        text(
            "phoneNumber",
            &[json!(""), json!("5551234567"), json!("+0123456789"), json!(format!("+{}", "1".repeat(16)))],
        ),
        text("deviceId", &[json!(""), too_long(129)]),
        field("authentication", vec![json!("pwd"), json!(1), json!([]), json!(true)]),
        field(
            "authentication.amr",
            vec![
                json!("pwd"),
                json!([4]),
                json!([""]),
                json!(["a b"]),
                json!([["pwd"]]),
                json!(vec!["a"; 9]),
                json!([too_long(33)]),
            ],
        ),
        text("authentication.acr", &[json!(""), json!("gold")]),
        field("authentication.authTime", vec![json!("1700000000"), json!(1.5), json!(true), json!([])]),
        field("createIfMissing", vec![json!("yes"), json!(1), json!([]), json!("")]),
        of_sign_up(field("userAttributes", vec![json!("Ada"), json!(1), json!([]), json!(true)])),
        of_sign_up(text("userAttributes.familyName", &[too_long(256)])),
        of_sign_up(text("userAttributes.givenName", &[too_long(256)])),
        of_sign_up(field("validationData", vec![json!("1234"), json!(1), json!([]), json!(true)])),
        of_sign_up(text("validationData.activationCode", &[too_long(256)])),
    ]
}

async fn sent(house: &House, path: &str, name: &str, value: Value) -> Answer {
    let backend = house.backend();
    backend.post(path, &with(&backend.vouch("ada@example.com", json!({})), name, &value)).await
}

async fn a_member_that_is_missing_or_wrong_is_named(engine: Engine) {
    let house = House::open(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    house.set(&["limits.email=1000000"]).await;
    let before = house.books().await;
    for field in fields() {
        let paths: &[&str] = match field.name {
            "createIfMissing" => &["/private/signin"],
            _ if field.in_sign_in => &["/private/signin", "/private/signup"],
            _ => &["/private/signup"],
        };
        for path in paths {
            if field.is_required {
                let missing = sent(&house, path, field.name, Value::Null).await;
                assert_eq!(missing.refused(400, 100_050), format!("`{}` is missing.", field.name));
            }
            for wrong in &field.wrong {
                let refused = sent(&house, path, field.name, wrong.clone()).await;
                let message = refused.refused(400, 100_050);
                assert!(message.starts_with(&format!("`{}` must ", field.name)), "{wrong}: {message}");
            }
        }
    }
    assert_eq!(house.books().await, before);
}

async fn a_member_that_may_be_missing_may_be_null(engine: Engine) {
    let house = House::open(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    for field in fields().iter().filter(|field| !field.is_required) {
        let mut body = house.backend().vouch("ada@example.com", json!({}));
        match field.name.split_once('.') {
            Some((outer, inner)) => body[outer] = json!({ inner: null }),
            None => body[field.name] = Value::Null,
        }
        house.backend().post("/private/signup", &body).await.is_ok();
        house.backend().post("/private/signin", &body).await.is_ok();
    }
}

async fn the_longest_texts_are_taken_and_a_byte_more_is_not(engine: Engine) {
    let house = House::open(engine).await;
    let longest = [
        ("externalId", 255),
        ("deviceId", 128),
        ("userAttributes.familyName", 255),
        ("userAttributes.givenName", 255),
        ("validationData.activationCode", 255),
    ];
    for (name, length) in longest {
        sent(&house, "/private/signup", name, json!("a".repeat(length))).await.is_ok();
        // Bytes are counted, not letters.
        let more = format!("{}é", "a".repeat(length - 1));
        let refused = sent(&house, "/private/signup", name, json!(more)).await;
        assert!(refused.refused(400, 100_050).starts_with(&format!("`{name}` ")), "{refused}");
    }
    let domain = [&*"b".repeat(60), &"c".repeat(60), &"d".repeat(59), "example"].join(".");
    let longest_email = format!("{}@{domain}", "a".repeat(64));
    assert_eq!(longest_email.len(), 254);
    house.backend().sign_up(&longest_email).await.is_ok();
    let refused = house.backend().sign_up(&format!("{longest_email}e")).await;
    assert!(refused.refused(400, 100_050).starts_with("`email` "), "{refused}");
}

async fn no_control_character_is_taken_in_any_text(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.email=1000000"]).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let before = house.books().await;
    let texts = [
        ("email", "ada@example.com"),
        ("externalId", "seven"),
        ("phoneNumber", "+15551234567"),
        ("deviceId", "phone"),
        ("authentication.acr", "urn:countersign:acr:vouched"),
        ("userAttributes.familyName", "Lovelace"),
        ("userAttributes.givenName", "Ada"),
        ("validationData.activationCode", "1234"),
    ];
    for (name, text) in texts {
        for bad in ["\u{0}", "\n", "\r", "\t", "\u{1b}", "\u{7f}", "\u{85}"] {
            let (head, tail) = text.split_at(2);
            for spoilt in [format!("{text}{bad}"), format!("{bad}{text}"), format!("{head}{bad}{tail}")] {
                let refused = sent(&house, "/private/signup", name, json!(spoilt)).await;
                assert!(refused.refused(400, 100_050).starts_with(&format!("`{name}` ")), "{bad:?}: {refused}");
            }
        }
        let method = json!([format!("pwd{}", '\u{0}')]);
        sent(&house, "/private/signup", "authentication.amr", method).await.refused(400, 100_050);
    }
    assert_eq!(house.books().await, before);
}
