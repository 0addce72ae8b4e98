//! Authorization requests: what is found good, what goes back to the client, and what must go nowhere.

use countersign_service::oauth::{
    authorization::{AuthorizationRefused, AuthorizationRequest, PageProblem, Prompt, ResponseMode},
    response::{Redirect, authorization_response},
};
use countersign_testkit::{
    database::Engine,
    house::House,
    provider::{Parameters, REDIRECT_URI, form, redemption},
};
use proptest::prelude::*;

use super::signed_in;

/// What went back, or that nothing did.
fn outcome(house: &House, raw: &str) -> Result<AuthorizationRequest, String> {
    match house.check_authorization(raw) {
        Ok(checked) => Ok(checked.request),
        Err(AuthorizationRefused::Page(problem)) => Err(format!("page: {problem:?}")),
        Err(AuthorizationRefused::Outage(outage)) => Err(outage.to_string()),
        Err(AuthorizationRefused::Client(error)) => match error.redirect() {
            Redirect::Uri(uri) => Err(uri),
            Redirect::FormPost { action, fields } => Err(format!("{action} {fields:?}")),
        },
    }
}

fn asked(house: &House, more: Parameters<'_>) -> Result<AuthorizationRequest, String> {
    outcome(house, &form(&house.authorization(more)))
}

/// The error that goes back to the client, with its state and who answers.
#[track_caller]
fn told(house: &House, more: Parameters<'_>, error: &str) {
    let raw = form(&house.authorization(more));
    let uri = outcome(house, &raw).expect_err(&raw);
    let expected = format!("{REDIRECT_URI}?error={error}&error_description=");
    assert!(uri.starts_with(&expected), "{more:?}: {uri}");
    assert!(uri.contains("&state=a%20state&iss=http%3A%2F%2F127.0.0.1"), "{uri}");
}

