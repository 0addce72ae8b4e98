//! What every use case works with.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use countersign_crypto::{
    entropy::Entropy,
    master_key::MasterKey,
    seal::{CannotOpen, Place},
};
use countersign_domain::{clock::Timestamp, id::AuditId};
use countersign_storage::{db::Db, deployment, error::Error as StorageError, migrate};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};
use tokio::sync::{Mutex, watch};

use crate::{
    assertion::Assertions,
    config::Config,
    deliver::Healths,
    directory::{Directory, LoadError},
    error::Outage,
    feed::Feed,
    guesses::WrongCodes,
    known_users::KnownUsers,
    limits::{Limits, Quotas},
    me::Profiles,
    project_counts::ProjectCounts,
    proof::{access_token::Verified, seen::SeenProofs},
    revocations::Revocations,
    tally::Tally,
    time::{TimeSource, Timekeeper},
};

/// The use cases, and all they work with. One for each process.
pub struct Service {
    pub(crate) db: Db,
    pub(crate) master_key: MasterKey,
    pub(crate) entropy: Entropy,
    pub(crate) time: Timekeeper,
    pub(crate) config: Config,
    pub(crate) directory: ArcSwap<Directory>,
    pub(crate) feed: Feed,
    pub(crate) revocations: Revocations,
    pub(crate) limits: Limits,
    /// How many messages each destination was sent.
    pub(crate) quotas: Quotas,
    /// Wrong codes for each address.
    pub(crate) wrong_codes: WrongCodes,
    /// Whether messages leave.
    pub(crate) healths: Healths,
    pub(crate) tally: Tally,
    pub(crate) counts: ProjectCounts,
    /// Access tokens whose signature has been checked, by their SHA-256. What may change is judged after it, every time.
    pub(crate) verified: Cache<[u8; 32], Arc<Verified>>,
    pub(crate) profiles: Profiles,
    pub(crate) known_users: KnownUsers,
    pub(crate) assertions: Assertions,
    /// Moves whenever something was heard that open streams must be judged by.
    pub(crate) news: watch::Sender<u64>,
    /// Held while an explanation looks through the known users: that is work.
    pub(crate) explaining: Mutex<()>,
    /// Proofs of possession that were shown to this node lately: none is taken twice.
    pub(crate) proofs: SeenProofs,
}

/// Why the service can't begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database won't do.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Data that can't be read.
    #[error("{0}")]
    Data(String),
    /// The secrets in the database were sealed under another master key.
    #[error(
        "the secrets in this database were sealed under the master key {sealed_under}, and the one given is {this}. \
         Start with the right master key, or restore it from your backup. Nothing was changed"
    )]
    OtherMasterKey {
        /// The one that is needed.
        sealed_under: String,
        /// The one at hand.
        this: String,
    },
}

/// The fact by which the right master key is recognised.
const MASTER_KEY_CHECK: &str = "master_key_check";
const MASTER_KEY_PLACE: Place<'static> = Place { table: "deployment", column: "value", row: &[MASTER_KEY_CHECK] };

