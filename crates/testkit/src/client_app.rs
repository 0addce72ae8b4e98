//! An app that calls by publishable key, user id and HMAC: a page, a widget, a phone.

use countersign_crypto::{secret::SecretText, user_mac::HmacSecret};
use hyper::Method;
use serde_json::Value;

use crate::{answer::Answer, http::Client};

/// An app and its user.
#[derive(Clone)]
pub struct ClientApp {
    /// How it calls.
    pub http: Client,
    /// The publishable key.
    pub key: String,
    /// The customer's own id of the user.
    pub id: String,
    /// What the customer's backend computed.
    pub hmac: Option<String>,
}

impl ClientApp {
    /// The same app with another proof.
    #[must_use]
    pub fn showing(&self, hmac: &str) -> Self {
        Self { hmac: Some(hmac.to_owned()), ..self.clone() }
    }

    /// The same app with no proof.
    #[must_use]
    pub fn unproved(&self) -> Self {
        Self { hmac: None, ..self.clone() }
    }

    /// The same app and proof, naming another user.
    #[must_use]
    pub fn naming(&self, id: &str) -> Self {
        Self { id: id.to_owned(), ..self.clone() }
    }

    /// The same app with another publishable key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// The client it calls with, headers and all.
    pub fn http(&self) -> Client {
        let http = self.http.with("x-proficient-api-key", &self.key).with("x-proficient-user-external-id", &self.id);
        match &self.hmac {
            None => http,
            Some(hmac) => http.with("x-proficient-user-hmac", hmac),
        }
    }

    /// Calls a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.http().get(path).await
    }

    /// Sends something.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.http().post(path, body).await
    }

    /// Asks whether the call is proved.
    pub async fn verify(&self) -> Answer {
        self.get("/verify").await
    }

    /// Asks who it is.
    pub async fn me(&self) -> Answer {
        self.get("/v1/me").await
    }

    /// Its user's uid.
    pub async fn uid(&self) -> String {
        self.me().await.ok().text("uid")
    }

    /// Deletes a path.
    pub async fn delete(&self, path: &str) -> Answer {
        self.http().send(Method::DELETE, path, String::new().into()).await
    }
}

/// The HMAC of an id as the guide computes it.
pub fn hmac_of(secret: &str, id: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(HmacSecret::new(SecretText::new(secret.to_owned())).v1(id))
}
