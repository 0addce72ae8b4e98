//! A deployment in which there is everything that people confuse.

use std::time::Duration;

use countersign_crypto::seal::Place;
use countersign_domain::{client_api_key::ClientApiKeyKind, id::UserId, key::KeyScope, text::Name};
use countersign_service::{keys::client_api::NewClientApiKey, projects::state::StateChange};
use countersign_testkit::{
    bound::BoundApp,
    database::Engine,
    house::{House, changes, p1},
    http::Client,
};

use serde_json::json;

use super::macs;

/// The shortest that an access token may live.
const SHORT: Duration = Duration::from_secs(10);

/// The user that most calls name.
pub(super) const ID: &str = "Ada-7 Lovelace";

pub(super) struct Stage {
    pub(super) house: House,
    /// The keys of `p1`.
    pub(super) publishable: String,
    pub(super) secret: String,
    pub(super) backend_key: String,
    pub(super) revoked_publishable: String,
    pub(super) revoked_secret: String,
    /// Of a secret that has a successor and still works.
    pub(super) old_secret: String,
    pub(super) revoked_backend_key: String,
    pub(super) networked_backend_key: String,
    /// The keys of `p2`, whose host is `two.example`.
    pub(super) other_publishable: String,
    pub(super) other_secret: String,
    pub(super) other_backend_key: String,
    /// The keys of `p3`, which has no HMAC secret.
    pub(super) bare_publishable: String,
    pub(super) bare_backend_key: String,
    pub(super) tokens: Tokens,
    pub(super) tickets: Tickets,
    /// What is past its time, where the test has waited for that.
    expired: Option<Expired>,
    /// What we call the user of most calls.
    pub(super) uid: String,
}

/// Access tokens, and what befell them.
pub(super) struct Tokens {
    pub(super) live: String,
    pub(super) refresh: String,
    pub(super) of_other_project: String,
    pub(super) session_ended: String,
    pub(super) user_revoked: String,
    pub(super) client_revoked: String,
    pub(super) key_revoked: String,
    pub(super) project_revoked: String,
    /// Bound to the app's key.
    pub(super) bound: BoundApp,
}

/// Tickets, and what befell them.
pub(super) struct Tickets {
    pub(super) of_call: String,
    pub(super) of_token: String,
    pub(super) expired: String,
    pub(super) spent: String,
}

/// Keys and a token of `p1` whose time is over.
#[derive(Clone)]
pub(super) struct Expired {
    pub(super) publishable: String,
    pub(super) secret: String,
    pub(super) backend_key: String,
    pub(super) token: String,
}

impl Expired {
    async fn of(house: &House) -> Self {
        let service = &house.node.service;
        let short = service.create_secret_key(&p1(), Name::default(), KeyScope::default(), Some(SHORT)).await.unwrap();
        house.set_client("c1", &["access.lifetime=10s"]).await;
        let token = house.backend().new_app("expired@example.com").await.access;
        house.set_client("c1", &["access.lifetime="]).await;
        let expired = Self {
            publishable: short_lived(house, ClientApiKeyKind::Publishable).await,
            secret: short_lived(house, ClientApiKeyKind::Hmac).await,
            backend_key: short.secret.danger_expose().to_owned(),
            token,
        };
        match house.database.engine() {
            Engine::Sqlite => house.advance(SHORT).await,
            // Its clock is the server's clock, and nobody turns it.
            Engine::Postgres => tokio::time::sleep(SHORT + Duration::from_millis(500)).await,
        }
        expired
    }
}

impl Stage {
    /// A deployment where some time has gone by.
    pub(super) async fn aged(engine: Engine) -> Self {
        let house = House::open(engine).await;
        let expired = Expired::of(&house).await;
        Self::furnished(house, Some(expired)).await
    }

    pub(super) async fn open(engine: Engine) -> Self {
        Self::furnished(House::open(engine).await, None).await
    }

    pub(super) fn expired(&self) -> &Expired {
        self.expired.as_ref().expect("the test has waited")
    }

    async fn furnished(house: House, expired: Option<Expired>) -> Self {
        let text = |key: &NewClientApiKey| key.text.danger_expose().to_owned();
        let service = &house.node.service;
        let (publishable, backend_key) = (text(&house.publishable), house.key.secret.danger_expose().to_owned());

        let revoked_publishable = revoked(&house, ClientApiKeyKind::Publishable).await;
        let revoked_secret = revoked(&house, ClientApiKeyKind::Hmac).await;
        let old_secret = text(&house.hmac);
        let rotated = service.rotate_client_api_key(&p1(), house.hmac.key.id, Duration::from_hours(24)).await;
        let key = house.another_key(KeyScope::default()).await;
        service.revoke_secret_key(&p1(), key.key.id, false).await.unwrap();
        let networks = KeyScope { networks: vec!["192.0.2.0/24".parse().unwrap()], ..KeyScope::default() };
        let networked = house.another_key(networks).await;

        let other = house.another_project("p2").await.secret.danger_expose().to_owned();
        let bare = house.another_project("p3").await.secret.danger_expose().to_owned();
        let p2 = "p2".parse().unwrap();
        service.set_project(&p2, changes(&["host=two.example"])).await.unwrap();
        let made = |project, kind| house.node.new_client_api_key(project, kind);
        let (secret, tokens) = (text(&rotated.unwrap()), Tokens::of(&house, &other).await);
        Self {
            revoked_publishable,
            revoked_secret,
            old_secret,
            tickets: Tickets::of(&house, &secret, &tokens.live).await,
            secret,
            revoked_backend_key: key.secret.danger_expose().to_owned(),
            expired,
            networked_backend_key: networked.secret.danger_expose().to_owned(),
            other_publishable: text(&made("p2", ClientApiKeyKind::Publishable).await),
            other_secret: text(&made("p2", ClientApiKeyKind::Hmac).await),
            bare_publishable: text(&made("p3", ClientApiKeyKind::Publishable).await),
            bare_backend_key: bare,
            tokens,
            uid: house.client_app(ID).uid().await,
            other_backend_key: other,
            publishable,
            backend_key,
            house,
        }
    }

