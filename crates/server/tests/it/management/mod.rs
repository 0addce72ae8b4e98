//! What customers' backends do with the users of their project.

mod bootstrap;
mod calls;
mod kinds;
mod real_clients;
mod sealed;
mod step_up;
mod users;

use countersign_testkit::{database::Engine, house::House};

/// Where backends call.
const POLICY: &str = "/v1/management/policy";
const PHONE: &str = "/v1/management/users/phone";
const ENFORCEMENT: &str = "/v1/management/users/mfa-enforcement";

/// A house whose messages are caught, with a user of it.
async fn with_user(engine: Engine) -> (House, String) {
    let house = House::in_development(engine).await;
    let uid = house.user("ada@example.com").await;
    (house, uid)
}
