//! The audit trail.

use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    id::AuditId,
};
use countersign_storage::audit;
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{a_user, at, entry, p1, read, session, write};

on_both_engines!(an_entry_reads_back_as_it_was_written, entries_come_in_their_order_from_where_one_left_off);

async fn an_entry_reads_back_as_it_was_written(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let new = session(&user, 1).session;
    let written = AuditEntry {
        actor: Actor::User(user.id),
        subject: Subject {
            user: Some(user.id),
            client: Some(new.client.clone()),
            session: Some(new.id),
            key: Some("key_1".to_owned()),
        },
        request: Some("req".to_owned()),
        detail: vec![("reason", "a \"quoted\" one".to_owned()), ("count", "5".to_owned())],
        ..entry(1, Act::SessionTheft)
    };
    write!(given, [written], audit::insert_many, &[&written]).unwrap();
    let found = read!(given, audit::list, &p1(), None, 10).unwrap().remove(0);
    assert_eq!((found.id, found.at, found.act.as_str()), (written.id, at(1).micros(), "session.theft"));
    assert_eq!((found.actor_kind.as_str(), found.actor_id), ("user", Some(user.id.to_string())));
    assert_eq!((found.user_id, found.client_id), (Some(user.id.to_string()), Some("c1".to_owned())));
    assert_eq!((found.session_id, found.key_id), (Some(new.id.to_string()), Some("key_1".to_owned())));
    assert_eq!(found.request_id.as_deref(), Some("req"));
    let detail: Vec<(&str, &str)> = found.detail.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(detail, [("count", "5"), ("reason", "a \"quoted\" one")]);
}

async fn entries_come_in_their_order_from_where_one_left_off(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let entries: Vec<AuditEntry> = (1..=100).map(|number| entry(number, Act::UserSet)).collect();
    write!(given, [entries], audit::insert_many, &entries.iter().collect::<Vec<_>>()).unwrap();
    let ids = |from: usize, to: usize| entries[from..to].iter().map(|entry| entry.id).collect::<Vec<AuditId>>();
    let newest = read!(given, audit::list, &p1(), None, 3).unwrap();
    assert_eq!(newest.iter().map(|found| found.id).collect::<Vec<_>>(), ids(97, 100));
    let after = read!(given, audit::list, &p1(), Some(entries[4].id), 3).unwrap();
    assert_eq!(after.iter().map(|found| found.id).collect::<Vec<_>>(), ids(5, 8));
    let elsewhere = "p2".parse().unwrap();
    assert!(read!(given, audit::list, &elsewhere, None, 3).unwrap().is_empty());
}
