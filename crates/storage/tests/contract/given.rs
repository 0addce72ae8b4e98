//! What tests begin with.

use countersign_crypto::refresh_token::RefreshSecretHash;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    client::{Client, ClientKind},
    clock::Timestamp,
    generations::Generations,
    id::{AuditId, MacKeyId, ProjectId, SessionId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord, IdentitySource},
    policy::Overrides,
    project::Project,
    proof::{Level, Method, Proof},
    refresh::Rotation,
    session::Session,
    user::User,
};
use countersign_storage::{
    Conn, clients, db::Db, error::Result, identities, migrate, projects, sessions::NewSession, users,
};
use countersign_testkit::database::{Engine, TestDatabase};
use futures_util::future::BoxFuture;

/// A database with a schema, and what must outlive it.
pub(crate) struct Given {
    pub(crate) db: Db,
    pub(crate) database: TestDatabase,
}

/// A database with a schema and nothing else.
pub(crate) async fn schema(engine: Engine) -> Given {
    let database = TestDatabase::create(engine).await;
    let db = database.open().await;
    migrate::migrate(&db).await.unwrap();
    Given { db, database }
}

/// A database with project `p1`, its client `c1` and a user.
pub(crate) async fn a_user(engine: Engine) -> (Given, User) {
    let given = schema(engine).await;
    let user = user(1);
    let (project, client, newcomer) = (project("p1"), client("p1", "c1"), user.clone());
    given
        .write(move |mut conn| {
            let (project, client, user) = (project.clone(), client.clone(), newcomer.clone());
            Box::pin(async move {
                projects::insert(&mut conn, &project).await?;
                clients::insert(&mut conn, &client).await?;
                users::insert_many(&mut conn, &[&user]).await
            })
        })
        .await;
    (given, user)
}

impl Given {
    /// Writes what must succeed.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t> Fn(Conn<'t>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    ) -> T {
        self.db.write(work).await.unwrap()
    }

    /// A user comes to have identities.
    pub(crate) async fn known_as(&self, records: Vec<IdentityRecord>) {
        self.write(move |mut conn| {
            let records = records.clone();
            Box::pin(async move {
                let id = p1();
                let rows: Vec<_> = records.iter().map(|record| (&id, record)).collect();
                identities::insert_many(&mut conn, &rows).await
            })
        })
        .await;
    }
}

/// Reads with a connection that is given back at once.
macro_rules! read {
    ($given:expr, $($function:ident)::+ $(, $argument:expr)* $(,)?) => {{
        let mut reading = $given.db.reader().await.unwrap();
        $($function)::+(&mut reading.conn() $(, $argument)*).await
    }};
}
pub(crate) use read;

/// Writes with one function whose arguments are owned by the unit.
macro_rules! write {
    ($given:expr, [$($owned:ident),*], $($function:ident)::+ $(, $argument:expr)* $(,)?) => {{
        $(let $owned = $owned.clone();)*
        $given.db.write(move |mut conn| {
            $(let $owned = $owned.clone();)*
            Box::pin(async move { $($function)::+(&mut conn $(, $argument)*).await })
        })
        .await
    }};
}
pub(crate) use write;

pub(crate) fn p1() -> ProjectId {
    "p1".parse().unwrap()
}

/// Seconds after noon.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

pub(crate) fn project(id: &str) -> Project {
    Project {
        id: id.parse().unwrap(),
        name: "Ünïcode & 'quotes' \"too\"".parse().unwrap(),
        overrides: Overrides::from([("refresh.overlap".to_owned(), "1s".to_owned())]),
        generation: 3,
        created_at: at(0),
        updated_at: at(1),
        disabled_at: None,
    }
}

pub(crate) fn client(project: &str, id: &str) -> Client {
    Client {
        project: project.parse().unwrap(),
        id: id.parse().unwrap(),
        name: "An app".parse().unwrap(),
        kind: ClientKind::Ios,
        overrides: Overrides::new(),
        generation: 0,
        created_at: at(0),
        updated_at: at(0),
        disabled_at: None,
    }
}

/// Users of higher numbers are younger.
pub(crate) fn user(number: u8) -> User {
    User {
        project: p1(),
        id: UserId::new(at(i64::from(number)), [number; 10]),
        given_name: "Ada".parse().unwrap(),
        family_name: "".parse().unwrap(),
        generation: 0,
        created_at: at(0),
        updated_at: at(0),
        disabled_at: None,
        merged_into: None,
    }
}

pub(crate) fn identity(kind: IdentityKind, value: &str) -> Identity {
    Identity::parse(kind, value).unwrap()
}

pub(crate) fn email(value: &str) -> Identity {
    identity(IdentityKind::Email, value)
}

pub(crate) fn record(user: &User, identity: Identity) -> IdentityRecord {
    IdentityRecord { identity, user: user.id, source: IdentitySource::Vouch, verified_at: None, created_at: at(0) }
}

/// Sessions of higher numbers are younger.
pub(crate) fn session(user: &User, number: u8) -> NewSession {
    let session = Session {
        project: user.project.clone(),
        id: SessionId::new(at(i64::from(number)), [number; 10]),
        user: user.id,
        client: "c1".parse().unwrap(),
        vouched_by: None,
        device: None,
        dpop_jkt: None,
        proof: Proof { methods: vec![Method::vouch()], level: Level::Vouched, at: at(0) },
        scope: String::new(),
        generations: Generations { user: 1, client: 2, key: 3, project: 4 },
        rotation: Rotation {
            generation: 1,
            rotated_at: at(0),
            rotated_by: None,
            mac_key: MacKeyId(1),
            replays: 0,
            foreign_run: 0,
            foreign_generation: 0,
            behind_since: None,
        },
        created_at: at(0),
        idle_expires_at: at(1000),
        expires_at: at(2000),
        access_expires_at: at(900),
        ended: None,
    };
    let hash = RefreshSecretHash::from_text("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE").unwrap();
    NewSession { session, secret_hash: hash }
}

pub(crate) fn entry(number: u8, act: Act) -> AuditEntry {
    AuditEntry {
        project: p1(),
        id: AuditId::new(at(i64::from(number)), [number; 10]),
        at: at(i64::from(number)),
        act,
        actor: Actor::Operator,
        subject: Subject::default(),
        request: None,
        detail: Vec::new(),
    }
}
