//! Browsers in which somebody is signed in, and what users consented to.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_crypto::{
    browser_cookie::{CookieHash, SessionCookie},
    entropy::Entropy,
};
use countersign_domain::{
    browser_session::BrowserSession,
    generations::Generations,
    id::{BrowserSessionId, ClientId, PasskeyId, ProjectId, UserId},
    oauth::scope::Scopes,
    proof::{Level, Method, Proof},
    user::User,
};
use countersign_storage::{browser_sessions, consents, db::Db, users};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::sync::Notify;

use crate::given::{Given, a_user, at, p1, read, user, write};

on_both_engines!(
    a_browser_session_reads_back_as_it_was_written_with_the_users_counter,
    it_is_known_by_its_own_cookie_alone,
    nobody_is_signed_in_who_may_not_be,
    one_that_was_ended_is_found_no_more_and_only_its_user_ends_it,
    what_a_passkey_is_to_answer_is_taken_up_once,
    what_is_over_goes_a_little_at_a_time,
    one_that_was_ended_goes_as_one_that_is_over,
    whoever_is_looked_at_to_write_is_not_signed_out_meanwhile,
    a_consent_that_is_looked_at_is_not_taken_back_meanwhile,
    a_consent_is_listed_until_it_is_taken_back,
    consent_is_for_one_user_and_one_client_and_the_newest_counts,
    a_user_who_is_forgotten_leaves_neither,
);

fn session(user: &User, number: u8) -> BrowserSession {
    BrowserSession {
        project: p1(),
        id: BrowserSessionId::new(at(i64::from(number)), [number; 10]),
        user: user.id,
        proof: Proof {
            methods: ["otp", "user"].map(|method| method.parse::<Method>().unwrap()).into(),
            level: Level::OneFactor,
            at: at(1),
        },
        passkey: Some(PasskeyId::from_bytes([number; 16])),
        generations: Generations { user: 0, project: 7, ..Generations::default() },
        user_agent: "a 'quoted' browser".to_owned(),
        created_at: at(i64::from(number)),
        expires_at: at(100 + i64::from(number)),
        ended_at: None,
    }
}

fn cookie(number: u8) -> CookieHash {
    SessionCookie::generate(BrowserSessionId::from_bytes([number; 16]), &Entropy::system()).hash()
}

async fn opened(engine: Engine) -> (Given, User, BrowserSession, CookieHash) {
    let (given, user) = a_user(engine).await;
    let (session, cookie) = (session(&user, 1), cookie(1));
    assert!(write!(given, [session], browser_sessions::insert, &session, cookie).unwrap());
    (given, user, session, cookie)
}

async fn a_browser_session_reads_back_as_it_was_written_with_the_users_counter(engine: Engine) {
    let (given, user, session, cookie) = opened(engine).await;
    let found = read!(given, browser_sessions::find, &p1(), session.id, cookie).unwrap().unwrap();
    assert_eq!((&found.session, found.user_generation), (&session, 0));
    write!(given, [], users::raise_generation, &p1(), user.id).unwrap();
    let found = read!(given, browser_sessions::find, &p1(), session.id, cookie).unwrap().unwrap();
    assert_eq!((&found.session, found.user_generation), (&session, 1));
    let listed = read!(given, browser_sessions::list, &p1(), user.id, at(50), 10).unwrap();
    assert_eq!(listed, [found]);
    assert_eq!(read!(given, browser_sessions::list, &p1(), user.id, at(101), 10).unwrap(), []);
}

async fn it_is_known_by_its_own_cookie_alone(engine: Engine) {
    let (given, _, session, own) = opened(engine).await;
    let p2: ProjectId = "p2".parse().unwrap();
    assert_eq!(read!(given, browser_sessions::find, &p1(), session.id, cookie(1)).unwrap(), None);
    assert_eq!(read!(given, browser_sessions::find, &p2, session.id, own).unwrap(), None);
    let other = BrowserSessionId::from_bytes([9; 16]);
    assert_eq!(read!(given, browser_sessions::find, &p1(), other, own).unwrap(), None);
}

async fn nobody_is_signed_in_who_may_not_be(engine: Engine) {
    let (given, user, session, own) = opened(engine).await;
    let locked = User { disabled_at: Some(at(4)), ..user.clone() };
    write!(given, [locked], users::update, &locked).unwrap();
    assert_eq!(read!(given, browser_sessions::find, &p1(), session.id, own).unwrap(), None);
    let another = self::session(&user, 2);
    assert!(!write!(given, [another], browser_sessions::insert, &another, cookie(2)).unwrap());
    let nobody = BrowserSession { user: UserId::from_bytes([5; 16]), ..self::session(&user, 3) };
    assert!(!write!(given, [nobody], browser_sessions::insert, &nobody, cookie(3)).unwrap());
}

