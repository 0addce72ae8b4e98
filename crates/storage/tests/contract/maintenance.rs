//! Throwing away what is over.

use countersign_domain::session::EndReason;
use countersign_storage::{maintenance, sessions};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{a_user, at, p1, read, session, write};

on_both_engines!(expired_sessions_go_a_little_at_a_time, ended_sessions_go_and_live_ones_stay);

async fn expired_sessions_go_a_little_at_a_time(engine: Engine) {
    let (given, user) = a_user(engine).await;
    for number in 1..=5 {
        let mut written = session(&user, number);
        written.session.expires_at = at(i64::from(number) * 10);
        write!(given, [written], sessions::insert_many, &[&written]).unwrap();
    }
    let delete = async |limit| write!(given, [], maintenance::delete_expired_sessions, &p1(), at(40), limit);
    assert_eq!(delete(2).await.unwrap(), 2);
    assert_eq!(delete(2).await.unwrap(), 1);
    assert_eq!(delete(2).await.unwrap(), 0);
    let left: Vec<_> =
        read!(given, sessions::list_live, &p1(), user.id, 9).unwrap().iter().map(|found| found.id).collect();
    assert_eq!(left, [session(&user, 5).session.id, session(&user, 4).session.id], "one that ends now is not over");
}

async fn ended_sessions_go_and_live_ones_stay(engine: Engine) {
    let (given, user) = a_user(engine).await;
    for number in 1..=4 {
        let written = session(&user, number);
        write!(given, [written], sessions::insert_many, &[&written]).unwrap();
        if number < 4 {
            let (id, ended) = (written.session.id, at(i64::from(number) * 10));
            write!(given, [], sessions::end, &p1(), id, EndReason::SignedOut, ended).unwrap();
        }
    }
    assert_eq!(write!(given, [], maintenance::delete_ended_sessions, &p1(), at(30), 9).unwrap(), 2);
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 2);
}
