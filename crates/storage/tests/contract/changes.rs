//! The change feed.

use countersign_storage::{
    changes::{self, Change, Numbered, What},
    deployment,
};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{a_user, at, p1, read, schema, session, write};

on_both_engines!(
    changes_read_back_in_the_order_of_their_numbers,
    who_begins_hears_of_what_is_still_alive,
    what_nobody_needs_goes_but_never_the_newest_number,
    changes_announced_at_once_get_numbers_of_their_own,
    a_fact_of_the_deployment_is_written_once,
);

fn changes_of(given: &[Numbered]) -> Vec<What> {
    given.iter().map(|numbered| numbered.change.what).collect()
}

async fn changes_read_back_in_the_order_of_their_numbers(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let start = read!(given, changes::newest).unwrap();
    let all = [
        What::Project,
        What::SessionEnded(session(&user, 1).session.id),
        What::UserRevoked(user.id, 7),
        What::UserChanged(user.id),
    ];
    for what in all {
        let change = Change { project: p1(), what, expires_at: at(10) };
        write!(given, [change], changes::insert, &change).unwrap();
    }
    let heard = read!(given, changes::list_after, start, 10).unwrap();
    assert_eq!(changes_of(&heard), all);
    assert!(heard.iter().all(|numbered| numbered.change.expires_at == at(10) && numbered.change.project == p1()));
    assert_eq!(read!(given, changes::newest).unwrap(), heard[3].seq);
    let rest = read!(given, changes::list_after, heard[1].seq, 1).unwrap();
    assert_eq!(changes_of(&rest), [all[2]]);
}

async fn who_begins_hears_of_what_is_still_alive(engine: Engine) {
    let (given, user) = a_user(engine).await;
    for (what, expires_at) in [(What::UserRevoked(user.id, 1), at(10)), (What::UserRevoked(user.id, 2), at(20))] {
        let change = Change { project: p1(), what, expires_at };
        write!(given, [change], changes::insert, &change).unwrap();
    }
    let alive = read!(given, changes::list_alive, at(10)).unwrap();
    assert_eq!(changes_of(&alive), [What::UserRevoked(user.id, 2)]);
}

async fn what_nobody_needs_goes_but_never_the_newest_number(engine: Engine) {
    let (given, _) = a_user(engine).await;
    for expires_at in [at(1), at(2), at(30), at(3)] {
        let change = Change { project: p1(), what: What::Project, expires_at };
        write!(given, [change], changes::insert, &change).unwrap();
    }
    let newest = read!(given, changes::newest).unwrap();
    assert_eq!(write!(given, [], changes::delete_expired, at(5), 1).unwrap(), 1, "a little at a time");
    assert_eq!(write!(given, [], changes::delete_expired, at(5), 9).unwrap(), 1);
    assert_eq!(write!(given, [], changes::delete_expired, at(5), 9).unwrap(), 0);
    assert_eq!(read!(given, changes::newest).unwrap(), newest, "or a number would be given out twice");
}

async fn changes_announced_at_once_get_numbers_of_their_own(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let mut running = JoinSet::new();
    for count in 0..40 {
        let db = given.db.clone();
        let change = Change { project: p1(), what: What::UserRevoked(user.id, count), expires_at: at(9) };
        running.spawn(async move {
            db.write(move |mut conn| {
                let change = change.clone();
                Box::pin(async move { changes::insert(&mut conn, &change).await })
            })
            .await
            .unwrap();
        });
    }
    running.join_all().await;
    let heard = read!(given, changes::list_after, 0, 100).unwrap();
    assert_eq!(heard.len(), 40);
    assert!(heard.windows(2).all(|pair| pair[0].seq < pair[1].seq));
}

async fn a_fact_of_the_deployment_is_written_once(engine: Engine) {
    let given = schema(engine).await;
    assert_eq!(read!(given, deployment::find, "fact").unwrap(), None);
    for value in ["first", "second"] {
        let held = write!(given, [], deployment::find_or_insert, "fact", value).unwrap();
        assert_eq!(held, "first");
    }
    assert_eq!(read!(given, deployment::find, "fact").unwrap().as_deref(), Some("first"));
}
