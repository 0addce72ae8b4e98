//! A deployment within the target's process: its keys open nothing outside it, and are the same in every run.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_crypto::{entropy::Entropy, master_key::MasterKey, secret::SecretText, user_mac::HmacSecret};
use countersign_domain::{
    client::ClientKind, client_api_key::ClientApiKeyKind, clock::Timestamp, id::{ClientId, ProjectId}, identity::Identity, key::KeyScope, text::Name,
};
use countersign_service::{Service, config::Config, projects::set::SettingChanges, time::TimeSource, vouch::Names};
use countersign_storage::{
    db::{Db, Options},
    migrate,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Where the users of client `c3` are sent back to.
pub const REDIRECT_URIS: &str =
    "https://app.example.com/callback http://127.0.0.1/callback http://localhost:5000/callback";

/// The user whom most calls name.
pub const USER: &str = "Ada 7";

/// The project, and another.
pub struct Deployment {
    pub service: Service,
    /// What stands for the texts of keys and proofs in inputs, and those texts.
    pub texts: Vec<(&'static str, String)>,
    /// What no message may hold.
    pub secrets: Vec<String>,
    runtime: Runtime,
    _files: TempDir,
}

/// It stands still.
struct Noon;

impl TimeSource for Noon {
    fn wall(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_hours(12)
    }
}

impl Deployment {
    pub fn open() -> Self {
        let files = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let url = format!("sqlite:{}", files.path().join("countersign.db").display());
        let (service, texts, secrets) = runtime.block_on(furnished(url));
        Self { service, texts, secrets, runtime, _files: files }
    }

    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// An input with the texts of keys and proofs where they are named: `{key}`.
    pub fn filled_in(&self, input: &str) -> String {
        self.texts.iter().fold(input.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

/// Not random at all, and never the same twice.
fn counting() -> Entropy {
    let state = Mutex::new(0x9E37_79B9_7F4A_7C15_u64);
    Entropy::new(move |bytes| {
        let mut state = state.lock().unwrap();
        for byte in bytes {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            *byte = state.to_be_bytes()[3];
        }
    })
}

async fn furnished(url: String) -> (Service, Vec<(&'static str, String)>, Vec<String>) {
    let db = Db::open(&Options { url, max_connections: 2, create: true }).await.unwrap();
    migrate::migrate(&db).await.unwrap();
    let (p1, p2): (ProjectId, ProjectId) = ("p1".parse().unwrap(), "p2".parse().unwrap());
    let config = Config { default_project: Some(p1.clone()), ..Config::at("http://localhost:7420") };
    let entropy = counting();
    let master_key = MasterKey::generate(&entropy);
    let service = Service::open(db, master_key, entropy, Arc::new(Noon), config).await.unwrap();
    for project in [&p1, &p2] {
        service.create_project(project.clone(), Name::default()).await.unwrap();
    }
    let most = u32::MAX.to_string();
    let settings = [
        ("limits.failures", most.as_str()),
        ("limits.key.rate", most.as_str()),
        ("limits.key.burst", most.as_str()),
        ("users.create", "off"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    service.set_project(&p1, SettingChanges { name: None, settings }).await.unwrap();
    let c3: ClientId = "c3".parse().unwrap();
    service.create_client(&p1, c3.clone(), Name::default(), ClientKind::Web).await.unwrap();
    let settings = vec![("oauth.redirect_uris".to_owned(), REDIRECT_URIS.to_owned())];
    service.set_client(&p1, &c3, SettingChanges { name: None, settings }).await.unwrap();
    let names = Names { given: Name::default(), family: Name::default() };
    let identity = Identity::ExternalId(USER.parse().unwrap());
    service.create_user(&p1, names, vec![identity], true).await.unwrap();

    let (mut texts, mut secrets) = (Vec::new(), Vec::new());
    for (project, key, secret_key, v1, v2) in
        [(&p1, "key", "secret key", "v1", "v2"), (&p2, "other key", "other secret key", "other v1", "other v2")]
    {
        let made = async |kind| service.create_client_api_key(project, kind, Name::default(), None).await.unwrap();
        let publishable = made(ClientApiKeyKind::Publishable).await;
        let hmac = made(ClientApiKeyKind::Hmac).await.text.danger_expose().to_owned();
        let backend = service.create_secret_key(project, Name::default(), KeyScope::default(), None).await.unwrap();
        let secret = HmacSecret::new(SecretText::new(hmac.clone()));
        let right = STANDARD.encode(secret.v1(USER));
        secrets.extend([
            hmac[8..24].to_owned(),
            backend.secret.danger_expose()[8..24].to_owned(),
            right[..16].to_owned(),
        ]);
        texts.extend([
            (key, publishable.text.danger_expose().to_owned()),
            (secret_key, backend.secret.danger_expose().to_owned()),
            (v1, right),
            (v2, secret.v2(project, USER, 1_800_000_100, None)),
        ]);
    }
    (service, texts, secrets)
}
