//! Our own pages: signing in, consent, the account. What a person sees is looked at in a real browser, in `in_browser`.

mod account;
mod attacks;
mod consent;
mod contact;
mod devices;
mod in_browser;
mod own_data;
mod own_passkeys;
mod passkeys;
mod prompts;
mod risk;
mod second_factors;
mod sign_in;
mod taken_back;
mod trouble;

use countersign_testkit::{database::Engine, house::House};

const ADA: &str = "ada@example.com";

/// In development, with the project's own web app and one user.
async fn with_ada(engine: Engine) -> House {
    let house = House::in_development(engine).await;
    house.web_app().await;
    house.user(ADA).await;
    house
}
