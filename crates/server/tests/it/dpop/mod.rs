//! Sessions that are bound to a key (RFC 9449): what their tokens are worth with a proof of it, and what without.

mod addresses;
mod calls;
mod nonces;
mod opening;
mod refresh;
mod replay;
mod sign_out;

use std::time::Duration;

use countersign_testkit::{answer::Answer, bound::BoundApp, house::House};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// An app with a bound session, which knows the nonce.
async fn bound_app(house: &House) -> BoundApp {
    house.bound_app("ada@example.com").await.informed().await
}

/// This must be a 401 of door 2 with this challenge and no other.
#[track_caller]
pub(crate) fn challenged(answer: &Answer, error: &str, description: &str) {
    assert_eq!((answer.status(), &answer.json()["error"]["code"]), (401, &"invalid_credentials".into()), "{answer}");
    is_challenge(answer, error, description);
}

#[track_caller]
fn is_challenge(answer: &Answer, error: &str, description: &str) {
    let expected = format!(r#"DPoP error="{error}", error_description="{description}", algs="ES256 EdDSA Ed25519""#);
    assert_eq!(answer.header("www-authenticate"), expected, "{answer}");
    assert_eq!(answer.headers.contains_key("dpop-nonce"), error == "use_dpop_nonce", "{answer}");
}

/// The rows of sessions, and how many of everything there are: what a refused call must leave as it is.
async fn rows(house: &House) -> String {
    let dump = house.database.dump().await;
    let sessions: Vec<&str> = dump.lines().filter(|line| line.starts_with("sessions: ")).collect();
    format!("{}\n{:?}", sessions.join("\n"), house.books().await)
}
