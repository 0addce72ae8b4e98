//! Passkeys.

use countersign_domain::{
    id::{PasskeyId, ProjectId},
    passkey::{Kept, Passkey},
    text::Name,
    user::User,
};
use countersign_storage::{
    error::Error,
    passkeys::{self, StoredPasskey, Use},
    users,
};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{Given, a_user, at, p1, read, user, write};

on_both_engines!(
    a_passkey_reads_back_as_it_was_written,
    a_users_passkeys_are_the_users_alone,
    a_credential_is_one_passkey_of_a_project,
    a_use_is_written_down,
    a_count_only_rises_and_none_stays_none,
    of_many_who_show_one_count_at_once_one_is_right,
    a_passkey_can_be_called_something_else_and_taken_away_by_its_user_alone,
    a_user_takes_the_passkeys_along,
    a_passkey_that_is_revoked_is_not_used_until_that_is_taken_back,
);

fn passkey(user: &User, number: u8, sign_count: u32) -> StoredPasskey {
    StoredPasskey {
        passkey: Passkey {
            project: user.project.clone(),
            id: PasskeyId::new(at(i64::from(number)), [number; 10]),
            user: user.id,
            name: "Ada's 'télephone'".parse().unwrap(),
            kept: if sign_count == 0 { Kept::Synced } else { Kept::OnDevice },
            sign_count,
            backed_up_at: (sign_count == 0).then(|| at(1)),
            created_at: at(1),
            last_used_at: None,
            last_attempted_at: None,
            revoked_at: None,
            user_agent: "Mozilla/5.0 'Ada'".to_owned(),
        },
        credential_id: format!("credential{number}"),
        credential: r#"{"cred":"a 'quoted' one"}"#.to_owned(),
    }
}

async fn having(engine: Engine, sign_count: u32) -> (Given, StoredPasskey) {
    let (given, owner) = a_user(engine).await;
    let stored = passkey(&owner, 1, sign_count);
    write!(given, [stored], passkeys::insert, &stored).unwrap();
    (given, stored)
}

fn used(stored: &StoredPasskey, sign_count: u32) -> Use {
    let passkey = &stored.passkey;
    Use {
        project: p1(),
        id: passkey.id,
        user: passkey.user,
        sign_count,
        is_backed_up: false,
        user_agent: "app/2".to_owned(),
        at: at(9),
    }
}

async fn found(given: &Given, stored: &StoredPasskey) -> Option<StoredPasskey> {
    read!(given, passkeys::find_by_credential, &p1(), &stored.credential_id).unwrap()
}

async fn a_passkey_reads_back_as_it_was_written(engine: Engine) {
    let (given, stored) = having(engine, 0).await;
    assert_eq!(found(&given, &stored).await.as_ref(), Some(&stored));
    assert_eq!(read!(given, passkeys::list, &p1(), stored.passkey.user).unwrap(), [stored]);
}

async fn a_users_passkeys_are_the_users_alone(engine: Engine) {
    let (given, first) = having(engine, 0).await;
    let other = user(2);
    let (second, others) = (passkey(&user(1), 2, 7), passkey(&other, 3, 7));
    for stored in [&second, &others] {
        write!(given, [stored], passkeys::insert, &stored).unwrap();
    }
    assert_eq!(read!(given, passkeys::list, &p1(), first.passkey.user).unwrap(), [first.clone(), second]);
    assert_eq!(read!(given, passkeys::list, &p1(), other.id).unwrap(), [others]);
    let p2: ProjectId = "p2".parse().unwrap();
    assert_eq!(read!(given, passkeys::list, &p2, first.passkey.user).unwrap(), []);
    assert_eq!(read!(given, passkeys::find_by_credential, &p2, &first.credential_id).unwrap(), None);
}

async fn a_credential_is_one_passkey_of_a_project(engine: Engine) {
    let (given, stored) = having(engine, 0).await;
    let mut again = passkey(&user(2), 2, 0);
    again.credential_id.clone_from(&stored.credential_id);
    let refused = write!(given, [again], passkeys::insert, &again);
    assert!(matches!(refused, Err(Error::Taken(_))), "{refused:?}");
    assert_eq!(found(&given, &stored).await.as_ref(), Some(&stored));
    again.passkey.project = "p2".parse().unwrap();
    write!(given, [again], passkeys::insert, &again).unwrap();
}

async fn a_use_is_written_down(engine: Engine) {
    let (given, stored) = having(engine, 0).await;
    let use_once = Use { is_backed_up: true, ..used(&stored, 0) };
    assert!(write!(given, [use_once], passkeys::record_use, &use_once).unwrap());
    let once = found(&given, &stored).await.unwrap().passkey;
    assert_eq!((once.last_used_at, once.backed_up_at), (Some(at(9)), Some(at(1))), "it was backed up before");
    let use_twice = Use { at: at(10), ..used(&stored, 0) };
    assert!(write!(given, [use_twice], passkeys::record_use, &use_twice).unwrap());
    let twice = found(&given, &stored).await.unwrap().passkey;
    assert_eq!((twice.last_used_at, twice.backed_up_at), (Some(at(10)), None), "the copy is gone");
    let use_again = Use { is_backed_up: true, at: at(11), ..used(&stored, 0) };
    assert!(write!(given, [use_again], passkeys::record_use, &use_again).unwrap());
    assert_eq!(found(&given, &stored).await.unwrap().passkey.backed_up_at, Some(at(11)));
    let foreign = Use { user: user(2).id, ..used(&stored, 0) };
    assert!(!write!(given, [foreign], passkeys::record_use, &foreign).unwrap());
}

