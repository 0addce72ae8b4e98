//! Codes with which people may sign up.

use countersign_crypto::typed_code::TypedCodeHash;
use countersign_domain::{activation::ActivationCode, id::ActivationCodeId};
use countersign_storage::activation_codes::{self, use_once};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{Given, at, p1, schema};

on_both_engines!(
    a_code_reads_back_as_it_was_written,
    a_code_is_used_as_often_as_it_says,
    of_many_who_use_a_code_at_once_so_many_get_in,
    a_code_that_is_over_or_was_ended_is_used_no_more,
);

fn hash(digit: char) -> TypedCodeHash {
    TypedCodeHash::of_unverified(&digit.to_string().repeat(16)).unwrap()
}

fn code(second: i64, uses: u32) -> ActivationCode {
    ActivationCode {
        project: p1(),
        id: ActivationCodeId::new(at(second), [1; 10]),
        name: "friends".parse().unwrap(),
        prefix: "2222".to_owned(),
        uses,
        used: 0,
        created_at: at(second),
        expires_at: Some(at(900)),
        revoked_at: None,
    }
}

async fn given(engine: Engine, uses: u32) -> Given {
    let given = schema(engine).await;
    given
        .write(move |mut conn| {
            Box::pin(async move { activation_codes::insert(&mut conn, &code(100, uses), &hash('2')).await })
        })
        .await;
    given
}

async fn used(given: &Given, digit: char, second: i64) -> bool {
    let used = given
        .write(move |mut conn| Box::pin(async move { use_once(&mut conn, &p1(), &hash(digit), at(second)).await }));
    used.await.is_some()
}

async fn listed(given: &Given) -> Vec<ActivationCode> {
    let mut reader = given.db.reader().await.unwrap();
    activation_codes::list(&mut reader.conn(), &p1()).await.unwrap()
}

async fn a_code_reads_back_as_it_was_written(engine: Engine) {
    let given = given(engine, 2).await;
    let read = listed(&given).await;
    assert_eq!(format!("{read:?}"), format!("{:?}", [code(100, 2)]));
}

async fn a_code_is_used_as_often_as_it_says(engine: Engine) {
    let given = given(engine, 2).await;
    assert!(!used(&given, '3', 200).await);
    assert!(used(&given, '2', 200).await);
    assert!(used(&given, '2', 200).await);
    assert!(!used(&given, '2', 200).await);
    assert_eq!(listed(&given).await[0].used, 2);
}

async fn of_many_who_use_a_code_at_once_so_many_get_in(engine: Engine) {
    let given = given(engine, 3).await;
    let mut users = JoinSet::new();
    for node in 0..20 {
        let db = if node % 2 == 0 { given.db.clone() } else { given.database.open().await };
        users.spawn(async move {
            let used =
                db.write(|mut conn| Box::pin(async move { use_once(&mut conn, &p1(), &hash('2'), at(200)).await }));
            used.await.unwrap().is_some()
        });
    }
    assert_eq!(users.join_all().await.into_iter().filter(|used| *used).count(), 3);
}

async fn a_code_that_is_over_or_was_ended_is_used_no_more(engine: Engine) {
    let given = given(engine, 9).await;
    assert!(used(&given, '2', 899).await);
    assert!(!used(&given, '2', 900).await);
    let revoke = async || {
        given
            .write(|mut conn| {
                Box::pin(async move { activation_codes::revoke(&mut conn, &p1(), code(100, 9).id, at(300)).await })
            })
            .await
    };
    assert!(revoke().await);
    assert!(!revoke().await);
    assert!(!used(&given, '2', 301).await);
}
