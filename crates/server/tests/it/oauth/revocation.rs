//! `/oauth2/revoke`.

use countersign_crypto::jose::public_key::Kind;
use countersign_testkit::{
    answer::Answer,
    bound::a_key,
    database::Engine,
    house::House,
    on_both_engines,
    provider::{Parameters, over, redemption},
};

use super::{is_live, signed_in, with_web_app};

on_both_engines!(
    a_token_that_is_given_back_ends_its_session,
    what_is_not_good_any_more_is_no_mistake,
    a_token_of_another_client_is_not_its_to_give_back,
    a_confidential_client_proves_itself,
    a_bound_session_is_not_ended_by_a_copied_token,
);

async fn give_back(house: &House, token: &str, more: Parameters<'_>) -> Answer {
    let base = [("token", token), ("client_id", "c3")];
    house.node.client().post_form("/oauth2/revoke", &over(&base, more)).await
}

async fn a_token_that_is_given_back_ends_its_session(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let second = house.another_node().await;
    for (given, hint) in
        [("refresh_token", "refresh_token"), ("access_token", "access_token"), ("access_token", "refresh_token")]
    {
        let answer = signed_in(&house, &uid).await;
        let done = give_back(&house, &answer.text(given), &[("token_type_hint", hint)]).await.ok();
        assert!(done.body.is_empty());
        assert!(!is_live(&house, &answer.text("access_token")).await);
        second.service.tick().await;
        let bearer = second.client().with("authorization", &format!("Bearer {}", answer.text("access_token")));
        assert_eq!(bearer.get("/v1/me").await.status(), 401);
        let refresh =
            [("grant_type", "refresh_token"), ("refresh_token", &*answer.text("refresh_token")), ("client_id", "c3")];
        house.node.token(&refresh).await.oauth_error(400, "invalid_grant");
        give_back(&house, &answer.text(given), &[]).await.is_ok();
    }
    let ended = house.entries("session.ended").await;
    assert_eq!(ended.len(), 3);
    assert_eq!(ended[0].detail["reason"], "signed_out");
}

async fn what_is_not_good_any_more_is_no_mistake(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let answer = signed_in(&house, &uid).await;
    for token in ["garbage", "rt_garbage", "a.b.c", &answer.text("id_token")] {
        give_back(&house, token, &[]).await.is_ok();
    }
    assert!(is_live(&house, &answer.text("access_token")).await);
    give_back(&house, "", &[]).await.oauth_error(400, "invalid_request");
    house.advance(std::time::Duration::from_mins(15)).await;
    give_back(&house, &answer.text("access_token"), &[]).await.is_ok();
}

async fn a_token_of_another_client_is_not_its_to_give_back(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let answer = signed_in(&house, &uid).await;
    for token in ["access_token", "refresh_token"] {
        let refused = give_back(&house, &answer.text(token), &[("client_id", "c1")]).await;
        refused.oauth_error(400, "unauthorized_client");
    }
    give_back(&house, &answer.text("access_token"), &[("client_id", "")]).await.oauth_error(401, "invalid_client");
    assert!(is_live(&house, &answer.text("access_token")).await);
    give_back(&house, &answer.text("access_token"), &[]).await.is_ok();
    assert!(!is_live(&house, &answer.text("access_token")).await);
}

async fn a_confidential_client_proves_itself(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let secret = house.with_secret("client_secret_post").await;
    let of_c4 = [("client_id", "c4"), ("client_secret", secret.as_str())];
    let code = house.code(&uid, &[("client_id", "c4")]).await;
    let access = house.node.token(&over(&redemption(&code), &of_c4)).await.ok().text("access_token");
    give_back(&house, &access, &[("client_id", "c4")]).await.oauth_error(401, "invalid_client");
    assert!(is_live(&house, &access).await);
    give_back(&house, &access, &of_c4).await.is_ok();
    assert!(!is_live(&house, &access).await);
    // What belongs to no session can't be ended, and the client is told so.
    let own = house.node.token(&over(&of_c4, &[("grant_type", "client_credentials")])).await.ok().text("access_token");
    give_back(&house, &own, &of_c4).await.oauth_error(400, "unsupported_token_type");
}

async fn a_bound_session_is_not_ended_by_a_copied_token(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    house.set_client("c3", &["dpop.nonce=off"]).await;
    let (key, thiefs) = (a_key(Kind::Es256), a_key(Kind::Es256));
    let with = |key, path| house.node.client().with("dpop", &house.app_with_key(key).proof("POST", path).text());
    let code = house.code(&uid, &[]).await;
    let answer = with(&key, "/oauth2/token").post_form("/oauth2/token", &redemption(&code)).await.ok();
    let live = async || house.books().await.live_sessions;
    let before = live().await;
    for token in ["access_token", "refresh_token"] {
        let shown = [("token", &*answer.text(token)), ("client_id", "c3")];
        house.node.client().post_form("/oauth2/revoke", &shown).await.oauth_error(400, "use_dpop_nonce");
        let stolen = with(&thiefs, "/oauth2/revoke").post_form("/oauth2/revoke", &shown).await;
        stolen.oauth_error(400, "invalid_grant");
    }
    assert_eq!(live().await, before);
    let shown = [("token", &*answer.text("refresh_token")), ("client_id", "c3")];
    with(&key, "/oauth2/revoke").post_form("/oauth2/revoke", &shown).await.is_ok();
    assert_eq!(live().await, before - 1);
}
