//! What works once.

use countersign_domain::id::ProjectId;
use countersign_storage::{
    Conn,
    error::{Error, Result},
    spent::{self, Spend, spend, spend_many},
};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{at, p1, schema, write};

on_both_engines!(
    what_works_once_is_spent_once,
    of_many_who_show_many_things_at_once_each_is_told_its_own,
    of_many_things_that_are_spent_together_each_is_spent_once,
    what_is_spent_is_spent_in_its_project_and_for_its_purpose_alone,
    who_asks_whether_something_is_spent_spends_nothing,
    of_many_who_spend_at_once_one_does,
    what_is_spent_in_a_transaction_that_fails_is_not_spent,
    what_is_over_goes_a_little_at_a_time_and_what_is_not_stays,
);

async fn what_works_once_is_spent_once(engine: Engine) {
    let given = schema(engine).await;
    assert!(write!(given, [], spend, &p1(), "dpop", "one", at(60)).unwrap());
    assert!(!write!(given, [], spend, &p1(), "dpop", "one", at(60)).unwrap());
    assert!(!write!(given, [], spend, &p1(), "dpop", "one", at(900)).unwrap());
    assert!(write!(given, [], spend, &p1(), "dpop", "two", at(60)).unwrap());
}

async fn of_many_who_show_many_things_at_once_each_is_told_its_own(engine: Engine) {
    let given = schema(engine).await;
    let of = |number: usize| Spend { purpose: "dpop", hash: format!("thing {number}"), expires_at: at(60) };
    for number in 0..5 {
        assert!(given.db.spend(&p1(), of(number)).await.unwrap());
    }
    let mut spenders = JoinSet::new();
    for round in 0..3 {
        for number in 0..30 {
            let db = if round % 2 == 0 { given.db.clone() } else { given.database.open().await };
            let spend = of(number);
            spenders.spawn(async move { (number, db.spend(&p1(), spend).await.unwrap()) });
        }
    }
    let mut spent: Vec<usize> =
        spenders.join_all().await.into_iter().filter(|(_, spent)| *spent).map(|(number, _)| number).collect();
    spent.sort_unstable();
    assert_eq!(spent, (5..30).collect::<Vec<_>>(), "each once, and none that was spent before");
}

async fn all_of(conn: &mut Conn<'_>, wanted: &[(ProjectId, Spend)]) -> Result<Vec<bool>> {
    spend_many(conn, &wanted.iter().map(|(project, spend)| (project, spend)).collect::<Vec<_>>()).await
}

async fn of_many_things_that_are_spent_together_each_is_spent_once(engine: Engine) {
    let given = schema(engine).await;
    let p2: ProjectId = "p2".parse().unwrap();
    let of = |purpose, hash: &str| Spend { purpose, hash: hash.to_owned(), expires_at: at(60) };
    let together = async |wanted: Vec<(ProjectId, Spend)>| write!(given, [wanted], all_of, &wanted);
    let one = (p1(), of("dpop", "one"));
    let others = [(p1(), of("ticket", "one")), (p2, of("dpop", "one")), (p1(), of("dpop", "two"))];
    let spent = together([one.clone()].into_iter().chain(others.clone()).chain([one.clone()]).collect()).await.unwrap();
    assert_eq!(spent, [true, true, true, true, false], "the second in the same batch comes too late");
    assert_eq!(together(others.to_vec()).await.unwrap(), [false, false, false]);
    let mixed = together(vec![one, (p1(), of("dpop", "three"))]).await;
    assert!(matches!(mixed, Err(Error::TryAgain(_))), "{mixed:?}");
    assert!(write!(given, [], spend, &p1(), "dpop", "three", at(60)).unwrap(), "what fails spends nothing");
    let many: Vec<_> = (0..150).map(|number| (p1(), of("dpop", &format!("many {number}")))).collect();
    assert_eq!(together(many).await.unwrap(), [true; 150]);
}

async fn what_is_spent_is_spent_in_its_project_and_for_its_purpose_alone(engine: Engine) {
    let given = schema(engine).await;
    let p2: ProjectId = "p2".parse().unwrap();
    assert!(write!(given, [], spend, &p1(), "dpop", "one", at(60)).unwrap());
    assert!(write!(given, [], spend, &p1(), "ticket", "one", at(60)).unwrap());
    assert!(write!(given, [p2], spend, &p2, "dpop", "one", at(60)).unwrap());
    assert!(!write!(given, [p2], spend, &p2, "dpop", "one", at(60)).unwrap());
}

async fn who_asks_whether_something_is_spent_spends_nothing(engine: Engine) {
    let given = schema(engine).await;
    let is_spent = async |purpose: &str| {
        let mut reader = given.db.reader().await.unwrap();
        spent::is_spent(&mut reader.conn(), &p1(), purpose, "one").await.unwrap()
    };
    assert!(!is_spent("dpop").await);
    assert!(!is_spent("dpop").await);
    assert!(write!(given, [], spend, &p1(), "dpop", "one", at(60)).unwrap());
    assert!(is_spent("dpop").await);
    assert!(!is_spent("ticket").await, "for another purpose");
}

async fn of_many_who_spend_at_once_one_does(engine: Engine) {
    let given = schema(engine).await;
    for round in ["one", "two", "three"] {
        let mut spenders = JoinSet::new();
        for node in 0..20 {
            // Half of them on a node of their own.
            let db = if node % 2 == 0 { given.db.clone() } else { given.database.open().await };
            spenders.spawn(async move {
                db.write(move |mut conn| Box::pin(async move { spend(&mut conn, &p1(), "dpop", round, at(60)).await }))
                    .await
                    .unwrap()
            });
        }
        let won = spenders.join_all().await.into_iter().filter(|spent| *spent).count();
        assert_eq!(won, 1, "{round}");
    }
}

async fn what_is_spent_in_a_transaction_that_fails_is_not_spent(engine: Engine) {
    let given = schema(engine).await;
    let failed = given.db.write(|mut conn| {
        Box::pin(async move {
            assert!(spend(&mut conn, &p1(), "dpop", "one", at(60)).await?);
            Err::<(), _>(countersign_storage::error::Error::Refused("what it was to buy".to_owned()))
        })
    });
    assert!(failed.await.is_err());
    assert!(write!(given, [], spend, &p1(), "dpop", "one", at(60)).unwrap());
}

async fn what_is_over_goes_a_little_at_a_time_and_what_is_not_stays(engine: Engine) {
    let given = schema(engine).await;
    let values = ["a", "b", "c", "d", "e"];
    for (number, value) in (1..).zip(values) {
        assert!(write!(given, [], spend, &p1(), "dpop", value, at(number * 10)).unwrap());
    }
    let delete = async |limit| write!(given, [], spent::delete_expired, at(40), limit).unwrap();
    assert_eq!(delete(3).await, 3);
    assert_eq!(delete(3).await, 1, "one that is over now is over");
    assert_eq!(delete(3).await, 0);
    assert!(!write!(given, [], spend, &p1(), "dpop", "e", at(50)).unwrap(), "what isn't over is still spent");
    assert!(write!(given, [], spend, &p1(), "dpop", "a", at(10)).unwrap());
}
