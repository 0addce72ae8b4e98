//! Bodies that are no requests.

use countersign_testkit::{answer::Answer, database::Engine, house::House, on_both_engines};
use hyper::Method;
use serde_json::{Value, json};

on_both_engines!(
    what_is_no_object_is_no_request,
    a_member_that_stands_twice_is_refused_wherever_it_stands,
    sixty_four_kibibytes_pass_and_one_byte_more_does_not,
    numbers_are_whole_and_small_or_refused,
    it_doesnt_matter_what_the_body_is_said_to_be,
    members_of_the_apps_own_calls_are_named_too,
    text_that_is_no_token_is_no_token,
);

const PATHS: [&str; 6] = [
    "/auth/v1/private/signin",
    "/auth/v1/private/signup",
    "/auth/v1/refreshtoken",
    "/auth/v1beta/refreshtoken",
    "/auth/v1/signout",
    "/auth/v1beta/authprofile",
];

/// A vouch with this text before its end.
fn vouch_and(house: &House, more: &str) -> Vec<u8> {
    let vouch = house.backend().vouch("ada@example.com", json!({})).to_string();
    format!("{}{more}}}", vouch.strip_suffix('}').unwrap()).into_bytes()
}

fn spoilt(text: &[u8], at: &[u8], with: &[u8]) -> Vec<u8> {
    let place = text.windows(at.len()).position(|window| window == at).unwrap();
    [&text[..place], with, &text[place + at.len()..]].concat()
}

/// What isn't JSON, and what is JSON but no object.
const NO_OBJECTS: [&str; 36] = [
    "",
    " ",
    "\u{0}",
    "null",
    "true",
    "4",
    "\"{}\"",
    "[]",
    "[{}]",
    "{",
    "}",
    "{}{}",
    "{} x",
    "{\"a\":1,}",
    "{,}",
    "{'a':1}",
    "{a:1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\" 1}",
    "{\"a\":01}",
    "{\"a\":+1}",
    "{\"a\":1.}",
    "{\"a\":.5}",
    "{\"a\":0x1}",
    "{\"a\":NaN}",
    "{\"a\":Infinity}",
    "{\"a\":undefined}",
    "{/*a*/}",
    "//\n{}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":tru}",
    "email=ada%40example.com&method=4",
    "<vouch/>",
];

/// Overlong, a surrogate, beyond Unicode, half a letter.
const NOT_UTF8: [&[u8]; 5] = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"];

fn no_objects(house: &House) -> Vec<Vec<u8>> {
    let whole = vouch_and(house, "");
    let mut bodies: Vec<Vec<u8>> = NO_OBJECTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.extend(too_deep(house));
    bodies.extend([
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], b"\0"].concat(),
        [b"\xef\xbb\xbf", &whole[..]].concat(),
        String::from_utf8(whole.clone()).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect(),
        [b"\x1f\x8b\x08\0", &whole[..]].concat(),
        vec![0xff; 100],
    ]);
    for bytes in NOT_UTF8 {
        bodies.push(spoilt(&whole, b"ada@", &[b"ada", bytes, b"@"].concat()));
        bodies.push(spoilt(&whole, b"\"email\"", &[b"\"", bytes, b"\":1,\"email\""].concat()));
    }
    for surrogate in ["\\ud800", "\\udfff", "\\ud800\\u0041", "\\udc00\\ud800"] {
        bodies.push(spoilt(&whole, b"ada@", format!("ada{surrogate}@").as_bytes()));
        bodies.push(vouch_and(house, &format!(",\"unread\":\"{surrogate}\"")));
        bodies.push(vouch_and(house, &format!(",\"{surrogate}\":1")));
    }
    bodies
}

/// As deep as 64 KiB allow, and within members that are read and that aren't.
fn too_deep(house: &House) -> Vec<Vec<u8>> {
    let deep = |levels: usize, open: &str, close: &str| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    vec![
        deep(32_000, "[", "]").into_bytes(),
        deep(13_000, "{\"\":", "}").into_bytes(),
        "[".repeat(65_000).into_bytes(),
        vouch_and(house, &format!(",\"unread\":{}", deep(20_000, "[", "]"))),
        vouch_and(house, &format!(",\"userAttributes\":{}", deep(10_000, "{\"\":", "}"))),
    ]
}

#[track_caller]
fn is_no_object(answer: &Answer) {
    assert_eq!(answer.refused(400, 100_003), "The body must be a JSON object in UTF-8.");
}

