//! Messages to users, from the transaction that announces them to whoever takes them away.

mod budgets;
mod in_browser;
mod in_python;
mod outbox;
mod sms;
mod withdrawn;

use std::time::Duration;

use countersign_crypto::secret::SecretText;
use countersign_domain::{id::MessageId, locale::Locale};
use countersign_service::{Service, address::Address, deliver::letter::Letter};
use countersign_storage::{db::Db, messages};
use countersign_testkit::{house::p1, wait};

const PATIENCE: Duration = Duration::from_secs(30);
const CODE: &str = "402913";
const LINK: &str = "https://auth.example.com/sign-in/link?token=hFv8";

fn sign_in_code() -> Letter {
    Letter::SignInCode {
        code: SecretText::new(CODE.to_owned()),
        link: Some(LINK.to_owned()),
        valid_for: Duration::from_mins(10),
    }
}

/// Draws a message up and writes it down, as the use case does that announces it.
async fn queue(service: &Service, db: &Db, to: &str, letter: &Letter) -> MessageId {
    queue_in(service, db, to, Locale::En, letter).await
}

async fn queue_in(service: &Service, db: &Db, to: &str, locale: Locale, letter: &Letter) -> MessageId {
    let address = Address { path: Some("p1".to_owned()), host: None };
    let project = service.project(&address).unwrap();
    let message = service.draft_message(&project, &to.parse().unwrap(), locale, letter, service.now());
    let id = message.id;
    db.write(move |mut conn| {
        let message = message.clone();
        Box::pin(async move { messages::insert(&mut conn, &message).await })
    })
    .await
    .unwrap();
    id
}

/// How a message of `p1` ended; none: it waits.
async fn outcome(db: &Db, id: MessageId) -> Option<String> {
    messages::outcome(&mut db.reader().await.unwrap().conn(), &p1(), id).await.unwrap()
}

async fn ends(db: &Db, id: MessageId, expected: &str) {
    wait::until(&format!("the message is {expected}"), PATIENCE, || async {
        let outcome = outcome(db, id).await;
        assert!(outcome.is_none() || outcome.as_deref() == Some(expected), "the message is {outcome:?}");
        outcome.is_some()
    })
    .await;
}
