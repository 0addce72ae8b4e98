//! A customer's backend that manages users by a key of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_crypto::{
    encoding,
    jose::{client_key::ClientKey, public_key::Kind, response_signature::body_sha256},
};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    house::{House, Node},
};

/// The backend `c4`, with a key for each of its ways in.
pub struct ManagingBackend<'a> {
    /// Where it calls.
    pub house: &'a House,
    /// Signs what goes into `Authorization`.
    pub ed: ClientKey,
    /// Signs what old clients sign.
    pub es: ClientKey,
}

/// By what it names its keys.
pub const ED_KID: &str = "c4-ed";
/// The other.
pub const ES_KID: &str = "c4-es";

static CALLS: AtomicU64 = AtomicU64::new(0);

fn next_id() -> String {
    format!("call {}", CALLS.fetch_add(1, Ordering::Relaxed))
}

/// A key's public half, by name.
pub fn named(key: &ClientKey, kid: &str) -> Value {
    let mut jwk = key.jwk();
    (jwk["kid"], jwk["alg"]) = (kid.into(), key.algorithm().into());
    jwk
}

impl House {
    /// The backend `c4`, which may manage users.
    pub async fn managing_backend(&self) -> ManagingBackend<'_> {
        let key = |kind| ClientKey::generate(kind).expect("a key is made");
        let (ed, es) = (key(Kind::EdDsa), key(Kind::Es256));
        let jwks = json!({ "keys": [named(&ed, ED_KID), named(&es, ES_KID)] });
        let (method, jwks) = ("oauth.auth_method=private_key_jwt", format!("oauth.jwks={jwks}"));
        self.set_client("c4", &[method, &jwks, "management=on", "dpop.nonce=off"]).await;
        ManagingBackend { house: self, ed, es }
    }
}

impl ManagingBackend<'_> {
    /// What it says of a call, with these claims over it; `null` takes one away.
    pub fn claims(&self, path: &str, body: &str, over: &Value) -> Value {
        let now = self.house.node.service.now().seconds();
        let mut claims = json!({
            "iss": "c4", "sub": "c4", "aud": format!("{}{path}", self.house.public_url()), "iat": now, "exp": now + 60,
            "jti": next_id(), "body_sha256": body_sha256(body.as_bytes()),
        });
        put_over(&mut claims, over);
        claims
    }

    /// Signs claims as it signs its calls.
    pub fn sign(&self, claims: &Value) -> String {
        let head = json!({ "alg": "EdDSA", "typ": "JWT", "kid": ED_KID });
        self.ed.sign(head.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// A call whose assertion is this.
    pub async fn call_with(&self, node: &Node, path: &str, body: &str, assertion: &str) -> Answer {
        let http = node.client().with("authorization", &format!("Bearer {assertion}"));
        let http = http.with("x-config-id", "p1").with("x-hawcx-protocol-version", "2");
        http.post_bytes(path, body.to_owned()).await
    }

    /// A call that says something else of itself.
    pub async fn call_over(&self, path: &str, body: &Value, over: &Value) -> Answer {
        let body = body.to_string();
        let assertion = self.sign(&self.claims(path, &body, over));
        self.call_with(&self.house.node, path, &body, &assertion).await
    }

    /// A good call.
    pub async fn call(&self, path: &str, body: &Value) -> Answer {
        self.call_over(path, body, &json!({})).await
    }

    /// A call as the first clients made it: everything in the assertion, and the key that it names.
    pub async fn call_by_header(&self, path: &str, user: &str, said: &Value) -> Answer {
        self.call_by_header_over(path, user, said, &json!({})).await
    }

    /// The same with claims over it.
    pub async fn call_by_header_over(&self, path: &str, user: &str, said: &Value, over: &Value) -> Answer {
        let key = ClientKey::generate(Kind::Es256).expect("a key is made");
        let url = format!("{}{path}", self.house.public_url());
        let now = self.house.node.service.now().seconds();
        let mut claims = json!({
            "iss": "c4", "sub": user, "aud": url, "iat": now, "exp": now + 120, "jti": next_id(),
            "cnf": { "jkt": encoding::encode(key.thumbprint().0) },
        });
        put_over(&mut claims, said);
        put_over(&mut claims, over);
        let assertion = self.es.sign(br#"{"alg":"ES256","typ":"JWT"}"#, claims.to_string().as_bytes());
        let head = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": key.jwk() });
        let proof = json!({ "htm": "POST", "htu": url, "iat": now, "jti": next_id() });
        let proof = key.sign(head.to_string().as_bytes(), proof.to_string().as_bytes());
        let http = self.house.node.client().with("x-client-assertion", &assertion).with("dpop", &proof);
        http.with("x-config-id", "p1").with("apikey", "p1").post(path, &json!({})).await
    }

    /// What old clients sign at the bootstrap, with these claims over it.
    pub fn bootstrap_assertion(&self, path: &str, over: &Value) -> String {
        let now = self.house.node.service.now().seconds();
        let mut claims = json!({
            "iss": "c4", "sub": "c4", "aud": format!("{}{path}", self.house.public_url()), "iat": now, "exp": now + 120,
            "jti": next_id(), "nonce": "", "scope": "",
        });
        put_over(&mut claims, over);
        let head = json!({ "alg": "ES256", "typ": "JWT", "kid": ES_KID });
        self.es.sign(head.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}

fn put_over(claims: &mut Value, over: &Value) {
    for (name, value) in over.as_object().expect("claims are an object") {
        if value.is_null() {
            claims.as_object_mut().expect("claims are an object").remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
}

impl Answer {
    /// This must be an error of management, in its shape, which is all there is, and not signed. Gives the detail.
    #[track_caller]
    pub fn detail(&self, status: u16) -> String {
        assert_eq!(self.status(), status, "{self}");
        let json = self.json();
        let members: Vec<&String> = json.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["detail"], "{self}");
        assert!(!self.headers.contains_key("x-response-signature"), "{self}");
        assert_eq!(self.header("content-type"), "application/json");
        self.text("detail")
    }
}
