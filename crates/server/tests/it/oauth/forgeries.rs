//! Tokens and assertions that somebody made who shouldn't, and good ones where they don't belong. What the right key signed is refused all the
//! same where it isn't as we write it.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign_crypto::{
    encoding,
    jose::{client_key::ClientKey, public_key::Kind},
};
use countersign_service::oauth::{authorization::AuthorizationRefused, response::Redirect};
use countersign_testkit::{
    actors::merged,
    bound::a_key,
    database::Engine,
    forger::{StolenKey, by_hmac},
    house::House,
    on_both_engines,
    provider::{ASSERTION_TYPE, REDIRECT_URI, form},
    token::{claims, header},
};
use serde_json::{Value, json};

use super::{is_live, signed_in, with_web_app};

on_both_engines!(
    a_token_without_a_signature_is_worthless,
    a_token_under_a_public_key_taken_for_a_secret_is_worthless,
    a_key_id_that_is_a_path_or_an_address_leads_nowhere,
    a_header_that_brings_or_names_its_own_key_is_believed_nothing,
    what_says_a_thing_twice_is_worthless_though_the_right_key_signed_it,
    a_payload_that_is_not_encoded_or_a_header_that_is_critical_is_worthless_though_the_right_key_signed_it,
    nested_oversized_and_deep_tokens_are_worthless_though_the_right_key_signed_them,
    a_token_of_another_issuer_audience_project_or_time_is_worthless_though_the_right_key_signed_it,
    an_assertion_under_a_public_key_taken_for_a_secret_is_refused,
    an_assertion_that_brings_or_names_another_key_is_refused,
    an_assertion_that_is_nested_oversized_deep_critical_or_says_a_thing_twice_is_refused,
);

/// A house with tokens of its web app `c3`, and the backend `c4`, which may ask what tokens are worth.
struct Stage {
    house: House,
    /// The backend's secret.
    secret: String,
    access: String,
    id_token: String,
    key: StolenKey,
}

impl Stage {
    async fn open(engine: Engine) -> Self {
        let (house, uid) = with_web_app(engine).await;
        house.set(&["limits.failures=100000"]).await;
        let secret = house.with_secret("client_secret_post").await;
        let tokens = signed_in(&house, &uid).await;
        let key = house.stolen_key("p1").await;
        Self { house, secret, access: tokens.text("access_token"), id_token: tokens.text("id_token"), key }
    }

    /// The three places that take an access token, and what they make of this one.
    async fn worth(&self, token: &str) -> [bool; 2] {
        let bearer = self.house.node.client().with("authorization", &format!("Bearer {token}"));
        let userinfo = bearer.get("/oauth2/userinfo").await;
        if userinfo.status() != 200 {
            userinfo.oauth_error(401, "invalid_token");
        }
        let asked = [("token", token), ("client_id", "c4"), ("client_secret", &self.secret)];
        let told = self.house.node.client().post_form("/oauth2/introspect", &asked).await.ok().json();
        assert!(told["active"] == true || told == json!({"active": false}), "{told}");
        [userinfo.status() == 200, told["active"] == true]
    }

    /// This token is good for nothing, and ends nothing.
    async fn is_worthless(&self, what: &str, token: &str) {
        assert_eq!(self.worth(token).await, [false; 2], "{what}: {token}");
        let before = self.house.books().await;
        let given = [("token", token), ("client_id", "c3")];
        self.house.node.client().post_form("/oauth2/revoke", &given).await.is_ok();
        assert_eq!(self.house.books().await, before, "{what}");
        assert!(is_live(&self.house, &self.access).await, "{what}");
    }

    /// This is no id_token: nobody is sent on as meant by it.
    fn means_nobody(&self, what: &str, hint: &str) {
        let refused = self.hinted(hint).err().unwrap_or_else(|| panic!("{what} means somebody"));
        let expected = format!("{REDIRECT_URI}?error=invalid_request&");
        assert!(refused.starts_with(&expected), "{what}: {refused}");
    }

    fn hinted(&self, hint: &str) -> Result<String, String> {
        match self.house.check_authorization(&form(&self.house.authorization(&[("id_token_hint", hint)]))) {
            Ok(good) => Ok(good.request.hinted_user.expect("somebody is meant").to_string()),
            Err(AuthorizationRefused::Client(error)) => match error.redirect() {
                Redirect::Uri(uri) => Err(uri),
                Redirect::FormPost { .. } => panic!("this goes by query"),
            },
            Err(AuthorizationRefused::Page(problem)) => panic!("{problem:?}"),
            Err(AuthorizationRefused::Outage(outage)) => panic!("{outage}"),
        }
    }

