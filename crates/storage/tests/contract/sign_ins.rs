//! Sign-ins that are under way.

use countersign_crypto::{
    one_time_code::OneTimeCodeHash, secret::SecretText, sign_in_handle::HandleHash, sign_in_link::LinkHash,
};
use countersign_domain::{
    id::{ChallengeId, ProjectId, SignInId, StepUpId, UserId},
    identity::{Identity, IdentityKind},
    risk::Assessment,
    sign_in::{Purpose, SignIn, Step},
    thumbprint::Thumbprint,
};
use countersign_storage::sign_ins::{self, KeptSignIn, take_up};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{Given, at, p1, read, schema, write};

on_both_engines!(
    a_sign_in_reads_back_as_it_was_written,
    nobody_need_have_said_who_they_are_nor_any_client_ask,
    it_is_known_by_its_newest_handle_alone,
    of_many_who_take_it_up_at_once_one_does,
    what_has_ended_is_taken_up_no_more,
    what_is_over_goes_a_little_at_a_time,
);

fn handle(name: &str) -> HandleHash {
    HandleHash::of(&SecretText::new(name.to_owned()))
}

fn email(address: &str) -> Identity {
    Identity::parse(IdentityKind::Email, address).unwrap()
}

fn sign_in(number: u8) -> SignIn {
    SignIn {
        project: p1(),
        id: SignInId::new(at(0), [number; 10]),
        purpose: Purpose::Client {
            client: "c3".parse().unwrap(),
            request: r#"{"nonce":"a 'quoted' ünïcode one"}"#.to_owned(),
        },
        identity: Some(email("a@example.com")),
        dpop_jkt: Some(Thumbprint([number; 32])),
        step: Step::Choosing,
        sends: 0,
        risk: Assessment::default(),
        created_at: at(0),
        expires_at: at(100 + i64::from(number)),
    }
}

fn risky() -> Assessment {
    "new_device,many_failures".parse().unwrap()
}

async fn begun(engine: Engine) -> Given {
    let given = schema(engine).await;
    write!(given, [], sign_ins::insert, &sign_in(1), &handle("first")).unwrap();
    given
}

async fn taken(given: &Given, shown: &str, next: &str) -> Option<KeptSignIn> {
    let (shown, next) = (handle(shown), handle(next));
    write!(given, [], take_up, &p1(), sign_in(1).id, &shown, &next).unwrap()
}

