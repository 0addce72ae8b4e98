//! The refresh rule through HTTP, row by row, and what holds around it.

mod answer;
mod backup;
mod concurrency;
mod forgery;
mod model;
mod replay;
mod settings;
mod straggler;
mod theft;

use std::time::Duration;

use countersign_testkit::{actors::App, database::Engine, house::House, token::generation};

/// Where the app is at home.
const HOME: &str = "198.51.100.7";
/// Where it is not.
const ELSEWHERE: &str = "203.0.113.7";

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
/// `refresh.overlap`, unless a test sets it.
const OVERLAP: Duration = Duration::from_mins(1);
/// `refresh.retry`, unless a test sets it.
const RETRY: Duration = Duration::from_hours(24);

/// A house whose clock can be turned by hours, and an app at home that has refreshed once.
async fn app_at_home() -> (House, App) {
    let house = House::open(Engine::Sqlite).await;
    let mut app = house.backend().new_app("ada@example.com").await.at(HOME);
    app.refresh().await.is_ok();
    (house, app)
}

/// Refreshes and says what the app held before.
async fn move_on(app: &mut App) -> App {
    let before = app.clone();
    app.refresh().await.is_ok();
    assert_eq!(generation(&app.refresh), generation(&before.refresh) + 1);
    before
}