    /// What was forged is worthless as an access token and as an id_token; what it was made of is good.
    async fn all_worthless(&self, forged: &[(&str, String)], of_id_token: &[(&str, String)]) {
        for (what, token) in forged {
            self.is_worthless(what, token).await;
        }
        for (what, token) in of_id_token {
            self.means_nobody(what, token);
        }
        self.twins().await;
    }

    /// The tokens themselves, and what the right key signs anew as we write it.
    async fn twins(&self) {
        for token in [&self.access, &self.key.resign(&self.access, &json!({}), &json!({ "jti": "another" }))] {
            assert_eq!(self.worth(token).await, [true; 2]);
        }
        let sub = claims(&self.id_token)["sub"].as_str().unwrap().to_owned();
        for hint in [&self.id_token, &self.key.resign(&self.id_token, &json!({}), &json!({ "nonce": "another" }))] {
            assert_eq!(self.hinted(hint), Ok(sub.clone()));
        }
    }

    /// The same forgery of both.
    async fn both_worthless(&self, what: &str, forge: impl Fn(&str) -> String) {
        self.is_worthless(what, &forge(&self.access)).await;
        self.means_nobody(what, &forge(&self.id_token));
    }
}

async fn a_token_without_a_signature_is_worthless(engine: Engine) {
    let stage = Stage::open(engine).await;
    for alg in ["none", "None", "NONE", "nOnE", "", "ES256"] {
        let forge = |token: &str, signature: &str| {
            let head = merged(header(token), json!({ "alg": alg }));
            format!("{}.{}.{signature}", encoding::encode(head.to_string()), token.split('.').nth(1).unwrap())
        };
        let zeros = encoding::encode([0; 64]);
        for signature in ["", "AA", &zeros] {
            stage.both_worthless(alg, |token| forge(token, signature)).await;
        }
        let signature_of = |token: &str| token.rsplit('.').next().unwrap().to_owned();
        if alg != "ES256" {
            stage.both_worthless(alg, |token| forge(token, &signature_of(token))).await;
        }
        stage.both_worthless(alg, |token| forge(token, "").trim_end_matches('.').to_owned()).await;
    }
    stage.twins().await;
}

async fn a_token_under_a_public_key_taken_for_a_secret_is_worthless(engine: Engine) {
    let stage = Stage::open(engine).await;
    let set = stage.house.node.client().get("/.well-known/jwks.json").await.ok();
    let jwk =
        set.json()["keys"].as_array().unwrap().iter().find(|key| key["kid"] == *stage.key.kid).unwrap().to_string();
    let pem = &stage.key.pem;
    let secrets: [&[u8]; 8] = [
        &stage.key.public,
        &stage.key.public[1..33],
        pem.as_bytes(),
        pem.trim_end().as_bytes(),
        jwk.as_bytes(),
        &set.body,
        stage.key.kid.as_bytes(),
        b"",
    ];
    for secret in secrets {
        stage.both_worthless("HS256", |token| by_hmac(token, secret)).await;
    }
    stage.twins().await;
}

