//! Opening a session for a user whom a door has proved.

use std::time::Duration;

use countersign_domain::id::UserId;
use countersign_service::{
    projects::state::StateChange,
    session::open::{OpenRefused, Opening},
};
use countersign_storage::spent::Spend;
use countersign_testkit::{
    bound::opening,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    token::claims,
};
use tokio::task::JoinSet;

use super::{SECOND, rows};

on_both_engines!(
    a_session_is_opened_with_its_entry_in_the_trail,
    what_a_session_is_bought_with_buys_one,
    of_many_who_buy_at_once_with_one_proof_one_gets_a_session,
    nobody_gets_a_session_who_is_not_there_or_locked_out_or_in_no_client,
    the_oldest_sessions_make_room,
    a_session_lives_no_longer_than_it_may,
);

async fn user(house: &House, email: &str) -> String {
    house.backend().sign_up(email).await.ok().text("uid")
}

fn spend(house: &House, hash: &str) -> Spend {
    let expires_at = house.node.service.now().plus(Duration::from_mins(1));
    Spend { purpose: "dpop", hash: hash.to_owned(), expires_at }
}

async fn a_session_is_opened_with_its_entry_in_the_trail(engine: Engine) {
    let house = House::open(engine).await;
    let uid = user(&house, "ada@example.com").await;
    let pair = house.open_session(opening(&uid, "c2")).await.unwrap();
    let said = claims(&pair.access_token);
    assert_eq!((&said["sub"], &said["client_id"]), (&uid.as_str().into(), &"c2".into()));
    assert_eq!((pair.token_type.as_str(), pair.dpop_nonce), ("Bearer", None));
    let entry = house.only_entry("session.opened").await;
    assert_eq!(entry.detail["bound"], "false");
    let bound = house.bound_app("bob@example.com").await;
    let entries = house.entries("session.opened").await;
    let of_bob = entries.iter().find(|entry| entry.detail["bound"] == "true").unwrap();
    assert_eq!(of_bob.session_id.as_deref(), Some(bound.app.session().as_str()));
}

async fn what_a_session_is_bought_with_buys_one(engine: Engine) {
    let house = House::open(engine).await;
    let other_node = house.another_node().await;
    let uid = user(&house, "ada@example.com").await;
    let buying = |hashes: &[&str]| {
        let spends = hashes.iter().map(|hash| spend(&house, hash)).collect();
        Opening { spends, ..opening(&uid, "c1") }
    };
    house.open_session(buying(&["one", "two"])).await.unwrap();
    let before = rows(&house).await;
    for again in [&["one", "two"][..], &["three", "two"], &["one", "four"]] {
        let refused = house.open_session(buying(again)).await.err();
        assert!(matches!(refused, Some(OpenRefused::Spent)), "{again:?}");
    }
    assert_eq!(rows(&house).await, before);
    // What stood before the one that was spent is spent, what stood after it isn't.
    assert!(matches!(house.open_session(buying(&["three"])).await.err(), Some(OpenRefused::Spent)));
    house.open_session(buying(&["four"])).await.unwrap();
    drop(other_node);
}

async fn of_many_who_buy_at_once_with_one_proof_one_gets_a_session(engine: Engine) {
    let house = std::sync::Arc::new(House::open(engine).await);
    let uid = user(&house, "ada@example.com").await;
    let before = house.books().await;
    let mut buyers = JoinSet::new();
    for _ in 0..20 {
        let (house, uid) = (std::sync::Arc::clone(&house), uid.clone());
        buyers.spawn(async move {
            let spends = vec![spend(&house, "one")];
            house.open_session(Opening { spends, ..opening(&uid, "c1") }).await.is_ok()
        });
    }
    let opened = buyers.join_all().await.into_iter().filter(|opened| *opened).count();
    assert_eq!((opened, house.books().await.sessions), (1, before.sessions + 1));
}

async fn nobody_gets_a_session_who_is_not_there_or_locked_out_or_in_no_client(engine: Engine) {
    let house = House::open(engine).await;
    let uid = user(&house, "ada@example.com").await;
    let id: UserId = uid.parse().unwrap();
    let before = rows(&house).await;
    let stranger = opening("u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "c1");
    assert!(matches!(house.open_session(stranger).await.err(), Some(OpenRefused::NoSuchUser)));
    assert!(matches!(house.open_session(opening(&uid, "c9")).await.err(), Some(OpenRefused::UnknownClient)));
    assert_eq!(rows(&house).await, before);
    house.node.service.change_user_state(&p1(), id, StateChange::Disable).await.unwrap();
    let bought = Opening { spends: vec![spend(&house, "one")], ..opening(&uid, "c1") };
    assert!(matches!(house.open_session(bought).await.err(), Some(OpenRefused::UserDisabled)));
    house.node.service.change_user_state(&p1(), id, StateChange::Enable).await.unwrap();
    let bought = Opening { spends: vec![spend(&house, "one")], ..opening(&uid, "c1") };
    house.open_session(bought).await.expect("what bought nothing was not spent");
}

async fn the_oldest_sessions_make_room(engine: Engine) {
    let house = House::open(engine).await;
    house.set_client("c2", &["session.cap=2"]).await;
    let uid = user(&house, "ada@example.com").await;
    let mut pairs = Vec::new();
    for _ in 0..3 {
        pairs.push(house.open_session(opening(&uid, "c2")).await.unwrap());
        house.advance(SECOND).await;
    }
    let bearer = |token: &str| house.node.client().with("authorization", &format!("Bearer {token}"));
    assert_eq!(bearer(&pairs[0].access_token).get("/v1/me").await.status(), 401);
    for pair in &pairs[1..] {
        bearer(&pair.access_token).get("/v1/me").await.is_ok();
    }
    assert_eq!(house.only_entry("session.ended").await.detail["reason"], "cap");
}

async fn a_session_lives_no_longer_than_it_may(engine: Engine) {
    let house = House::open(engine).await;
    let uid = user(&house, "ada@example.com").await;
    let short = Opening { longest: Some(Duration::from_mins(5)), ..opening(&uid, "c1") };
    let pair = house.open_session(short).await.unwrap();
    assert_eq!(pair.refresh_expires_in, Duration::from_mins(5));
    assert!(pair.access_expires_in <= Duration::from_mins(5));
    let long = Opening { longest: Some(Duration::from_hours(24 * 365)), ..opening(&uid, "c1") };
    let pair = house.open_session(long).await.unwrap();
    assert_eq!(pair.refresh_expires_in, Duration::from_hours(24 * 45), "a client's setting is the most");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_is_kept_for_an_hour_longer_than_it_could_come_again_and_then_goes() {
    let house = House::open(Engine::Sqlite).await;
    let uid = user(&house, "ada@example.com").await;
    let buying = || Opening { spends: vec![spend(&house, "one")], ..opening(&uid, "c1") };
    house.open_session(buying()).await.unwrap();
    let kept = async || house.database.number("select count(*) from spent").await;
    house.advance(Duration::from_hours(1)).await;
    house.node.service.maintain().await;
    assert_eq!(kept().await, 1);
    assert!(matches!(house.open_session(buying()).await.err(), Some(OpenRefused::Spent)));
    house.advance(Duration::from_mins(1)).await;
    house.node.service.maintain().await;
    assert_eq!(kept().await, 0);
}
