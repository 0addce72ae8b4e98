//! Clients that must prove who they are, and those who only say so.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_crypto::jose::{client_key::ClientKey, public_key::Kind};
use countersign_domain::audit::Act;
use countersign_testkit::{
    answer::Answer,
    bound::a_key,
    database::Engine as DatabaseEngine,
    house::{House, p1},
    http::Client,
    on_both_engines,
    provider::{ASSERTION_TYPE, form, over},
};
use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_both_engines!(
    a_secret_in_authorization_is_the_client,
    a_secret_in_the_form_is_the_client,
    a_client_uses_the_method_it_registered_and_no_other,
    two_methods_at_once_are_refused,
    a_revoked_secret_is_none_and_two_may_live_side_by_side,
    an_assertion_is_the_client_once,
    of_twenty_who_show_one_assertion_one_is_the_client,
    an_assertion_that_lives_too_long_is_refused,
    an_assertion_for_another_audience_or_several_is_refused,
    the_token_endpoint_as_audience_is_for_legacy_clients_at_the_token_endpoint,
    an_assertion_by_a_key_of_another_algorithm_is_refused,
    an_assertion_of_another_client_or_project_is_refused,
    an_assertion_that_names_a_key_binds_the_tokens_to_it,
    a_disabled_client_is_none,
    failures_are_counted_and_limited_and_the_right_client_is_served_even_then,
    no_secret_of_a_client_stands_in_the_database,
);

const GRANT: &[(&str, &str)] = &[("grant_type", "client_credentials"), ("scope", "read")];

