//! The queue of messages.

use std::collections::BTreeSet;

use countersign_domain::{
    clock::Timestamp,
    id::{ChallengeId, MessageId, ProjectId},
    message::Channel,
};
use countersign_storage::messages::{self, ClaimedMessage, Outcome, OutgoingMessage, Place};
use countersign_testkit::{database::Engine, on_both_engines};
use tokio::task::JoinSet;

use crate::given::{Given, at, p1, read, schema, write};

on_both_engines!(
    a_message_reads_back_as_it_was_written,
    those_that_have_waited_longest_are_taken_on_first,
    a_message_is_taken_on_again_once_its_time_with_somebody_is_over,
    of_many_nodes_one_takes_a_message_on,
    who_took_it_on_last_says_what_came_of_it,
    what_is_said_goes_when_a_message_ends,
    a_message_that_could_not_leave_comes_again_in_its_time,
    a_message_that_is_withdrawn_is_not_sent,
    one_that_is_just_leaving_ends_as_it_does_and_is_not_tried_again,
    the_message_that_tells_a_code_is_found_by_it,
    a_message_whose_time_is_over_ends_and_one_that_is_just_leaving_does_not,
    channels_wait_apart,
    a_message_in_a_transaction_that_fails_is_not_queued,
    what_was_caught_stays_and_is_never_sent,
    what_ended_long_ago_goes_a_little_at_a_time,
);

fn message(number: u8) -> OutgoingMessage {
    OutgoingMessage {
        project: p1(),
        id: MessageId::new(at(i64::from(number)), [number; 10]),
        channel: Channel::Email,
        sealed: format!("sealed {number}"),
        created_at: at(i64::from(number)),
        expires_at: at(600),
        place: Place::Queue,
    }
}

async fn queue(given: &Given, queued: &OutgoingMessage) {
    write!(given, [queued], messages::insert, &queued).unwrap();
}

async fn claim_for(given: &Given, channel: Channel, now: Timestamp, until: Timestamp) -> Vec<ClaimedMessage> {
    write!(given, [], messages::claim, channel, now, until, 10).unwrap()
}

async fn claim(given: &Given, now: Timestamp, until: Timestamp) -> Vec<ClaimedMessage> {
    claim_for(given, Channel::Email, now, until).await
}

async fn outcome(given: &Given, message: &OutgoingMessage) -> Option<String> {
    read!(given, messages::outcome, &message.project, message.id).unwrap()
}

async fn a_message_reads_back_as_it_was_written(engine: Engine) {
    let given = schema(engine).await;
    let written = message(1);
    queue(&given, &written).await;
    assert!(!read!(given, messages::is_due, Channel::Email, at(0)).unwrap(), "it isn't there yet");
    assert!(read!(given, messages::is_due, Channel::Email, at(1)).unwrap());
    let claimed = claim(&given, at(1), at(60)).await;
    assert_eq!(claimed.len(), 1);
    let claimed = &claimed[0];
    assert_eq!((&claimed.project, claimed.id, &*claimed.sealed), (&written.project, written.id, "sealed 1"));
    assert_eq!((claimed.created_at, claimed.expires_at, claimed.attempts), (at(1), at(600), 1));
    assert!(!read!(given, messages::is_due, Channel::Email, at(59)).unwrap(), "it is somebody's");
}

async fn those_that_have_waited_longest_are_taken_on_first(engine: Engine) {
    let given = schema(engine).await;
    for number in [3, 1, 2, 4] {
        queue(&given, &message(number)).await;
    }
    let take = async |limit| {
        let claimed = write!(given, [], messages::claim, Channel::Email, at(9), at(60), limit).unwrap();
        claimed.into_iter().map(|it| it.id).collect::<BTreeSet<_>>()
    };
    assert_eq!(take(2).await, BTreeSet::from([message(1).id, message(2).id]));
    assert_eq!(take(9).await, BTreeSet::from([message(3).id, message(4).id]));
    assert!(take(9).await.is_empty());
}

