//! The hot paths: looking up, deciding and writing in one transaction that others share.

use countersign_domain::{audit::Act, id::MacKeyId, refresh::Rotation, user::User};
use countersign_storage::{
    audit,
    db::Db,
    error::Result,
    hot::{Moving, Newcomer, Opening, Written},
    identities::{self, Found, Wanted},
    sessions::{self, RotationUpdate, StoredSession},
    users,
};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{a_user, at, email, entry, p1, read, record, session, user, write};

on_both_engines!(
    a_session_is_opened_for_the_user_who_is_found,
    a_newcomer_comes_to_be_with_identity_session_and_entry,
    of_twenty_newcomers_of_one_address_one_comes_to_be,
    nothing_is_written_where_nothing_was_decided,
    a_session_moves_on_once_however_many_ask,
    an_entry_stands_only_for_what_came_to_be,
    a_decision_that_panics_spoils_nobody_elses,
);

fn wanted(address: &str) -> Wanted {
    Wanted { project: p1(), client: "c1".parse().unwrap(), identities: vec![email(address)] }
}

fn opening(user: &User, number: u8, newcomer: Option<Newcomer>) -> Opening {
    let mut said = entry(number, Act::SessionVouched);
    said.subject.user = Some(user.id);
    Opening { newcomer, session: session(user, number), audit: vec![said] }
}

fn newcomer(number: u8, address: &str) -> (User, Newcomer) {
    let user = user(number);
    let identities = vec![record(&user, email(address))];
    (user.clone(), Newcomer { user, identities })
}

async fn sign_up(db: Db, number: u8, address: &'static str) -> Result<(Vec<Found>, Written)> {
    db.open_session(wanted(address), move |found| {
        if !found.is_empty() {
            return None;
        }
        let (user, newcomer) = newcomer(number, address);
        Some(opening(&user, number, Some(newcomer)))
    })
    .await
}

async fn a_session_is_opened_for_the_user_who_is_found(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    given.known_as(vec![record(&ada, email("ada@example.com"))]).await;
    let user = ada.clone();
    let (found, written) = given
        .db
        .open_session(wanted("ada@example.com"), move |found| {
            assert_eq!(found[0].record.user, user.id);
            Some(opening(&user, 1, None))
        })
        .await
        .unwrap();
    assert_eq!((found.len(), written), (1, Written::Done));
    assert_eq!((found[0].generation, found[0].disabled_at), (0, None));
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 1);
    assert_eq!(read!(given, audit::list, &p1(), None, 10).unwrap().len(), 1);
}

async fn a_newcomer_comes_to_be_with_identity_session_and_entry(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let (found, written) = sign_up(given.db.clone(), 2, "new@example.com").await.unwrap();
    assert_eq!((found.len(), written), (0, Written::Done));
    let owner = read!(given, identities::find, &p1(), &email("new@example.com")).unwrap().unwrap().user;
    assert_eq!(owner, user(2).id);
    assert!(read!(given, users::find, &p1(), owner).unwrap().is_some());
    assert_eq!(read!(given, sessions::list_live, &p1(), owner, 9).unwrap().len(), 1);
    assert_eq!(read!(given, audit::list, &p1(), None, 9).unwrap()[0].user_id, Some(owner.to_string()));
}

async fn of_twenty_newcomers_of_one_address_one_comes_to_be(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let mut running = JoinSet::new();
    for number in 2..22 {
        running.spawn(sign_up(given.db.clone(), number, "race@example.com"));
    }
    let outcomes = running.join_all().await;
    let (mut done, mut found) = (0, 0);
    for outcome in outcomes {
        match outcome.unwrap() {
            (_, Written::Done) => done += 1,
            (seen, Written::Nothing) => found += usize::from(seen.len() == 1),
            (_, Written::Lost) => found += 1,
        }
    }
    assert_eq!((done, found), (1, 19));
    assert_eq!(read!(given, users::list, &p1(), None, 100).unwrap().len(), 2);
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 1);
    assert_eq!(read!(given, audit::list, &p1(), None, 100).unwrap().len(), 1, "who lost the race says nothing");
}

async fn nothing_is_written_where_nothing_was_decided(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let (_, written) = given.db.open_session(wanted("x@example.com"), |_| None).await.unwrap();
    assert_eq!(written, Written::Nothing);
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 0);
}

fn next(stored: &StoredSession, number: u8) -> Moving {
    let rotation = Rotation {
        generation: stored.session.rotation.generation + 1,
        rotated_at: at(i64::from(number)),
        mac_key: MacKeyId(1),
        ..stored.session.rotation.clone()
    };
    let update = RotationUpdate {
        project: p1(),
        session: stored.session.id,
        revision: stored.revision,
        rotation,
        idle_expires_at: at(3000),
        access_expires_at: at(3000),
    };
    Moving { update, audit: entry(number, Act::SessionRefreshed) }
}

async fn a_session_moves_on_once_however_many_ask(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let written = session(&ada, 1);
    write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    let mut running = JoinSet::new();
    for number in 1..=20 {
        let (db, id) = (given.db.clone(), written.session.id);
        running.spawn(async move {
            // Who comes second sees the first one's generation, and has nothing to move.
            let decide =
                move |stored: &StoredSession| (stored.session.rotation.generation == 1).then(|| next(stored, number));
            db.move_session(&p1(), id, decide).await.unwrap().1
        });
    }
    let outcomes = running.join_all().await;
    assert_eq!(outcomes.iter().filter(|written| **written == Written::Done).count(), 1, "{outcomes:?}");
    let found = read!(given, sessions::find, &p1(), written.session.id).unwrap().unwrap();
    assert_eq!(found.session.rotation.generation, 2);
}

async fn an_entry_stands_only_for_what_came_to_be(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let written = session(&ada, 1);
    write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    let id = written.session.id;
    let (_, lost) = given
        .db
        .move_session(&p1(), id, |stored| {
            let mut moving = next(stored, 1);
            moving.update.revision = 99;
            Some(moving)
        })
        .await
        .unwrap();
    assert_eq!(lost, Written::Lost);
    assert!(read!(given, audit::list, &p1(), None, 9).unwrap().is_empty());
    let (_, done) = given.db.move_session(&p1(), id, |stored| Some(next(stored, 2))).await.unwrap();
    assert_eq!(done, Written::Done);
    assert_eq!(read!(given, audit::list, &p1(), None, 9).unwrap().len(), 1);
    given.db.say(vec![entry(3, Act::VouchRefused)]).await.unwrap();
    assert_eq!(read!(given, audit::list, &p1(), None, 9).unwrap().len(), 2);
}

async fn a_decision_that_panics_spoils_nobody_elses(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let mut running = JoinSet::new();
    for (number, address) in [(2, "a@example.com"), (3, "b@example.com"), (4, "c@example.com")] {
        running.spawn(sign_up(given.db.clone(), number, address));
        let db = given.db.clone();
        running.spawn(async move { db.open_session(wanted("x@example.com"), |_| panic!("a mistake of ours")).await });
    }
    let outcomes = running.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 3);
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 3);
    let (_, written) = sign_up(given.db.clone(), 9, "later@example.com").await.unwrap();
    assert_eq!(written, Written::Done, "the writer goes on");
}