/// Somebody who waits for the server to ask for a key.
struct Lure {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Lure {
    fn set_up() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (url, asked) =
            (format!("http://{}/jwks.json", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
        let counts = Arc::clone(&asked);
        std::thread::spawn(move || {
            for _ in listener.incoming() {
                counts.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { url, asked }
    }

    /// Nobody came, though one is noticed who does.
    async fn nobody_came(&self) {
        assert_eq!(self.asked.load(Ordering::Relaxed), 0, "the server asked for a key");
        let address = self.url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
        let _somebody = tokio::net::TcpStream::connect(address).await.unwrap();
        let asked = Arc::clone(&self.asked);
        countersign_testkit::wait::until("the lure notices", Duration::from_secs(5), || {
            let asked = asked.load(Ordering::Relaxed);
            async move { asked == 1 }
        })
        .await;
    }
}

async fn a_key_id_that_is_a_path_or_an_address_leads_nowhere(engine: Engine) {
    let stage = Stage::open(engine).await;
    let lure = Lure::set_up();
    let (own, longer) = (a_key(Kind::Es256), format!("{}\u{0}", stage.key.kid));
    let traversal = format!("../p1/{}", stage.key.kid);
    let kids = [
        "../../../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        &lure.url,
        &traversal,
        &longer,
        "' or '1'='1",
        "",
        "sig_00000000000000000000000000",
    ];
    for kid in kids {
        let head = |token: &str| merged(header(token), json!({ "kid": kid }));
        let said = |token: &str| claims(token).to_string();
        // By the right key, by a key of one's own, and by the empty secret that a file without content is.
        stage.both_worthless(kid, |token| stage.key.sign(&head(token).to_string(), &said(token))).await;
        stage.both_worthless(kid, |token| own.sign(head(token).to_string().as_bytes(), said(token).as_bytes())).await;
        stage.both_worthless(kid, |token| by_hmac(&stage.key.sign(&head(token).to_string(), &said(token)), b"")).await;
    }
    for kid in [json!(null), json!([stage.key.kid]), json!({ "kid": stage.key.kid }), json!(1)] {
        let what = kid.to_string();
        stage.both_worthless(&what, |token| stage.key.resign(token, &json!({ "kid": kid }), &json!({}))).await;
    }
    stage.twins().await;
    lure.nobody_came().await;
}

/// What a header says that brings a key along, or says where one is.
fn leads(key: &ClientKey, url: &str) -> [Value; 6] {
    let certificate = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, b"no certificate");
    [
        json!({ "jwk": key.jwk() }),
        json!({ "jku": url }),
        json!({ "x5u": url }),
        json!({ "x5c": [certificate] }),
        json!({ "jku": url, "jwk": key.jwk(), "x5u": url }),
        json!({ "x5t#S256": encoding::encode([7; 32]) }),
    ]
}

async fn a_header_that_brings_or_names_its_own_key_is_believed_nothing(engine: Engine) {
    let stage = Stage::open(engine).await;
    let lure = Lure::set_up();
    for kind in [Kind::Es256, Kind::EdDsa] {
        let own = a_key(kind);
        for more in leads(&own, &lure.url) {
            let what = more.to_string();
            stage.both_worthless(&what, |token| stage.key.resign(token, &more, &json!({}))).await;
            let forge = |token: &str| {
                let head = merged(merged(header(token), json!({ "alg": own.algorithm() })), more.clone());
                own.sign(head.to_string().as_bytes(), claims(token).to_string().as_bytes())
            };
            stage.both_worthless(&what, forge).await;
        }
    }
    stage.twins().await;
    lure.nobody_came().await;
}

async fn what_says_a_thing_twice_is_worthless_though_the_right_key_signed_it(engine: Engine) {
    let stage = Stage::open(engine).await;
    let twice = |token: &str, name: &str| {
        let (said, member) = (claims(token).to_string(), format!("\"{name}\":"));
        let twice = said.replacen(&member, &format!("{member}{},{member}", claims(token)[name]), 1);
        assert_ne!(twice, said);
        stage.key.sign(&header(token).to_string(), &twice)
    };
    for name in
        ["iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti", "sid", "amr", "acr", "auth_time", "gen"]
    {
        stage.is_worthless(name, &twice(&stage.access, name)).await;
    }
    // What is read of a hint.
    for name in ["iss", "sub", "aud", "sid"] {
        stage.means_nobody(name, &twice(&stage.id_token, name));
    }
    for name in ["alg", "kid", "typ"] {
        stage
            .both_worthless(name, |token| {
                let head = header(token).to_string();
                let member = format!("\"{name}\":");
                let twice = head.replacen(&member, &format!("{member}{},{member}", header(token)[name]), 1);
                stage.key.sign(&twice, &claims(token).to_string())
            })
            .await;
    }
    stage.twins().await;
}

async fn a_payload_that_is_not_encoded_or_a_header_that_is_critical_is_worthless_though_the_right_key_signed_it(
    engine: Engine,
) {
    let stage = Stage::open(engine).await;
    for more in [
        json!({ "b64": false, "crit": ["b64"] }),
        json!({ "b64": false }),
        json!({ "b64": true, "crit": ["b64"] }),
        json!({ "crit": [] }),
        json!({ "crit": ["exp"], "exp": 9_999_999_999_i64 }),
        json!({ "zip": "DEF" }),
        json!({ "cty": "JWT" }),
        json!({ "enc": "A256GCM" }),
    ] {
        let what = more.to_string();
        stage.both_worthless(&what, |token| stage.key.resign(token, &more, &json!({}))).await;
    }
    stage.twins().await;
}

fn deep(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

async fn nested_oversized_and_deep_tokens_are_worthless_though_the_right_key_signed_them(engine: Engine) {
    let stage = Stage::open(engine).await;
    let with = |token: &str, more: &str| {
        let said = claims(token).to_string();
        stage.key.sign(&header(token).to_string(), &format!("{},\"more\":{more}}}", said.strip_suffix('}').unwrap()))
    };
    let long = json!("a".repeat(8 * 1024)).to_string();
    stage.both_worthless("oversized", |token| with(token, &long)).await;
    // Within what is read. What isn't is passed over without going down into it.
    for levels in [130, 2_000] {
        for name in ["sub", "aud", "amr", "cnf"] {
            let said = merged(claims(&stage.access), json!({ name: "HERE" })).to_string();
            let said = said.replace("\"HERE\"", &deep(levels));
            stage.is_worthless(name, &stage.key.sign(&header(&stage.access).to_string(), &said)).await;
        }
    }
    let in_header = |token: &str| {
        let head = header(token).to_string();
        let head = format!("{},\"more\":{}}}", head.strip_suffix('}').unwrap(), deep(200));
        stage.key.sign(&head, &claims(token).to_string())
    };
    stage.both_worthless("deep header", in_header).await;
    let nested = |token: &str| stage.key.sign(&header(token).to_string(), token);
    stage.both_worthless("nested", nested).await;
    let quoted = |token: &str| stage.key.sign(&header(token).to_string(), &json!(token).to_string());
    stage.both_worthless("nested as a text", quoted).await;
    stage.both_worthless("five parts", |token| format!("{token}.AAAA.AAAA")).await;
    stage.twins().await;
}

async fn a_token_of_another_issuer_audience_project_or_time_is_worthless_though_the_right_key_signed_it(
    engine: Engine,
) {
    let stage = Stage::open(engine).await;
    stage.house.another_project("p2").await;
    let (issuer, now) = (stage.house.public_url().to_owned(), stage.house.node.service.now().seconds());
    let of_p2 = format!("{issuer}/p/p2");
    let mut forged = Vec::new();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{issuer}/"))),
        ("iss", json!(of_p2)),
        ("iss", json!([issuer])),
        ("iss", json!(null)),
        ("aud", json!("https://api.example.com")),
        ("aud", json!("c3")),
        ("aud", json!(of_p2)),
        ("aud", json!([issuer])),
        ("aud", json!([issuer, "https://api.example.com"])),
        ("aud", json!(null)),
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", json!("never")),
        ("exp", json!(null)),
        ("sub", json!("ada@example.com")),
        ("client_id", json!(null)),
        ("cnf", json!({ "x5t#S256": "AA" })),
    ] {
        forged.push(("access", stage.key.resign(&stage.access, &json!({}), &json!({ name: value }))));
    }
    let mut of_id_token = Vec::new();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(of_p2)),
        ("aud", json!("c1")),
        ("aud", json!(["c3", "c1"])),
        ("aud", json!(null)),
        ("sub", json!("ada@example.com")),
    ] {
        of_id_token.push(("id_token", stage.key.resign(&stage.id_token, &json!({}), &json!({ name: value }))));
    }
    // The right words under the key of another project.
    let key_of_p2 = stage.house.stolen_key("p2").await;
    for kid in [&stage.key.kid, &key_of_p2.kid] {
        let head = json!({ "kid": kid });
        forged.push(("key of p2", key_of_p2.resign(&stage.access, &head, &json!({}))));
        of_id_token.push(("key of p2", key_of_p2.resign(&stage.id_token, &head, &json!({}))));
    }
    stage.all_worthless(&forged, &of_id_token).await;
}

/// What an assertion of `c4` comes to.
async fn assert_as(house: &House, assertion: &str) -> countersign_testkit::answer::Answer {
    let shown = [
        ("grant_type", "client_credentials"),
        ("scope", "read"),
        ("client_assertion", assertion),
        ("client_assertion_type", ASSERTION_TYPE),
    ];
    house.node.token(&shown).await
}

/// The client's key, and a good assertion by it.
async fn asserting(engine: Engine, kind: Kind) -> (House, Arc<ClientKey>) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=100000"]).await;
    let key = house.with_key(kind).await;
    assert_as(&house, &house.assertion(&key, &json!({}))).await.is_ok();
    (house, key)
}

/// An assertion like a good one, with a header of its own, signed by some key.
fn assertion_by(key: &ClientKey, house: &House, of: &ClientKey, head: &Value) -> String {
    let good = house.assertion(of, &json!({}));
    let head = merged(json!({ "alg": key.algorithm() }), head.clone());
    key.sign(head.to_string().as_bytes(), claims(&good).to_string().as_bytes())
}

async fn refused_and_spends_nothing(house: &House, what: &str, assertion: &str) {
    let before = (house.books().await, house.database.number("select count(*) from spent").await);
    let answer = assert_as(house, assertion).await;
    assert_eq!((answer.status(), &answer.json()["error"]), (401, &"invalid_client".into()), "{what}: {answer}");
    let after = (house.books().await, house.database.number("select count(*) from spent").await);
    assert_eq!(after, before, "{what}");
}

async fn an_assertion_under_a_public_key_taken_for_a_secret_is_refused(engine: Engine) {
    for kind in [Kind::Es256, Kind::EdDsa] {
        let (house, key) = asserting(engine, kind).await;
        let jwk = key.jwk();
        let half = |name: &str| encoding::decode(jwk[name].as_str().unwrap_or_default()).unwrap();
        let point = [vec![4], half("x"), half("y")].concat();
        let jwks = json!({ "keys": [jwk] }).to_string();
        for secret in [half("x"), point, jwk.to_string().into(), jwks.into(), Vec::new()] {
            let forged = by_hmac(&house.assertion(&key, &json!({})), &secret);
            refused_and_spends_nothing(&house, "HS256", &forged).await;
        }
        assert_as(&house, &house.assertion(&key, &json!({}))).await.is_ok();
    }
}

async fn an_assertion_that_brings_or_names_another_key_is_refused(engine: Engine) {
    let (house, key) = asserting(engine, Kind::Es256).await;
    let lure = Lure::set_up();
    for kind in [Kind::Es256, Kind::EdDsa] {
        let own = a_key(kind);
        for more in leads(&own, &lure.url) {
            let forged = assertion_by(&own, &house, &key, &more);
            refused_and_spends_nothing(&house, &more.to_string(), &forged).await;
        }
        for kid in ["../../../../../../dev/null", "/dev/null", "file:///dev/null", &lure.url, "' or '1'='1", ""] {
            let forged = assertion_by(&own, &house, &key, &json!({ "kid": kid }));
            refused_and_spends_nothing(&house, kid, &forged).await;
            let empty = by_hmac(&assertion_by(&own, &house, &key, &json!({ "kid": kid })), b"");
            refused_and_spends_nothing(&house, kid, &empty).await;
        }
    }
    assert_as(&house, &assertion_by(&key, &house, &key, &json!({}))).await.is_ok();
    lure.nobody_came().await;
}

async fn an_assertion_that_is_nested_oversized_deep_critical_or_says_a_thing_twice_is_refused(engine: Engine) {
    let (house, key) = asserting(engine, Kind::Es256).await;
    let head = json!({ "alg": "ES256" }).to_string();
    let signed = |payload: &str| key.sign(head.as_bytes(), payload.as_bytes());
    let said = || claims(&house.assertion(&key, &json!({}))).to_string();
    let with = |more: &str| signed(&format!("{},\"more\":{more}}}", said().strip_suffix('}').unwrap()));
    for levels in [130, 2_000] {
        refused_and_spends_nothing(&house, "deep", &with(&deep(levels))).await;
    }
    refused_and_spends_nothing(&house, "oversized", &with(&json!("a".repeat(40_000)).to_string())).await;
    let good = house.assertion(&key, &json!({}));
    refused_and_spends_nothing(&house, "nested", &signed(&good)).await;
    refused_and_spends_nothing(&house, "nested", &signed(&json!(good).to_string())).await;
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        let member = format!("\"{name}\":");
        let value = claims(&good)[name].clone();
        let twice = said().replacen(&member, &format!("{member}{value},{member}"), 1);
        refused_and_spends_nothing(&house, name, &signed(&twice)).await;
    }
    for more in [json!({ "b64": false, "crit": ["b64"] }), json!({ "b64": false }), json!({ "crit": ["exp"] })] {
        let forged = assertion_by(&key, &house, &key, &more);
        refused_and_spends_nothing(&house, &more.to_string(), &forged).await;
    }
    let twice = format!("{{\"alg\":\"none\",{}", head.strip_prefix('{').unwrap());
    refused_and_spends_nothing(&house, "alg", &key.sign(twice.as_bytes(), said().as_bytes())).await;
    assert_as(&house, &with("1")).await.is_ok();
}