async fn a_message_is_taken_on_again_once_its_time_with_somebody_is_over(engine: Engine) {
    let given = schema(engine).await;
    queue(&given, &message(1)).await;
    assert_eq!(claim(&given, at(1), at(60)).await.len(), 1);
    assert_eq!(claim(&given, at(59), at(99)).await.len(), 0);
    let again = claim(&given, at(60), at(99)).await;
    assert_eq!((again.len(), again[0].attempts), (1, 2));
}

async fn of_many_nodes_one_takes_a_message_on(engine: Engine) {
    let given = schema(engine).await;
    for number in 1..=40 {
        queue(&given, &message(number)).await;
    }
    let mut nodes = JoinSet::new();
    for _ in 0..10 {
        let db = given.database.open().await;
        nodes.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let claim = db.write(|mut conn| {
                    Box::pin(async move { messages::claim(&mut conn, Channel::Email, at(50), at(99), 3).await })
                });
                let claimed = claim.await.unwrap();
                if claimed.is_empty() {
                    // On PostgreSQL one may find nothing because others have just taken all that it looked at.
                    let left = messages::is_due(&mut db.reader().await.unwrap().conn(), Channel::Email, at(50)).await;
                    if !left.unwrap() {
                        return taken;
                    }
                }
                taken.extend(claimed.into_iter().map(|it| it.id));
            }
        });
    }
    let taken: Vec<MessageId> = nodes.join_all().await.concat();
    assert_eq!(taken.len(), 40);
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>().len(), 40);
}

async fn who_took_it_on_last_says_what_came_of_it(engine: Engine) {
    let given = schema(engine).await;
    queue(&given, &message(1)).await;
    let slow = claim(&given, at(1), at(60)).await.remove(0);
    let quick = claim(&given, at(60), at(120)).await.remove(0);
    assert!(!write!(given, [slow], messages::end, &slow, Outcome::Refused, at(61)).unwrap());
    assert!(!write!(given, [slow], messages::put_back, &slow, at(61)).unwrap());
    assert!(claim(&given, at(119), at(200)).await.is_empty(), "it was put back by somebody whose it wasn't");
    assert!(write!(given, [quick], messages::end, &quick, Outcome::Sent, at(62)).unwrap());
    assert!(!write!(given, [quick], messages::end, &quick, Outcome::Refused, at(63)).unwrap(), "it has ended");
    assert!(!write!(given, [quick], messages::put_back, &quick, at(63)).unwrap());
    assert_eq!(outcome(&given, &message(1)).await.as_deref(), Some("sent"));
    assert!(claim(&given, at(599), at(700)).await.is_empty());
}

async fn what_is_said_goes_when_a_message_ends(engine: Engine) {
    let given = schema(engine).await;
    for number in 1..=4 {
        queue(&given, &OutgoingMessage { expires_at: at(i64::from(number) * 100), ..message(number) }).await;
    }
    assert!(given.database.dump().await.contains("sealed 1"));
    let claimed = write!(given, [], messages::claim, Channel::Email, at(9), at(60), 2).unwrap();
    for (one, outcome) in claimed.iter().zip([Outcome::Sent, Outcome::Refused]) {
        write!(given, [one], messages::end, &one, outcome, at(9)).unwrap();
    }
    write!(given, [], messages::withdraw, &p1(), message(3).id, at(9)).unwrap();
    write!(given, [], messages::expire, Channel::Email, at(400), 9).unwrap();
    let dump = given.database.dump().await;
    assert!(!dump.contains("sealed"), "{dump}");
    assert!(
        dump.contains("withdrawn") && dump.contains("expired") && dump.contains("refused") && dump.contains("sent")
    );
}