fn basic(house: &House, id: &str, secret: &str) -> Client {
    house.node.client().with("authorization", &format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
}

fn asserting(assertion: &str) -> Vec<(&str, &str)> {
    over(GRANT, &[("client_assertion", assertion), ("client_assertion_type", ASSERTION_TYPE)])
}

async fn shown(house: &House, assertion: &str) -> Answer {
    house.node.token(&asserting(assertion)).await
}

async fn a_secret_in_authorization_is_the_client(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_basic").await;
    basic(&house, "c4", &secret).post_form("/oauth2/token", GRANT).await.is_ok();
    for (id, secret) in
        [("c4", "cs_wrong"), ("c4", &*secret.to_uppercase()), ("c4", ""), ("c9", &*secret), ("", &*secret)]
    {
        let refused = basic(&house, id, secret).post_form("/oauth2/token", GRANT).await;
        refused.oauth_error(401, "invalid_client");
        assert_eq!(refused.header("www-authenticate"), "Basic realm=\"clients\", charset=\"UTF-8\"");
    }
    for header in ["Basic", "Basic !", "Basic YQ=="] {
        let http = house.node.client().with("authorization", header);
        http.post_form("/oauth2/token", GRANT).await.oauth_error(401, "invalid_client");
    }
}

async fn a_secret_in_the_form_is_the_client(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let with = |secret: &str| form(&over(GRANT, &[("client_id", "c4"), ("client_secret", secret)]));
    let http = house.node.client().with("content-type", "application/x-www-form-urlencoded");
    let send = async |body: String| http.send(Method::POST, "/oauth2/token", body.into()).await;
    send(with(&secret)).await.is_ok();
    let refused = send(with("cs_wrong")).await;
    refused.oauth_error(401, "invalid_client");
    assert!(!refused.headers.contains_key("www-authenticate"));
    // What stands in the address ends up in logs: nobody reads it there.
    let path = format!("/oauth2/token?client_id=c4&client_secret={secret}");
    http.send(Method::POST, &path, form(GRANT).into()).await.oauth_error(401, "invalid_client");
}

async fn a_client_uses_the_method_it_registered_and_no_other(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_basic").await;
    let key = house.with_key(Kind::Es256).await;
    for registered in ["client_secret_basic", "client_secret_post", "private_key_jwt"] {
        house.set_client("c4", &[&format!("oauth.auth_method={registered}")]).await;
        let in_form = over(GRANT, &[("client_id", "c4"), ("client_secret", &secret)]);
        let answers = [
            ("client_secret_basic", basic(&house, "c4", &secret).post_form("/oauth2/token", GRANT).await),
            ("client_secret_post", house.node.token(&in_form).await),
            ("private_key_jwt", shown(&house, &house.assertion(&key, &json!({}))).await),
            ("none", house.node.token(&over(GRANT, &[("client_id", "c4")])).await),
        ];
        for (method, answer) in answers {
            if method == registered {
                answer.is_ok();
            } else {
                answer.oauth_error(401, "invalid_client");
            }
        }
    }
    house.node.token(GRANT).await.oauth_error(401, "invalid_client");
}

async fn two_methods_at_once_are_refused(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_basic").await;
    let http = basic(&house, "c4", &secret);
    let in_form = over(GRANT, &[("client_id", "c4"), ("client_secret", &secret)]);
    let told = http.post_form("/oauth2/token", &in_form).await.oauth_error(401, "invalid_client");
    assert!(told.contains("more than one"), "{told}");
    http.post_form("/oauth2/token", &over(GRANT, &[("client_id", "c3")])).await.oauth_error(401, "invalid_client");
    let key = house.with_key(Kind::Es256).await;
    let assertion = house.assertion(&key, &json!({}));
    http.post_form("/oauth2/token", &asserting(&assertion)).await.oauth_error(401, "invalid_client");
    // The assertion wasn't used up.
    shown(&house, &assertion).await.is_ok();
}

async fn a_revoked_secret_is_none_and_two_may_live_side_by_side(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let first = house.with_secret("client_secret_basic").await;
    let c4 = "c4".parse().unwrap();
    let hour = std::time::Duration::from_hours(1);
    let service = &house.node.service;
    let second = service.create_client_secret(&p1(), &c4, Some(hour)).await.unwrap();
    let second_text = second.secret.danger_expose();
    let get = async |secret: &str| basic(&house, "c4", secret).post_form("/oauth2/token", GRANT).await;
    get(&first).await.is_ok();
    get(second_text).await.is_ok();
    let listed = service.list_client_secrets(&p1(), &c4).await.unwrap();
    let of_first = listed.iter().find(|stored| stored.id != second.stored.id).unwrap().id;
    service.revoke_client_secret(&p1(), &c4, of_first).await.unwrap();
    assert!(service.revoke_client_secret(&p1(), &c4, of_first).await.is_err());
    get(&first).await.oauth_error(401, "invalid_client");
    get(second_text).await.is_ok();
    let app = service.create_client_secret(&p1(), &"c1".parse().unwrap(), None).await;
    assert!(app.err().is_some_and(|refused| refused.to_string().contains("can't keep a secret")));
}

// PostgreSQL has a clock of its own, which no test turns.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_ends_by_itself() {
    let house = House::open(DatabaseEngine::Sqlite).await;
    house.confidential("client_secret_basic").await;
    let (c4, hour) = ("c4".parse().unwrap(), std::time::Duration::from_hours(1));
    let made = house.node.service.create_client_secret(&p1(), &c4, Some(hour)).await.unwrap();
    let get = async || basic(&house, "c4", made.secret.danger_expose()).post_form("/oauth2/token", GRANT).await;
    get().await.is_ok();
    house.advance(hour).await;
    get().await.oauth_error(401, "invalid_client");
}

async fn an_assertion_is_the_client_once(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let second = house.another_node().await;
    for kind in [Kind::Es256, Kind::EdDsa] {
        let key = house.with_key(kind).await;
        second.service.tick().await;
        let assertion = house.assertion(&key, &json!({}));
        second.token(&asserting(&assertion)).await.is_ok();
        for node in [&house.node, &second] {
            let told = node.token(&asserting(&assertion)).await.oauth_error(401, "invalid_client");
            assert!(told.contains("used before"), "{told}");
        }
        let beside = over(&asserting(&assertion), &[("client_id", "c3")]);
        house.node.token(&beside).await.oauth_error(401, "invalid_client");
        shown(&house, &house.assertion(&key, &json!({}))).await.is_ok();
    }
}

async fn of_twenty_who_show_one_assertion_one_is_the_client(engine: DatabaseEngine) {
    let house = Arc::new(House::open(engine).await);
    let second = Arc::new(house.another_node().await);
    let key = house.with_key(Kind::Es256).await;
    second.service.tick().await;
    let assertion = Arc::new(house.assertion(&key, &json!({})));
    let mut callers = JoinSet::new();
    for number in 0..20 {
        let (house, second, assertion) = (Arc::clone(&house), Arc::clone(&second), Arc::clone(&assertion));
        callers.spawn(async move {
            let node = if number % 2 == 0 { &house.node } else { &*second };
            node.token(&asserting(&assertion)).await.status()
        });
    }
    let mut statuses = callers.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses[19]), (200, 401, 401));
}

