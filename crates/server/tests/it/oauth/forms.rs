//! What comes to the provider's endpoints and is no form, or says a thing twice.

use countersign_testkit::{
    database::Engine,
    house::House,
    on_both_engines,
    provider::{form, over, redemption},
};
use hyper::Method;
use serde_json::json;

use super::with_web_app;

on_both_engines!(
    only_a_form_is_taken,
    a_parameter_that_stands_twice_is_refused,
    what_is_missing_is_named_and_an_unknown_grant_is_refused,
    a_page_in_a_browser_may_call,
);

const FORM: &str = "application/x-www-form-urlencoded";
const PATHS: [&str; 3] = ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"];

async fn only_a_form_is_taken(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let code = house.code(&uid, &[]).await;
    let body = form(&redemption(&code));
    let before = house.books().await;
    let http = house.node.client();
    for path in PATHS {
        for kind in ["application/json", "multipart/form-data", "text/plain", "application/x-www-form-urlencodedx", ""]
        {
            let answer = http.with("content-type", kind).send(Method::POST, path, body.clone().into()).await;
            answer.oauth_error(400, "invalid_request");
        }
        http.send(Method::POST, path, body.clone().into()).await.oauth_error(400, "invalid_request");
        http.post(path, &json!({"grant_type": "authorization_code"})).await.oauth_error(400, "invalid_request");
        for bytes in [&b"a=%"[..], b"a=%zz", b"a=\xff", b"a=%ff", b"a=%00"] {
            let answer = http.with("content-type", FORM).send(Method::POST, path, bytes.to_vec().into()).await;
            answer.oauth_error(400, "invalid_request");
        }
        let long = format!("a={}", "a".repeat(65 * 1024));
        let answer = http.with("content-type", FORM).send(Method::POST, path, long.into()).await;
        answer.oauth_error(413, "invalid_request");
        assert_eq!(http.get(path).await.status(), 405);
    }
    assert_eq!(house.books().await, before);
    http.with("content-type", FORM).send(Method::POST, PATHS[0], body.into()).await.is_ok();
}

async fn a_parameter_that_stands_twice_is_refused(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let code = house.code(&uid, &[]).await;
    let body = form(&redemption(&code));
    let http = house.node.client().with("content-type", FORM);
    let before = house.books().await;
    for more in
        ["client_id=c3", "grant_type=refresh_token", "code=a", "code_verifier=", "unknown=1&unknown=1", "%63ode=a"]
    {
        let told = http.send(Method::POST, "/oauth2/token", format!("{body}&{more}").into()).await;
        assert!(told.oauth_error(400, "invalid_request").contains("twice"), "{more}");
    }
    assert_eq!(house.books().await, before);
    http.send(Method::POST, "/oauth2/token", format!("{body}&unknown=1").into()).await.is_ok();
}

async fn what_is_missing_is_named_and_an_unknown_grant_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    house.web_app().await;
    let told = house.node.token(&[("client_id", "c3")]).await.oauth_error(400, "invalid_request");
    assert!(told.contains("`grant_type`"), "{told}");
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "AUTHORIZATION_CODE", "a b"] {
        let asked = [("client_id", "c3"), ("grant_type", grant)];
        house.node.token(&asked).await.oauth_error(400, "unsupported_grant_type");
    }
    for (grant, missing) in [("authorization_code", "`code`"), ("refresh_token", "`refresh_token`")] {
        let asked = [("client_id", "c3"), ("grant_type", grant)];
        let told = house.node.token(&asked).await.oauth_error(400, "invalid_request");
        assert!(told.contains(missing), "{told}");
    }
    for code in ["a", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "../../etc/passwd", "' or 1=1 --"] {
        house.node.token(&over(&redemption(code), &[])).await.oauth_error(400, "invalid_grant");
    }
}

async fn a_page_in_a_browser_may_call(engine: Engine) {
    let (house, uid) = with_web_app(engine).await;
    let page = house.node.client().with("origin", "https://app.example.com");
    for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/userinfo", "/.well-known/openid-configuration"] {
        let asking = page
            .with("access-control-request-method", "POST")
            .with("access-control-request-headers", "content-type, dpop, authorization");
        let allowed = asking.send(Method::OPTIONS, path, String::new().into()).await.ok();
        assert_eq!(allowed.header("access-control-allow-origin"), "*");
        assert_eq!(allowed.header("access-control-allow-methods"), "POST");
        assert_eq!(allowed.header("access-control-allow-headers"), "content-type, dpop, authorization");
        assert!(!allowed.headers.contains_key("access-control-allow-credentials"));
    }
    let code = house.code(&uid, &[]).await;
    let answer = page.post_form("/oauth2/token", &redemption(&code)).await.ok();
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-expose-headers").contains("dpop-nonce"));
}
