//! Door 2: an app names its project by a publishable key and its user by the customer's own id, and shows what the backend computed.

mod enforcement;
mod first_sight;
mod headers;
mod keys;
mod known_users;
mod origins;
mod proof;
mod proof_v2;
mod upgrade;
mod users;
mod verify;

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
