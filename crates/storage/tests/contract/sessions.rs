//! Sessions.

use countersign_domain::{
    clock::Timestamp,
    generations::Generations,
    id::{MacKeyId, SessionId},
    proof::{Level, Proof},
    refresh::{CallerMarks, Mark, Rotation},
    session::{EndReason, Ended},
    thumbprint::Thumbprint,
};
use countersign_storage::{
    error::Error,
    sessions::{self, NewSession, RotationUpdate},
    users,
};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{a_user, at, p1, read, session, user, write};

on_both_engines!(
    a_session_reads_back_as_it_was_written,
    a_session_is_read_with_what_is_so_of_its_user_now,
    many_sessions_are_written_and_found_at_once,
    a_session_moves_on_from_the_row_that_was_read_and_from_no_other,
    of_two_rotations_of_one_session_the_first_wins,
    where_one_of_many_had_moved_on_nobody_is_told_a_lie,
    a_session_ends_once,
    an_ended_session_never_moves_on,
    the_oldest_sessions_are_beyond_the_cap,
    an_installation_is_known_by_its_device,
    the_last_access_token_of_a_user_is_known,
);

fn ids(sessions: &[NewSession]) -> Vec<SessionId> {
    sessions.iter().map(|new| new.session.id).collect()
}

async fn a_session_reads_back_as_it_was_written(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let mut written = session(&user, 1);
    written.session.vouched_by = Some("key_01HZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap());
    written.session.device = Some("phone 1 ü".parse().unwrap());
    written.session.proof = Proof {
        methods: ["vouch", "pwd", "hwk"].map(|method| method.parse().unwrap()).to_vec(),
        level: Level::TwoFactors,
        at: at(-5),
    };
    written.session.dpop_jkt = Some(Thumbprint([0xd1; 32]));
    written.session.generations = Generations { user: 7, client: 8, key: 9, project: 10 };
    write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    let found = read!(given, sessions::find, &p1(), written.session.id).unwrap().unwrap();
    assert_eq!(format!("{:?}", found.session), format!("{:?}", written.session));
    assert_eq!(found.session.device, written.session.device);
    assert_eq!(read!(given, sessions::list_live, &p1(), user.id, 9).unwrap()[0].dpop_jkt, written.session.dpop_jkt);
    assert_eq!((found.secret_hash, found.revision), (written.secret_hash, 1));
    let elsewhere = "p2".parse().unwrap();
    assert!(read!(given, sessions::find, &elsewhere, written.session.id).unwrap().is_none());
}

async fn a_session_is_read_with_what_is_so_of_its_user_now(engine: Engine) {
    let (given, mut user) = a_user(engine).await;
    let written = session(&user, 1);
    write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    user.disabled_at = Some(at(5));
    write!(given, [user], users::update, &user).unwrap();
    write!(given, [user], users::raise_generation, &p1(), user.id).unwrap();
    let found = read!(given, sessions::find, &p1(), written.session.id).unwrap().unwrap();
    assert_eq!((found.user_generation, found.user_disabled_at), (1, Some(at(5))));
}

async fn many_sessions_are_written_and_found_at_once(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let many: Vec<NewSession> = (0..=199).map(|number| session(&user, number)).collect();
    write!(given, [many], sessions::insert_many, &many.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 200);
    let wanted: Vec<_> = (100..=255).rev().map(|number| (p1(), session(&user, number).session.id)).collect();
    let found = read!(given, sessions::find_many, &wanted.iter().collect::<Vec<_>>()).unwrap();
    for ((_, id), found) in wanted.iter().zip(found) {
        let found = found.unwrap().map(|stored| stored.session.id);
        assert_eq!(found, ids(&many).contains(id).then_some(*id));
    }
}

fn moved(new: &NewSession, revision: i64, generation: u32) -> RotationUpdate {
    let rotation = Rotation {
        generation,
        rotated_at: at(50),
        rotated_by: Some(CallerMarks { network: Mark([1; 16]), agent: Mark([2; 16]) }),
        mac_key: MacKeyId(2),
        replays: 3,
        foreign_run: 4,
        foreign_generation: 5,
        behind_since: Some(at(6)),
    };
    RotationUpdate {
        project: p1(),
        session: new.session.id,
        revision,
        rotation,
        idle_expires_at: at(1050),
        access_expires_at: at(950),
    }
}

async fn a_session_moves_on_from_the_row_that_was_read_and_from_no_other(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let (written, other) = (session(&user, 1), session(&user, 2));
    write!(given, [written, other], sessions::insert_many, &[&written, &other]).unwrap();
    let update = moved(&written, 1, 2);
    assert_eq!(write!(given, [update], sessions::rotate_many, &[&update]).unwrap(), [true]);
    let found = read!(given, sessions::find, &p1(), written.session.id).unwrap().unwrap();
    assert_eq!((&found.session.rotation, found.revision), (&update.rotation, 2));
    assert_eq!((found.session.idle_expires_at, found.session.access_expires_at), (at(1050), at(950)));
    assert_eq!(found.session.expires_at, written.session.expires_at, "the absolute end stays");
    let stale = moved(&written, 1, 9);
    assert_eq!(write!(given, [stale], sessions::rotate_many, &[&stale]).unwrap(), [false]);
    let found = read!(given, sessions::find, &p1(), written.session.id).unwrap().unwrap();
    assert_eq!(found.session.rotation.generation, 2);
    let untouched = read!(given, sessions::find, &p1(), other.session.id).unwrap().unwrap();
    assert_eq!(untouched.revision, 1);
}

async fn of_two_rotations_of_one_session_the_first_wins(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let written = session(&user, 1);
    write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    let (first, second) = (moved(&written, 1, 2), moved(&written, 1, 3));
    let done = write!(given, [first, second], sessions::rotate_many, &[&first, &second]).unwrap();
    assert_eq!(done, [true, false]);
    let found = read!(given, sessions::find, &p1(), written.session.id).unwrap().unwrap();
    assert_eq!(found.session.rotation.generation, 2);
}

async fn where_one_of_many_had_moved_on_nobody_is_told_a_lie(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let (one, two) = (session(&user, 1), session(&user, 2));
    write!(given, [one, two], sessions::insert_many, &[&one, &two]).unwrap();
    let (good, stale) = (moved(&one, 1, 2), moved(&two, 7, 2));
    let mixed = write!(given, [good, stale], sessions::rotate_many, &[&good, &stale]);
    assert!(matches!(mixed, Err(Error::TryAgain(_))), "{mixed:?}");
    for written in [&one, &two] {
        let found = read!(given, sessions::find, &p1(), written.session.id).unwrap().unwrap();
        assert_eq!(found.session.rotation.generation, 1, "the transaction was rolled back");
    }
}

async fn a_session_ends_once(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let written = session(&user, 1);
    write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    let id = written.session.id;
    let end = async |reason, now| write!(given, [], sessions::end, &p1(), id, reason, now);
    assert_eq!(end(EndReason::Theft, at(10)).await.unwrap(), Some(at(900)));
    assert_eq!(end(EndReason::SignedOut, at(11)).await.unwrap(), None);
    let found = read!(given, sessions::find, &p1(), id).unwrap().unwrap();
    assert_eq!(found.session.ended, Some(Ended { at: at(10), reason: EndReason::Theft }));
    assert!(read!(given, sessions::list_live, &p1(), user.id, 10).unwrap().is_empty());
}

async fn an_ended_session_never_moves_on(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let written = session(&user, 1);
    write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    let id = written.session.id;
    write!(given, [], sessions::end, &p1(), id, EndReason::SignedOut, at(10)).unwrap();
    for revision in [1, 2] {
        let update = moved(&written, revision, 2);
        assert_eq!(write!(given, [update], sessions::rotate_many, &[&update]).unwrap(), [false]);
    }
}

async fn the_oldest_sessions_are_beyond_the_cap(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let bob = user(2);
    write!(given, [bob], users::insert_many, &[&bob]).unwrap();
    let mut many: Vec<NewSession> = (1..=6).map(|number| session(&ada, number)).collect();
    many[5].session.client = "c2".parse().unwrap();
    many.push(session(&bob, 9));
    write!(given, [many], sessions::insert_many, &many.iter().collect::<Vec<_>>()).unwrap();
    let newest = many[4].session.id;
    write!(given, [], sessions::end, &p1(), newest, EndReason::SignedOut, at(10)).unwrap();
    let client = "c1".parse().unwrap();
    let beyond = read!(given, sessions::list_beyond, &p1(), ada.id, &client, 2).unwrap();
    assert_eq!(beyond, [many[1].session.id, many[0].session.id], "of 1, 2, 3, 4 in c1, 3 and 4 may stay");
    let live: Vec<SessionId> =
        read!(given, sessions::list_live, &p1(), ada.id, 3).unwrap().iter().map(|found| found.id).collect();
    assert_eq!(live, [many[5].session.id, many[3].session.id, many[2].session.id], "the newest three");
}

async fn an_installation_is_known_by_its_device(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let mut many: Vec<NewSession> = (1..=4).map(|number| session(&user, number)).collect();
    many[0].session.device = Some("phone".parse().unwrap());
    many[1].session.device = Some("Phone".parse().unwrap());
    many[2].session.device = Some("phone".parse().unwrap());
    many[2].session.client = "c2".parse().unwrap();
    write!(given, [many], sessions::insert_many, &many.iter().collect::<Vec<_>>()).unwrap();
    let (client, device) = ("c1".parse().unwrap(), "phone".parse().unwrap());
    let found = read!(given, sessions::find_live_of_device, &p1(), user.id, &client, &device).unwrap();
    assert_eq!(found, [many[0].session.id]);
    let id = found[0];
    write!(given, [], sessions::end, &p1(), id, EndReason::Replaced, at(1)).unwrap();
    assert!(read!(given, sessions::find_live_of_device, &p1(), user.id, &client, &device).unwrap().is_empty());
}

async fn the_last_access_token_of_a_user_is_known(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let last = async || read!(given, sessions::last_access_expiry, &p1(), ada.id).unwrap();
    assert_eq!(last().await, None);
    let expiries: [Timestamp; 3] = [at(100), at(300), at(200)];
    for (number, access_expires_at) in (1..).zip(expiries) {
        let mut written = session(&ada, number);
        written.session.access_expires_at = access_expires_at;
        write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    }
    assert_eq!(last().await, Some(at(300)));
    let of_last = session(&ada, 2).session.id;
    write!(given, [], sessions::end, &p1(), of_last, EndReason::SignedOut, at(1)).unwrap();
    assert_eq!(last().await, Some(at(200)));
}