async fn what_a_passkey_is_to_answer_is_taken_up_once(engine: Engine) {
    let (given, user, session, own) = opened(engine).await;
    let other = self::session(&user, 2);
    assert!(write!(given, [other], browser_sessions::insert, &other, cookie(2)).unwrap());
    let take = async |id| write!(given, [], browser_sessions::take_passkey_state, &p1(), id).unwrap();
    assert_eq!(take(session.id).await, None);
    for state in ["first", "a 'quoted' ünïcode one"] {
        write!(given, [], browser_sessions::keep_passkey_state, &p1(), session.id, state).unwrap();
    }
    assert_eq!(take(other.id).await, None);
    assert_eq!(take(session.id).await.as_deref(), Some("a 'quoted' ünïcode one"));
    assert_eq!(take(session.id).await, None);
    assert!(read!(given, browser_sessions::find, &p1(), session.id, own).unwrap().is_some());
}

async fn one_that_was_ended_is_found_no_more_and_only_its_user_ends_it(engine: Engine) {
    let (given, user, session, own) = opened(engine).await;
    let other = crate::given::user(2);
    assert!(!write!(given, [], browser_sessions::end, &p1(), other.id, session.id, at(9)).unwrap());
    assert!(write!(given, [], browser_sessions::end, &p1(), user.id, session.id, at(9)).unwrap());
    assert!(!write!(given, [], browser_sessions::end, &p1(), user.id, session.id, at(9)).unwrap());
    assert_eq!(read!(given, browser_sessions::find, &p1(), session.id, own).unwrap(), None);
    assert_eq!(read!(given, browser_sessions::list, &p1(), user.id, at(10), 10).unwrap(), []);
}

async fn what_is_over_goes_a_little_at_a_time(engine: Engine) {
    let (given, user, ..) = opened(engine).await;
    for number in 2..=4 {
        let session = session(&user, number);
        assert!(write!(given, [session], browser_sessions::insert, &session, cookie(number)).unwrap());
    }
    let delete = async |second| write!(given, [], browser_sessions::delete_expired, at(second), 2).unwrap();
    assert_eq!([delete(100).await, delete(103).await, delete(103).await], [0, 2, 1]);
    assert_eq!(read!(given, browser_sessions::list, &p1(), user.id, at(50), 10).unwrap().len(), 1);
}

async fn one_that_was_ended_goes_as_one_that_is_over(engine: Engine) {
    let (given, user, ended, _) = opened(engine).await;
    let (live, late) = (session(&user, 2), session(&user, 3));
    for (session, number) in [(&live, 2), (&late, 3)] {
        assert!(write!(given, [session], browser_sessions::insert, &session, cookie(number)).unwrap());
    }
    assert!(write!(given, [], browser_sessions::end, &p1(), user.id, ended.id, at(9)).unwrap());
    // It was over before, and goes no later for that.
    assert!(write!(given, [], browser_sessions::end, &p1(), user.id, late.id, at(200)).unwrap());
    let delete = async |second| write!(given, [], browser_sessions::delete_expired, at(second), 9).unwrap();
    assert_eq!([delete(8).await, delete(9).await, delete(9).await, delete(101).await], [0, 1, 0, 0]);
    assert!(read!(given, browser_sessions::hold, &p1(), live.id).unwrap().is_some());
    assert_eq!([delete(102).await, delete(103).await], [1, 1]);
}

type Order = Arc<Mutex<Vec<&'static str>>>;

/// Looks in a transaction that takes its time; meanwhile somebody else acts. In which order they come to their end.
async fn order<F>(
    looking: impl FnOnce(Order, Arc<Notify>) -> F,
    acting: impl AsyncFnOnce(Db),
    other: Db,
) -> Vec<&'static str>
where
    F: Future<Output = ()>,
{
    let (order, looked) = (Order::default(), Arc::new(Notify::new()));
    let look = looking(Arc::clone(&order), Arc::clone(&looked));
    let act = async {
        looked.notified().await;
        acting(other).await;
        order.lock().unwrap().push("acted");
    };
    tokio::join!(look, act);
    order.lock().unwrap().clone()
}

/// How long a transaction takes its time.
const WHILE: Duration = Duration::from_millis(300);

async fn whoever_is_looked_at_to_write_is_not_signed_out_meanwhile(engine: Engine) {
    let (given, user, session, _) = opened(engine).await;
    let (id, db) = (session.id, &given.db);
    let looking = |order: Order, looked: Arc<Notify>| async move {
        let work = db.write(move |mut conn| {
            let (order, looked) = (Arc::clone(&order), Arc::clone(&looked));
            Box::pin(async move {
                let held = browser_sessions::hold(&mut conn, &p1(), id).await?;
                assert!(held.is_some_and(|held| held.user_generation == 0));
                looked.notify_one();
                tokio::time::sleep(WHILE).await;
                order.lock().unwrap().push("looked");
                Ok(())
            })
        });
        work.await.unwrap();
    };
    let acting = async |db: Db| {
        let end = db.write(move |mut conn| {
            Box::pin(async move { browser_sessions::end(&mut conn, &p1(), user.id, id, at(9)).await })
        });
        assert!(end.await.unwrap());
    };
    assert_eq!(order(looking, acting, given.database.open().await).await, ["looked", "acted"]);
    assert_eq!(read!(given, browser_sessions::hold, &p1(), id).unwrap(), None);
}