async fn an_assertion_that_lives_too_long_is_refused(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let key = house.with_key(Kind::Es256).await;
    let now = house.node.service.now().seconds();
    let before = house.database.number("select count(*) from spent").await;
    for (claims, said) in [
        (json!({"exp": now + 121}), "120 seconds"),
        (json!({"exp": now + 3600}), "120 seconds"),
        (json!({"iat": now - 200, "exp": now - 100}), "expired"),
        (json!({"iat": now + 30, "exp": now + 60}), "future"),
        (json!({"exp": null}), "must be times"),
        (json!({"iat": null}), "must be times"),
        (json!({"jti": null}), "jti"),
        (json!({"jti": ""}), "jti"),
    ] {
        let told = shown(&house, &house.assertion(&key, &claims)).await.oauth_error(401, "invalid_client");
        assert!(told.contains(said), "{claims}: {told}");
    }
    assert_eq!(house.database.number("select count(*) from spent").await, before);
    shown(&house, &house.assertion(&key, &json!({"exp": now + 120}))).await.is_ok();
}

async fn an_assertion_for_another_audience_or_several_is_refused(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let key = house.with_key(Kind::Es256).await;
    let issuer = house.public_url();
    let endpoint = format!("{issuer}/oauth2/token");
    let audiences: [Value; 8] = [
        json!([issuer]),
        json!([issuer, "https://evil.example"]),
        json!(endpoint),
        json!(format!("{issuer}/")),
        json!("https://evil.example"),
        json!("p1"),
        json!(""),
        json!(null),
    ];
    for audience in audiences {
        let answer = shown(&house, &house.assertion(&key, &json!({ "aud": audience }))).await;
        answer.oauth_error(401, "invalid_client");
    }
    shown(&house, &house.assertion(&key, &json!({ "aud": issuer }))).await.is_ok();
}

async fn the_token_endpoint_as_audience_is_for_legacy_clients_at_the_token_endpoint(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let key = house.with_key(Kind::Es256).await;
    let endpoint = format!("{}/oauth2/token", house.public_url());
    let old = || house.assertion(&key, &json!({ "aud": endpoint }));
    shown(&house, &old()).await.oauth_error(401, "invalid_client");
    house.set_client("c4", &["oauth.legacy=on"]).await;
    let access = shown(&house, &old()).await.ok().text("access_token");
    let introspect = |assertion: String| {
        let (node, token) = (&house.node, access.clone());
        async move {
            let asked = [
                ("token", token.as_str()),
                ("client_assertion", &assertion),
                ("client_assertion_type", ASSERTION_TYPE),
            ];
            node.client().post_form("/oauth2/introspect", &asked).await
        }
    };
    introspect(old()).await.oauth_error(401, "invalid_client");
    let at_introspection = format!("{}/oauth2/introspect", house.public_url());
    introspect(house.assertion(&key, &json!({ "aud": at_introspection }))).await.oauth_error(401, "invalid_client");
    introspect(house.assertion(&key, &json!({}))).await.is_ok();
    let listed = json!({ "aud": [endpoint] });
    shown(&house, &house.assertion(&key, &listed)).await.oauth_error(401, "invalid_client");
    shown(&house, &house.assertion(&key, &json!({ "aud": at_introspection }))).await.oauth_error(401, "invalid_client");
}

