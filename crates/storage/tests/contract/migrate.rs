//! The schema.

use std::slice;

use countersign_domain::clock::Timestamp;
use countersign_storage::{error::Error, migrate, projects, sessions, spent, users};
use countersign_testkit::{
    database::{Engine, TestDatabase},
    on_both_engines,
};
use tokio::task::JoinSet;

use crate::given::{Given, at, p1, project, read, schema, session, user, write};

on_both_engines!(
    a_database_of_the_first_door_is_carried_forward_with_what_is_in_it,
    a_schema_is_made_once_by_however_many_nodes,
    an_empty_database_has_no_version,
    a_newer_schema_is_refused_and_left_alone,
);

/// The version that the program knows.
const KNOWN: i64 = 14;

/// As the program of the first door left it, with a session in it.
async fn at_the_first_door(engine: Engine) -> Given {
    let database = TestDatabase::create(engine).await;
    let db = database.open().await;
    if engine == Engine::Postgres {
        database.execute("create sequence changes_seq").await;
    }
    let clustered = if engine == Engine::Sqlite { "without rowid" } else { "" };
    let schema = include_str!("../../migrations/0001_first_door.sql");
    database.execute(&schema.replace("/* clustered */", clustered)).await;
    database
        .execute(
            "create table schema_version (lease text not null, version bigint not null, primary key (lease)); \
             insert into schema_version (lease, version) values ('schema', 1)",
        )
        .await;
    let (user, id) = (user(1), session(&user(1), 1).session.id);
    let given = Given { db, database };
    write!(given, [user], users::insert_many, slice::from_ref(&&user)).unwrap();
    given
        .database
        .execute(&format!(
            "insert into sessions (project_id, session_id, user_id, client_id, amr, acr, auth_time, scope, \
             user_generation, client_generation, key_generation, project_generation, secret_hash, generation, \
             rotated_at, mac_key_id, replays, foreign_run, foreign_generation, revision, created_at, \
             idle_expires_at, expires_at, access_expires_at) values \
             ('p1', '{id}', '{}', 'c1', '[\"vouch\"]', 'urn:countersign:acr:vouched', 0, '', 0, 0, 0, 0, \
             'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE', 1, 0, 1, 0, 0, 0, 1, 0, 1, 2, 3)",
            user.id
        ))
        .await;
    given
}

async fn a_database_of_the_first_door_is_carried_forward_with_what_is_in_it(engine: Engine) {
    let given = at_the_first_door(engine).await;
    assert_eq!(migrate::version(&given.db).await.unwrap(), 1);
    assert!(!migrate::is_current(&given.db).await.unwrap());
    assert_eq!(migrate::migrate(&given.db).await.unwrap(), KNOWN - 1);
    assert!(migrate::is_current(&given.db).await.unwrap());
    assert_eq!(migrate::migrate(&given.db).await.unwrap(), 0);

    let before = read!(given, sessions::find, &p1(), session(&user(1), 1).session.id).unwrap().unwrap();
    assert_eq!((before.session.dpop_jkt, before.session.access_expires_at), (None, Timestamp::from_micros(3)));
    let mut after = session(&user(1), 2);
    after.session.dpop_jkt = Some(countersign_domain::thumbprint::Thumbprint([1; 32]));
    write!(given, [after], sessions::insert_many, &[&after]).unwrap();
    let found = read!(given, sessions::find, &p1(), after.session.id).unwrap().unwrap();
    assert_eq!(found.session.dpop_jkt, after.session.dpop_jkt);
    assert!(write!(given, [], spent::spend, &p1(), "dpop", "hash", at(1)).unwrap());
}

async fn an_empty_database_has_no_version(engine: Engine) {
    let database = TestDatabase::create(engine).await;
    let db = database.open().await;
    assert_eq!(migrate::version(&db).await.unwrap(), 0);
    assert!(!migrate::is_current(&db).await.unwrap());
    migrate::migrate(&db).await.unwrap();
    assert!(migrate::is_current(&db).await.unwrap());
    assert_eq!(migrate::migrate(&db).await.unwrap(), 0, "there is nothing left to do");
}

async fn a_schema_is_made_once_by_however_many_nodes(engine: Engine) {
    let database = TestDatabase::create(engine).await;
    let mut nodes = JoinSet::new();
    for _ in 0..6 {
        let db = database.open().await;
        nodes.spawn(async move { migrate::migrate(&db).await.unwrap() });
    }
    let mut steps = nodes.join_all().await;
    steps.sort_unstable();
    assert_eq!(steps, [0, 0, 0, 0, 0, KNOWN]);
}

async fn a_newer_schema_is_refused_and_left_alone(engine: Engine) {
    let given = schema(engine).await;
    let written = project("p1");
    write!(given, [written], projects::insert, &written).unwrap();
    given.database.execute("update schema_version set version = 99").await;
    for refused in [migrate::migrate(&given.db).await, migrate::version(&given.db).await] {
        assert!(matches!(refused, Err(Error::SchemaTooNew { found: 99, known: KNOWN })), "{refused:?}");
    }
    assert_eq!(read!(given, projects::list).unwrap().len(), 1);
}
