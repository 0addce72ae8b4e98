//! A server within the test's process, whose clock the test turns.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use countersign_crypto::{entropy::Entropy, master_key::MasterKey};
use countersign_domain::{
    audit::Act,
    client::ClientKind,
    client_api_key::ClientApiKeyKind,
    clock::Timestamp,
    id::{ClientId, ProjectId},
    key::KeyScope,
    text::Name,
};
use countersign_server::{
    config::Config,
    error::Failure,
    listen::Listener,
    serve::{Bound, serve_until},
};
use countersign_service::{
    Service,
    config::Config as ServiceConfig,
    deliver::carrier::Delivery,
    keys::{client_api::NewClientApiKey, create::NewKey},
    projects::set::SettingChanges,
};
use countersign_storage::{audit::ReadEntry, migrate};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    actors::Backend,
    books::Books,
    client_app::{ClientApp, hmac_of},
    clock::ManualClock,
    database::{Backup, Engine, TestDatabase},
    http::Client,
};

/// The clients of each project: an app on each platform, and a backend.
pub const CLIENTS: [(&str, ClientKind); 4] =
    [("c1", ClientKind::Ios), ("c2", ClientKind::Android), ("c3", ClientKind::Web), ("c4", ClientKind::Backend)];

/// A deployment with project `p1`, clients `c1` to `c4` and one secret key that may do anything.
pub struct House {
    /// Its only node, or its first.
    pub node: Node,
    /// Turned by the test.
    pub clock: Arc<ManualClock>,
    /// Where its data is.
    pub database: TestDatabase,
    /// The secret key of `p1`.
    pub key: NewKey,
    /// The publishable key of `p1`.
    pub publishable: NewClientApiKey,
    /// The secret under which users of `p1` are proved.
    pub hmac: NewClientApiKey,
    master_key: String,
    /// Where all its nodes are reached from outside: at the first.
    public_url: String,
    delivery: Delivery,
}

/// One server of a deployment. It stops when it is dropped.
pub struct Node {
    /// Its use cases, for what an operator does.
    pub service: Arc<Service>,
    base: String,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), Failure>>,
}

/// What a server calls itself.
enum Named<'a> {
    /// By the address that it listens on.
    ByAddress,
    /// `localhost`.
    ByName,
    /// As the first of its deployment does.
    Url(&'a str),
}

/// Of a day on which nothing happens.
const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

impl House {
    /// A new deployment, from which no message leaves.
    pub async fn open(engine: Engine) -> Self {
        Self::with_delivery(engine, Delivery::NOWHERE).await
    }

    /// One in development: messages stay in the outbox.
    pub async fn in_development(engine: Engine) -> Self {
        Self::with_delivery(engine, Delivery::Outbox).await
    }

    /// One whose messages leave so.
    pub async fn with_delivery(engine: Engine, delivery: Delivery) -> Self {
        Self::open_by(engine, delivery, ManualClock::at(NOON), Named::ByAddress).await
    }

    /// One in development that is called `localhost`, as passkeys need.
    pub async fn at_localhost(engine: Engine) -> Self {
        Self::at_localhost_with_delivery(engine, Delivery::Outbox).await
    }

    /// One that is called `localhost`, whose messages leave so.
    pub async fn at_localhost_with_delivery(engine: Engine, delivery: Delivery) -> Self {
        Self::open_by(engine, delivery, ManualClock::at(NOON), Named::ByName).await
    }

    /// A new deployment whose clock goes as the real one does, for programs that go by that.
    pub async fn open_now(engine: Engine) -> Self {
        Self::open_by(engine, Delivery::Outbox, ManualClock::going_from(real_time()), Named::ByAddress).await
    }

    /// The same, called `localhost`.
    pub async fn open_now_at_localhost(engine: Engine) -> Self {
        Self::open_by(engine, Delivery::Outbox, ManualClock::going_from(real_time()), Named::ByName).await
    }

