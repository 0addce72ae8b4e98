//! Client libraries of others, as they are published: nothing here is made for them.

mod in_go;
mod in_node;
mod in_python;
mod registered;

use countersign_crypto::secret::SecretText;
use countersign_service::oauth::response::{Redirect, authorization_response};
use countersign_testkit::{
    answer::Answer,
    database::Engine,
    house::House,
    provider::{Parameters, REDIRECT_URI, VERIFIER, form},
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::guides::tools::run;

/// A house at the time of day that libraries go by, with a user.
async fn house() -> (House, String) {
    let house = House::open_now(Engine::Sqlite).await;
    house.web_app().await;
    let uid = house.user("ada@example.com").await;
    (house, uid)
}

/// What a script is told.
fn facts(house: &House, more: &Value) -> Value {
    let issuer = house.public_url();
    let mut facts = json!({
        "issuer": issuer, "token_endpoint": format!("{issuer}/oauth2/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"), "redirect_uri": REDIRECT_URI, "verifier": VERIFIER,
    });
    for (name, value) in more.as_object().expect("facts are an object") {
        facts[name] = value.clone();
    }
    facts
}

/// Where the browser ends up, with a code.
async fn callback(house: &House, uid: &str, more: Parameters<'_>) -> String {
    callback_with(house, &house.code(uid, more).await, more)
}

/// Where the browser would end up with this code.
fn callback_with(house: &House, code: &str, more: Parameters<'_>) -> String {
    let raw = form(&house.authorization(more));
    let request = house.check_authorization(&raw).expect("the request is good").request;
    match authorization_response(&request, &SecretText::new(code.to_owned())) {
        Redirect::Uri(uri) => uri,
        Redirect::FormPost { .. } => panic!("this goes by query"),
    }
}

/// Runs a script to its end: it prints what it came to.
async fn printed(mut command: Command, facts: &Value) -> Value {
    command.arg(facts.to_string());
    run(command).await.json()
}

/// Is an access token worth anything? As the server itself says.
async fn me(house: &House, access_token: &str) -> Answer {
    house.node.client().with("authorization", &format!("Bearer {access_token}")).get("/v1/me").await
}
