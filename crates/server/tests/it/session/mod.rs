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
