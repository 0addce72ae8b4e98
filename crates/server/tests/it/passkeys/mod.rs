//! Passkeys, shown by an authenticator in software. These tests stand where a page or a door does; those are tried in `pages` and `oauth`.

mod assertion;
mod false_assertions;
mod false_registrations;
mod management;
mod owners;
mod registration;

use std::sync::Arc;

use countersign_domain::{id::UserId, locale::Locale, passkey::Passkey};
use countersign_service::{
    Service,
    address::Address,
    caller::Caller,
    directory::ProjectView,
    passkeys::{Flaw, PasskeyChallenge, PasskeyProof, PasskeyRefused, Recorded, Registration},
};
use countersign_testkit::{authenticator::Authenticator, database::Engine, house::House};

const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// A house that has a name, and a user of it.
struct Stage {
    house: House,
    ada: UserId,
}

impl Stage {
    async fn open(engine: Engine) -> Self {
        let house = House::at_localhost(engine).await;
        let ada = house.user("ada@example.com").await.parse().unwrap();
        Self { house, ada }
    }

    fn service(&self) -> &Service {
        &self.house.node.service
    }

    async fn another_user(&self, email: &str) -> UserId {
        self.house.user(email).await.parse().unwrap()
    }

    fn project(&self) -> Arc<ProjectView> {
        self.project_called("p1")
    }

    fn project_called(&self, id: &str) -> Arc<ProjectView> {
        self.service().project(&Address { path: Some(id.to_owned()), host: None }).unwrap()
    }

    /// A phone at the project's own pages.
    fn phone(&self) -> Authenticator {
        Authenticator::synced(self.house.public_url())
    }

    /// A security key at the project's own pages, which has counted so far.
    fn security_key(&self, sign_count: u32) -> Authenticator {
        Authenticator::security_key(self.house.public_url(), sign_count)
    }

    async fn begin(&self, user: UserId) -> PasskeyChallenge {
        self.service().begin_registration(&self.project(), user).await.unwrap()
    }

    async fn finish(&self, user: UserId, state: &str, response: &str) -> Result<Passkey, PasskeyRefused> {
        self.finish_in(&self.project(), user, state, response).await
    }

    async fn finish_in(
        &self,
        project: &ProjectView,
        user: UserId,
        state: &str,
        response: &str,
    ) -> Result<Passkey, PasskeyRefused> {
        let name = "".parse().unwrap();
        let registration = Registration { user, state, response, name, locale: Locale::En, browser: None };
        self.service().finish_registration(project, registration, &caller()).await
    }

    /// The user gets a passkey from an authenticator.
    async fn register(&self, user: UserId, authenticator: &mut Authenticator) -> Result<Passkey, PasskeyRefused> {
        let challenge = self.begin(user).await;
        let response = authenticator.create(&challenge.options);
        self.finish(user, &challenge.state, &response).await
    }

    fn ask(&self) -> PasskeyChallenge {
        self.service().begin_assertion(&self.project()).unwrap()
    }

    async fn prove(&self, state: &str, response: &str) -> Result<PasskeyProof, PasskeyRefused> {
        self.service().prove_passkey(&self.project(), state, response, &caller()).await
    }

    /// Somebody shows a passkey to a new challenge.
    async fn show(&self, authenticator: &Authenticator) -> Result<PasskeyProof, PasskeyRefused> {
        let challenge = self.ask();
        self.prove(&challenge.state, &authenticator.get(&challenge.options)).await
    }

    /// What a door does in the transaction that lets somebody in.
    async fn record(&self, proof: &PasskeyProof) -> Recorded {
        let db = self.house.database.open().await;
        let proof = proof.clone();
        let written = db.write(move |mut conn| {
            let proof = proof.clone();
            Box::pin(async move { proof.record(&mut conn).await })
        });
        let recorded = written.await.unwrap();
        db.close().await;
        recorded
    }

    /// Somebody signs in by a passkey.
    async fn sign_in(&self, authenticator: &Authenticator) -> Recorded {
        let proof = self.show(authenticator).await.unwrap();
        self.record(&proof).await
    }

    async fn passkeys(&self, user: UserId) -> Vec<Passkey> {
        self.service().list_passkeys(&self.project().project.id, user).await.unwrap()
    }
}

fn caller() -> Caller {
    Caller {
        address: [127, 0, 0, 1].into(),
        user_agent: CHROME.to_owned(),
        origin: None,
        request_id: "request-1".to_owned(),
    }
}

const IN: Recorded = Recorded::User { generation: 0 };

/// A ceremony came to nothing because of this.
#[track_caller]
fn is_flawed<T: std::fmt::Debug>(result: &Result<T, PasskeyRefused>, expected: Flaw) {
    assert!(matches!(result, Err(PasskeyRefused::Flawed(flaw)) if *flaw == expected), "{expected:?}: {result:?}");
}
