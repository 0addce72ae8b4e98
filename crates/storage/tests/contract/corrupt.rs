//! Rows that this program never wrote.

use countersign_domain::audit::Act;
use countersign_storage::{audit, error::Error, identities, projects, sessions, users};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{a_user, email, entry, p1, read, record, session, write};

on_both_engines!(corrupt_data_is_named_by_table_column_and_row, a_corrupt_session_spoils_no_other);

#[track_caller]
fn named<T: std::fmt::Debug>(result: Result<T, Error>, table: &str, column: &str, row: &str) {
    let Err(Error::Corrupt(corrupt)) = result else { panic!("this should have been corrupt: {result:?}") };
    assert_eq!((corrupt.table, corrupt.column), (table, column));
    assert!(corrupt.row.contains(row), "{corrupt}");
}

async fn corrupt_data_is_named_by_table_column_and_row(engine: Engine) {
    let (given, user) = a_user(engine).await;
    given.known_as(vec![record(&user, email("ada@example.com"))]).await;
    let written = entry(1, Act::UserSet);
    write!(given, [written], audit::insert_many, &[&written]).unwrap();
    given.database.execute("update projects set settings = '{'").await;
    named(read!(given, projects::find, &p1()), "projects", "settings", "p1");
    given.database.execute("update users set generation = -1").await;
    named(read!(given, users::find, &p1(), user.id), "users", "generation", &user.id.to_string());
    given.database.execute("update identities set source = 'rumour'").await;
    named(read!(given, identities::find, &p1(), &email("ada@example.com")), "identities", "source", "email");
    given.database.execute("update audit_entries set detail = 'none'").await;
    named(read!(given, audit::list, &p1(), None, 1), "audit_entries", "detail", &written.id.to_string());
}

async fn a_corrupt_session_spoils_no_other(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let (good, bad) = (session(&user, 1), session(&user, 2));
    write!(given, [good, bad], sessions::insert_many, &[&good, &bad]).unwrap();
    let spoil = format!("update sessions set secret_hash = 'short' where session_id = '{}'", bad.session.id);
    given.database.execute(&spoil).await;
    let wanted = [(p1(), bad.session.id), (p1(), good.session.id)];
    let mut found = read!(given, sessions::find_many, &wanted.iter().collect::<Vec<_>>()).unwrap().into_iter();
    named(found.next().unwrap(), "sessions", "secret_hash", &bad.session.id.to_string());
    assert_eq!(found.next().unwrap().unwrap().unwrap().session.id, good.session.id);
}
