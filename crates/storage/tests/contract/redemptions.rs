//! Codes that open sessions, many in one transaction.

use countersign_domain::{audit::Act, id::ProjectId, identity::IdentityRecord, user::User};
use countersign_storage::{
    audit,
    authorization_codes::{self, FoundCode, SPENT_AS},
    error::Error,
    hot::{Redemption, Written},
    sessions,
    spent::Spend,
    users,
};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::{
    given::{Given, a_user, at, email, entry, p1, read, record, session, user, write},
    provider::{code, hash},
};

on_both_engines!(
    a_code_opens_one_session_however_many_show_it,
    many_codes_at_once_open_a_session_each,
    a_code_that_nobody_decided_for_stays_good,
    what_one_row_of_many_codes_holds_is_no_fault_of_the_others,
    a_code_is_found_with_its_user_as_things_stand,
);

fn redemption(of: &User, byte: u8, number: u8) -> Redemption {
    let spend = Spend { purpose: SPENT_AS, hash: hash(byte).to_text(), expires_at: at(60) };
    Redemption { spend, session: session(of, number), audit: entry(number, Act::SessionOpened) }
}

async fn issued(given: &Given, of: &User, bytes: impl IntoIterator<Item = u8>) {
    for byte in bytes {
        let written = code(of, byte);
        assert!(write!(given, [written], authorization_codes::insert, &written).unwrap());
    }
}

async fn a_code_opens_one_session_however_many_show_it(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    issued(&given, &ada, [1]).await;
    let mut running = JoinSet::new();
    for number in 1..=20 {
        // Half of them on a node of their own.
        let db = if number % 2 == 0 { given.db.clone() } else { given.database.open().await };
        let ada = ada.clone();
        running.spawn(async move {
            let decide = move |found: &FoundCode| (!found.is_used).then(|| redemption(&ada, 1, number));
            db.redeem_code(&p1(), hash(1), decide).await.unwrap()
        });
    }
    let mut done = 0;
    for (found, written) in running.join_all().await {
        match (found.unwrap().is_used, written) {
            (false, Written::Done) => done += 1,
            (false, Written::Lost) | (true, Written::Nothing) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 1);
    assert_eq!(read!(given, audit::list, &p1(), None, 100).unwrap().len(), 1, "who lost the race says nothing");
    assert!(read!(given, authorization_codes::find, &p1(), hash(1)).unwrap().unwrap().is_used);
}

async fn many_codes_at_once_open_a_session_each(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    issued(&given, &ada, 1..=80).await;
    let mut running = JoinSet::new();
    for byte in 1..=100 {
        let (db, ada) = (given.db.clone(), ada.clone());
        running.spawn(async move {
            let decide = move |found: &FoundCode| {
                assert_eq!(found.code.session, code(&ada, byte).code.session);
                Some(redemption(&ada, byte, byte))
            };
            (byte, db.redeem_code(&p1(), hash(byte), decide).await.unwrap())
        });
    }
    for (byte, (found, written)) in running.join_all().await {
        assert_eq!((found.is_some(), written == Written::Done), (byte <= 80, byte <= 80), "code {byte}: {written:?}");
    }
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 80);
}

async fn a_code_that_nobody_decided_for_stays_good(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    issued(&given, &ada, [1]).await;
    let (found, written) = given.db.redeem_code(&p1(), hash(1), |_| None).await.unwrap();
    assert_eq!((found.is_some(), written), (true, Written::Nothing));
    let p2: ProjectId = "p2".parse().unwrap();
    let (found, written) = given.db.redeem_code(&p2, hash(1), |_| panic!("there is none")).await.unwrap();
    assert_eq!((found, written), (None, Written::Nothing));
    assert_eq!(read!(given, sessions::count, &p1()).unwrap(), 0);
    let (_, written) = given.db.redeem_code(&p1(), hash(1), move |_| Some(redemption(&ada, 1, 1))).await.unwrap();
    assert_eq!(written, Written::Done);
}

async fn what_one_row_of_many_codes_holds_is_no_fault_of_the_others(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    issued(&given, &ada, [1, 2]).await;
    let spoil = format!("update authorization_codes set amr = 'x' where code_hash = '{}'", hash(1).to_text());
    given.database.execute(&spoil).await;
    let wanted = [(p1(), hash(1)), (p1(), hash(2)), (p1(), hash(3))];
    let found = read!(given, authorization_codes::find_many, &wanted.iter().collect::<Vec<_>>()).unwrap();
    assert!(matches!(found[0], Err(Error::Corrupt(_))), "{:?}", found[0]);
    assert_eq!(found[1].as_ref().unwrap().as_ref().unwrap().code.session, code(&ada, 2).code.session);
    assert!(matches!(found[2], Ok(None)));
}

async fn a_code_is_found_with_its_user_as_things_stand(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    issued(&given, &ada, [1]).await;
    let id = ada.id;
    write!(given, [], users::raise_generation, &p1(), id).unwrap();
    let proved = IdentityRecord { verified_at: Some(at(1)), ..record(&ada, email("ada@example.com")) };
    given.known_as(vec![proved]).await;
    let (here, mut elsewhere) = (session(&ada, 1), session(&ada, 2));
    elsewhere.session.client = "c2".parse().unwrap();
    write!(given, [here, elsewhere], sessions::insert_many, &[&here, &elsewhere]).unwrap();
    let find = async || read!(given, authorization_codes::find, &p1(), hash(1)).unwrap().unwrap();
    let found = find().await;
    assert_eq!((found.user_generation, found.sessions), (Some(1), 1));
    assert_eq!(found.email.map(|email| (email.value, email.is_verified)), Some(("ada@example.com".to_owned(), true)));
    let twin = user(2);
    write!(given, [twin], users::insert_many, &[&twin]).unwrap();
    for gone in [User { disabled_at: Some(at(1)), ..ada.clone() }, User { merged_into: Some(twin.id), ..ada.clone() }] {
        write!(given, [gone], users::update, &gone).unwrap();
        let found = find().await;
        assert_eq!((found.user_generation, found.email), (None, None), "nobody may be signed in as this one");
        assert_eq!(found.code.user, ada.id);
    }
}
