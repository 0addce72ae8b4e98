//! The gateway with everything before it: whoever isn't proved gets no further, and whoever is, is told to the API.

mod identity;
mod revocation;
mod routes;
mod tickets;
pub(crate) mod upstream;

use countersign_testkit::{database::Engine, house::House};
use upstream::Upstream;

/// A house with an API behind its gateway.
async fn open(engine: Engine) -> (House, Upstream) {
    let (house, upstream) = (House::open(engine).await, Upstream::start().await);
    house.set(&[&format!("gateway.upstream={}", upstream.url())]).await;
    (house, upstream)
}
