//! Door 1's own codes: an app's own screens, and an address that its user holds.

mod activation;
mod attributes;
mod guessing;
mod owners;
mod sign_in;
mod sign_up;

use countersign_domain::{id::MessageId, identity::Identity, message::Destination};
use countersign_testkit::{actors::merged, answer::Answer, house::House, http::Client};
use serde_json::{Value, json};

/// Somebody at an app's own screens.
#[derive(Clone)]
pub(crate) struct Person {
    http: Client,
    /// Where the person is reached, as calls say it.
    address: Value,
}

/// A person with this e-mail address.
pub(crate) fn with_email(house: &House, email: &str) -> Person {
    Person { http: house.node.client(), address: json!({ "method": 0, "email": email }) }
}

/// A person with this telephone.
fn with_phone(house: &House, number: &str) -> Person {
    Person { http: house.node.client(), address: json!({ "method": 1, "phoneNumber": number }) }
}

impl Person {
    /// The same person, or a stranger who names them, on the network of this address.
    pub(crate) fn at(&self, network: &str) -> Self {
        Self { http: self.http.from_address(network), ..self.clone() }
    }

    fn body(&self, more: Value) -> Value {
        let app = json!({ "clientId": "c1", "projectId": "p1" });
        merged(merged(self.address.clone(), app), more)
    }

    async fn ask(&self) -> Answer {
        self.http.post("/auth/v1/sendverificationtoken", &self.body(json!({}))).await
    }

    /// Asks for a code, and reads it where it went.
    pub(crate) async fn code(&self, house: &House) -> String {
        self.message(house).await.code.unwrap()
    }

    /// Asks for a code, and reads what comes: the one that wasn't there before, since the clock may stand still.
    async fn message(&self, house: &House) -> Message {
        let before = self.messages(house).await;
        assert_eq!(self.ask().await.ok().json(), json!({ "ok": true }));
        let after = self.messages(house).await;
        assert_eq!(after.len(), before.len() + 1);
        after.into_iter().find(|message| before.iter().all(|it| it.id != message.id)).unwrap()
    }

    async fn messages(&self, house: &House) -> Vec<Message> {
        let to = match (self.address["email"].as_str(), self.address["phoneNumber"].as_str()) {
            (Some(email), _) => Destination::Email(email.parse().unwrap()),
            (_, Some(number)) => Destination::Phone(number.parse().unwrap()),
            _ => panic!("a person without an address"),
        };
        let caught = house.node.service.outbox(Some(&to)).await.unwrap();
        caught
            .into_iter()
            .map(|it| Message { id: it.id, code: it.content.code.clone(), text: it.content.text.clone() })
            .collect()
    }

    pub(crate) async fn sign_in(&self, code: &str) -> Answer {
        self.http.post("/auth/v1/signin", &self.body(json!({ "confirmationCode": code }))).await
    }

    async fn sign_up(&self, code: &str) -> Answer {
        self.sign_up_with(code, json!({})).await
    }

    async fn sign_up_with(&self, code: &str, more: Value) -> Answer {
        self.http.post("/auth/v1/signup", &self.body(merged(json!({ "confirmationCode": code }), more))).await
    }
}

struct Message {
    id: MessageId,
    code: Option<String>,
    text: String,
}

/// A code that isn't this one.
fn another(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

fn email(address: &str) -> Identity {
    Identity::Email(address.parse().unwrap())
}

/// The code isn't taken.
#[track_caller]
pub(crate) fn is_wrong(answer: &Answer) {
    assert!(answer.refused(400, 100_050).contains("`confirmationCode`"), "{answer}");
}
