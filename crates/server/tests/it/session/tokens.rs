//! Access tokens, as any API can check them (RFC 9068), and those that nobody may take for one.

use countersign_crypto::{
    digest::sha256,
    encoding,
    entropy::Entropy,
    jose::{
        access_token::AccessToken,
        jws::UnverifiedJws,
        signing_key::{SigningKey, VerifyingKey},
    },
};
use countersign_domain::{key::KeyScope, proof::Level};
use countersign_testkit::{
    actors::App,
    database::Engine,
    house::House,
    on_both_engines,
    token::{claims, header},
};
use serde_json::{Value, json};

use super::{HOUR, MINUTE, members};

on_both_engines!(
    an_access_token_is_a_jwt_as_rfc_9068_has_it,
    whoever_reads_the_jwk_set_can_check_an_access_token,
    how_the_user_was_proven_is_passed_on_and_kept,
    a_key_passes_on_no_level_above_its_own,
    forged_access_tokens_are_refused,
    an_access_token_of_another_project_is_refused_where_the_path_names_this_one,
);

async fn an_access_token_is_a_jwt_as_rfc_9068_has_it(engine: Engine) {
    let house = House::open(engine).await;
    let now = house.node.service.now().seconds();
    let app = house.backend().new_app("ada@example.com").await;
    let kid = header(&app.access)["kid"].clone();
    assert_eq!(header(&app.access), json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid }));
    let said = claims(&app.access);
    let (issued, expires) = (said["iat"].as_i64().unwrap(), said["exp"].as_i64().unwrap());
    assert!((now - 1..now + 60).contains(&issued), "{said}");
    assert_eq!(expires - issued, 15 * 60 + 1, "`iat` lies a second back for clocks that differ");
    let expected = json!({
        "iss": house.node.base(), "sub": app.uid, "aud": house.node.base(), "client_id": "c1", "iat": issued, "exp": expires,
        "jti": said["jti"], "sid": app.session(), "amr": ["vouch"], "acr": "urn:countersign:acr:vouched",
        "auth_time": issued + 1, "vby": house.key.key.id.to_string(), "gen": [0, 0, 0, 0],
    });
    assert_eq!(said, expected);
    let again = app.try_refresh().await.ok().text("authToken");
    assert_ne!(claims(&again)["jti"], said["jti"]);
    assert_eq!((&claims(&again)["sid"], &claims(&again)["auth_time"]), (&said["sid"], &said["auth_time"]));
}

/// The keys of a JWK Set, as somebody reads them who knows nothing but its address.
async fn published_keys(app: &App) -> Vec<(String, VerifyingKey)> {
    let set = app.http.get("/.well-known/jwks.json").await.ok().json();
    let read = |key: &Value| {
        let coordinate = |name: &str| encoding::decode(key[name].as_str().unwrap()).unwrap();
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let kid = key["kid"].as_str().unwrap().to_owned();
        (kid.clone(), VerifyingKey::from_point(kid.parse().unwrap(), &point).unwrap())
    };
    set["keys"].as_array().unwrap().iter().map(read).collect()
}

async fn whoever_reads_the_jwk_set_can_check_an_access_token(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let kid = header(&app.access)["kid"].as_str().unwrap().to_owned();
    for (name, key) in published_keys(&app).await {
        let checked = AccessToken::verify(&UnverifiedJws::parse(&app.access).unwrap(), &key);
        assert_eq!(checked.is_ok(), name == kid);
    }
}

async fn how_the_user_was_proven_is_passed_on_and_kept(engine: Engine) {
    let house = House::open(engine).await;
    let key = house.another_key(KeyScope { max_level: Level::TwoFactors, ..KeyScope::default() }).await;
    let at = house.node.service.now().seconds() - 3_600;
    let authentication = json!({ "authentication": {
        "amr": ["pwd", "otp", "vouch"], "acr": "urn:countersign:acr:two-factors", "authTime": at,
    }});
    let backend = house.backend_with(key.secret.danger_expose());
    let vouched = backend.sign_up_with("ada@example.com", authentication).await.ok();
    let mut app = App::told(house.node.client(), &vouched);
    for _ in 0..2 {
        let said = claims(&app.access);
        assert_eq!(said["amr"], json!(["vouch", "pwd", "otp"]));
        assert_eq!((&said["acr"], &said["auth_time"]), (&json!("urn:countersign:acr:two-factors"), &json!(at)));
        let me = app.me().await.ok().json();
        assert_eq!((&me["amr"], &me["acr"]), (&said["amr"], &said["acr"]));
        app.refresh().await.is_ok();
    }
}

async fn a_key_passes_on_no_level_above_its_own(engine: Engine) {
    let house = House::open(engine).await;
    let claimed = json!({ "authentication": { "acr": "urn:countersign:acr:two-factors", "amr": ["hwk"] } });
    let vouched = house.backend().sign_up_with("ada@example.com", claimed).await.ok();
    let said = claims(&vouched.text("authToken"));
    assert_eq!((&said["acr"], &said["amr"]), (&json!("urn:countersign:acr:vouched"), &json!(["vouch", "hwk"])));
}

fn part(value: &Value) -> String {
    encoding::encode(value.to_string())
}

