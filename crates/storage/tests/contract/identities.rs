//! What users are found by.

use countersign_domain::{
    id::ProjectId,
    identity::{IdentityKind, IdentityRecord, IdentitySource},
};
use countersign_storage::{
    error::Error,
    identities::{self, Wanted},
    users,
};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{a_user, at, email, identity, p1, read, record, user, write};

on_both_engines!(
    an_identity_reads_back_as_it_was_written,
    an_identity_belongs_to_one_user,
    many_vouches_find_their_users_at_once,
    a_merged_user_is_found_under_the_other,
    an_identity_is_taken_from_its_owner_only,
    the_newest_that_was_proved_stands_for_a_user,
    what_was_proved_is_not_taken_as_something_merely_said,
);

async fn an_identity_reads_back_as_it_was_written(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let records = vec![
        record(&user, email("ada@example.com")),
        IdentityRecord {
            source: IdentitySource::Proof,
            verified_at: Some(at(3)),
            created_at: at(1),
            ..record(&user, identity(IdentityKind::Phone, "+4930123456"))
        },
        IdentityRecord {
            source: IdentitySource::Operator,
            created_at: at(2),
            ..record(&user, identity(IdentityKind::ExternalId, "A/1 ü\"'"))
        },
    ];
    given.known_as(records.clone()).await;
    for written in &records {
        let found = read!(given, identities::find, &p1(), &written.identity).unwrap();
        assert_eq!(found.as_ref(), Some(written));
    }
    let mut listed = read!(given, identities::list, &p1(), user.id).unwrap();
    listed.reverse();
    assert_eq!(listed, records, "the youngest comes first");
}

async fn an_identity_belongs_to_one_user(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let bob = user(2);
    write!(given, [bob], users::insert_many, &[&bob]).unwrap();
    given.known_as(vec![record(&ada, email("ada@example.com"))]).await;
    let thief = record(&bob, email("ada@example.com"));
    let refused = write!(given, [thief], identities::insert_many, &[(&p1(), &thief)]);
    assert!(matches!(refused, Err(Error::Taken(_))), "{refused:?}");
    let elsewhere: ProjectId = "p2".parse().unwrap();
    write!(given, [thief, elsewhere], identities::insert_many, &[(&elsewhere, &thief)]).unwrap();
    let owner = read!(given, identities::find, &p1(), &thief.identity).unwrap().unwrap();
    assert_eq!(owner.user, ada.id);
}

async fn many_vouches_find_their_users_at_once(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let users: Vec<_> = (2..=150).map(user).collect();
    write!(given, [users], users::insert_many, &users.iter().collect::<Vec<_>>()).unwrap();
    let address = |number: usize| email(&format!("user-{number}@example.com"));
    given.known_as(users.iter().enumerate().map(|(number, user)| record(user, address(number))).collect()).await;
    let wanted: Vec<Wanted> = (0..160)
        .map(|number| Wanted {
            project: p1(),
            client: "c1".parse().unwrap(),
            identities: vec![address(number), identity(IdentityKind::ExternalId, "nobody")],
        })
        .collect();
    let found = read!(given, identities::find_many, &wanted.iter().collect::<Vec<_>>()).unwrap();
    for (number, found) in found.into_iter().enumerate() {
        let owners: Vec<_> = found.unwrap().iter().map(|found| found.record.user).collect();
        let expected: Vec<_> = users.get(number).map(|user| user.id).into_iter().collect();
        assert_eq!(owners, expected, "vouch {number}");
    }
}

async fn a_merged_user_is_found_under_the_other(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let twin = user(2);
    write!(given, [twin], users::insert_many, &[&twin]).unwrap();
    given.known_as(vec![record(&twin, email("a@example.com")), record(&twin, email("b@example.com"))]).await;
    assert_eq!(write!(given, [ada, twin], identities::reassign, &p1(), twin.id, ada.id).unwrap(), 2);
    assert_eq!(read!(given, identities::list, &p1(), ada.id).unwrap().len(), 2);
    assert!(read!(given, identities::list, &p1(), twin.id).unwrap().is_empty());
}

async fn an_identity_is_taken_from_its_owner_only(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let address = email("ada@example.com");
    given.known_as(vec![record(&ada, address.clone())]).await;
    assert!(!write!(given, [address], identities::delete, &p1(), user(9).id, &address).unwrap());
    assert!(write!(given, [address, ada], identities::delete, &p1(), ada.id, &address).unwrap());
    assert!(read!(given, identities::find, &p1(), &address).unwrap().is_none());
}

async fn what_was_proved_is_not_taken_as_something_merely_said(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let address = email("ada@example.com");
    let said = IdentityRecord { verified_at: None, ..record(&ada, address.clone()) };
    given.known_as(vec![said.clone()]).await;
    assert!(!write!(given, [address], identities::prove, &p1(), user(9).id, &address, at(1)).unwrap());
    assert_eq!(read!(given, identities::find, &p1(), &address).unwrap(), Some(said.clone()));
    assert!(write!(given, [address, ada], identities::prove, &p1(), ada.id, &address, at(1)).unwrap());
    assert!(!write!(given, [address, ada], identities::delete_unproved, &p1(), ada.id, &address).unwrap());
    let kept = read!(given, identities::find, &p1(), &address).unwrap().unwrap();
    assert!(kept.is_proved_here());
    let other = IdentityRecord { identity: email("eve@example.com"), ..said };
    given.known_as(vec![other.clone()]).await;
    let wrong = user(9);
    assert!(!write!(given, [other, wrong], identities::delete_unproved, &p1(), wrong.id, &other.identity).unwrap());
    assert!(write!(given, [other, ada], identities::delete_unproved, &p1(), ada.id, &other.identity).unwrap());
    assert!(read!(given, identities::find, &p1(), &other.identity).unwrap().is_none());
}

async fn the_newest_that_was_proved_stands_for_a_user(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let best = async |kind| {
        let best = read!(given, identities::best, &p1(), ada.id, kind).unwrap();
        best.map(|best| (best.value, best.is_verified))
    };
    let told = |value: &str, is_verified| Some((value.to_owned(), is_verified));
    assert_eq!(best(IdentityKind::Email).await, None);
    let of = |address: &str, created: i64, verified: Option<i64>| IdentityRecord {
        verified_at: verified.map(at),
        created_at: at(created),
        ..record(&ada, email(address))
    };
    given.known_as(vec![of("b@example.com", 5, None), of("v@example.com", 4, None)]).await;
    assert_eq!(best(IdentityKind::Email).await, told("b@example.com", false), "none was proved");
    given.known_as(vec![of("old@example.com", 1, Some(3)), of("new@example.com", 2, Some(2))]).await;
    assert_eq!(best(IdentityKind::Email).await, told("new@example.com", true));
    assert_eq!(best(IdentityKind::Phone).await, None);
    let phone = IdentityRecord { verified_at: None, ..record(&ada, identity(IdentityKind::Phone, "+4930123456")) };
    given.known_as(vec![phone]).await;
    assert_eq!(best(IdentityKind::Phone).await, told("+4930123456", false));
    assert_eq!(read!(given, identities::best, &p1(), user(9).id, IdentityKind::Email).unwrap(), None);
}
