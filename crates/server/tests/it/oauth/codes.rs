//! Codes in the wrong hands, at the wrong time, with the wrong things beside them.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{encoding, jose::public_key::Kind};
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    bound::a_key,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    provider::{REDIRECT_URI, VERIFIER, over, redemption},
    token::claims,
};
use tokio::task::JoinSet;

use super::{is_live, with_web_app};

on_both_engines!(
    a_code_that_is_used_twice_is_refused_and_what_it_began_is_over,
    of_twenty_redemptions_at_once_one_wins_and_the_others_end_its_session,
    of_redemptions_at_once_with_a_key_and_without_one_wins_and_the_others_end_its_session,
    a_code_of_another_client_buys_nothing_and_ends_nothing,
    a_code_with_another_redirect_uri_buys_nothing,
    a_code_with_another_verifier_or_none_buys_nothing,
    a_verifier_for_a_code_without_a_challenge_is_refused,
    a_code_of_another_project_is_none,
    a_code_of_a_user_who_was_revoked_or_locked_out_since_buys_nothing,
    a_code_of_a_client_or_project_that_was_revoked_since_buys_nothing,
    a_code_bound_to_a_key_buys_nothing_without_it,
    a_proof_of_a_key_that_was_used_before_buys_nothing_and_uses_no_code_up,
    no_code_stands_in_the_database,
);

/// What must not change when a redemption is refused.
async fn rows(house: &House) -> String {
    let dump = house.database.dump().await;
    let kept = ["sessions: ", "authorization_codes: ", "spent: "];
    dump.lines().filter(|line| kept.iter().any(|table| line.starts_with(table))).collect::<Vec<_>>().join("\n")
}

async fn a_code_that_is_used_twice_is_refused_and_what_it_began_is_over(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let second = house.another_node().await;
    let code = house.code(&uid, &[]).await;
    let first = house.node.token(&redemption(&code)).await.ok();
    let access = first.text("access_token");
    assert!(is_live(&house, &access).await);
    second.token(&redemption(&code)).await.oauth_error(400, "invalid_grant");
    house.node.service.tick().await;
    assert!(!is_live(&house, &access).await);
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", &first.text("refresh_token")), ("client_id", "c3")];
    house.node.token(&refresh).await.oauth_error(400, "invalid_grant");
    let entry = house.only_entry("code.replayed").await;
    assert_eq!((entry.detail["reason"].as_str(), entry.user_id.as_deref()), ("code_replay", Some(uid.as_str())));
    // A third time finds nothing to end.
    house.node.token(&redemption(&code)).await.oauth_error(400, "invalid_grant");
    assert_eq!(house.entries("code.replayed").await.len(), 1);
    assert_eq!(house.books().await.sessions, 2, "the sign-up's, and the one that was ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_used_twice_after_its_minute_ends_what_it_began_all_the_same() {
    let (house, uid) = with_web_app(Engine::Sqlite).await;
    let code = house.code(&uid, &[]).await;
    let access = house.node.token(&redemption(&code)).await.ok().text("access_token");
    house.advance(Duration::from_mins(10)).await;
    house.node.service.maintain().await;
    assert!(is_live(&house, &access).await);
    // Even with another verifier: whoever shows the code has seen it.
    let without = over(&redemption(&code), &[("code_verifier", "")]);
    house.node.token(&without).await.oauth_error(400, "invalid_grant");
    assert!(!is_live(&house, &access).await);
    // Long after, nobody knows the code any more.
    let forgotten = house.code(&uid, &[]).await;
    let access = house.node.token(&redemption(&forgotten)).await.ok().text("access_token");
    house.set_client("c3", &["access.lifetime=24h"]).await;
    for _ in 0..13 {
        house.advance(Duration::from_mins(5)).await;
        house.node.service.maintain().await;
    }
    assert_eq!(house.database.number("select count(*) from authorization_codes").await, 0);
    house.node.token(&redemption(&forgotten)).await.oauth_error(400, "invalid_grant");
    assert_eq!(house.entries("code.replayed").await.len(), 1);
    drop(access);
}

async fn of_twenty_redemptions_at_once_one_wins_and_the_others_end_its_session(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let house = Arc::new(house);
    let second = Arc::new(house.another_node().await);
    let code = house.code(&uid, &[]).await;
    let before = house.books().await;
    let mut redeemers = JoinSet::new();
    for number in 0..20 {
        let (house, second, code) = (Arc::clone(&house), Arc::clone(&second), code.clone());
        redeemers.spawn(async move {
            let node = if number % 2 == 0 { &house.node } else { &*second };
            node.token(&redemption(&code)).await
        });
    }
    let answers = redeemers.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 200);
    assert_eq!((won.len(), lost.len()), (1, 19));
    for answer in lost {
        answer.oauth_error(400, "invalid_grant");
    }
    let after = house.books().await;
    assert_eq!((after.sessions, after.live_sessions), (before.sessions + 1, before.live_sessions));
    house.node.service.tick().await;
    assert!(!is_live(&house, &won[0].text("access_token")).await, "nobody can tell the thief from the owner");
    assert_eq!(house.entries("code.replayed").await.len(), 1);
}