    /// The backend of `p1`.
    pub(super) fn backend(&self) -> Client {
        self.backend_with(&self.backend_key)
    }

    pub(super) fn backend_with(&self, key: &str) -> Client {
        self.house.node.client().with("authorization", &format!("Bearer {key}"))
    }

    /// Now, in seconds.
    pub(super) fn now(&self) -> i64 {
        self.house.node.service.now().seconds()
    }

    /// A moment until which a proof may last.
    pub(super) fn soon(&self) -> i64 {
        self.now() + 240
    }

    /// What an app sends.
    pub(super) fn call(&self, id: &str, hmac: &str) -> Vec<(String, String)> {
        headers(&[
            ("X-PROFICIENT-API-KEY", &self.publishable),
            ("X-PROFICIENT-USER-EXTERNAL-ID", id),
            ("X-PROFICIENT-USER-HMAC", hmac),
        ])
    }

    /// What no answer may hold: secrets, and what would be right.
    pub(super) fn forbidden(&self) -> Vec<String> {
        let secrets = [
            &self.secret,
            &self.old_secret,
            &self.revoked_secret,
            &self.other_secret,
            &self.backend_key,
            &self.other_backend_key,
            &self.bare_backend_key,
            &self.networked_backend_key,
            &self.tokens.live,
            &self.tokens.of_other_project,
            &self.tickets.of_call,
            &self.tickets.of_token,
        ];
        // Half a secret is too much, too.
        let halves = secrets.into_iter().map(|secret| secret[8..24].to_owned());
        let right = [&self.secret, &self.old_secret].map(|secret| macs::v1(secret, ID));
        let spellings = right.iter().flat_map(|mac| {
            let start = mac[..20].to_owned();
            [start.replace('+', "-").replace('/', "_"), start]
        });
        let in_hex = [&self.secret, &self.old_secret].map(|secret| macs::hex(macs::hmac::<sha2::Sha256>(secret, ID)));
        halves.chain(spellings).chain(in_hex.map(|hex| hex[..20].to_owned())).collect()
    }
}

pub(super) fn headers(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn short_lived(house: &House, kind: ClientApiKeyKind) -> String {
    let made = house.node.service.create_client_api_key(&p1(), kind, Name::default(), Some(SHORT)).await;
    made.unwrap().text.danger_expose().to_owned()
}

async fn revoked(house: &House, kind: ClientApiKeyKind) -> String {
    let key = house.node.new_client_api_key("p1", kind).await;
    house.node.service.revoke_client_api_key(&p1(), key.key.id, false).await.unwrap();
    key.text.danger_expose().to_owned()
}

impl Tokens {
    async fn of(house: &House, other_key: &str) -> Self {
        let (service, backend) = (&house.node.service, house.backend());
        let project_revoked = backend.new_app("ada@example.com").await.access;
        service.change_project_state(&p1(), StateChange::Revoke).await.unwrap();
        let client_revoked = backend.for_client("c2").app("ada@example.com").await.access;
        service.change_client_state(&p1(), &"c2".parse().unwrap(), StateChange::Revoke).await.unwrap();
        let bob = backend.new_app("bob@example.com").await;
        let uid: UserId = bob.uid.parse().unwrap();
        service.change_user_state(&p1(), uid, StateChange::Revoke).await.unwrap();
        let key = house.another_key(KeyScope::default()).await;
        let key_revoked = house.backend_with(key.secret.danger_expose()).app("ada@example.com").await.access;
        service.revoke_secret_key(&p1(), key.key.id, true).await.unwrap();
        let signed_out = backend.app("ada@example.com").await;
        signed_out.sign_out().await.is_ok();
        let other = house.backend_with(other_key).of_project("p2").new_app("ada@example.com").await;
        let live = backend.app("ada@example.com").await;
        Self {
            live: live.access,
            refresh: live.refresh,
            of_other_project: other.access,
            session_ended: signed_out.access,
            user_revoked: bob.access,
            client_revoked,
            key_revoked,
            project_revoked,
            bound: house.bound_app("bound@example.com").await.informed().await,
        }
    }
}

impl Tickets {
    async fn of(house: &House, secret: &str, token: &str) -> Self {
        let call = house.client_app(ID).showing(&macs::v1(secret, ID)).http();
        let bearer = house.node.client().with("authorization", &format!("Bearer {token}"));
        let ticket = async |http: &Client| http.post("/v1/tickets", &json!({})).await.ok().text("ticket");
        let spent = ticket(&call).await;
        house.node.client().get(&format!("/verify?countersign_ticket={spent}")).await.is_ok();
        // As the server would have made it, if anybody could wait for its end.
        let over = json!({ "id": "over", "expires": 7, "credentials": { "Token": token } }).to_string();
        let place = Place { table: "tickets", column: "credentials", row: &[] };
        Self {
            of_call: ticket(&call).await,
            of_token: ticket(&bearer).await,
            expired: format!("tkt_{}", house.master_key().seal(place, over.as_bytes())),
            spent,
        }
    }
}