async fn a_count_only_rises_and_none_stays_none(engine: Engine) {
    let (given, stored) = having(engine, 4).await;
    for (shown, is_right) in [(4, false), (3, false), (0, false), (5, true), (5, false), (u32::MAX, true), (6, false)] {
        let one = used(&stored, shown);
        assert_eq!(write!(given, [one], passkeys::record_use, &one).unwrap(), is_right, "{shown}");
    }
    assert_eq!(found(&given, &stored).await.unwrap().passkey.sign_count, u32::MAX);
    let uncounted = passkey(&user(1), 2, 0);
    write!(given, [uncounted], passkeys::insert, &uncounted).unwrap();
    for (shown, is_right) in [(0, true), (0, true), (1, true), (0, false)] {
        let one = used(&uncounted, shown);
        assert_eq!(write!(given, [one], passkeys::record_use, &one).unwrap(), is_right, "{shown}");
    }
}

async fn of_many_who_show_one_count_at_once_one_is_right(engine: Engine) {
    let (given, stored) = having(engine, 4).await;
    let mut users = JoinSet::new();
    for number in 0..20 {
        let db = if number % 2 == 0 { given.db.clone() } else { given.database.open().await };
        let one = used(&stored, 5);
        users.spawn(async move {
            let written = db.write(move |mut conn| {
                let one = one.clone();
                Box::pin(async move { passkeys::record_use(&mut conn, &one).await })
            });
            written.await.unwrap()
        });
    }
    assert_eq!(users.join_all().await.into_iter().filter(|is_right| *is_right).count(), 1);
}

async fn a_passkey_can_be_called_something_else_and_taken_away_by_its_user_alone(engine: Engine) {
    let (given, stored) = having(engine, 0).await;
    let (owner, other, id) = (stored.passkey.user, user(2).id, stored.passkey.id);
    let name: Name = "Key ring".parse().unwrap();
    assert!(!write!(given, [name], passkeys::rename, &p1(), other, id, &name).unwrap());
    assert!(write!(given, [name], passkeys::rename, &p1(), owner, id, &name).unwrap());
    assert_eq!(found(&given, &stored).await.unwrap().passkey.name, name);
    assert!(!write!(given, [], passkeys::delete, &p1(), other, id).unwrap());
    assert!(write!(given, [], passkeys::delete, &p1(), owner, id).unwrap());
    assert!(!write!(given, [], passkeys::delete, &p1(), owner, id).unwrap());
    assert_eq!(found(&given, &stored).await, None);
}

async fn a_user_takes_the_passkeys_along(engine: Engine) {
    let (given, stored) = having(engine, 0).await;
    let (second, others) = (passkey(&user(1), 2, 7), passkey(&user(2), 3, 7));
    for stored in [&second, &others] {
        write!(given, [stored], passkeys::insert, &stored).unwrap();
    }
    assert_eq!(write!(given, [], passkeys::delete_of_user, &p1(), user(2).id).unwrap(), 1);
    write!(given, [], users::delete, &p1(), user(1).id).unwrap();
    for gone in [&stored, &second, &others] {
        assert_eq!(found(&given, gone).await, None);
    }
}

async fn a_passkey_that_is_revoked_is_not_used_until_that_is_taken_back(engine: Engine) {
    let (given, stored) = having(engine, 7).await;
    let (owner, id) = (stored.passkey.user, stored.passkey.id);
    let stranger = user(2).id;
    let used = used(&stored, 8);
    assert!(!write!(given, [], passkeys::revoke, &p1(), stranger, id, at(5)).unwrap());
    assert!(!write!(given, [], passkeys::unrevoke, &p1(), owner, id).unwrap());
    assert!(write!(given, [], passkeys::hold_live, &p1(), owner, id).unwrap());
    // Only what is refused is an attempt.
    write!(given, [used], passkeys::record_attempt, &used).unwrap();
    assert_eq!(found(&given, &stored).await.unwrap().passkey.last_attempted_at, None);

    assert!(write!(given, [], passkeys::revoke, &p1(), owner, id, at(5)).unwrap());
    assert!(!write!(given, [], passkeys::revoke, &p1(), owner, id, at(6)).unwrap());
    assert!(!write!(given, [], passkeys::hold_live, &p1(), owner, id).unwrap());
    assert!(!write!(given, [used], passkeys::record_use, &used).unwrap());
    write!(given, [used], passkeys::record_attempt, &used).unwrap();
    let soon = Use { at: at(18), ..used.clone() };
    write!(given, [soon], passkeys::record_attempt, &soon).unwrap();
    let shown = found(&given, &stored).await.unwrap().passkey;
    assert_eq!((shown.revoked_at, shown.last_attempted_at, shown.last_used_at), (Some(at(5)), Some(at(9)), None));
    assert_eq!((shown.user_agent.as_str(), shown.sign_count), ("app/2", 7));
    let later = Use { at: at(19), ..used.clone() };
    write!(given, [later], passkeys::record_attempt, &later).unwrap();
    assert_eq!(found(&given, &stored).await.unwrap().passkey.last_attempted_at, Some(at(19)));

    assert!(!write!(given, [], passkeys::unrevoke, &p1(), stranger, id).unwrap());
    assert!(write!(given, [], passkeys::unrevoke, &p1(), owner, id).unwrap());
    assert!(write!(given, [used], passkeys::record_use, &used).unwrap());
    assert_eq!(read!(given, passkeys::find, &p1(), owner, id).unwrap().unwrap().passkey.revoked_at, None);
    assert_eq!(read!(given, passkeys::find, &p1(), stranger, id).unwrap(), None);
}