async fn a_sign_in_reads_back_as_it_was_written(engine: Engine) {
    let given = begun(engine).await;
    let found = read!(given, sign_ins::find, &p1(), sign_in(1).id, &handle("first")).unwrap().unwrap();
    assert_eq!(found, KeptSignIn::of(sign_in(1)));
    let sent = sign_in(1).send(ChallengeId::new(at(5), [9; 10]), at(5)).unwrap().mistaken();
    let kept = KeptSignIn {
        sign_in: sent,
        code_hash: Some(OneTimeCodeHash::from_text("hash".to_owned())),
        link_hash: LinkHash::of("AAAAAAAAAAAAAAAAAAAAAA"),
        passkey_state: Some(r#"{"challenge":"a 'quoted' ünïcode one"}"#.to_owned()),
    };
    write!(given, [kept], sign_ins::update, &kept).unwrap();
    assert_eq!(taken(&given, "first", "second").await, Some(kept.clone()));
    let other = kept.sign_in.named(email("b@example.com"), at(6)).unwrap();
    let other = KeptSignIn::of(other);
    write!(given, [other], sign_ins::update, &other).unwrap();
    assert_eq!(taken(&given, "second", "third").await, Some(other.clone()));
    let known = KeptSignIn { sign_in: other.sign_in.proved(UserId::from_bytes([3; 16]), risky()), ..other };
    write!(given, [known], sign_ins::update, &known).unwrap();
    assert_eq!(taken(&given, "third", "fourth").await, Some(known));
}

async fn nobody_need_have_said_who_they_are_nor_any_client_ask(engine: Engine) {
    let given = schema(engine).await;
    let nobody = SignIn { purpose: Purpose::Account, identity: None, dpop_jkt: None, ..sign_in(1) };
    write!(given, [nobody], sign_ins::insert, &nobody, &handle("first")).unwrap();
    let found = read!(given, sign_ins::find, &p1(), nobody.id, &handle("first")).unwrap().unwrap();
    assert_eq!(found.sign_in, nobody);
    let purpose = Purpose::StepUp {
        client: "c3".parse().unwrap(),
        step_up: StepUpId::new(at(0), [8; 10]),
        user: UserId::from_bytes([3; 16]),
        back: Some("{}".to_owned()),
    };
    let stepping_up = SignIn { id: SignInId::new(at(0), [3; 10]), purpose, ..nobody.clone() };
    write!(given, [stepping_up], sign_ins::insert, &stepping_up, &handle("third")).unwrap();
    let found = read!(given, sign_ins::find, &p1(), stepping_up.id, &handle("third")).unwrap().unwrap();
    assert_eq!(found.sign_in, stepping_up);
    let known = SignIn { id: SignInId::new(at(0), [2; 10]), ..nobody.proved(UserId::from_bytes([3; 16]), risky()) };
    write!(given, [known], sign_ins::insert, &known, &handle("second")).unwrap();
    let found = read!(given, sign_ins::find, &p1(), known.id, &handle("second")).unwrap().unwrap();
    assert_eq!(found.sign_in, known);
}

async fn it_is_known_by_its_newest_handle_alone(engine: Engine) {
    let given = begun(engine).await;
    assert_eq!(taken(&given, "another", "second").await, None);
    assert!(taken(&given, "first", "second").await.is_some());
    assert_eq!(taken(&given, "first", "third").await, None);
    assert!(taken(&given, "second", "third").await.is_some());
    let p2: ProjectId = "p2".parse().unwrap();
    assert_eq!(read!(given, sign_ins::find, &p2, sign_in(1).id, &handle("third")).unwrap(), None);
    assert!(read!(given, sign_ins::find, &p1(), sign_in(1).id, &handle("third")).unwrap().is_some());
}

async fn of_many_who_take_it_up_at_once_one_does(engine: Engine) {
    let given = begun(engine).await;
    let mut takers = JoinSet::new();
    for number in 0..20 {
        let db = if number % 2 == 0 { given.db.clone() } else { given.database.open().await };
        takers.spawn(async move {
            let next = handle(&number.to_string());
            let taken = db.write(move |mut conn| {
                Box::pin(async move { take_up(&mut conn, &p1(), sign_in(1).id, &handle("first"), &next).await })
            });
            taken.await.unwrap().is_some()
        });
    }
    assert_eq!(takers.join_all().await.into_iter().filter(|taken| *taken).count(), 1);
}

async fn what_has_ended_is_taken_up_no_more(engine: Engine) {
    let given = begun(engine).await;
    write!(given, [], sign_ins::end, &p1(), sign_in(1).id, at(10)).unwrap();
    assert_eq!(taken(&given, "first", "second").await, None);
    assert_eq!(read!(given, sign_ins::find, &p1(), sign_in(1).id, &handle("first")).unwrap(), None);
}

async fn what_is_over_goes_a_little_at_a_time(engine: Engine) {
    let given = schema(engine).await;
    for number in 1..=4 {
        write!(given, [], sign_ins::insert, &sign_in(number), &handle("first")).unwrap();
    }
    let delete = async |second| write!(given, [], sign_ins::delete_expired, at(second), 2).unwrap();
    assert_eq!(delete(100).await, 0);
    assert_eq!(delete(103).await, 2);
    assert_eq!(delete(103).await, 1);
    assert!(read!(given, sign_ins::find, &p1(), sign_in(4).id, &handle("first")).unwrap().is_some());
}
