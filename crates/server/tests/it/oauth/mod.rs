//! Door 3: the OpenID provider, but for what a user must do.

mod authorization;
mod challenge;
mod challenge_passkeys;
mod client_auth;
mod client_credentials;
mod codes;
mod discovery;
mod forgeries;
mod forms;
mod id_tokens;
mod introspection;
mod kinds;
mod real_clients;
mod redemption;
mod refresh;
mod registration;
mod revocation;
mod risk;
mod second_factors;
mod userinfo;

use countersign_testkit::{answer::Answer, house::House, provider::redemption};

/// A house with the web app, and a user of it.
async fn with_web_app(engine: countersign_testkit::database::Engine) -> (House, String) {
    let house = House::open(engine).await;
    house.web_app().await;
    let uid = house.user("ada@example.com").await;
    (house, uid)
}

/// Tokens of `c3`.
async fn signed_in(house: &House, uid: &str) -> Answer {
    let code = house.code(uid, &[]).await;
    house.node.token(&redemption(&code)).await.ok()
}

/// Is an access token worth anything?
async fn is_live(house: &House, access_token: &str) -> bool {
    let http = house.node.client().with("authorization", &format!("Bearer {access_token}"));
    http.get("/v1/me").await.status() == 200
}
