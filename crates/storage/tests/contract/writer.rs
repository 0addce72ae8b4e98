//! Units of work: together, apart, again.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use countersign_storage::{deployment, error::Error};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{Given, a_user, p1, read, schema, user, write};

on_both_engines!(
    a_unit_that_fails_leaves_nothing_behind_and_spoils_no_other,
    a_unit_that_panics_is_refused_and_the_writer_goes_on,
    a_unit_that_hangs_is_refused_and_the_writer_goes_on,
    a_unit_goes_on_when_its_caller_is_gone,
    what_was_acknowledged_is_there_after_closing,
);

async fn fact(given: &Given, name: &str) -> Option<String> {
    read!(given, deployment::find, name).unwrap()
}

async fn a_unit_that_fails_leaves_nothing_behind_and_spoils_no_other(engine: Engine) {
    let given = schema(engine).await;
    let mut running = JoinSet::new();
    for number in 0..30 {
        let db = given.db.clone();
        running.spawn(async move {
            db.write(move |mut conn| {
                Box::pin(async move {
                    deployment::find_or_insert(&mut conn, &format!("fact {number}"), "so").await?;
                    if number % 3 == 0 { Err(Error::Refused("on purpose".to_owned())) } else { Ok(()) }
                })
            })
            .await
        });
    }
    let failed = running.join_all().await.iter().filter(|result| result.is_err()).count();
    assert_eq!(failed, 10);
    for number in 0..30 {
        let is_there = fact(&given, &format!("fact {number}")).await.is_some();
        assert_eq!(is_there, number % 3 != 0, "fact {number}");
    }
}

async fn a_unit_that_panics_is_refused_and_the_writer_goes_on(engine: Engine) {
    let given = schema(engine).await;
    let panicked = given
        .db
        .write::<(), _>(|mut conn| {
            Box::pin(async move {
                deployment::find_or_insert(&mut conn, "half", "done").await?;
                panic!("a mistake of ours")
            })
        })
        .await;
    assert!(matches!(panicked, Err(Error::Refused(_))), "{panicked:?}");
    assert_eq!(fact(&given, "half").await, None);
    write!(given, [], deployment::find_or_insert, "after", "all").unwrap();
    assert_eq!(fact(&given, "after").await.as_deref(), Some("all"));
}

async fn a_unit_that_hangs_is_refused_and_the_writer_goes_on(engine: Engine) {
    let given = schema(engine).await;
    let hung = given.db.write::<(), _>(|_| Box::pin(pending())).await;
    assert!(matches!(&hung, Err(Error::Refused(reason)) if reason.contains("longer")), "{hung:?}");
    write!(given, [], deployment::find_or_insert, "after", "all").unwrap();
}

async fn a_unit_goes_on_when_its_caller_is_gone(engine: Engine) {
    let given = schema(engine).await;
    let begun = Arc::new(AtomicUsize::new(0));
    let (db, seen) = (given.db.clone(), Arc::clone(&begun));
    let caller = tokio::spawn(async move {
        db.write(move |mut conn| {
            seen.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                deployment::find_or_insert(&mut conn, "fact", "so").await.map(drop)
            })
        })
        .await
    });
    while begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    caller.abort();
    let patience = std::time::Duration::from_secs(10);
    countersign_testkit::wait::until("the unit is done", patience, || async { fact(&given, "fact").await.is_some() })
        .await;
}

async fn what_was_acknowledged_is_there_after_closing(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    given.db.close().await;
    let again = Given { db: given.database.open().await, database: given.database };
    let found = read!(again, countersign_storage::users::find, &p1(), ada.id).unwrap();
    assert_eq!(found, Some(user(1)));
    let closed = given.db.reader().await.map(drop);
    assert!(matches!(closed, Err(Error::Unavailable(_))), "{closed:?}");
}