/// A proof of a key is used up in a transaction of its own; the code must not care by which way it goes.
async fn of_redemptions_at_once_with_a_key_and_without_one_wins_and_the_others_end_its_session(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.set_client("c3", &["dpop.nonce=off"]).await;
    let second = house.another_node().await;
    let (key, code) = (a_key(Kind::Es256), house.code(&uid, &[]).await);
    let app = house.app_with_key(&key);
    let before = house.books().await;
    let mut redeemers = JoinSet::new();
    for number in 0..20 {
        let node = if number % 4 < 2 { &house.node } else { &second };
        let proof = app.proof("POST", "/oauth2/token").text();
        let (client, code) = (node.client(), code.clone());
        redeemers.spawn(async move {
            let client = if number % 2 == 0 { client.with("dpop", &proof) } else { client };
            client.post_form("/oauth2/token", &redemption(&code)).await
        });
    }
    let (won, lost): (Vec<_>, Vec<_>) =
        redeemers.join_all().await.into_iter().partition(|answer| answer.status() == 200);
    assert_eq!((won.len(), lost.len()), (1, 19));
    for answer in lost {
        answer.oauth_error(400, "invalid_grant");
    }
    let after = house.books().await;
    assert_eq!((after.sessions, after.live_sessions), (before.sessions + 1, before.live_sessions));
    assert_eq!(house.entries("code.replayed").await.len(), 1);
}

async fn a_code_of_another_client_buys_nothing_and_ends_nothing(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.set_client("c1", &[&format!("oauth.redirect_uris={REDIRECT_URI}")]).await;
    let code = house.code(&uid, &[]).await;
    let before = rows(&house).await;
    house.node.token(&over(&redemption(&code), &[("client_id", "c1")])).await.oauth_error(400, "invalid_grant");
    assert_eq!(rows(&house).await, before);
    let access = house.node.token(&redemption(&code)).await.ok().text("access_token");
    house.node.token(&over(&redemption(&code), &[("client_id", "c1")])).await.oauth_error(400, "invalid_grant");
    assert!(is_live(&house, &access).await, "another client can't end it");
}

async fn refused_then_taken(house: &House, uid: &str, wrong: &[(&str, &str)]) {
    let code = house.code(uid, &[]).await;
    let before = rows(house).await;
    house.node.token(&over(&redemption(&code), wrong)).await.oauth_error(400, "invalid_grant");
    assert_eq!(rows(house).await, before, "{wrong:?}");
    house.node.token(&redemption(&code)).await.is_ok();
}

async fn a_code_with_another_redirect_uri_buys_nothing(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    for other in [
        "",
        "https://app.example.com/callback/",
        "https://app.example.com/Callback",
        "https://app.example.com/callback?a=b",
        "https://evil.example/callback",
    ] {
        refused_then_taken(&house, &uid, &[("redirect_uri", other)]).await;
    }
}

async fn a_code_with_another_verifier_or_none_buys_nothing(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    // The challenge itself is what everybody sees.
    let (challenge, longer) = ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", format!("{VERIFIER}a"));
    for other in ["", "a", challenge, &longer, &VERIFIER.to_uppercase()] {
        refused_then_taken(&house, &uid, &[("code_verifier", other)]).await;
    }
}

