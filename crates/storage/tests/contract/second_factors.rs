//! Second factors, what users wish of them, and recovery codes.

use countersign_crypto::typed_code::TypedCodeHash;
use countersign_domain::{
    identity::{Identity, IdentityKind},
    mfa::{Factor, FactorKind, Preference},
};
use countersign_storage::{
    mfa_preferences, recovery_codes,
    second_factors::{self, StoredFactor},
    users,
};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{Given, a_user, at, p1, read, user, write};

on_both_engines!(
    factors_read_back_what_was_used_last_first,
    one_of_a_kind_takes_the_place_of_the_other,
    the_code_of_a_step_is_taken_once_and_none_before_it,
    of_many_who_show_one_step_at_once_one_is_right,
    a_factor_whose_codes_go_elsewhere_by_now_is_not_used,
    all_but_one_kind_can_be_taken_away,
    what_a_user_wishes_is_the_last_they_said,
    a_recovery_code_is_good_once_and_new_ones_end_the_old,
    of_many_who_show_one_recovery_code_at_once_one_is_right,
    a_user_takes_the_factors_along,
);

const SEED: &str = "a sealed 'seed'";

fn totp() -> StoredFactor {
    let factor = Factor { kind: FactorKind::Totp, contact: None, created_at: at(1), last_used_at: None };
    StoredFactor { factor, sealed_seed: Some(SEED.to_owned()), used_step: 7 }
}

fn phone(number: &str) -> Identity {
    Identity::parse(IdentityKind::Phone, number).unwrap()
}

fn sms(second: i64) -> StoredFactor {
    let contact = Some(phone("+15551234567"));
    let factor = Factor { kind: FactorKind::Sms, contact, created_at: at(second), last_used_at: None };
    StoredFactor { factor, sealed_seed: None, used_step: 0 }
}

async fn put(given: &Given, stored: &StoredFactor) {
    write!(given, [stored], second_factors::put, &p1(), user(1).id, &stored).unwrap();
}

async fn kinds(given: &Given) -> Vec<FactorKind> {
    let all = read!(given, second_factors::list, &p1(), user(1).id).unwrap();
    all.into_iter().map(|stored| stored.factor.kind).collect()
}

async fn use_step(given: &Given, step: i64) -> bool {
    write!(given, [], second_factors::use_step, &p1(), user(1).id, SEED, step, at(step)).unwrap()
}

async fn factors_read_back_what_was_used_last_first(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    put(&given, &totp()).await;
    put(&given, &sms(2)).await;
    assert_eq!(read!(given, second_factors::list, &p1(), ada.id).unwrap(), [sms(2), totp()]);
    assert_eq!(read!(given, second_factors::list, &p1(), user(2).id).unwrap(), []);
    assert_eq!(read!(given, second_factors::list, &"p2".parse().unwrap(), ada.id).unwrap(), []);
    assert!(use_step(&given, 8).await);
    assert_eq!(kinds(&given).await, [FactorKind::Totp, FactorKind::Sms]);
}

async fn one_of_a_kind_takes_the_place_of_the_other(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    put(&given, &totp()).await;
    assert!(use_step(&given, 9).await);
    let other = StoredFactor { sealed_seed: Some("another".to_owned()), used_step: 3, ..totp() };
    put(&given, &other).await;
    assert_eq!(read!(given, second_factors::list, &p1(), ada.id).unwrap(), [other]);
    assert!(!use_step(&given, 10).await, "the old seed was taken");
}

async fn the_code_of_a_step_is_taken_once_and_none_before_it(engine: Engine) {
    let (given, _) = a_user(engine).await;
    put(&given, &totp()).await;
    let mut taken = Vec::new();
    for step in [7, 8, 8, 7, 10, 9] {
        taken.push(use_step(&given, step).await);
    }
    assert_eq!(taken, [false, true, false, false, true, false]);
}

async fn of_many_who_show_one_step_at_once_one_is_right(engine: Engine) {
    let (given, _) = a_user(engine).await;
    put(&given, &totp()).await;
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let db = given.db.clone();
        tries.spawn(async move {
            let work = db.write(|mut conn| {
                Box::pin(async move { second_factors::use_step(&mut conn, &p1(), user(1).id, SEED, 8, at(8)).await })
            });
            work.await.unwrap()
        });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|was_taken| *was_taken).count(), 1);
}

