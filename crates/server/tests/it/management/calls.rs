//! Calls that a client signs: what is taken, and what is not.

use countersign_crypto::jose::{client_key::ClientKey, public_key::Kind};
use countersign_testkit::{
    answer::Answer,
    database::Engine,
    house::House,
    manager::{ED_KID, ES_KID, ManagingBackend, named},
    on_both_engines,
};
use serde_json::{Value, json};

use super::{PHONE, POLICY, with_user};

on_both_engines!(
    a_call_that_a_client_signed_is_taken_and_its_answer_is_signed,
    a_call_whose_assertion_is_wrong_in_anything_changes_nothing,
    a_call_that_another_key_signed_or_whose_body_was_changed_changes_nothing,
    an_assertion_that_was_used_is_refused_on_every_node,
    only_a_client_that_may_manage_users_is_listened_to,
    a_call_is_known_by_how_the_server_is_reached_and_not_by_what_its_caller_says,
    a_client_whose_id_tokens_are_signed_otherwise_is_answered_by_es256,
    a_browser_is_told_that_its_key_is_in_everybodys_hands,
    a_network_that_fails_too_often_waits,
);

const OTHER_BODY: &str = "The call is not proved: body_sha256 of the assertion is not that of the body.";
const OTHER_PLACE: &str = "The call is not proved: aud of the assertion must be the address of this call.";
const USED: &str = "The call is not proved: the assertion was used before.";
const NOBODY: &str = "Sign the call by a key that a client of this project registered.";

fn phone() -> Value {
    json!({ "userid": "ada@example.com", "phone": "+15551234567" })
}

/// Looks for the key in the published set, as a client would, and checks what it says of the answer.
async fn check_signature(house: &House, answer: &Answer) {
    let signature = answer.header("x-response-signature").to_owned();
    let parts: Vec<&str> = signature.split('.').collect();
    let json_of =
        |part: &str| -> Value { serde_json::from_slice(&countersign_crypto::encoding::decode(part).unwrap()).unwrap() };
    let (head, said) = (json_of(parts[0]), json_of(parts[1]));
    assert_eq!((&head["alg"], &head["typ"]), (&"ES256".into(), &"response-signature+jws".into()));
    let sum = countersign_crypto::jose::response_signature::body_sha256(&answer.body);
    assert_eq!(said, json!({ "body_sha256": sum, "iat": house.node.service.now().seconds() }));
    let set = house.node.client().get("/.well-known/jwks.json").await.ok().json();
    let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == head["kid"]).unwrap();
    assert_eq!(key["alg"], "ES256");
    let key = countersign_crypto::jose::public_key::PublicKey::from_jwk(key.to_string().as_bytes()).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    let bytes = countersign_crypto::encoding::decode(parts[2]).unwrap();
    key.verify(signed.as_bytes(), &bytes).expect("the server signed it");
}

async fn a_call_that_a_client_signed_is_taken_and_its_answer_is_signed(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let answer = backend.call(POLICY, &json!({})).await.ok();
    let expected =
        json!({ "sign_in_methods": ["email_code", "email_link"], "mfa_policy": "suggested", "signup": false });
    assert_eq!(answer.json(), expected);
    check_signature(&house, &answer).await;
    let set = backend.call(PHONE, &phone()).await.ok();
    assert_eq!(set.json(), json!({ "ok": true }));
    check_signature(&house, &set).await;
    let entry = house.only_entry("user.set").await;
    assert_eq!((entry.actor_kind.as_str(), entry.client_id.as_deref()), ("client", Some("c4")));
}

async fn a_call_whose_assertion_is_wrong_in_anything_changes_nothing(engine: Engine) {
    let (house, _) = with_user(engine).await;
    house.set(&["limits.failures=100000"]).await;
    let backend = house.managing_backend().await;
    let before = house.books().await;
    let now = house.node.service.now().seconds();
    let elsewhere = format!("{}{POLICY}", house.public_url());
    for (over, detail) in [
        (json!({ "body_sha256": "AAAA" }), OTHER_BODY),
        (json!({ "body_sha256": Value::Null }), OTHER_BODY),
        (json!({ "aud": elsewhere }), OTHER_PLACE),
        (json!({ "aud": house.public_url() }), OTHER_PLACE),
        (json!({ "aud": format!("https://evil.example{PHONE}") }), OTHER_PLACE),
        (
            json!({ "aud": [format!("{}{PHONE}", house.public_url())] }),
            "The assertion can't be taken: aud of the assertion must be a single string.",
        ),
        (
            json!({ "exp": now + 121 }),
            "The assertion can't be taken: the assertion must not live longer than 120 seconds.",
        ),
        (json!({ "iat": now - 130, "exp": now - 11 }), "The assertion can't be taken: the assertion has expired."),
        (
            json!({ "iat": now + 60, "exp": now + 100 }),
            "The assertion can't be taken: the assertion is from the future.",
        ),
        (json!({ "jti": Value::Null }), "The assertion can't be taken: jti of the assertion must be 1 to 255 bytes."),
        (
            json!({ "sub": "ada@example.com" }),
            "The assertion can't be taken: iss and sub of the assertion must be the client.",
        ),
        (json!({ "iss": "c3", "sub": "c3" }), NOBODY),
        (json!({ "iss": "c9", "sub": "c9" }), NOBODY),
    ] {
        assert_eq!(backend.call_over(PHONE, &phone(), &over).await.detail(401), detail, "{over}");
    }
    assert_eq!(house.books().await, before);
    // The twin.
    backend.call(PHONE, &phone()).await.is_ok();
    assert_eq!(house.books().await.identities, before.identities + 1);
}

