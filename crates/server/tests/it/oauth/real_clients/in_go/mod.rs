//! `golang.org/x/oauth2` with `coreos/go-oidc`.

use std::process::Command;

use countersign_testkit::{house::House, provider::REDIRECT_URI};
use serde_json::{Value, json};

use super::{
    facts, house, me, printed,
    registered::{ADA, Registered},
};
use crate::guides::in_go::build_with;

/// The program, with what it is built of. Goes with the folder.
async fn program() -> (Command, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let (go_mod, go_sum) = (include_str!("go.mod"), include_str!("go.sum"));
    let program = build_with(home.path(), go_mod, go_sum, include_str!("client.go")).await;
    (Command::new(program.expect("our own program builds")), home)
}

/// The library discovers, exchanges, verifies, asks and refreshes, and what it does wrong is refused.
async fn goes_through(uid: &str, client: &Registered<'_>, house: &House) -> Value {
    let mut said = client.facts.clone();
    said["codes"] = json!([client.code().await, client.code().await]);
    said["other"] = "c1".into();
    let (program, _home) = program().await;
    let done = printed(program.into(), &facts(house, &said)).await;

    let asked = done["authorize"].as_str().unwrap().strip_prefix(&format!("{}/oauth2/authorize?", house.public_url()));
    let asked = house.check_authorization(asked.expect("it asks the endpoint that it discovered")).ok();
    assert_eq!(asked.expect("the library asks as it should").request.redirect_uri, REDIRECT_URI);
    let id = &client.facts["client_id"];
    let claims = &done["claims"];
    assert_eq!((&claims["sub"], &claims["aud"], &claims["nonce"]), (&uid.into(), id, &"n-1".into()), "{done}");
    assert_eq!((&claims["email"], &claims["email_verified"]), (&ADA.into(), &true.into()), "{done}");
    assert_eq!((&done["userinfo"]["sub"], &done["userinfo"]["email"]), (&uid.into(), &ADA.into()), "{done}");
    for token in ["access_token", "refresh_token"] {
        assert_ne!(done["refreshed"][token], done["token"][token], "{done}");
    }
    assert_eq!(done["me"], 200);
    for (name, why) in [
        ("of another client", "expected audience \"c1\""),
        ("an access token", "expected audience"),
        ("turned", "failed to verify"),
        ("another issuer", "did not match"),
    ] {
        assert!(done["refusals"][name].as_str().unwrap().contains(why), "{name}: {done}");
    }
    assert_eq!((&done["wrong_verifier"], &done["replayed"]), (&"invalid_grant".into(), &"invalid_grant".into()));
    let refreshed = done["refreshed"]["access_token"].as_str().unwrap();
    assert_eq!(me(house, refreshed).await.status(), 401, "a code that is used twice ends what it began");
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_goes_through_by_each_algorithm() {
    let (house, uid) = house().await;
    for alg in ["ES256", "EdDSA", "RS256"] {
        house.set_client("c3", &[&format!("oauth.id_token_alg={alg}")]).await;
        goes_through(&uid, &Registered::public(&house), &house).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_secret_goes_through_however_it_shows_it_and_gets_a_token_of_its_own() {
    let (house, uid) = house().await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let done = goes_through(&uid, &Registered::with_secret(&house, method).await, &house).await;
        assert_eq!(done["own"], "read");
    }
}
