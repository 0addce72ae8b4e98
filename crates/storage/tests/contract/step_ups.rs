//! Step-ups.

use countersign_crypto::one_time_code::OneTimeCodeHash;
use countersign_domain::{
    id::{ChallengeId, ProjectId, StepUpId},
    sign_in::SentCode,
    step_up::{Change, StepUp},
};
use countersign_storage::{
    step_ups::{self, StoredStepUp},
    users,
};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{Given, a_user, at, p1, read, user, write};

on_both_engines!(
    a_step_up_reads_back_with_how_far_its_user_has_got,
    each_step_is_taken_once_and_in_order,
    of_many_who_have_it_done_at_once_one_does,
    what_is_passed_changes_no_more,
    what_is_over_goes_and_a_user_takes_theirs_along,
);

fn step_up(number: u8, change: Option<Change>) -> StepUp {
    StepUp {
        project: p1(),
        id: StepUpId::new(at(0), [number; 10]),
        client: "c4".parse().unwrap(),
        user: user(1).id,
        user_generation: 3,
        purpose: "change_mfa_method".parse().unwrap(),
        change,
        created_at: at(0),
    }
}

async fn kept(given: &Given, change: Option<Change>) -> StoredStepUp {
    let step_up = step_up(1, change);
    write!(given, [step_up], step_ups::insert, &step_up).unwrap();
    found(given).await.unwrap()
}

async fn found(given: &Given) -> Option<StoredStepUp> {
    read!(given, step_ups::find, &p1(), step_up(1, None).id).unwrap()
}

async fn a_step_up_reads_back_with_how_far_its_user_has_got(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let number = "+15551234567".parse().unwrap();
    let first = kept(&given, Some(Change::Phone(number))).await;
    let change = first.step_up.change.clone();
    assert_eq!(first, StoredStepUp::of(step_up(1, change)));
    let further = StoredStepUp {
        sealed_seed: Some("a sealed 'seed'".to_owned()),
        used_step: 7,
        sent: Some(SentCode { challenge: ChallengeId::new(at(1), [9; 10]), tries: 2, sent_at: at(1) }),
        code_hash: Some(OneTimeCodeHash::from_text("hash".to_owned())),
        sends: 3,
        ..first
    };
    write!(given, [further], step_ups::update, &further).unwrap();
    assert_eq!(found(&given).await, Some(further));
    let p2: ProjectId = "p2".parse().unwrap();
    assert_eq!(read!(given, step_ups::find, &p2, step_up(1, None).id).unwrap(), None);
}

async fn each_step_is_taken_once_and_in_order(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let id = kept(&given, None).await.step_up.id;
    assert!(!write!(given, [], step_ups::pass, &p1(), id, at(1)).unwrap(), "nobody has begun");
    assert_eq!(write!(given, [], step_ups::apply, &p1(), id, at(1)).unwrap(), None);
    assert!(write!(given, [], step_ups::begin, &p1(), id, at(2)).unwrap());
    assert!(!write!(given, [], step_ups::begin, &p1(), id, at(3)).unwrap());
    assert_eq!(write!(given, [], step_ups::apply, &p1(), id, at(3)).unwrap(), None, "nobody has passed");
    assert!(write!(given, [], step_ups::pass, &p1(), id, at(4)).unwrap());
    assert!(!write!(given, [], step_ups::pass, &p1(), id, at(5)).unwrap());
    let applied = write!(given, [], step_ups::apply, &p1(), id, at(6)).unwrap().unwrap();
    assert_eq!((applied.begun_at, applied.passed_at, applied.applied_at), (Some(at(2)), Some(at(4)), Some(at(6))));
    assert_eq!(write!(given, [], step_ups::apply, &p1(), id, at(7)).unwrap(), None);
}

async fn of_many_who_have_it_done_at_once_one_does(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let id = kept(&given, None).await.step_up.id;
    write!(given, [], step_ups::begin, &p1(), id, at(1)).unwrap();
    write!(given, [], step_ups::pass, &p1(), id, at(1)).unwrap();
    let mut takers = JoinSet::new();
    for number in 0..20 {
        let db = if number % 2 == 0 { given.db.clone() } else { given.database.open().await };
        takers.spawn(async move {
            let done =
                db.write(move |mut conn| Box::pin(async move { step_ups::apply(&mut conn, &p1(), id, at(2)).await }));
            done.await.unwrap().is_some()
        });
    }
    assert_eq!(takers.join_all().await.into_iter().filter(|done| *done).count(), 1);
}

async fn what_is_passed_changes_no_more(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let first = kept(&given, Some(Change::Totp)).await;
    let id = first.step_up.id;
    write!(given, [], step_ups::begin, &p1(), id, at(1)).unwrap();
    write!(given, [], step_ups::pass, &p1(), id, at(1)).unwrap();
    let other = StoredStepUp { sealed_seed: Some("another".to_owned()), ..first };
    write!(given, [other], step_ups::update, &other).unwrap();
    assert_eq!(found(&given).await.unwrap().sealed_seed, None);
}

async fn what_is_over_goes_and_a_user_takes_theirs_along(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let ends = kept(&given, None).await.step_up.ends();
    assert_eq!(
        write!(given, [], step_ups::delete_expired, ends.minus(std::time::Duration::from_secs(1)), 10).unwrap(),
        0
    );
    assert_eq!(write!(given, [], step_ups::delete_expired, ends, 10).unwrap(), 1);
    assert_eq!(found(&given).await, None);
    kept(&given, None).await;
    write!(given, [], users::delete, &p1(), user(1).id).unwrap();
    assert_eq!(found(&given).await, None);
}