impl Service {
    /// Begins to work with a database whose schema is current.
    pub async fn open(
        db: Db,
        master_key: MasterKey,
        entropy: Entropy,
        source: Arc<dyn TimeSource>,
        config: Config,
    ) -> Result<Self, OpenError> {
        remember_master_key(&db, &master_key).await?;
        let reference = db.clock().await?.map(Timestamp::from_micros);
        let service = Self {
            time: Timekeeper::new(source, reference),
            directory: ArcSwap::default(),
            feed: Feed::default(),
            revocations: Revocations::default(),
            limits: Limits::new(config.counted_callers),
            quotas: Quotas::new(config.counted_callers),
            wrong_codes: WrongCodes::new(config.counted_callers),
            healths: Healths::default(),
            tally: Tally::default(),
            counts: ProjectCounts::default(),
            verified: remembering(config.verified_tokens),
            profiles: Profiles::new(config.known_users),
            known_users: KnownUsers::new(config.known_users),
            assertions: Assertions::new(config.assertions),
            news: watch::Sender::new(0),
            explaining: Mutex::default(),
            proofs: SeenProofs::new(config.seen_proofs),
            db,
            master_key,
            entropy,
            config,
        };
        service.resync().await.map_err(|error| match error {
            LoadError::Storage(error) => OpenError::Storage(error),
            unusable @ LoadError::Unusable { .. } => OpenError::Data(unusable.to_string()),
        })?;
        Ok(service)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Time that only goes forward.
    pub fn monotonic(&self) -> Duration {
        self.time.monotonic()
    }

    pub(crate) fn audit_id(&self, now: Timestamp) -> AuditId {
        AuditId::new(now, self.entropy.bytes())
    }

    /// Verdicts are for nodes that hear of revocations.
    pub(crate) fn fresh(&self) -> Result<(), Outage> {
        if self.feed.is_fresh(self.time.monotonic()) { Ok(()) } else { Err(Outage::StaleFeed) }
    }

    /// Moves whenever something was heard that open streams must be judged by.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// May this node be sent callers?
    pub fn is_ready(&self) -> bool {
        self.fresh().is_ok()
    }

    /// Writes down what is only in memory, waits for what is being written, and closes the database.
    pub async fn close(&self) {
        self.write_down().await;
        self.db.close().await;
    }

    /// Where the server is reached from outside.
    pub fn public_url(&self) -> &str {
        &self.config.public_url
    }
}

/// Does the database hold anything that a master key has sealed? A schema alone doesn't.
pub async fn needs_master_key(db: &Db) -> Result<bool, OpenError> {
    Ok(master_key_check(db).await?.is_some())
}

/// All tokens are new every quarter of an hour: one that was seen before must find its place among those that were seen often, or the cache
/// would keep the old ones. So it remembers as many keys that it has let go as it has places.
fn remembering(tokens: usize) -> Cache<[u8; 32], Arc<Verified>> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(tokens)
        .weight_capacity(tokens as u64)
        .hot_allocation(0.5)
        .ghost_allocation(1.0)
        .build();
    match options {
        Ok(options) => {
            Cache::with_options(options, UnitWeighter, DefaultHashBuilder::default(), DefaultLifecycle::default())
        }
        Err(_) => Cache::new(tokens),
    }
}

/// Looks, without changing anything, whether this master key is the one that the database needs.
pub async fn check_master_key(db: &Db, master_key: &MasterKey) -> Result<(), OpenError> {
    match master_key_check(db).await? {
        Some(sealed) => open_check(master_key, &sealed),
        None => Ok(()),
    }
}

async fn master_key_check(db: &Db) -> Result<Option<String>, OpenError> {
    if migrate::version(db).await? == 0 {
        return Ok(None);
    }
    Ok(deployment::find(&mut db.reader().await?.conn(), MASTER_KEY_CHECK).await?)
}

async fn remember_master_key(db: &Db, master_key: &MasterKey) -> Result<(), OpenError> {
    if let Some(sealed) = master_key_check(db).await? {
        return open_check(master_key, &sealed);
    }
    let sealed = master_key.seal(MASTER_KEY_PLACE, b"countersign");
    let kept = db.write(move |mut conn| {
        let sealed = sealed.clone();
        Box::pin(async move { deployment::find_or_insert(&mut conn, MASTER_KEY_CHECK, &sealed).await })
    });
    open_check(master_key, &kept.await?)
}

fn open_check(master_key: &MasterKey, sealed: &str) -> Result<(), OpenError> {
    match master_key.open(MASTER_KEY_PLACE, sealed) {
        Ok(_) => Ok(()),
        Err(CannotOpen::OtherMasterKey { sealed_under, this }) => Err(OpenError::OtherMasterKey { sealed_under, this }),
        Err(CannotOpen::Altered) => Err(OpenError::Data(
            "the fact `master_key_check` in table deployment was altered. Restore it from your backup".to_owned(),
        )),
    }
}