    async fn open_by(engine: Engine, delivery: Delivery, clock: ManualClock, named: Named<'_>) -> Self {
        let database = TestDatabase::create(engine).await;
        let clock = Arc::new(clock);
        let master_key = MasterKey::generate(&Entropy::system()).to_text().danger_expose().to_owned();
        let db = database.open().await;
        migrate::migrate(&db).await.expect("an empty database takes the schema");
        db.close().await;
        let node = Node::start(&database, &master_key, &clock, named, &delivery).await;
        let key = furnish(&node.service, "p1").await;
        let publishable = node.new_client_api_key("p1", ClientApiKeyKind::Publishable).await;
        let hmac = node.new_client_api_key("p1", ClientApiKeyKind::Hmac).await;
        let public_url = node.service.public_url().to_owned();
        Self { node, clock, database, key, publishable, hmac, master_key, public_url, delivery }
    }

    /// Another server of this deployment.
    pub async fn another_node(&self) -> Node {
        Node::start(&self.database, &self.master_key, &self.clock, Named::Url(&self.public_url), &self.delivery).await
    }

    /// Stops the server and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.node.stop().await;
        self.node = self.another_node().await;
    }

    /// Stops the server, copies its SQLite database aside, and starts it again.
    pub async fn back_up(&mut self) -> Backup {
        self.node.stop().await;
        let backup = self.database.copy_aside();
        self.node = self.another_node().await;
        backup
    }

    /// Stops the server, puts an earlier copy in the place of its database, and starts it again.
    pub async fn restore(&mut self, backup: &Backup) {
        self.node.stop().await;
        self.database.put_back(backup);
        self.node = self.another_node().await;
    }

    /// What is in the audit trail of `p1`, what was counted included.
    pub async fn trail(&self) -> Vec<ReadEntry> {
        self.node.service.write_down().await;
        self.node.service.audit_entries(&p1(), None, 10_000).await.expect("the trail can be read")
    }

    /// The entries of `p1` that say `act`.
    pub async fn entries(&self, act: &str) -> Vec<ReadEntry> {
        self.trail().await.into_iter().filter(|entry| entry.act == act).collect()
    }

    /// The one entry of `p1` that says `act`.
    pub async fn only_entry(&self, act: &str) -> ReadEntry {
        let mut entries = self.entries(act).await;
        assert_eq!(entries.len(), 1, "entries that say {act}");
        entries.remove(0)
    }

    /// The master key of the deployment, for who stole it.
    pub fn master_key(&self) -> MasterKey {
        MasterKey::from_text(&self.master_key).expect("it is one")
    }

    /// Time goes by, and the server notices.
    pub async fn advance(&self, span: Duration) {
        self.clock.advance(span);
        self.node.service.tick().await;
    }

    /// Where it is reached from outside.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The backend that holds the secret key, speaking for app `c1`.
    pub fn backend(&self) -> Backend {
        self.backend_with(self.key.secret.danger_expose())
    }

    /// A backend that holds some secret key of `p1`.
    pub fn backend_with(&self, secret: &str) -> Backend {
        Backend::new(&self.node.client(), secret)
    }

    /// An app of `p1` whose user the backend has proved.
    pub fn client_app(&self, id: &str) -> ClientApp {
        let hmac = hmac_of(self.hmac.text.danger_expose(), id);
        ClientApp {
            http: self.node.client(),
            key: self.publishable.text.danger_expose().to_owned(),
            id: id.to_owned(),
            hmac: Some(hmac),
        }
    }

    /// The backend of `p1` at the client API.
    pub fn secret_bearer(&self) -> Client {
        self.node.client().with("authorization", &format!("Bearer {}", self.key.secret.danger_expose()))
    }

    /// Another project like the first. Gives its secret key.
    pub async fn another_project(&self, id: &str) -> NewKey {
        furnish(&self.node.service, id).await
    }

    /// Another secret key of `p1`.
    pub async fn another_key(&self, scope: KeyScope) -> NewKey {
        let made = self.node.service.create_secret_key(&p1(), "another".parse().unwrap(), scope, None).await;
        made.expect("a key is made")
    }

    /// What its rows come to.
    pub async fn books(&self) -> Books {
        Books::of(&self.database).await
    }

    /// How often something was refused or noticed for this reason, as the trail of `p1` has it.
    pub async fn counted(&self, act: Act, reason: &str) -> u64 {
        let of_kind =
            |entry: &&ReadEntry| entry.act == act.as_str() && entry.detail.get("reason").is_some_and(|it| it == reason);
        let count = |entry: &ReadEntry| entry.detail["count"].parse::<u64>().unwrap();
        self.trail().await.iter().filter(of_kind).map(count).sum()
    }

    /// Changes settings of `p1`, written as on the command line: `refresh.overlap=1s`.
    pub async fn set(&self, settings: &[&str]) {
        self.node.service.set_project(&p1(), changes(settings)).await.expect("the settings are good");
    }

    /// Changes settings of a client of `p1`.
    pub async fn set_client(&self, client: &str, settings: &[&str]) {
        let id = client.parse().unwrap();
        self.node.service.set_client(&p1(), &id, changes(settings)).await.expect("the settings are good");
    }
}

