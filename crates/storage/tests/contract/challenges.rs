//! Codes that were sent to an address.

use countersign_crypto::one_time_code::OneTimeCodeHash;
use countersign_domain::{
    challenge::{Challenge, Purpose},
    id::ChallengeId,
    identity::{Identity, IdentityKind},
};
use countersign_storage::challenges::{self, Sought};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{Given, at, p1, schema};

on_both_engines!(
    a_code_is_live_until_it_is_spent,
    a_code_is_live_until_it_is_over_or_was_tried_too_often,
    the_newest_stay_when_another_is_sent,
    codes_of_others_are_left_alone,
    what_is_over_goes_a_little_at_a_time,
);

fn destination(address: &str) -> Identity {
    Identity::parse(IdentityKind::Email, address).unwrap()
}

fn challenge(second: i64, address: &str) -> Challenge {
    Challenge {
        project: p1(),
        id: ChallengeId::new(at(second), [address.as_bytes()[0]; 10]),
        purpose: Purpose::AppSignIn,
        destination: destination(address),
        created_at: at(second),
        expires_at: at(second + 600),
    }
}

fn sought(address: &str) -> Sought {
    Sought { project: p1(), purpose: Purpose::AppSignIn, destination: destination(address) }
}

fn hash(text: &str) -> OneTimeCodeHash {
    OneTimeCodeHash::from_text(text.to_owned())
}

async fn send(given: &Given, second: i64, address: &'static str) {
    let name = format!("{address} at {second}");
    given
        .write(move |mut conn| {
            let hash = hash(&name);
            Box::pin(async move { challenges::insert(&mut conn, &challenge(second, address), &hash, 2).await })
        })
        .await;
}

/// Tries whatever is live at a moment, and names it.
async fn tried(given: &Given, second: i64, address: &'static str, most: u32) -> Vec<String> {
    let live = given
        .write(move |mut conn| {
            Box::pin(async move { challenges::count_try(&mut conn, &sought(address), most, at(second)).await })
        })
        .await;
    let mut names: Vec<String> = live.iter().map(|(_, hash)| hash.as_str().to_owned()).collect();
    names.sort();
    names
}

async fn spend(given: &Given, second: i64, address: &'static str) -> usize {
    given
        .write(move |mut conn| {
            Box::pin(async move { challenges::spend(&mut conn, &sought(address), at(second)).await })
        })
        .await
}

async fn a_code_is_live_until_it_is_spent(engine: Engine) {
    let given = schema(engine).await;
    send(&given, 100, "a@example.com").await;
    send(&given, 101, "a@example.com").await;
    assert_eq!(tried(&given, 110, "a@example.com", 9).await, ["a@example.com at 100", "a@example.com at 101"]);
    assert_eq!(spend(&given, 111, "a@example.com").await, 2);
    assert!(tried(&given, 112, "a@example.com", 9).await.is_empty());
    assert_eq!(spend(&given, 113, "a@example.com").await, 0);
}

async fn a_code_is_live_until_it_is_over_or_was_tried_too_often(engine: Engine) {
    let given = schema(engine).await;
    send(&given, 100, "a@example.com").await;
    for _ in 0..3 {
        assert_eq!(tried(&given, 110, "a@example.com", 3).await.len(), 1);
    }
    assert!(tried(&given, 110, "a@example.com", 3).await.is_empty());
    assert_eq!(tried(&given, 699, "a@example.com", 9).await.len(), 1);
    assert!(tried(&given, 700, "a@example.com", 9).await.is_empty());
}

async fn the_newest_stay_when_another_is_sent(engine: Engine) {
    let given = schema(engine).await;
    for second in [100, 101, 102, 103] {
        send(&given, second, "a@example.com").await;
    }
    let live = tried(&given, 110, "a@example.com", 9).await;
    assert_eq!(live, ["a@example.com at 101", "a@example.com at 102", "a@example.com at 103"]);
}

async fn codes_of_others_are_left_alone(engine: Engine) {
    let given = schema(engine).await;
    for address in ["a@example.com", "b@example.com"] {
        for second in [100, 101, 102] {
            send(&given, second, address).await;
        }
    }
    assert_eq!(spend(&given, 111, "a@example.com").await, 3);
    assert_eq!(tried(&given, 112, "b@example.com", 9).await.len(), 3);
}

async fn what_is_over_goes_a_little_at_a_time(engine: Engine) {
    let given = schema(engine).await;
    for address in ["a@example.com", "b@example.com", "c@example.com"] {
        send(&given, 100, address).await;
    }
    send(&given, 200, "d@example.com").await;
    let delete = async |second: i64| {
        given
            .write(move |mut conn| Box::pin(async move { challenges::delete_expired(&mut conn, at(second), 2).await }))
            .await
    };
    assert_eq!(delete(699).await, 0);
    assert_eq!(delete(700).await, 2);
    assert_eq!(delete(700).await, 1);
    assert_eq!(tried(&given, 710, "d@example.com", 9).await.len(), 1);
}