async fn an_assertion_by_a_key_of_another_algorithm_is_refused(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let key = house.with_key(Kind::Es256).await;
    let stranger: Arc<ClientKey> = a_key(Kind::EdDsa);
    shown(&house, &house.assertion(&stranger, &json!({}))).await.oauth_error(401, "invalid_client");
    let good = house.assertion(&key, &json!({}));
    let payload = good.split('.').nth(1).unwrap();
    let claims = countersign_crypto::encoding::decode(payload).unwrap();
    for alg in ["none", "HS256", "EdDSA", "RS256", "ES384"] {
        let forged = key.sign(json!({ "alg": alg }).to_string().as_bytes(), &claims);
        shown(&house, &forged).await.oauth_error(401, "invalid_client");
    }
    let unsigned = format!("{}.{payload}.", countersign_crypto::encoding::encode(br#"{"alg":"none"}"#));
    shown(&house, &unsigned).await.oauth_error(401, "invalid_client");
    // The key says that it is for another algorithm.
    let mut jwk = key.jwk();
    jwk["alg"] = "ES256".into();
    house.set_client("c4", &[&format!("oauth.jwks={}", json!({ "keys": [stranger.jwk(), jwk] }))]).await;
    shown(&house, &good).await.is_ok();
}

async fn an_assertion_of_another_client_or_project_is_refused(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let key = house.with_key(Kind::Es256).await;
    house.another_project("p2").await;
    for claims in [json!({"iss": "c3"}), json!({"sub": "c3"}), json!({"iss": "c3", "sub": "c3"}), json!({"sub": null})]
    {
        shown(&house, &house.assertion(&key, &claims)).await.oauth_error(401, "invalid_client");
    }
    let assertion = house.assertion(&key, &json!({}));
    let at_p2 = house.node.client().post_form("/p/p2/oauth2/token", &asserting(&assertion)).await;
    at_p2.oauth_error(401, "invalid_client");
    shown(&house, &assertion).await.is_ok();
}

async fn an_assertion_that_names_a_key_binds_the_tokens_to_it(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let key = house.with_key(Kind::Es256).await;
    house.set_client("c4", &["dpop.nonce=off"]).await;
    let (mine, other) = (a_key(Kind::Es256), a_key(Kind::Es256));
    let jkt = countersign_crypto::encoding::encode(mine.thumbprint().0);
    let named = || house.assertion(&key, &json!({"cnf": {"jkt": jkt}}));
    let with = |key: &Arc<ClientKey>| {
        house.node.client().with("dpop", &house.app_with_key(key).proof("POST", "/oauth2/token").text())
    };
    let refused = with(&other).post_form("/oauth2/token", &asserting(&named())).await;
    refused.oauth_error(400, "invalid_dpop_proof");
    let bound = with(&mine).post_form("/oauth2/token", &asserting(&named())).await.ok();
    assert_eq!(bound.text("token_type"), "DPoP");
    let refresh = over(&asserting("x"), &[("grant_type", "refresh_token"), ("refresh_token", "rt_x"), ("scope", "")]);
    let assertion = named();
    let refresh = over(&refresh, &[("client_assertion", &assertion)]);
    with(&other).post_form("/oauth2/token", &refresh).await.oauth_error(400, "invalid_dpop_proof");
    // Old clients can't send a proof.
    let bearer = shown(&house, &named()).await.ok();
    assert_eq!(bearer.text("token_type"), "Bearer");
}

async fn a_disabled_client_is_none(engine: DatabaseEngine) {
    use countersign_service::projects::state::StateChange;
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_basic").await;
    let c4 = "c4".parse().unwrap();
    house.node.service.change_client_state(&p1(), &c4, StateChange::Disable).await.unwrap();
    basic(&house, "c4", &secret).post_form("/oauth2/token", GRANT).await.oauth_error(401, "invalid_client");
    house.node.service.change_client_state(&p1(), &c4, StateChange::Enable).await.unwrap();
    basic(&house, "c4", &secret).post_form("/oauth2/token", GRANT).await.is_ok();
}

async fn failures_are_counted_and_limited_and_the_right_client_is_served_even_then(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_basic").await;
    house.set(&["limits.failures=3"]).await;
    for _ in 0..3 {
        basic(&house, "c4", "cs_wrong").post_form("/oauth2/token", GRANT).await.oauth_error(401, "invalid_client");
    }
    let limited = basic(&house, "c4", "cs_wrong").post_form("/oauth2/token", GRANT).await;
    limited.oauth_error(429, "temporarily_unavailable");
    assert!(limited.header("retry-after").parse::<u32>().unwrap() > 0);
    basic(&house, "c4", &secret).post_form("/oauth2/token", GRANT).await.is_ok();
    assert_eq!(house.counted(Act::ClientRefused, "wrong_secret").await, 4);
    // Guessing codes is limited, too.
    let guess = [
        ("grant_type", "authorization_code"),
        ("code", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("client_id", "c1"),
    ];
    house.node.token(&guess).await.oauth_error(429, "temporarily_unavailable");
    let elsewhere = house.node.client().from_address("203.0.113.9");
    elsewhere.post_form("/oauth2/token", &guess).await.oauth_error(400, "invalid_grant");
}

async fn no_secret_of_a_client_stands_in_the_database(engine: DatabaseEngine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_basic").await;
    let dump = house.database.dump().await;
    assert!(dump.contains("client_secrets: ") && dump.contains(&secret[..9]));
    assert!(!dump.contains(&secret) && !dump.contains(&secret[3..]));
}