async fn a_factor_whose_codes_go_elsewhere_by_now_is_not_used(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    put(&given, &sms(1)).await;
    for (number, is_used) in [("+15551234568", false), ("+15551234567", true)] {
        let number = phone(number);
        let used =
            write!(given, [number], second_factors::record_use, &p1(), user(1).id, FactorKind::Sms, &number, at(5));
        assert_eq!(used.unwrap(), is_used);
    }
    let all = read!(given, second_factors::list, &p1(), ada.id).unwrap();
    assert_eq!(all[0].factor.last_used_at, Some(at(5)));
}

async fn all_but_one_kind_can_be_taken_away(engine: Engine) {
    let (given, _) = a_user(engine).await;
    put(&given, &totp()).await;
    put(&given, &sms(2)).await;
    let gone = write!(given, [], second_factors::delete_others, &p1(), user(1).id, FactorKind::Sms).unwrap();
    assert_eq!((gone, kinds(&given).await), (vec![FactorKind::Totp], vec![FactorKind::Sms]));
    let delete = async || write!(given, [], second_factors::delete, &p1(), user(1).id, FactorKind::Sms).unwrap();
    assert_eq!([delete().await, delete().await], [true, false]);
}

async fn what_a_user_wishes_is_the_last_they_said(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    assert_eq!(read!(given, mfa_preferences::find, &p1(), ada.id).unwrap(), None);
    for preference in Preference::ALL {
        write!(given, [], mfa_preferences::put, &p1(), user(1).id, preference, at(1)).unwrap();
        assert_eq!(read!(given, mfa_preferences::find, &p1(), ada.id).unwrap(), Some(preference));
    }
    assert_eq!(read!(given, mfa_preferences::find, &p1(), user(2).id).unwrap(), None);
}

fn code(digit: u8) -> TypedCodeHash {
    TypedCodeHash::of_unverified(&digit.to_string().repeat(16)).unwrap()
}

async fn replace(given: &Given, digits: [u8; 2]) {
    let hashes = digits.map(code);
    write!(given, [hashes], recovery_codes::replace, &p1(), user(1).id, &hashes, at(1)).unwrap();
}

async fn spend(given: &Given, digit: u8) -> bool {
    write!(given, [], recovery_codes::spend, &p1(), user(1).id, code(digit), at(2)).unwrap()
}

async fn a_recovery_code_is_good_once_and_new_ones_end_the_old(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    replace(&given, [1, 2]).await;
    assert_eq!([spend(&given, 3).await, spend(&given, 1).await, spend(&given, 1).await], [false, true, false]);
    assert_eq!(read!(given, recovery_codes::count, &p1(), ada.id).unwrap(), 1);
    replace(&given, [3, 4]).await;
    assert_eq!([spend(&given, 2).await, spend(&given, 4).await], [false, true]);
    assert_eq!(read!(given, recovery_codes::count, &p1(), user(2).id).unwrap(), 0);
}

async fn of_many_who_show_one_recovery_code_at_once_one_is_right(engine: Engine) {
    let (given, _) = a_user(engine).await;
    replace(&given, [1, 2]).await;
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let db = given.db.clone();
        tries.spawn(async move {
            let work = db.write(|mut conn| {
                Box::pin(async move { recovery_codes::spend(&mut conn, &p1(), user(1).id, code(1), at(2)).await })
            });
            work.await.unwrap()
        });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|was_spent| *was_spent).count(), 1);
}

async fn a_user_takes_the_factors_along(engine: Engine) {
    for forgets_the_user in [true, false] {
        let (given, ada) = a_user(engine).await;
        put(&given, &totp()).await;
        replace(&given, [1, 2]).await;
        write!(given, [], mfa_preferences::put, &p1(), user(1).id, Preference::Always, at(1)).unwrap();
        if forgets_the_user {
            write!(given, [], users::delete, &p1(), ada.id).unwrap();
        } else {
            write!(given, [], second_factors::delete_of_user, &p1(), ada.id).unwrap();
        }
        for table in ["second_factors", "recovery_codes", "mfa_preferences"] {
            assert_eq!(given.database.number(&format!("select count(*) from {table}")).await, 0, "{table}");
        }
    }
}