async fn a_call_that_another_key_signed_or_whose_body_was_changed_changes_nothing(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let before = house.books().await;
    // Another key, another algorithm, no name, another kind of token.
    let body = phone().to_string();
    let claims = backend.claims(PHONE, &body, &json!({}));
    let stranger = ClientKey::generate(Kind::EdDsa).unwrap();
    let signed = |key: &ClientKey, head: Value| key.sign(head.to_string().as_bytes(), claims.to_string().as_bytes());
    for (assertion, detail) in [
        (
            signed(&stranger, json!({ "alg": "EdDSA", "kid": ED_KID })),
            "The assertion can't be taken: the assertion is not signed by a key of the client.",
        ),
        (
            signed(&backend.es, json!({ "alg": "ES256", "kid": ES_KID })),
            "The call is not proved: the assertion must be signed by EdDSA and name its key.",
        ),
        (
            signed(&backend.ed, json!({ "alg": "EdDSA" })),
            "The call is not proved: the assertion must be signed by EdDSA and name its key.",
        ),
        (
            signed(&backend.ed, json!({ "alg": "EdDSA", "kid": ED_KID, "typ": "at+jwt" })),
            "The assertion can't be taken: the assertion is of another type.",
        ),
        ("garbage".to_owned(), "The assertion can't be taken: the assertion is no JWT."),
        (String::new(), NOBODY),
    ] {
        assert_eq!(backend.call_with(&house.node, PHONE, &body, &assertion).await.detail(401), detail, "{assertion}");
    }
    // The body was changed on the way.
    let good = backend.sign(&claims);
    let changed = body.replace("4567", "4568");
    let refused = backend.call_with(&house.node, PHONE, &changed, &good).await.detail(401);
    assert_eq!(refused, OTHER_BODY);
    let http = house.node.client().with("x-config-id", "p1");
    let unsigned = http.post(PHONE, &phone()).await.detail(401);
    assert_eq!(unsigned, NOBODY);
    assert_eq!(house.books().await, before);
    // None of that used the assertion up.
    backend.call_with(&house.node, PHONE, &body, &good).await.is_ok();
    assert_eq!(house.books().await.identities, before.identities + 1);
}

async fn an_assertion_that_was_used_is_refused_on_every_node(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let second = house.another_node().await;
    let backend = house.managing_backend().await;
    second.service.tick().await;
    let body = "{}";
    let assertion = backend.sign(&backend.claims(POLICY, body, &json!({})));
    backend.call_with(&house.node, POLICY, body, &assertion).await.is_ok();
    for node in [&second, &house.node, &house.another_node().await] {
        let refused = backend.call_with(node, POLICY, body, &assertion).await.detail(401);
        assert_eq!(refused, USED);
    }
    // Nor is one of its number that says something else.
    let claims = backend.claims(PHONE, &phone().to_string(), &json!({ "jti": "the same" }));
    backend.call_with(&second, PHONE, &phone().to_string(), &backend.sign(&claims)).await.is_ok();
    let other = backend.claims(POLICY, body, &json!({ "jti": "the same" }));
    let refused = backend.call_with(&house.node, POLICY, body, &backend.sign(&other)).await.detail(401);
    assert_eq!(refused, USED);
    // Of twenty who show one at once, one is served.
    let assertion = backend.sign(&backend.claims(POLICY, body, &json!({})));
    let calls = (0..20).map(|n| {
        let node = if n % 2 == 0 { &house.node } else { &second };
        backend.call_with(node, POLICY, body, &assertion)
    });
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1);
}

