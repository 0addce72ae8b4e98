//! An app's own screens, and a person with a mailbox in front of them: what it takes to get a code.

use countersign_domain::oauth::form::encode;
use serde_json::Value;

use crate::{answer::Answer, http::Client, provider::Parameters};

const PATH: &str = "/oauth2/authorize-challenge";

/// Signs somebody in who reads the mail of this address, and gives the authorization code. The server is in development, so that mail stays where it
/// can be read. `proof` is what the client adds to each call, anew each time: its name, and what proves it.
pub async fn sign_in(
    http: &Client,
    email: &str,
    request: Parameters<'_>,
    proof: &dyn Fn() -> Vec<(&'static str, String)>,
) -> String {
    let say = async |said: Parameters<'_>| {
        let proof = proof();
        let proof = proof.iter().map(|(name, value)| (*name, value.as_str()));
        http.post_form(PATH, &said.iter().copied().chain(proof).collect::<Vec<_>>()).await
    };
    let begun = say(&[request, &[("login_hint", email)]].concat()).await;
    let choice = handle(&begun, "select_method");
    // A clock that a test turns stands still meanwhile, so that none is newer than another.
    let before = messages(http, email).await;
    let sent = say(&[("auth_session", &*choice), ("method", "email_code")]).await;
    let wanted = handle(&sent, "enter_code");
    let new = messages(http, email).await.into_iter().find(|message| !before.contains(message));
    let code = new.as_ref().and_then(|message| message["code"].as_str()).expect("a message with a code came");
    say(&[("auth_session", &*wanted), ("code", code)]).await.ok().text("authorization_code")
}

/// By what the sign-in goes on, when this is asked.
#[track_caller]
fn handle(answer: &Answer, kind: &str) -> String {
    assert_eq!((answer.status(), &answer.json()["prompt"]["type"]), (403, &kind.into()), "{answer}");
    answer.text("auth_session")
}

/// What came to an address.
async fn messages(http: &Client, email: &str) -> Vec<Value> {
    let outbox = http.get(&format!("/dev/outbox?to={}", encode(email))).await.ok().json();
    outbox["messages"].as_array().expect("a list").clone()
}