async fn what_is_no_object_is_no_request(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    for body in no_objects(&house) {
        for path in PATHS {
            is_no_object(&house.backend().http().post_bytes(path, body.clone()).await);
        }
    }
    assert_eq!(house.books().await, before);
    for body in [vouch_and(&house, ""), [b" \r\n\t", &vouch_and(&house, "")[..], b"\n"].concat()] {
        house.backend().http().post_bytes("/auth/v1/private/signup", body).await.is_ok();
    }
}

async fn a_member_that_stands_twice_is_refused_wherever_it_stands(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let sign_up = |body: Vec<u8>| {
        let client = house.backend().http();
        async move { client.post_bytes("/auth/v1/private/signup", body).await }
    };
    for (more, name) in [
        (",\"email\":\"ada@example.com\"", "email"),
        (",\"email\":\"eve@example.com\"", "email"),
        (",\"email\":null", "email"),
        (",\"\\u0065mail\":\"eve@example.com\"", "email"),
        (",\"method\":4", "method"),
        (",\"clientId\":\"c2\"", "clientId"),
        (",\"projectId\":\"p1\"", "projectId"),
        (",\"externalId\":\"7\",\"externalId\":\"8\"", "externalId"),
        (",\"deviceId\":\"a\",\"deviceId\":\"a\",\"deviceId\":\"a\"", "deviceId"),
        (",\"emailVerified\":true,\"emailVerified\":false", "emailVerified"),
        (",\"userAttributes\":{},\"userAttributes\":{}", "userAttributes"),
        (",\"userAttributes\":{\"givenName\":\"A\",\"givenName\":\"B\"}", "userAttributes.givenName"),
        (",\"validationData\":{\"activationCode\":\"1\",\"activationCode\":\"1\"}", "validationData.activationCode"),
        (",\"authentication\":{\"amr\":[],\"amr\":[\"pwd\"]}", "authentication.amr"),
        (",\"authentication\":{\"acr\":null,\"acr\":null}", "authentication.acr"),
    ] {
        let answer = sign_up(vouch_and(&house, more)).await;
        assert_eq!(answer.refused(400, 100_050), format!("`{name}` stands there twice."));
    }
    assert_eq!(house.books().await, before);
    // What nobody reads may stand there as often as it likes, and names are told apart by case.
    for more in [",\"x\":1,\"x\":2", ",\"y\":{\"email\":1,\"email\":2}", ",\"Email\":\"eve@example.com\""] {
        sign_up(vouch_and(&house, more)).await.is_ok();
    }
    assert_eq!(house.books().await.identities, 1);
}

async fn sixty_four_kibibytes_pass_and_one_byte_more_does_not(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.backend().http();
    house.backend().sign_up("ada@example.com").await.is_ok();
    let sized = |size: usize| {
        let empty = vouch_and(&house, ",\"unread\":\"\"").len();
        vouch_and(&house, &format!(",\"unread\":\"{}\"", "a".repeat(size - empty)))
    };
    let most = sized(64 * 1024);
    assert_eq!(most.len(), 65_536);
    client.post_bytes("/auth/v1/private/signin", most).await.is_ok();
    let before = house.books().await;
    for size in [65_537, 100_000, 900_000] {
        for path in PATHS {
            let message = client.post_bytes(path, sized(size)).await.refused(413, 100_003);
            assert_eq!(message, "The body must be at most 64 KiB.");
        }
    }
    assert_eq!(house.books().await, before);
}

async fn numbers_are_whole_and_small_or_refused(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let sign_up = |more: String| {
        let (client, body) = (house.backend().http(), vouch_and(&house, &more));
        async move { client.post_bytes("/auth/v1/private/signup", body).await }
    };
    for number in ["9223372036854775808", "123456789012345678901234567890", "1e3", "1.0", "-0.5", "1e-400"] {
        let answer = sign_up(format!(",\"authentication\":{{\"authTime\":{number}}}")).await;
        assert_eq!(answer.refused(400, 100_050), "`authentication.authTime` must be a whole number.");
    }
    for number in ["9223372036854775807", "4102444800"] {
        let answer = sign_up(format!(",\"authentication\":{{\"authTime\":{number}}}")).await;
        assert!(answer.refused(400, 100_050).starts_with("`authentication.authTime` lies in the future"), "{answer}");
    }
    is_no_object(&sign_up(",\"unread\":1e999".to_owned()).await);
    is_no_object(&sign_up(format!(",\"unread\":{}e{}", "9".repeat(1_000), "9".repeat(100))).await);
    assert_eq!(house.books().await, before);
    for number in ["-9223372036854775808", "-1", "0", "1700000000"] {
        let vouched = sign_up(format!(",\"authentication\":{{\"authTime\":{number}}}")).await.ok();
        let bearer = format!("Bearer {}", vouched.text("authToken"));
        house.node.client().with("authorization", &bearer).get("/v1/me").await.is_ok();
    }
    sign_up(format!(",\"unread\":{}", "9".repeat(300))).await.is_ok();
}