async fn a_message_that_could_not_leave_comes_again_in_its_time(engine: Engine) {
    let given = schema(engine).await;
    queue(&given, &message(1)).await;
    let claimed = claim(&given, at(1), at(60)).await.remove(0);
    assert!(write!(given, [claimed], messages::put_back, &claimed, at(20)).unwrap());
    assert!(claim(&given, at(19), at(60)).await.is_empty());
    let again = claim(&given, at(20), at(60)).await.remove(0);
    assert_eq!((again.attempts, &*again.sealed), (2, "sealed 1"));
    assert_eq!(outcome(&given, &message(1)).await, None);
}

async fn a_message_that_is_withdrawn_is_not_sent(engine: Engine) {
    let given = schema(engine).await;
    queue(&given, &message(1)).await;
    let p2: ProjectId = "p2".parse().unwrap();
    assert!(!write!(given, [p2], messages::withdraw, &p2, message(1).id, at(2)).unwrap(), "it is another project's");
    assert!(write!(given, [], messages::withdraw, &p1(), message(1).id, at(2)).unwrap());
    assert!(!write!(given, [], messages::withdraw, &p1(), message(1).id, at(3)).unwrap());
    assert!(claim(&given, at(9), at(60)).await.is_empty());
    assert_eq!(outcome(&given, &message(1)).await.as_deref(), Some("withdrawn"));
}

async fn one_that_is_just_leaving_ends_as_it_does_and_is_not_tried_again(engine: Engine) {
    let given = schema(engine).await;
    for number in 1..=3 {
        queue(&given, &message(number)).await;
    }
    let mut leaving = claim(&given, at(4), at(60)).await;
    leaving.sort_by_key(|it| it.id);
    for number in 1..=3 {
        assert!(write!(given, [], messages::withdraw, &p1(), message(number).id, at(5)).unwrap());
    }
    let [first, second, third] = leaving.try_into().unwrap();
    assert!(write!(given, [first], messages::end, &first, Outcome::Sent, at(6)).unwrap());
    assert!(!write!(given, [second], messages::put_back, &second, at(6)).unwrap());
    let earlier = ClaimedMessage { attempts: 0, ..third };
    assert!(!write!(given, [earlier], messages::end, &earlier, Outcome::Sent, at(6)).unwrap(), "it isn't theirs");
    assert!(claim(&given, at(90), at(99)).await.is_empty());
    for (number, expected) in [(1, "sent"), (2, "withdrawn"), (3, "withdrawn")] {
        assert_eq!(outcome(&given, &message(number)).await.as_deref(), Some(expected));
    }
}

async fn the_message_that_tells_a_code_is_found_by_it(engine: Engine) {
    let given = schema(engine).await;
    let challenges = [7, 8, 9].map(|number| ChallengeId::new(at(1), [number; 10]));
    for challenge in challenges {
        queue(&given, &OutgoingMessage { id: MessageId::that_tells(challenge), ..message(1) }).await;
    }
    write!(given, [], messages::withdraw_codes, &p1(), &challenges[..2], at(2)).unwrap();
    let left = claim(&given, at(9), at(60)).await;
    assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), [MessageId::that_tells(challenges[2])]);
}

async fn a_message_whose_time_is_over_ends_and_one_that_is_just_leaving_does_not(engine: Engine) {
    let given = schema(engine).await;
    for number in 1..=3 {
        queue(&given, &message(number)).await;
    }
    let leaving = write!(given, [], messages::claim, Channel::Email, at(590), at(620), 1).unwrap().remove(0);
    assert_eq!(write!(given, [], messages::expire, Channel::Email, at(599), 9).unwrap(), 0, "there is a second left");
    assert_eq!(write!(given, [], messages::expire, Channel::Email, at(600), 1).unwrap(), 1, "a little at a time");
    assert_eq!(write!(given, [], messages::expire, Channel::Email, at(600), 9).unwrap(), 1);
    assert_eq!(write!(given, [], messages::expire, Channel::Email, at(619), 9).unwrap(), 0);
    assert!(write!(given, [leaving], messages::end, &leaving, Outcome::Sent, at(601)).unwrap());
    assert_eq!(outcome(&given, &message(1)).await.as_deref(), Some("sent"));
    for number in [2, 3] {
        assert_eq!(outcome(&given, &message(number)).await.as_deref(), Some("expired"));
    }
}