impl Node {
    async fn start(
        database: &TestDatabase,
        master_key: &str,
        clock: &Arc<ManualClock>,
        named: Named<'_>,
        delivery: &Delivery,
    ) -> Self {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a free port");
        let base = format!("http://{}", listener.address().unwrap());
        let public_url = match named {
            Named::ByAddress => base.clone(),
            Named::ByName => base.replace("127.0.0.1", "localhost"),
            Named::Url(url) => url.to_owned(),
        };
        let service_config =
            ServiceConfig { default_project: Some(p1()), delivery: delivery.clone(), ..ServiceConfig::at(&public_url) };
        let master_key = MasterKey::from_text(master_key).unwrap();
        let db = database.open().await;
        let service =
            Service::open(db, master_key, Entropy::system(), Arc::clone(clock) as Arc<_>, service_config).await;
        let service = Arc::new(service.expect("the service opens"));
        let mut config = Config::default();
        // Whoever calls may say by `X-Forwarded-For` where from: tests play callers on many networks.
        config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.http.body_time = Duration::from_secs(2);
        config.http.header_time = Duration::from_secs(2);
        let (stop, stopped) = oneshot::channel();
        let asked_to_stop = async move {
            let _ = stopped.await;
        };
        let (serving, bound) = (Arc::clone(&service), Bound::on(vec![listener]));
        let no_metrics = Arc::new(String::new);
        let running =
            tokio::spawn(async move { serve_until(serving, bound, &config, no_metrics, asked_to_stop).await });
        Self { service, base, stop: Some(stop), running }
    }

    /// Somebody who calls it.
    pub fn client(&self) -> Client {
        Client::of(&self.base)
    }

    /// A key of the client API.
    pub async fn new_client_api_key(&self, project: &str, kind: ClientApiKeyKind) -> NewClientApiKey {
        let made = self.service.create_client_api_key(&project.parse().unwrap(), kind, Name::default(), None).await;
        made.expect("a key is made")
    }

    /// Where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Stops it, and waits until it has stopped.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        (&mut self.running).await.expect("the server doesn't panic").expect("the server stops in good order");
    }
}

#[expect(clippy::disallowed_methods, reason = "programs of others have no other clock")]
pub(crate) fn real_time() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    Timestamp::EPOCH.plus(since)
}

/// The first project.
pub fn p1() -> ProjectId {
    "p1".parse().unwrap()
}

/// Settings, written as on the command line.
pub fn changes(settings: &[&str]) -> SettingChanges {
    let pair = |setting: &&str| {
        let (name, value) = setting.split_once('=').expect("a setting is NAME=VALUE");
        (name.to_owned(), value.to_owned())
    };
    SettingChanges { name: None, settings: settings.iter().map(pair).collect() }
}

/// A project with its clients and a key.
async fn furnish(service: &Service, id: &str) -> NewKey {
    let id: ProjectId = id.parse().unwrap();
    service.create_project(id.clone(), "A project".parse().unwrap()).await.expect("a project is made");
    for (client, kind) in CLIENTS {
        let client: ClientId = client.parse().unwrap();
        service.create_client(&id, client, "A client".parse().unwrap(), kind).await.expect("a client is made");
    }
    let key = service.create_secret_key(&id, "A backend".parse().unwrap(), KeyScope::default(), None).await;
    key.expect("a key is made")
}
