//! A customer's backend that seals its calls and signs them, and reads nothing that wasn't sealed and signed for it.

use std::sync::Arc;

use countersign_crypto::{
    delegation::{
        credential::Credential,
        envelope::{UnverifiedEnvelope, seal},
        keys::Recipient,
        signature::{Headers, UnverifiedSignature, sign},
    },
    entropy::Entropy,
};
use countersign_domain::clock::Timestamp;
use countersign_service::Service;
use serde_json::Value;

use crate::{
    answer::Answer,
    house::{House, Node, p1},
    http::Client,
};

/// The backend of a client.
#[derive(Clone)]
pub struct ServiceProvider {
    /// How it calls.
    pub http: Client,
    /// Its client.
    pub client: String,
    /// What it was handed.
    pub credential: Arc<Credential>,
    /// The server's time: on PostgreSQL that is the database's, and not the test's clock alone.
    service: Arc<Service>,
}

/// What was sealed for the backend.
#[derive(Debug)]
pub struct Opened {
    /// The status outside.
    pub status: u16,
    /// What was in the envelope.
    pub json: Value,
    /// As it came.
    pub answer: Answer,
}

impl House {
    /// The backend of a client of `p1`, with a new key.
    pub async fn service_provider(&self, client: &str) -> ServiceProvider {
        let made = self.node.service.create_delegation_key(&p1(), &client.parse().unwrap(), None).await;
        let made = made.expect("a key is made");
        self.provider_with(client, made.credential.danger_expose())
    }

    /// The backend of a client that holds this credential.
    pub fn provider_with(&self, client: &str, credential: &str) -> ServiceProvider {
        let credential = Arc::new(Credential::parse(credential).expect("a credential"));
        let service = Arc::clone(&self.node.service);
        ServiceProvider { http: self.node.client(), client: client.to_owned(), credential, service }
    }
}

impl ServiceProvider {
    /// The same at another server.
    #[must_use]
    pub fn at(&self, node: &Node) -> Self {
        Self { http: node.client(), ..self.clone() }
    }

    /// The time by which it signs.
    pub fn now(&self) -> Timestamp {
        self.service.now()
    }

    /// A body as it is sent.
    pub fn sealed(&self, text: &Value) -> Vec<u8> {
        sealed_to(&self.credential.idp_recipient, text.to_string().as_bytes())
    }

    /// The headers of a body that is signed now, as clients without a name for their key send them.
    pub fn signed(&self, body: &[u8]) -> Client {
        self.signed_at(body, self.now())
    }

    /// The same at another time.
    pub fn signed_at(&self, body: &[u8], at: Timestamp) -> Client {
        let signed = sign(&self.credential.signer, body, at);
        self.http
            .with("x-sp-id", &self.client)
            .with("x-key-id", "hawcx")
            .with("x-enc-alg", "x25519-aesgcm")
            .with("x-signature-alg", "ed25519")
            .with("x-timestamp", &signed.timestamp)
            .with("x-signature", &signed.signature)
    }

    /// Calls, and opens the answer.
    pub async fn call(&self, path: &str, text: &Value) -> Opened {
        let body = self.sealed(text);
        self.opened(self.signed(&body).post_bytes(path, body).await)
    }

    /// Reads an answer, which must be sealed and signed for it.
    #[track_caller]
    pub fn opened(&self, answer: Answer) -> Opened {
        let signature = UnverifiedSignature::read(&Headers {
            enc_alg: Some(answer.header("x-enc-alg")),
            timestamp: Some(answer.header("x-timestamp")),
            signature_alg: Some(answer.header("x-signature-alg")),
            signature: Some(answer.header("x-signature")),
        });
        let signature = signature.expect("headers of a signature");
        signature.verify([&self.credential.idp_verifier], &answer.body, self.now()).expect("it is signed for us");
        let envelope = UnverifiedEnvelope::parse(&answer.body).expect("an envelope");
        let opened = envelope.open([&self.credential.opener]).expect("it is sealed for us");
        let json = serde_json::from_slice(&opened.text).expect("JSON in the envelope");
        Opened { status: answer.status(), json, answer }
    }
}

impl Opened {
    /// This must be 200. Gives what is in it.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.json);
        self.json
    }

    /// This must be a refusal with these words.
    #[track_caller]
    pub fn refused(&self, status: u16, detail: &str) {
        assert_eq!((self.status, self.json["detail"].as_str()), (status, Some(detail)));
        assert!(
            self.json.as_object().unwrap().keys().all(|name| name == "detail" || name == "status"),
            "{}",
            self.json
        );
    }
}

impl Answer {
    /// This must be a refusal of a call of which nobody knows whose it is: JSON with these words, and no more.
    #[track_caller]
    pub fn not_proved(&self, status: u16, detail: &str) {
        assert_eq!((self.status(), self.json()), (status, serde_json::json!({ "detail": detail })), "{self}");
        assert!(!self.headers.contains_key("x-signature"), "{self}");
    }
}

/// A text that only whoever holds the other half of `to` can read.
pub fn sealed_to(to: &Recipient, text: &[u8]) -> Vec<u8> {
    seal(to, text, &Entropy::system()).expect("it can be sealed")
}