/// HMAC-SHA-256 (RFC 2104), for who takes a public key for a shared secret.
fn hmac(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if secret.len() > block.len() {
        block[..32].copy_from_slice(&sha256(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    let inner = sha256([&block.map(|byte| byte ^ 0x36)[..], message].concat());
    sha256([&block.map(|byte| byte ^ 0x5c)[..], &inner].concat())
}

#[test]
fn the_forger_knows_how_to_make_an_hmac() {
    let made = hmac(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(made[..4], [0x5b, 0xdc, 0xc1, 0x46], "RFC 4231 §4.3");
}

/// Everything that somebody without the private key can make of a genuine token.
async fn forgeries(app: &App) -> Vec<(String, String)> {
    let genuine: Vec<&str> = app.access.split('.').collect();
    let (head, said, signature) = (header(&app.access), claims(&app.access), genuine[2]);
    let under = |name: &str, value: Value| {
        let mut head = head.clone();
        head[name] = value;
        part(&head)
    };
    let saying = |name: &str, value: Value| {
        let mut said = said.clone();
        said[name] = value;
        part(&said)
    };
    let mut forged = Vec::new();
    let mut add = |what: &str, token: String| forged.push((what.to_owned(), token));
    add("no signature", format!("{}.{}.", genuine[0], genuine[1]));
    for none in ["none", "None", "NONE", ""] {
        add("alg none", format!("{}.{}.", under("alg", none.into()), genuine[1]));
        add("alg none, signed", format!("{}.{}.{signature}", under("alg", none.into()), genuine[1]));
    }
    for (kid, key) in published_keys(app).await {
        let signed = format!("{}.{}", under("alg", "HS256".into()), genuine[1]);
        for secret in [key.public(), &key.public()[1..], &key.public()[1..33], kid.as_bytes(), b""] {
            add("HS256 with public bytes", format!("{signed}.{}", encoding::encode(hmac(secret, signed.as_bytes()))));
        }
        if kid != head["kid"] {
            add("the next key's kid", format!("{}.{}.{signature}", under("kid", kid.into()), genuine[1]));
        }
    }
    add("an unknown kid", format!("{}.{}.{signature}", under("kid", "sig_x".into()), genuine[1]));
    add("another kind", format!("{}.{}.{signature}", under("typ", "JWT".into()), genuine[1]));
    add("another algorithm", format!("{}.{}.{signature}", under("alg", "ES384".into()), genuine[1]));
    let longer = json!(said["exp"].as_i64().unwrap() + 1);
    for (name, value) in [("sub", json!("u_00000000000000000000000000")), ("exp", longer), ("gen", json!([9, 9, 9, 9]))]
    {
        add(&format!("another {name}"), format!("{}.{}.{signature}", genuine[0], saying(name, value)));
    }
    let own_key = SigningKey::generate(head["kid"].as_str().unwrap().parse().unwrap()).unwrap();
    let published = published_keys(app).await;
    let (_, key) = published.iter().find(|(kid, _)| *kid == head["kid"]).unwrap();
    let token = AccessToken::verify(&UnverifiedJws::parse(&app.access).unwrap(), key).unwrap();
    add("another key under the right kid", token.sign(&own_key, &Entropy::system()));
    add("more at the end", format!("{}.x", app.access));
    add("padded", format!("{}=", app.access));
    add("zeros for a signature", format!("{}.{}.{}", genuine[0], genuine[1], encoding::encode([0; 64])));
    forged
}

async fn forged_access_tokens_are_refused(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=10000"]).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    // Once with a genuine token that was never seen, once with one that is remembered.
    for _ in 0..2 {
        for (what, forged) in forgeries(&app).await {
            let forger = App { access: forged, ..app.clone() };
            let refused = forger.me().await;
            assert_eq!(refused.status(), 401, "{what}: {refused}");
            refused.denied(401, "invalid_credentials");
            assert_eq!(forger.profile().await.code(), 10_002, "{what}");
            forger.sessions().await.refused(401, 10_002);
        }
        app.me().await.is_ok();
    }
    app.refresh().await.is_ok();
}

async fn an_access_token_of_another_project_is_refused_where_the_path_names_this_one(engine: Engine) {
    let house = House::open(engine).await;
    let key = house.another_project("p2").await;
    let foreign = house.backend_with(key.secret.danger_expose()).of_project("p2").new_app("ada@example.com").await;
    let bearer = foreign.http.with("authorization", &format!("Bearer {}", foreign.access));
    bearer.get("/p/p1/v1/me").await.denied(401, "invalid_credentials");
    let body = json!({ "authToken": foreign.access });
    foreign.http.post("/p/p1/auth/v1beta/authprofile", &body).await.refused(401, 10_002);
    let me = bearer.get("/p/p2/v1/me").await.ok();
    assert_eq!((me.text("project"), me.text("uid")), ("p2".to_owned(), foreign.uid));
    assert_eq!(claims(&foreign.access)["iss"], format!("{}/p/p2", house.node.base()));
    // Seen and remembered, it is still refused there.
    bearer.get("/p/p1/v1/me").await.denied(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audience_is_the_projects_to_choose() {
    let house = House::open(Engine::Sqlite).await;
    let before = house.backend().new_app("ada@example.com").await;
    before.me().await.is_ok();
    let unseen = house.backend().app("ada@example.com").await;
    house.set(&["audience=https://api.example.com"]).await;
    let app = house.backend().app("ada@example.com").await;
    assert_eq!(claims(&app.access)["aud"], "https://api.example.com");
    app.me().await.is_ok();
    for old in [before, unseen] {
        old.profile().await.refused(401, 10_002);
        old.try_refresh().await.is_ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_good_for_its_lifetime_and_no_longer() {
    let house = House::open(Engine::Sqlite).await;
    house.set_client("c2", &["access.lifetime=2h"]).await;
    let short = house.backend().new_app("ada@example.com").await;
    let long = house.backend().for_client("c2").app("ada@example.com").await;
    house.advance(MINUTE * 15).await;
    short.profile().await.refused(401, 10_001);
    house.advance(HOUR).await;
    long.profile().await.is_ok();
    house.advance(MINUTE * 45).await;
    long.profile().await.refused(401, 10_001);
    assert_eq!(members(&long.try_refresh().await.ok().json()).len(), 4);
}
