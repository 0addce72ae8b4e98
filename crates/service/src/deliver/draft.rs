//! Drawing a message up: everything but writing it down, so that it can be part of any transaction.

use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    clock::Timestamp,
    id::{ChallengeId, MessageId},
    locale::Locale,
    message::Destination,
};
use countersign_storage::messages::{OutgoingMessage, Place};

use super::{
    compose::{Sender, compose},
    content::Message,
    letter::Letter,
};
use crate::{Service, directory::ProjectView};

impl Service {
    /// Draws a message up. It leaves once [`insert`](countersign_storage::messages::insert) has been committed.
    pub fn draft_message(
        &self,
        project: &ProjectView,
        to: &Destination,
        locale: Locale,
        letter: &Letter,
        now: Timestamp,
    ) -> OutgoingMessage {
        let id = MessageId::new(now, self.entropy.bytes());
        self.draft_named(id, project, to, locale, letter, now)
    }

    /// Draws up the message that tells a code. What makes the code worthless withdraws the message.
    pub(crate) fn draft_code_message(
        &self,
        challenge: ChallengeId,
        project: &ProjectView,
        to: &Destination,
        locale: Locale,
        letter: &Letter,
        now: Timestamp,
    ) -> OutgoingMessage {
        self.draft_named(MessageId::that_tells(challenge), project, to, locale, letter, now)
    }

    fn draft_named(
        &self,
        id: MessageId,
        project: &ProjectView,
        to: &Destination,
        locale: Locale,
        letter: &Letter,
        now: Timestamp,
    ) -> OutgoingMessage {
        let project_id = &project.project.id;
        let sender =
            Sender { name: project.project.name.as_str(), id: project_id.as_str(), host: secure_host(&project.issuer) };
        let content = compose(&sender, to.channel(), locale, letter);
        OutgoingMessage {
            project: project_id.clone(),
            id,
            channel: to.channel(),
            sealed: self.seal_message(project_id, id, to, &content),
            created_at: now,
            expires_at: now.plus(letter.valid_for()),
            place: if self.config.delivery.is_outbox() { Place::Outbox } else { Place::Queue },
        }
    }
}

/// A message that says nothing but that it arrives. For whoever tries a channel out, without a queue.
pub fn test_message(sender: &str, to: Destination, locale: Locale, entropy: &Entropy, now: Timestamp) -> Message {
    let sender = Sender { name: sender, id: "Countersign", host: None };
    let content = compose(&sender, to.channel(), locale, &Letter::Test);
    Message { id: MessageId::new(now, entropy.bytes()), at: now, to, content }
}

/// The host of an `https` URL, without its port.
fn secure_host(url: &str) -> Option<&str> {
    let authority = url.strip_prefix("https://")?.split('/').next()?;
    let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    Some(host.map_or(authority, |(host, _)| host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_behind_tls_is_named() {
        assert_eq!(secure_host("https://auth.example.com/p/p1"), Some("auth.example.com"));
        assert_eq!(secure_host("https://auth.example.com:8443"), Some("auth.example.com"));
        assert_eq!(secure_host("http://localhost:7420"), None);
    }
}
