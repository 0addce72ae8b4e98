//! What an app does with its session, and what ends it.

mod clock;
mod cors;
mod jwks;
mod lifetime;
mod list;
mod me;
mod profile;
mod revocation;
mod sign_out;
mod signing_keys;
mod stale_feed;
mod tokens;

use std::time::Duration;

use countersign_testkit::answer::Answer;
use serde_json::Value;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The names of a body's members, in order.
fn members(body: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// This must be an error of door 2, in its shape, which is all there is.
#[track_caller]
fn refused_by_door_two(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status(), &answer.json()["error"]["code"]), (status, &code.into()), "{answer}");
    assert_eq!((members(&answer.json()), members(&answer.json()["error"])), (vec!["error"], vec!["code", "message"]));
    assert_eq!(answer.header("content-type"), "application/json");
}