async fn house() -> House {
    let house = House::open(Engine::Sqlite).await;
    house.web_app().await;
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_request_is_read_with_everything_that_it_says() {
    let house = house().await;
    let request = asked(
        &house,
        &[
            ("nonce", "n"),
            ("prompt", "login consent"),
            ("max_age", "0"),
            ("login_hint", "ada@example.com"),
            ("acr_values", "a b"),
            ("ui_locales", "de en"),
            ("response_mode", "form_post"),
            ("display", "popup"),
            ("claims", "{}"),
        ],
    )
    .unwrap();
    assert_eq!(request.client.as_str(), "c3");
    assert_eq!((request.redirect_uri.as_str(), request.has_redirect_uri_param), (REDIRECT_URI, true));
    assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("a state"), Some("n")));
    assert_eq!(request.prompt, [Prompt::Login, Prompt::Consent]);
    assert_eq!((request.max_age, request.login_hint.as_deref()), (Some(0), Some("ada@example.com")));
    assert_eq!((request.acr_values.join(" "), request.ui_locales.join(" ")), ("a b".to_owned(), "de en".to_owned()));
    assert_eq!(request.response_mode, ResponseMode::FormPost);
    assert_eq!(request.scope.to_string(), "openid email");
    assert_eq!(AuthorizationRequest::from_json(&request.to_json()), Some(request));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_client_is_told_to_the_person_and_sent_nowhere() {
    let house = house().await;
    for more in [
        &[("client_id", "")][..],
        &[("client_id", "c9")],
        &[("client_id", "../c3")],
        &[("client_id", "c3 ")],
        &[("client_id", "c9"), ("redirect_uri", "https://evil.example/")],
    ] {
        assert_eq!(asked(&house, more), Err(format!("page: {:?}", PageProblem::UnknownClient)), "{more:?}");
    }
    let twice = format!("{}&client_id=c1", form(&house.authorization(&[])));
    assert_eq!(outcome(&house, &twice), Err(format!("page: {:?}", PageProblem::UnknownClient)));
    assert!(asked(&house, &[]).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_that_is_not_registered_is_an_open_redirect_to_nowhere() {
    let house = house().await;
    let bad = Err(format!("page: {:?}", PageProblem::BadRedirectUri));
    for uri in [
        "https://app.example.com/callback/",
        "https://app.example.com/Callback",
        "https://APP.example.com/callback",
        "HTTPS://app.example.com/callback",
        "https://app.example.com/callback?next=https://evil.example",
        "https://app.example.com/callback#fragment",
        "https://app.example.com/x/../callback",
        "https://app.example.com/callback/../../evil",
        "https://app.example.com/%63allback",
        "https://user@app.example.com/callback",
        "https://app.example.com@evil.example/callback",
        "https://app.example.com.evil.example/callback",
        "https://evil.example/callback",
        "https://app.example.com:443/callback",
        "http://app.example.com/callback",
        "//app.example.com/callback",
        "/callback",
        "javascript:alert(1)",
    ] {
        assert_eq!(asked(&house, &[("redirect_uri", uri)]), bad, "{uri}");
    }
    let base = form(&house.authorization(&[]));
    assert_eq!(outcome(&house, &format!("{base}&redirect_uri=https%3A%2F%2Fevil.example")), bad, "twice");
    assert_eq!(outcome(&house, &format!("{}&redirect_uri=", form(&house.authorization(&[("redirect_uri", "")])))), bad);
    // Nor does anything else that is wrong send anybody there.
    assert_eq!(asked(&house, &[("redirect_uri", "https://evil.example"), ("response_type", "token")]), bad);
    assert!(asked(&house, &[]).is_ok());
    house.set_client("c3", &["oauth.redirect_uris="]).await;
    assert_eq!(asked(&house, &[]), bad);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_no_redirect_uri_means_the_only_one() {
    let house = house().await;
    let request = asked(&house, &[("redirect_uri", "")]).unwrap();
    assert_eq!((request.redirect_uri.as_str(), request.has_redirect_uri_param), (REDIRECT_URI, false));
    house.set_client("c3", &[&format!("oauth.redirect_uris={REDIRECT_URI} https://app.example.com/other")]).await;
    assert_eq!(asked(&house, &[("redirect_uri", "")]), Err(format!("page: {:?}", PageProblem::BadRedirectUri)));
    assert!(asked(&house, &[("redirect_uri", "https://app.example.com/other")]).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_on_a_loopback_address_listens_on_whatever_port_is_free() {
    let house = house().await;
    house
        .set_client(
            "c3",
            &["oauth.redirect_uris=http://127.0.0.1/callback http://[::1]/callback http://localhost:5000/callback"],
        )
        .await;
    for good in ["http://127.0.0.1:53211/callback", "http://[::1]:53211/callback", "http://localhost:5000/callback"] {
        assert_eq!(asked(&house, &[("redirect_uri", good)]).unwrap().redirect_uri, good);
    }
    let bad = Err(format!("page: {:?}", PageProblem::BadRedirectUri));
    for uri in [
        "http://localhost:5001/callback",
        "http://127.0.0.1:53211/callback/",
        "http://127.0.0.1:53211@evil.example/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.2:53211/callback",
        "https://127.0.0.1:53211/callback",
    ] {
        assert_eq!(asked(&house, &[("redirect_uri", uri)]), bad, "{uri}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pkce_that_is_plain_or_missing_is_refused() {
    let house = house().await;
    for more in [
        &[("code_challenge", ""), ("code_challenge_method", "")][..],
        &[("code_challenge_method", "plain")],
        &[("code_challenge_method", "")],
        &[("code_challenge_method", "s256")],
        &[("code_challenge", "")],
        &[("code_challenge", "short")],
        &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")],
        &[("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "n")],
    ] {
        told(&house, more, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confidential_client_may_have_registered_a_nonce_instead() {
    let house = house().await;
    house.with_secret("client_secret_basic").await;
    let without = [("client_id", "c4"), ("code_challenge", ""), ("code_challenge_method", "")];
    let with_nonce = [("client_id", "c4"), ("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "n")];
    told(&house, &with_nonce, "invalid_request");
    house.set_client("c4", &["oauth.pkce=nonce_or_pkce"]).await;
    assert!(asked(&house, &with_nonce).is_ok());
    told(&house, &without, "invalid_request");
    let no_openid = [
        ("client_id", "c4"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
        ("nonce", "n"),
        ("scope", "email"),
    ];
    told(&house, &no_openid, "invalid_request");
    assert!(asked(&house, &[("client_id", "c4")]).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_goes_back_to_the_client_by_its_name() {
    let house = house().await;
    let long = "a".repeat(513);
    for (more, error) in [
        (&[("response_type", "")][..], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "id_token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_type", "code token")], "unsupported_response_type"),
        (&[("response_type", "none")], "unsupported_response_type"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("response_mode", "query.jwt")], "invalid_request"),
        (&[("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
        (&[("request_uri", "https://evil.example/request")], "request_uri_not_supported"),
        (&[("request_uri", "urn:ietf:params:oauth:request_uri:abc")], "request_uri_not_supported"),
        (&[("registration", "{}")], "registration_not_supported"),
        (&[("scope", "openid admin")], "invalid_scope"),
        (&[("scope", "openid  email")], "invalid_scope"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "none consent")], "invalid_request"),
        (&[("prompt", "login none")], "invalid_request"),
        (&[("prompt", "create")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("max_age", "1.5")], "invalid_request"),
        (&[("max_age", "+1")], "invalid_request"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("nonce", &long)], "invalid_request"),
        (&[("login_hint", &long)], "invalid_request"),
        (&[("dpop_jkt", "short")], "invalid_request"),
        (&[("id_token_hint", "a.b.c")], "invalid_request"),
        (&[("resource", "https://another.example")], "invalid_target"),
    ] {
        told(&house, more, error);
    }
    assert_eq!(asked(&house, &[("prompt", "none")]).unwrap().prompt, [Prompt::None]);
    let audience = house.public_url().to_owned();
    assert!(asked(&house, &[("resource", &audience)]).is_ok());
    house.set_client("c3", &["oauth.grants=refresh_token"]).await;
    told(&house, &[], "unauthorized_client");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_stands_twice_is_refused_whoever_reads_it() {
    let house = house().await;
    let base = form(&house.authorization(&[]));
    for more in [
        "scope=openid",
        "nonce=a&nonce=a",
        "code_challenge=a",
        "unknown=1&unknown=2",
        "response_type=code",
        "prompt=none&prompt=none",
    ] {
        let uri = outcome(&house, &format!("{base}&{more}")).unwrap_err();
        assert!(uri.starts_with(&format!("{REDIRECT_URI}?error=invalid_request")), "{more}: {uri}");
        assert!(uri.contains("&state=a%20state&"), "{uri}");
    }
    // Of two states neither goes back.
    let uri = outcome(&house, &format!("{base}&state=other")).unwrap_err();
    assert!(uri.starts_with(&format!("{REDIRECT_URI}?error=invalid_request")) && !uri.contains("state="), "{uri}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_goes_back_by_form_where_the_client_asked_for_that() {
    let house = house().await;
    let told = asked(&house, &[("response_mode", "form_post"), ("response_type", "token")]).unwrap_err();
    assert!(told.starts_with(&format!("{REDIRECT_URI} [(\"error\", \"unsupported_response_type\")")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_of_ours_says_who_is_meant_however_old_it_is() {
    let house = house().await;
    let uid = house.user("ada@example.com").await;
    let answer = signed_in(&house, &uid).await;
    let hint = answer.text("id_token");
    let meant =
        |more: Parameters<'_>| asked(&house, more).map(|request| request.hinted_user.map(|user| user.to_string()));
    assert_eq!(meant(&[("id_token_hint", &hint)]), Ok(Some(uid.clone())));
    house.advance(std::time::Duration::from_hours(24)).await;
    assert_eq!(meant(&[("id_token_hint", &hint)]), Ok(Some(uid)));
    told(&house, &[("id_token_hint", &answer.text("access_token"))], "invalid_request");
    house.set_client("c1", &[&format!("oauth.redirect_uris={REDIRECT_URI}")]).await;
    told(&house, &[("client_id", "c1"), ("id_token_hint", &hint)], "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_goes_back_with_the_state_and_who_answers() {
    let house = house().await;
    let uid = house.user("ada@example.com").await;
    let request = asked(&house, &[]).unwrap();
    let code = countersign_crypto::secret::SecretText::new(house.code(&uid, &[]).await);
    let Redirect::Uri(uri) = authorization_response(&request, &code) else { panic!("this goes by query") };
    let issuer = countersign_domain::oauth::form::encode(house.public_url());
    assert_eq!(uri, format!("{REDIRECT_URI}?code={}&state=a%20state&iss={issuer}", code.danger_expose()));
    house.node.token(&redemption(code.danger_expose())).await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_nobody_is_sent_where_nothing_is_registered() {
    let house = house().await;
    let names =
        "client_id|redirect_uri|response_type|response_mode|scope|state|prompt|max_age|nonce|request|code_challenge";
    let values = "c3|code|https%3A%2F%2Fapp\\.example\\.com%2Fcallback|https%3A%2F%2Fevil\\.example|openid|form_post|none|%0d|S256|[a-z%&=]{0,8}";
    let raw = format!("(({names})=({values})&){{0,8}}");
    let mut runner = proptest::test_runner::TestRunner::default();
    let good = form(&house.authorization(&[]));
    let strategy = (proptest::string::string_regex(&raw).unwrap(), any::<bool>());
    let checked = runner.run(&strategy, |(raw, is_beside)| {
        let raw = if is_beside { format!("{raw}{good}") } else { raw };
        let Ok(parameters) = countersign_domain::oauth::form::Form::parse(raw.as_bytes()) else { return Ok(()) };
        let address = countersign_service::address::Address::default();
        match house.node.service.check_authorization_request(&address, &parameters) {
            Ok(checked) => prop_assert_eq!(&checked.request.redirect_uri, REDIRECT_URI),
            Err(AuthorizationRefused::Page(_)) => {}
            Err(AuthorizationRefused::Outage(outage)) => panic!("{outage}"),
            Err(AuthorizationRefused::Client(error)) => match error.redirect() {
                Redirect::Uri(uri) => {
                    let expected = format!("{REDIRECT_URI}?error=");
                    prop_assert!(uri.starts_with(&expected), "{}", uri);
                    prop_assert!(uri.bytes().all(|b| b.is_ascii_graphic()), "{}", uri);
                }
                Redirect::FormPost { action, .. } => prop_assert_eq!(action, REDIRECT_URI),
            },
        }
        Ok(())
    });
    checked.unwrap();
}