async fn only_a_client_that_may_manage_users_is_listened_to(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let backend = house.managing_backend().await;
    house.set_client("c4", &["management=off"]).await;
    let refused = backend.call(PHONE, &phone()).await.detail(403);
    assert_eq!(refused, "This client may not manage users: see its setting `management`.");
    house.set_client("c4", &["management=on", "oauth.auth_method=client_secret_basic"]).await;
    let refused = backend.call(PHONE, &phone()).await.detail(401);
    assert_eq!(refused, NOBODY);
    house.set_client("c4", &["oauth.auth_method=private_key_jwt"]).await;
    backend.call(PHONE, &phone()).await.is_ok();
    let wrong = json!({ "keys": [named(&ClientKey::generate(Kind::EdDsa).unwrap(), ED_KID)] });
    house.set_client("c4", &[&format!("oauth.jwks={wrong}")]).await;
    backend.call(PHONE, &phone()).await.detail(401);
}

async fn a_call_is_known_by_how_the_server_is_reached_and_not_by_what_its_caller_says(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let call = async |http: countersign_testkit::http::Client, path: &str, aud: String| {
        let assertion = backend.sign(&backend.claims(POLICY, "{}", &json!({ "aud": aud })));
        http.with("authorization", &format!("Bearer {assertion}")).post_bytes(path, "{}").await
    };
    let client = house.node.client();
    // In development both names of this machine are taken.
    let by_name = house.public_url().replace("127.0.0.1", "localhost");
    call(client.clone(), POLICY, format!("{by_name}{POLICY}")).await.is_ok();
    // The project may stand in the path.
    let in_path = format!("/p/p1{POLICY}");
    call(client.clone(), &in_path, format!("{}{in_path}", house.public_url())).await.is_ok();
    // What Host says counts for nothing.
    let lying = client.with("host", "evil.example").with("x-forwarded-host", "evil.example");
    let refused = call(lying, POLICY, format!("http://evil.example{POLICY}")).await.detail(401);
    assert_eq!(refused, OTHER_PLACE);
    // Another project is another matter, whoever names it.
    house.another_project("p2").await;
    let other = client.with("x-config-id", "p2");
    call(other, POLICY, format!("{}{POLICY}", house.public_url())).await.detail(401);
    let by_key = client.with("x-config-id", house.publishable.text.danger_expose());
    call(by_key, POLICY, format!("{}{POLICY}", house.public_url())).await.is_ok();
    let version = client.with("x-hawcx-protocol-version", "3");
    let refused = call(version, POLICY, format!("{}{POLICY}", house.public_url())).await.detail(400);
    assert_eq!(refused, "X-Hawcx-Protocol-Version must be 2.");
    // Where it is no development, the machine has the one name that is configured.
    let house = House::open(engine).await;
    let backend = house.managing_backend().await;
    let by_name = house.public_url().replace("127.0.0.1", "localhost");
    backend.call_over(POLICY, &json!({}), &json!({ "aud": format!("{by_name}{POLICY}") })).await.detail(401);
    backend.call(POLICY, &json!({})).await.is_ok();
}

async fn a_client_whose_id_tokens_are_signed_otherwise_is_answered_by_es256(engine: Engine) {
    use countersign_domain::signing_algorithm::SigningAlgorithm;
    let (house, _) = with_user(engine).await;
    let p1 = countersign_testkit::house::p1();
    house.node.service.create_signing_key(&p1, SigningAlgorithm::EdDsa).await.unwrap();
    let backend = house.managing_backend().await;
    house.set_client("c4", &["oauth.id_token_alg=EdDSA"]).await;
    let answer = backend.call(POLICY, &json!({})).await.ok();
    check_signature(&house, &answer).await;
}

async fn a_browser_is_told_that_its_key_is_in_everybodys_hands(engine: Engine) {
    let (house, _) = with_user(engine).await;
    let backend = house.managing_backend().await;
    let assertion = backend.sign(&backend.claims(POLICY, "{}", &json!({})));
    let http = house.node.client().with("authorization", &format!("Bearer {assertion}"));
    let in_browser = http.with("origin", "https://app.example.com");
    let refused = in_browser.post_bytes(POLICY, "{}").await.detail(403);
    assert!(refused.starts_with("A browser sent this call"), "{refused}");
    http.post_bytes(POLICY, "{}").await.is_ok();
}

async fn a_network_that_fails_too_often_waits(engine: Engine) {
    let (house, _) = with_user(engine).await;
    house.set(&["limits.failures=5"]).await;
    let backend = house.managing_backend().await;
    let fail =
        async |backend: &ManagingBackend<'_>| backend.call_over(POLICY, &json!({}), &json!({ "aud": "x" })).await;
    for _ in 0..5 {
        fail(&backend).await.detail(401);
    }
    let refused = fail(&backend).await;
    assert_eq!(refused.detail(429), "Too many failed calls from this network.");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    // Who is right is served even then.
    backend.call(POLICY, &json!({})).await.is_ok();
    assert!(house.counted(countersign_domain::audit::Act::ClientRefused, "other_audience").await >= 5);
}
