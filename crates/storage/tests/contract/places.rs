//! From where users signed in.

use countersign_domain::{
    refresh::Mark,
    risk::{PLACES, Place, Seen},
};
use countersign_storage::{sign_in_places, users};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{Given, a_user, at, p1, read, user, write};

on_both_engines!(
    a_user_was_seen_where_they_signed_in_and_nobody_else_was,
    those_that_were_seen_last_are_kept_and_no_more,
    a_place_is_forgotten_when_nobody_came_from_there_for_long,
    a_user_who_is_forgotten_was_nowhere,
);

fn place(number: u8) -> Place {
    Place { network: Mark([number; 16]), agent: Mark([200; 16]), device: Mark([100 + number; 16]) }
}

async fn remember(given: &Given, place: Place, second: i64) {
    write!(given, [], sign_in_places::remember, &p1(), user(1).id, &place, at(second)).unwrap();
}

async fn seen(given: &Given) -> Seen {
    read!(given, sign_in_places::seen, &p1(), user(1).id).unwrap()
}

async fn a_user_was_seen_where_they_signed_in_and_nobody_else_was(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    assert_eq!(seen(&given).await, Seen::default());
    for (number, second) in [(1, 1), (2, 2), (1, 3)] {
        remember(&given, place(number), second).await;
    }
    let marks = |numbers: [u8; 2]| numbers.map(|number| Mark([number; 16])).to_vec();
    assert_eq!(seen(&given).await, Seen { networks: marks([1, 2]), devices: marks([101, 102]) });
    assert_eq!(read!(given, sign_in_places::seen, &p1(), user(2).id).unwrap(), Seen::default());
    assert_eq!(read!(given, sign_in_places::seen, &"p2".parse().unwrap(), ada.id).unwrap(), Seen::default());
}

async fn those_that_were_seen_last_are_kept_and_no_more(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let many = u8::try_from(PLACES).unwrap();
    for number in 0..many {
        remember(&given, place(number), i64::from(number)).await;
    }
    // The oldest is seen again, so that the second is the one to go.
    remember(&given, place(0), 50).await;
    remember(&given, place(many), 60).await;
    write!(given, [], sign_in_places::forget_oldest, &p1(), user(1).id).unwrap();
    let networks = seen(&given).await.networks;
    assert_eq!(networks.len(), usize::from(many));
    assert!(networks.contains(&place(0).network) && networks.contains(&place(many).network));
    assert!(!networks.contains(&place(1).network));
    assert_eq!(given.database.number("select count(*) from sign_in_places").await, i64::from(PLACES));
}

async fn a_place_is_forgotten_when_nobody_came_from_there_for_long(engine: Engine) {
    let (given, _) = a_user(engine).await;
    for number in 1..=4 {
        remember(&given, place(number), i64::from(number)).await;
    }
    let delete = async |second| write!(given, [], sign_in_places::delete_unseen, at(second), 2).unwrap();
    assert_eq!([delete(0).await, delete(3).await, delete(3).await, delete(3).await], [0, 2, 1, 0]);
    assert_eq!(seen(&given).await.networks, [place(4).network]);
}

async fn a_user_who_is_forgotten_was_nowhere(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    remember(&given, place(1), 1).await;
    write!(given, [], users::delete, &p1(), ada.id).unwrap();
    assert_eq!(seen(&given).await, Seen::default());
}
