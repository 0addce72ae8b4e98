//! What the guide promises of its endpoint, whatever language it is in.

use serde_json::{Value, json};

use super::{
    dev::Dev,
    endpoint::Endpoint,
    tokens::{self, Verifier},
};

/// What the app of a customer sends to the endpoint.
fn ask(email: &str, first_name: &str, last_name: &str) -> Value {
    json!({ "email": email, "firstName": first_name, "lastName": last_name, "activationCode": "" })
}

/// A new user is signed up, one who is there is signed in, and both get tokens that are real.
pub(super) async fn new_and_known_users_get_in(dev: &Dev, endpoint: &Endpoint, verifier: &Verifier) {
    assert!(dev.users().await.is_empty());

    let new = endpoint.huma_token(&ask("Zoe@Example.com", "Zoë", "O'Brien Ñandú")).await.ok().json();
    assert_is_whole(&new);
    let user = dev.user("zoe@example.com").await;
    assert_eq!(user["id"], new["uid"]);
    // The guide's endpoint calls the first name the family's. What it sends is kept as it is sent.
    assert_eq!((&user["family_name"], &user["given_name"]), (&json!("Zoë"), &json!("O'Brien Ñandú")));

    let known = endpoint.huma_token(&ask("zoe@example.com", "Another", "Name")).await.ok().json();
    assert_is_whole(&known);
    assert_eq!(known["uid"], new["uid"]);
    assert_ne!(known["refreshToken"], new["refreshToken"]);
    assert_eq!(dev.users().await, [user], "to sign in changes nobody");

    // Each sign-in is a session of its own: the end of one is not the end of the other.
    for tokens in [&new, &known] {
        tokens::are_real(dev, verifier, dev.app(tokens), "zoe@example.com").await;
    }
}

/// The answer of Countersign comes through with all its members.
fn assert_is_whole(tokens: &Value) {
    let (quarter_hour, forty_five_days) = (15 * 60, 45 * 24 * 60 * 60);
    let expected = json!({
        "uid": tokens["uid"],
        "authToken": tokens["authToken"],
        "refreshToken": tokens["refreshToken"],
        "authTokenExpiresIn": quarter_hour,
        "expiresIn": forty_five_days,
        "refreshTokenExpiresIn": forty_five_days,
    });
    assert_eq!(*tokens, expected);
    for member in ["uid", "authToken", "refreshToken"] {
        assert!(tokens[member].is_string(), "{member} is no text");
    }
}

/// An endpoint with a wrong key lets nobody in, and nobody comes to be.
pub(super) async fn a_wrong_key_lets_nobody_in(dev: &Dev, endpoint: &Endpoint) {
    let answer = endpoint.huma_token(&ask("ada@example.com", "Ada", "Lovelace")).await;
    assert_eq!(answer.status(), 401, "{answer}");
    let body = answer.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["error"], "{answer}");
    assert!(dev.users().await.is_empty());
}

/// Two launches of an app that race into sign-up both win.
pub(super) async fn launches_that_race_all_get_in(dev: &Dev, endpoint: &Endpoint) {
    let mut launches = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let client = endpoint.client();
        launches
            .spawn(async move { client.post("/private/huma-token", &ask("ada@example.com", "Ada", "Lovelace")).await });
    }
    let answers = launches.join_all().await;
    let user = dev.user("ada@example.com").await;
    for answer in answers {
        let tokens = answer.ok().json();
        assert_eq!(tokens["uid"], user["id"]);
        dev.app(&tokens).refresh().await.is_ok();
    }
    assert_eq!(dev.users().await.len(), 1);
}
