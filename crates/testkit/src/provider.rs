//! Clients of the OpenID provider, and codes for users whom nobody asked anything.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use countersign_crypto::{
    jose::{client_key::ClientKey, public_key::Kind},
    pkce::CodeChallenge,
};
use countersign_domain::{
    id::UserId,
    oauth::form::{Form, encode},
    proof::{Level, Method, Proof},
};
use countersign_service::{
    address::Address,
    oauth::authorization::{AuthorizationRefused, CheckedRequest},
};
use countersign_storage::authorization_codes;
use hyper::Method as Verb;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    house::{House, Node, p1},
    http::Client,
};

/// The verifier of every code of these tests.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Where users are sent back to.
pub const REDIRECT_URI: &str = "https://app.example.com/callback";

/// Parameters, some of which may be given a second time.
pub type Parameters<'a> = &'a [(&'a str, &'a str)];

/// `base` with `more` over it; a parameter without a value goes.
pub fn over<'a>(base: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

/// As a form.
pub fn form(parameters: Parameters<'_>) -> String {
    parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

impl Client {
    /// `POST` of a form.
    pub async fn post_form(&self, path: &str, parameters: Parameters<'_>) -> Answer {
        let http = self.with("content-type", "application/x-www-form-urlencoded");
        http.send(Verb::POST, path, form(parameters).into()).await
    }
}

impl House {
    /// The web app `c3`: public, with PKCE, the project's own.
    pub async fn web_app(&self) {
        self.set_client("c3", &[&format!("oauth.redirect_uris={REDIRECT_URI}"), "oauth.first_party=on"]).await;
    }

    /// The backend `c4`, which authenticates itself in this way.
    pub async fn confidential(&self, method: &str) {
        let redirect_uris = format!("oauth.redirect_uris={REDIRECT_URI}");
        let grants = "oauth.grants=authorization_code refresh_token client_credentials";
        let scopes = "oauth.scopes=openid profile email phone read write";
        self.set_client("c4", &[&redirect_uris, &format!("oauth.auth_method={method}"), grants, scopes]).await;
    }

    /// The backend `c4`, which authenticates itself by a secret.
    pub async fn with_secret(&self, method: &str) -> String {
        self.confidential(method).await;
        let made = self.node.service.create_client_secret(&p1(), &"c4".parse().unwrap(), None).await;
        made.expect("a secret is made").secret.danger_expose().to_owned()
    }

    /// The backend `c4`, which signs assertions with this key.
    pub async fn with_key(&self, kind: Kind) -> Arc<ClientKey> {
        let key = Arc::new(ClientKey::generate(kind).expect("a key is made"));
        self.confidential("private_key_jwt").await;
        self.set_client("c4", &[&format!("oauth.jwks={}", json!({ "keys": [key.jwk()] }))]).await;
        key
    }

    /// What an app asks for, over what every app asks for.
    pub fn authorization<'a>(&self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        const EVERY: Parameters<'static> = &[
            ("response_type", "code"),
            ("client_id", "c3"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid email"),
            ("state", "a state"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ];
        assert!(CodeChallenge::of(VERIFIER).to_text() == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        over(EVERY, more)
    }

    /// Judges an authorization request as it came.
    pub fn check_authorization(&self, raw: &str) -> Result<CheckedRequest, AuthorizationRefused> {
        let form = Form::parse(raw.as_bytes()).expect("the parameters are a form");
        self.node.service.check_authorization_request(&Address::default(), &form)
    }

    /// A code for a user, as whoever proved the user issues it.
    pub async fn code(&self, uid: &str, more: Parameters<'_>) -> String {
        let user: UserId = uid.parse().expect("a user's id");
        let checked = self.check_authorization(&form(&self.authorization(more))).expect("the request is good");
        let service = &self.node.service;
        let now = service.now();
        let proof = Proof { methods: vec!["otp".parse::<Method>().unwrap()], level: Level::OneFactor, at: now };
        let draft = service.draft_code(&checked.project, &checked.request, user, proof, now);
        let row = Arc::new(draft.row);
        let db = self.database.open().await;
        let written = db.write(move |mut conn| {
            let row = Arc::clone(&row);
            Box::pin(async move { authorization_codes::insert(&mut conn, &row).await })
        });
        assert!(written.await.expect("the code is written"), "there is such a user");
        db.close().await;
        draft.code.danger_expose().to_owned()
    }

    /// A new user, who can be found by this address.
    pub async fn user(&self, email: &str) -> String {
        self.backend().sign_up(email).await.ok().text("uid")
    }

    /// A good assertion of `c4`, with these claims over it.
    pub fn assertion(&self, key: &ClientKey, more: &Value) -> String {
        let now = self.node.service.now().seconds();
        let id = format!("assertion {}", ASSERTIONS.fetch_add(1, Ordering::Relaxed));
        let mut claims = json!({
            "iss": "c4", "sub": "c4", "aud": self.public_url(), "iat": now, "exp": now + 60, "jti": id,
        });
        for (name, value) in more.as_object().expect("claims are an object") {
            claims[name] = value.clone();
        }
        let head = json!({ "alg": key.algorithm() });
        key.sign(head.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}

/// How many were made.
static ASSERTIONS: AtomicU64 = AtomicU64::new(0);

/// How a client says that it shows an assertion.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What redeems a code of `c3`.
pub fn redemption(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", "c3"),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]
}

impl Node {
    /// Calls the token endpoint.
    pub async fn token(&self, parameters: Parameters<'_>) -> Answer {
        self.client().post_form("/oauth2/token", parameters).await
    }
}

impl Answer {
    /// This must be an error of the provider, in its shape, which is all there is. Gives the description.
    #[track_caller]
    pub fn oauth_error(&self, status: u16, error: &str) -> String {
        let json = self.json();
        assert_eq!((self.status(), &json["error"]), (status, &error.into()), "{self}");
        let members: Vec<&String> = json.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["error", "error_description"], "{self}");
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("access-control-allow-origin"), "*");
        self.text("error_description")
    }
}
