//! Clients of each kind that may be registered, whose users sign in on their own screens.

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_crypto::jose::{client_key::ClientKey, signing_key::SigningKey};
use countersign_domain::id::SigningKeyId;
use countersign_testkit::{
    house::House,
    http::Client,
    provider::{ASSERTION_TYPE, over},
    sign_in::sign_in,
};
use serde_json::{Value, json};

use super::callback_with;

/// Who signs in.
pub(super) const ADA: &str = "ada@example.com";

/// A client: how it calls, what it adds to each call of the form, and what a script is told of it.
pub(super) struct Registered<'h> {
    house: &'h House,
    http: Client,
    proof: Box<dyn Fn() -> Vec<(&'static str, String)> + 'h>,
    pub(super) facts: Value,
}

impl<'h> Registered<'h> {
    /// `c3`, which proves nothing.
    pub(super) fn public(house: &'h House) -> Self {
        let facts = json!({"client_id": "c3", "method": "none"});
        Self { house, http: house.node.client(), proof: Box::new(|| vec![("client_id", "c3".to_owned())]), facts }
    }

    /// `c4`, with a secret that it shows in this way.
    pub(super) async fn with_secret(house: &'h House, method: &str) -> Self {
        let secret = house.with_secret(method).await;
        house.set_client("c4", &["oauth.first_party=on"]).await;
        let facts = json!({"client_id": "c4", "method": method, "secret": secret});
        let basic = format!("Basic {}", STANDARD.encode(format!("c4:{secret}")));
        if method == "client_secret_basic" {
            return Self {
                house,
                http: house.node.client().with("authorization", &basic),
                proof: Box::new(Vec::new),
                facts,
            };
        }
        let proof = move || vec![("client_id", "c4".to_owned()), ("client_secret", secret.clone())];
        Self { house, http: house.node.client(), proof: Box::new(proof), facts }
    }

    /// `c4`, which signs assertions.
    pub(super) async fn with_key(house: &'h House) -> Self {
        let made = SigningKey::generate(SigningKeyId::from_bytes([9; 16])).unwrap().danger_to_pkcs8().unwrap();
        let key = ClientKey::from_pkcs8(&made).unwrap();
        house.confidential("private_key_jwt").await;
        let jwks = format!("oauth.jwks={}", json!({"keys": [key.jwk()]}));
        house.set_client("c4", &[&jwks, "oauth.first_party=on"]).await;
        let facts = json!({"client_id": "c4", "method": "private_key_jwt", "pkcs8": STANDARD.encode(&*made)});
        let proof = move || {
            let assertion = house.assertion(&key, &json!({}));
            vec![("client_assertion", assertion), ("client_assertion_type", ASSERTION_TYPE.to_owned())]
        };
        Self { house, http: house.node.client(), proof: Box::new(proof), facts }
    }

    /// The user signs in. Gives the code.
    pub(super) async fn code(&self) -> String {
        let asked = self.house.authorization(&over(&self.asked(), &[("state", "")]));
        let named = (self.proof)().iter().any(|(name, _)| *name == "client_id");
        let asked = if named { over(&asked, &[("client_id", "")]) } else { asked };
        sign_in(&self.http, ADA, &asked, &*self.proof).await
    }

    /// The user signs in. Gives where a browser would end up.
    pub(super) async fn callback(&self) -> String {
        callback_with(self.house, &self.code().await, &self.asked())
    }

    fn asked(&self) -> [(&str, &str); 2] {
        [("client_id", self.facts["client_id"].as_str().unwrap()), ("nonce", "n-1")]
    }
}
