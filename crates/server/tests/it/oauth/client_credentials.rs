//! Clients that act for themselves.

use countersign_crypto::jose::public_key::Kind;
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    bound::a_key,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    provider::{Parameters, over},
    token::{claims, header},
};

use super::is_live;

on_both_engines!(
    a_client_gets_a_token_for_itself_which_is_no_users,
    a_client_gets_the_scopes_it_registered_and_none_of_a_users,
    who_proves_nothing_gets_none,
    such_a_token_can_be_bound_to_a_key,
    such_a_token_dies_with_its_client,
);

async fn granted(house: &House, secret: &str, more: Parameters<'_>) -> countersign_testkit::answer::Answer {
    let base = [("grant_type", "client_credentials"), ("client_id", "c4"), ("client_secret", secret)];
    house.node.token(&over(&base, more)).await
}

async fn active(house: &House, secret: &str, token: &str) -> bool {
    let asked = [("token", token), ("client_id", "c4"), ("client_secret", secret)];
    house.node.client().post_form("/oauth2/introspect", &asked).await.ok().json()["active"] == true
}

async fn a_client_gets_a_token_for_itself_which_is_no_users(engine: Engine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let before = house.books().await;
    let answer = granted(&house, &secret, &[]).await.ok();
    let body = answer.json();
    assert_eq!(
        (&body["token_type"], &body["scope"], &body["expires_in"]),
        (&"Bearer".into(), &"read write".into(), &900.into())
    );
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let token = answer.text("access_token");
    let said = claims(&token);
    assert_eq!(
        (&said["sub"], &said["client_id"], &said["aud"]),
        (&"c4".into(), &"c4".into(), &house.public_url().into())
    );
    assert_eq!(header(&token)["typ"], "at+jwt");
    assert!(said.get("sid").is_none());
    assert!(!is_live(&house, &token).await, "it names no user");
    assert!(active(&house, &secret, &token).await);
    assert_eq!(house.books().await, before);
}

async fn a_client_gets_the_scopes_it_registered_and_none_of_a_users(engine: Engine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    assert_eq!(granted(&house, &secret, &[("scope", "write")]).await.ok().text("scope"), "write");
    for scope in ["openid", "email", "admin", "read admin", "read  write", "read\"", "offline_access"] {
        granted(&house, &secret, &[("scope", scope)]).await.oauth_error(400, "invalid_scope");
    }
}

async fn who_proves_nothing_gets_none(engine: Engine) {
    let house = House::open(engine).await;
    let asked = [("grant_type", "client_credentials"), ("client_id", "c3")];
    house.node.token(&asked).await.oauth_error(400, "unauthorized_client");
    let changes = countersign_testkit::house::changes(&["oauth.grants=client_credentials"]);
    let refused = house.node.service.set_client(&p1(), &"c3".parse().unwrap(), changes).await.unwrap_err();
    assert!(refused.to_string().contains("authenticate themselves"), "{refused}");
    let secret = house.with_secret("client_secret_post").await;
    house.set_client("c4", &["oauth.grants=authorization_code"]).await;
    granted(&house, &secret, &[]).await.oauth_error(400, "unauthorized_client");
}

async fn such_a_token_can_be_bound_to_a_key(engine: Engine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let key = a_key(Kind::EdDsa);
    let app = house.app_with_key(&key);
    let asked = [("grant_type", "client_credentials"), ("client_id", "c4"), ("client_secret", &secret)];
    let http = |proof: String| house.node.client().with("dpop", &proof);
    let told = http(app.proof("POST", "/oauth2/token").text()).post_form("/oauth2/token", &asked).await;
    told.oauth_error(400, "use_dpop_nonce");
    let app = app.knowing(told.header("dpop-nonce"));
    let proof = app.proof("POST", "/oauth2/token").text();
    let answer = http(proof.clone()).post_form("/oauth2/token", &asked).await.ok();
    assert_eq!(answer.text("token_type"), "DPoP");
    let jkt = countersign_crypto::encoding::encode(key.thumbprint().0);
    assert_eq!(claims(&answer.text("access_token"))["cnf"]["jkt"], jkt);
    http(proof).post_form("/oauth2/token", &asked).await.oauth_error(400, "invalid_dpop_proof");
    let elsewhere = app.proof("POST", "/oauth2/revoke").text();
    http(elsewhere).post_form("/oauth2/token", &asked).await.oauth_error(400, "invalid_dpop_proof");
}

async fn such_a_token_dies_with_its_client(engine: Engine) {
    let house = House::open(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let token = granted(&house, &secret, &[]).await.ok().text("access_token");
    assert!(active(&house, &secret, &token).await);
    house.node.service.change_client_state(&p1(), &"c4".parse().unwrap(), StateChange::Revoke).await.unwrap();
    assert!(!active(&house, &secret, &token).await);
    let token = granted(&house, &secret, &[]).await.ok().text("access_token");
    assert!(active(&house, &secret, &token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn such_a_token_expires() {
    let house = House::open(Engine::Sqlite).await;
    let secret = house.with_secret("client_secret_post").await;
    let token = granted(&house, &secret, &[]).await.ok().text("access_token");
    assert!(active(&house, &secret, &token).await);
    house.advance(std::time::Duration::from_mins(15)).await;
    assert!(!active(&house, &secret, &token).await);
}
