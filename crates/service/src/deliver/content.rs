//! A message in words: what is sealed while it waits.

use countersign_crypto::seal::Place;
use countersign_domain::{
    clock::Timestamp,
    id::{MessageId, ProjectId},
    message::Destination,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Service;

/// A message as it leaves. No `Debug`: it holds what lets somebody in.
pub struct Message {
    /// Its identifier, the same at every attempt.
    pub id: MessageId,
    /// When it was drawn up.
    pub at: Timestamp,
    /// To whom it goes.
    pub to: Destination,
    /// What is said.
    pub content: Content,
}

/// What is said.
#[derive(Serialize, Deserialize)]
pub struct Content {
    /// In whose name.
    pub sender: String,
    /// Empty where there is no room for one.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML; empty where only text is read.
    pub html: String,
    /// The code that it brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The link that it brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed<C> {
    to: String,
    content: C,
}

fn place<'a>(row: &'a [&'a str; 2]) -> Place<'a> {
    Place { table: "messages", column: "sealed", row }
}

impl Service {
    pub(super) fn seal_message(
        &self,
        project: &ProjectId,
        id: MessageId,
        to: &Destination,
        content: &Content,
    ) -> String {
        let sealed = Sealed { to: to.as_str().to_owned(), content };
        #[expect(clippy::expect_used, reason = "plain data of this floor, whose keys are texts")]
        let json = Zeroizing::new(serde_json::to_vec(&sealed).expect("plain data is JSON"));
        self.master_key.seal(place(&[project.as_str(), &id.to_string()]), &json)
    }

    /// None: it was sealed under another key, or altered.
    pub(super) fn open_message(
        &self,
        project: &ProjectId,
        id: MessageId,
        at: Timestamp,
        sealed: &str,
    ) -> Option<Message> {
        let json = self.master_key.open(place(&[project.as_str(), &id.to_string()]), sealed).ok()?;
        let Sealed { to, content } = serde_json::from_slice::<Sealed<Content>>(&json).ok()?;
        Some(Message { id, at, to: to.parse().ok()?, content })
    }
}