async fn channels_wait_apart(engine: Engine) {
    let given = schema(engine).await;
    queue(&given, &message(1)).await;
    queue(&given, &OutgoingMessage { channel: Channel::Sms, ..message(2) }).await;
    let waiting = async |channel| read!(given, messages::count_waiting, channel).unwrap();
    assert_eq!((waiting(Channel::Email).await, waiting(Channel::Sms).await), (1, 1));
    let claimed = claim_for(&given, Channel::Sms, at(9), at(60)).await;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [message(2).id]);
    assert_eq!(waiting(Channel::Sms).await, 1, "one that is leaving hasn't left");
    write!(given, [claimed], messages::end, &claimed[0], Outcome::Sent, at(9)).unwrap();
    assert_eq!((waiting(Channel::Email).await, waiting(Channel::Sms).await), (1, 0));
    assert_eq!(write!(given, [], messages::expire, Channel::Sms, at(900), 9).unwrap(), 0);
    assert_eq!(claim(&given, at(9), at(60)).await.len(), 1);
}

async fn a_message_in_a_transaction_that_fails_is_not_queued(engine: Engine) {
    let given = schema(engine).await;
    let failed = given.db.write(|mut conn| {
        Box::pin(async move {
            messages::insert(&mut conn, &message(1)).await?;
            Err::<(), _>(countersign_storage::error::Error::Refused("what it was to announce".to_owned()))
        })
    });
    assert!(failed.await.is_err());
    assert!(claim(&given, at(9), at(60)).await.is_empty());
}

async fn what_was_caught_stays_and_is_never_sent(engine: Engine) {
    let given = schema(engine).await;
    for (number, channel) in [(1, Channel::Email), (2, Channel::Sms), (3, Channel::Email)] {
        queue(&given, &OutgoingMessage { place: Place::Outbox, channel, ..message(number) }).await;
    }
    queue(&given, &message(4)).await;
    assert_eq!(claim(&given, at(9), at(60)).await.len(), 1);
    assert_eq!(write!(given, [], messages::expire, Channel::Email, at(59), 9).unwrap(), 0);
    let caught = read!(given, messages::list_caught, 9).unwrap();
    let found: Vec<_> = caught.iter().map(|it| (it.id, it.channel, &*it.sealed, it.created_at)).collect();
    let expected = [
        (message(3).id, Channel::Email, "sealed 3", at(3)),
        (message(2).id, Channel::Sms, "sealed 2", at(2)),
        (message(1).id, Channel::Email, "sealed 1", at(1)),
    ];
    assert_eq!(found, expected);
    assert_eq!(caught[0].project, p1());
    assert_eq!(read!(given, messages::list_caught, 1).unwrap().len(), 1);
    assert_eq!(outcome(&given, &message(1)).await.as_deref(), Some("caught"));
}

async fn what_ended_long_ago_goes_a_little_at_a_time(engine: Engine) {
    let given = schema(engine).await;
    for number in 1..=5 {
        queue(&given, &message(number)).await;
        if number < 5 {
            write!(given, [], messages::withdraw, &p1(), message(number).id, at(i64::from(number) * 10)).unwrap();
        }
    }
    let delete = async |limit| write!(given, [], messages::delete_ended, at(40), limit).unwrap();
    assert_eq!((delete(2).await, delete(2).await, delete(2).await), (2, 1, 0));
    assert_eq!(outcome(&given, &message(4)).await.as_deref(), Some("withdrawn"));
    assert_eq!(claim(&given, at(9), at(60)).await.len(), 1, "what waits stays");
}