async fn a_verifier_for_a_code_without_a_challenge_is_refused(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    house.set_client("c4", &["oauth.pkce=nonce_or_pkce"]).await;
    let asked = [("client_id", "c4"), ("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "n")];
    let code = house.code(&uid, &asked).await;
    let with_verifier = over(&redemption(&code), &[("client_id", "c4"), ("client_secret", &secret)]);
    house.node.token(&with_verifier).await.oauth_error(400, "invalid_grant");
    let without = over(&with_verifier, &[("code_verifier", "")]);
    // Whoever must use PKCE since gets nothing for a code without.
    house.set_client("c4", &["oauth.pkce=required"]).await;
    house.node.token(&without).await.oauth_error(400, "invalid_grant");
    house.set_client("c4", &["oauth.pkce=nonce_or_pkce"]).await;
    assert_eq!(claims(&house.node.token(&without).await.ok().text("id_token"))["nonce"], "n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_expires_after_a_minute() {
    let (house, uid) = with_web_app(Engine::Sqlite).await;
    let (late, in_time) = (house.code(&uid, &[]).await, house.code(&uid, &[]).await);
    house.advance(Duration::from_secs(59)).await;
    house.node.token(&redemption(&in_time)).await.is_ok();
    house.advance(Duration::from_secs(1)).await;
    let before = rows(&house).await;
    house.node.token(&redemption(&late)).await.oauth_error(400, "invalid_grant");
    assert_eq!(rows(&house).await, before);
}

async fn a_code_of_another_project_is_none(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.another_project("p2").await;
    let code = house.code(&uid, &[]).await;
    let before = rows(&house).await;
    let http = house.node.client();
    http.post_form("/p/p2/oauth2/token", &redemption(&code)).await.oauth_error(400, "invalid_grant");
    assert_eq!(rows(&house).await, before);
    http.post_form("/p/p1/oauth2/token", &redemption(&code)).await.is_ok();
}

async fn a_code_of_a_user_who_was_revoked_or_locked_out_since_buys_nothing(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let user = uid.parse().unwrap();
    for change in [StateChange::Revoke, StateChange::Disable] {
        let code = house.code(&uid, &[]).await;
        house.node.service.change_user_state(&p1(), user, change).await.unwrap();
        let before = rows(&house).await;
        house.node.token(&redemption(&code)).await.oauth_error(400, "invalid_grant");
        assert_eq!(rows(&house).await, before, "{change:?}");
    }
    house.node.service.change_user_state(&p1(), user, StateChange::Enable).await.unwrap();
    let code = house.code(&uid, &[]).await;
    house.node.token(&redemption(&code)).await.is_ok();
}

async fn a_code_of_a_client_or_project_that_was_revoked_since_buys_nothing(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let code = house.code(&uid, &[]).await;
    house.node.service.change_client_state(&p1(), &"c3".parse().unwrap(), StateChange::Revoke).await.unwrap();
    let before = rows(&house).await;
    house.node.token(&redemption(&code)).await.oauth_error(400, "invalid_grant");
    let code = house.code(&uid, &[]).await;
    house.node.service.change_project_state(&p1(), StateChange::Revoke).await.unwrap();
    house.node.token(&redemption(&code)).await.oauth_error(400, "invalid_grant");
    assert_eq!(house.books().await.sessions, 1);
    assert!(!before.is_empty());
    let code = house.code(&uid, &[]).await;
    house.node.token(&redemption(&code)).await.is_ok();
}

async fn a_code_bound_to_a_key_buys_nothing_without_it(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let (key, other) = (a_key(Kind::Es256), a_key(Kind::EdDsa));
    house.set_client("c3", &["dpop.nonce=off"]).await;
    let jkt = encoding::encode(key.thumbprint().0);
    let code = house.code(&uid, &[("dpop_jkt", &jkt)]).await;
    let before = house.books().await;
    house.node.token(&redemption(&code)).await.oauth_error(400, "invalid_grant");
    let with = |key: &Arc<_>| {
        let proof = house.app_with_key(key).proof("POST", "/oauth2/token").text();
        house.node.client().with("dpop", &proof)
    };
    with(&other).post_form("/oauth2/token", &redemption(&code)).await.oauth_error(400, "invalid_grant");
    assert_eq!(house.books().await, before);
    let answer = with(&key).post_form("/oauth2/token", &redemption(&code)).await.ok();
    assert_eq!(answer.text("token_type"), "DPoP");
    let access = answer.text("access_token");
    assert_eq!(claims(&access)["cnf"]["jkt"], jkt);
    assert!(!is_live(&house, &access).await, "it is no bearer token");
    assert!(!answer.header("dpop-nonce").is_empty());
}

async fn a_proof_of_a_key_that_was_used_before_buys_nothing_and_uses_no_code_up(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let second = house.another_node().await;
    let key = a_key(Kind::Es256);
    let app = house.app_with_key(&key);
    // By default a proof must have a nonce of ours, and a client is told.
    let (one, two) = (house.code(&uid, &[]).await, house.code(&uid, &[]).await);
    let asked = app.proof("POST", "/oauth2/token").text();
    let told = house.node.client().with("dpop", &asked).post_form("/oauth2/token", &redemption(&one)).await;
    told.oauth_error(400, "use_dpop_nonce");
    let proof = app.knowing(told.header("dpop-nonce")).proof("POST", "/oauth2/token").text();
    house.node.client().with("dpop", &proof).post_form("/oauth2/token", &redemption(&one)).await.is_ok();
    let before = house.books().await;
    for node in [&house.node, &second] {
        let again = node.client().with("dpop", &proof).post_form("/oauth2/token", &redemption(&two)).await;
        again.oauth_error(400, "invalid_dpop_proof");
    }
    assert_eq!(house.books().await, before);
    house.node.token(&redemption(&two)).await.is_ok();
}

async fn no_code_stands_in_the_database(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let code = house.code(&uid, &[]).await;
    let answer = house.node.token(&redemption(&code)).await.ok();
    let dump = house.database.dump().await;
    assert!(dump.contains("authorization_codes: "));
    for secret in [code.as_str(), &answer.text("refresh_token"), VERIFIER] {
        assert!(!dump.contains(secret), "{secret} stands in the database");
    }
}
