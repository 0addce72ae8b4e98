//! Users.

use countersign_domain::{id::UserId, user::User};
use countersign_storage::users;
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{a_user, at, p1, read, user, write};

on_both_engines!(
    a_user_reads_back_as_it_was_written,
    users_are_listed_page_by_page,
    a_user_can_be_changed,
    revoking_gives_the_new_count,
    who_holds_a_user_reads_what_nobody_else_changes_meanwhile,
    many_users_are_written_at_once,
);

async fn a_user_reads_back_as_it_was_written(engine: Engine) {
    let (given, written) = a_user(engine).await;
    let found = read!(given, users::find, &p1(), written.id).unwrap().unwrap();
    assert_eq!(found, written);
    let elsewhere = "p2".parse().unwrap();
    assert!(read!(given, users::find, &elsewhere, written.id).unwrap().is_none(), "a project is an island");
}

async fn users_are_listed_page_by_page(engine: Engine) {
    let (given, _) = a_user(engine).await;
    for number in 2..=5 {
        let written = user(number);
        write!(given, [written], users::insert_many, &[&written]).unwrap();
    }
    let first = read!(given, users::list, &p1(), None, 2).unwrap();
    let second = read!(given, users::list, &p1(), Some(first[1].id), 2).unwrap();
    let third = read!(given, users::list, &p1(), Some(second[1].id), 2).unwrap();
    let all: Vec<UserId> = [first, second, third].concat().iter().map(|found| found.id).collect();
    assert_eq!(all, [1, 2, 3, 4, 5].map(|number| user(number).id));
}

async fn a_user_can_be_changed(engine: Engine) {
    let (given, written) = a_user(engine).await;
    let other = user(2);
    write!(given, [other], users::insert_many, &[&other]).unwrap();
    let changed = User {
        given_name: "Grace".parse().unwrap(),
        family_name: "Hopper".parse().unwrap(),
        updated_at: at(4),
        disabled_at: Some(at(4)),
        merged_into: Some(other.id),
        ..written.clone()
    };
    write!(given, [changed], users::update, &changed).unwrap();
    assert_eq!(read!(given, users::find, &p1(), written.id).unwrap().unwrap(), changed);
    assert_eq!(read!(given, users::find, &p1(), other.id).unwrap().unwrap(), other);
}

async fn revoking_gives_the_new_count(engine: Engine) {
    let (given, written) = a_user(engine).await;
    for count in 1..=3 {
        assert_eq!(write!(given, [], users::raise_generation, &p1(), written.id).unwrap(), Some(count));
    }
    assert_eq!(write!(given, [], users::raise_generation, &p1(), user(9).id).unwrap(), None);
}

async fn who_holds_a_user_reads_what_nobody_else_changes_meanwhile(engine: Engine) {
    let (given, written) = a_user(engine).await;
    let mut counters = JoinSet::new();
    for node in 0..8 {
        let db = if node % 2 == 0 { given.db.clone() } else { given.database.open().await };
        let id = written.id;
        counters.spawn(async move {
            let counted = db.write(move |mut conn| {
                Box::pin(async move {
                    users::lock(&mut conn, &p1(), id).await?;
                    let before = users::find(&mut conn, &p1(), id).await?.map(|user| user.generation);
                    let after = users::raise_generation(&mut conn, &p1(), id).await?;
                    Ok((before, after))
                })
            });
            counted.await.unwrap()
        });
    }
    let mut counted = counters.join_all().await;
    counted.sort_unstable();
    let expected: Vec<_> = (0..8).map(|count| (Some(count), Some(count + 1))).collect();
    assert_eq!(counted, expected, "somebody read what another changed before the end");
    write!(given, [], users::lock, &p1(), user(9).id).unwrap();
}

async fn many_users_are_written_at_once(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let many: Vec<User> = (2..=201).map(user).collect();
    write!(given, [many], users::insert_many, &many.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(read!(given, users::list, &p1(), None, 1000).unwrap().len(), 201);
}