async fn it_doesnt_matter_what_the_body_is_said_to_be(engine: Engine) {
    let house = House::open(engine).await;
    let (path, body) = ("/auth/v1/private/signup", vouch_and(&house, ""));
    let client = house.backend().http();
    client.send(Method::POST, path, body.clone().into()).await.is_ok();
    for said in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "garbage", ""] {
        client.with("content-type", said).send(Method::POST, path, body.clone().into()).await.is_ok();
        is_no_object(&client.with("content-type", said).send(Method::POST, path, "email=a%40b".into()).await);
    }
}

async fn members_of_the_apps_own_calls_are_named_too(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let before = house.books().await;
    let sign_out = |more: Value| {
        let body = json!({ "userId": app.uid, "refreshToken": app.refresh });
        ("/auth/v1/signout", countersign_testkit::actors::merged(body, more))
    };
    let wrong: [((&str, Value), &str); 12] = [
        (("/auth/v1/refreshtoken", json!({})), "refreshToken"),
        (("/auth/v1/refreshtoken", json!({ "refreshToken": 4 })), "refreshToken"),
        (("/auth/v1beta/refreshtoken", json!({ "refreshToken": [app.refresh] })), "refreshToken"),
        (("/auth/v1beta/authprofile", json!({ "authtoken": app.access })), "authToken"),
        (("/auth/v1beta/authprofile", json!({ "authToken": { "authToken": app.access } })), "authToken"),
        (sign_out(json!({ "userId": null })), "userId"),
        (sign_out(json!({ "userId": 4 })), "userId"),
        (sign_out(json!({ "refreshToken": null })), "refreshToken"),
        (sign_out(json!({ "refreshToken": true })), "refreshToken"),
        (sign_out(json!({ "devicePushId": 4 })), "devicePushId"),
        (sign_out(json!({ "voipDevicePushId": "\u{0}" })), "voipDevicePushId"),
        (sign_out(json!({ "deviceToken": "a".repeat(5_000) })), "deviceToken"),
    ];
    for ((path, body), name) in wrong {
        let message = app.http.post(path, &body).await.refused(400, 100_050);
        assert!(message.starts_with(&format!("`{name}` ")), "{message}");
    }
    assert_eq!(house.books().await, before);
    app.me().await.is_ok();
    app.try_refresh().await.is_ok();
}

async fn text_that_is_no_token_is_no_token(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=1000000"]).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    let before = house.books().await;
    let broken = |token: &str| {
        let half = token.len() / 2;
        let flipped = if token.ends_with('A') { "B" } else { "A" };
        vec![
            String::new(),
            " ".to_owned(),
            "\u{0}".to_owned(),
            "🙂".repeat(100),
            "a".repeat(60_000),
            ".".repeat(60_000),
            token[..half].to_owned(),
            token[..token.len() - 1].to_owned(),
            format!("{token}="),
            format!("{token}\n"),
            format!(" {token}"),
            format!("{token}\u{0}"),
            format!("{token}{token}"),
            format!("{}\u{0}{}", &token[..half], &token[half..]),
            format!("{}{flipped}", &token[..token.len() - 1]),
            token.to_ascii_uppercase(),
        ]
    };
    for text in broken(&app.refresh) {
        let refresh = json!({ "refreshToken": text });
        house.node.client().post("/auth/v1/refreshtoken", &refresh).await.gone("ended");
        let sign_out = json!({ "userId": app.uid, "refreshToken": text });
        house.node.client().post("/auth/v1/signout", &sign_out).await.gone("ended");
    }
    for text in broken(&app.access) {
        let profile = json!({ "authToken": text });
        house.node.client().post("/auth/v1beta/authprofile", &profile).await.refused(401, 10_002);
    }
    for user in ["", "\u{0}", "u_", &app.uid.to_ascii_lowercase()[..10], "u_01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
        let sign_out = json!({ "userId": user, "refreshToken": app.refresh });
        let message = app.http.post("/auth/v1/signout", &sign_out).await.refused(400, 100_050);
        assert!(message.starts_with("`userId` "), "{message}");
    }
    for uid in ["%00", "u_", "%F0%9F%99%82", "..%2F..", &"u".repeat(5_000), "u_01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
        let path = format!("/auth/v1/user/{uid}/sessions");
        house.backend().http().get(&path).await.refused(404, 100_012);
    }
    assert_eq!(house.books().await, before);
    app.me().await.is_ok();
    app.refresh().await.is_ok();
}
