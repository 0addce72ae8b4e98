//! Browsers in which somebody is signed in, and what users consented to.

use countersign_crypto::{
    browser_cookie::{CookieHash, SessionCookie},
    entropy::Entropy,
};
use countersign_domain::{
    browser_session::BrowserSession,
    generations::Generations,
    id::{BrowserSessionId, ClientId, ProjectId, UserId},
    oauth::scope::Scopes,
    proof::{Level, Method, Proof},
    user::User,
};
use countersign_storage::{browser_sessions, consents, users};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{Given, a_user, at, p1, read, user, write};

on_both_engines!(
    a_browser_session_reads_back_as_it_was_written_with_the_users_counter,
    it_is_known_by_its_own_cookie_alone,
    nobody_is_signed_in_who_may_not_be,
    one_that_was_ended_is_found_no_more_and_only_its_user_ends_it,
    what_a_passkey_is_to_answer_is_taken_up_once,
    what_is_over_goes_a_little_at_a_time,
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