async fn a_consent_that_is_looked_at_is_not_taken_back_meanwhile(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let (c1, scope) = ("c1".parse::<ClientId>().unwrap(), Scopes::parse("openid").unwrap());
    write!(given, [scope, c1], consents::put, &p1(), ada.id, &c1, &scope, at(1)).unwrap();
    let (db, client) = (&given.db, c1.clone());
    let looking = |order: Order, looked: Arc<Notify>| async move {
        let work = db.write(move |mut conn| {
            let (order, looked, client) = (Arc::clone(&order), Arc::clone(&looked), client.clone());
            Box::pin(async move {
                assert!(consents::find(&mut conn, &p1(), ada.id, &client).await?.is_some());
                looked.notify_one();
                tokio::time::sleep(WHILE).await;
                order.lock().unwrap().push("looked");
                Ok(())
            })
        });
        work.await.unwrap();
    };
    let acting = async |db: Db| {
        let delete = db.write(move |mut conn| {
            let c1 = c1.clone();
            Box::pin(async move { consents::delete(&mut conn, &p1(), ada.id, &c1).await })
        });
        assert!(delete.await.unwrap());
    };
    assert_eq!(order(looking, acting, given.database.open().await).await, ["looked", "acted"]);
}

async fn a_consent_is_listed_until_it_is_taken_back(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let clients: [ClientId; 3] = ["c1", "c2", "c3"].map(|id| id.parse().unwrap());
    for (client, second) in clients.iter().zip([1, 3, 3]) {
        let scope = Scopes::parse("openid email").unwrap();
        write!(given, [scope, client], consents::put, &p1(), ada.id, &client, &scope, at(second)).unwrap();
    }
    let listed = async || {
        let all = read!(given, consents::list, &p1(), ada.id).unwrap();
        all.into_iter().map(|it| (it.client, it.scope.to_string(), it.given_at)).collect::<Vec<_>>()
    };
    let expected = |number: usize, second| (clients[number].clone(), "openid email".to_owned(), at(second));
    assert_eq!(listed().await, [expected(1, 3), expected(2, 3), expected(0, 1)]);
    let (p2, c2): (ProjectId, _) = ("p2".parse().unwrap(), clients[1].clone());
    assert!(!write!(given, [p2, c2], consents::delete, &p2, ada.id, &c2).unwrap());
    assert!(!write!(given, [c2], consents::delete, &p1(), user(2).id, &c2).unwrap());
    assert!(write!(given, [c2], consents::delete, &p1(), ada.id, &c2).unwrap());
    assert!(!write!(given, [c2], consents::delete, &p1(), ada.id, &c2).unwrap());
    assert_eq!(listed().await, [expected(2, 3), expected(0, 1)]);
    assert!(read!(given, consents::list, &p2, ada.id).unwrap().is_empty());
}

async fn consent_is_for_one_user_and_one_client_and_the_newest_counts(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let (c1, c2): (ClientId, ClientId) = ("c1".parse().unwrap(), "c2".parse().unwrap());
    let scopes = |text: &str| Scopes::parse(text).unwrap();
    for asked in ["openid", "openid email"] {
        let scope = scopes(asked);
        write!(given, [scope, c1], consents::put, &p1(), ada.id, &c1, &scope, at(1)).unwrap();
    }
    assert_eq!(read!(given, consents::find, &p1(), ada.id, &c1).unwrap(), Some(scopes("openid email")));
    assert_eq!(read!(given, consents::find, &p1(), ada.id, &c2).unwrap(), None);
    assert_eq!(read!(given, consents::find, &p1(), user(2).id, &c1).unwrap(), None);
    assert_eq!(read!(given, consents::find, &"p2".parse().unwrap(), ada.id, &c1).unwrap(), None);
}

async fn a_user_who_is_forgotten_leaves_neither(engine: Engine) {
    let (given, ada, session, own) = opened(engine).await;
    let (c1, scope) = ("c1".parse::<ClientId>().unwrap(), Scopes::parse("openid").unwrap());
    write!(given, [scope, c1], consents::put, &p1(), ada.id, &c1, &scope, at(1)).unwrap();
    write!(given, [], users::delete, &p1(), ada.id).unwrap();
    assert_eq!(read!(given, browser_sessions::find, &p1(), session.id, own).unwrap(), None);
    assert_eq!(read!(given, consents::find, &p1(), ada.id, &c1).unwrap(), None);
    // Nothing of it comes back with another user of the same name.
    write!(given, [ada], users::insert_many, &[&ada]).unwrap();
    assert_eq!(read!(given, browser_sessions::find, &p1(), session.id, own).unwrap(), None);
}
