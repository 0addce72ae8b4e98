//! The schema.

use countersign_storage::{error::Error, migrate, projects};
use countersign_testkit::{
    database::{Engine, TestDatabase},
    on_both_engines,
};
use tokio::task::JoinSet;

use crate::given::{project, read, schema, write};

on_both_engines!(
    a_schema_is_made_once_by_however_many_nodes,
    an_empty_database_has_no_version,
    a_newer_schema_is_refused_and_left_alone,
);

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
    assert_eq!(steps, [0, 0, 0, 0, 0, 1]);
}

async fn a_newer_schema_is_refused_and_left_alone(engine: Engine) {
    let given = schema(engine).await;
    let written = project("p1");
    write!(given, [written], projects::insert, &written).unwrap();
    given.database.execute("update schema_version set version = 99").await;
    for refused in [migrate::migrate(&given.db).await, migrate::version(&given.db).await] {
        assert!(matches!(refused, Err(Error::SchemaTooNew { found: 99, known: 1 })), "{refused:?}");
    }
    assert_eq!(read!(given, projects::list).unwrap().len(), 1);
}
