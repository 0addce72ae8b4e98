//! Authorization requests, as they come in a query: whatever they say, nobody is sent where nothing is registered.
#![no_main]

use std::sync::LazyLock;

use countersign_domain::oauth::form::{self, Form};
use countersign_fuzz::deployment::{Deployment, REDIRECT_URIS};
use countersign_service::{
    address::Address,
    oauth::{
        authorization::{AuthorizationRefused, AuthorizationRequest},
        response::{Redirect, authorization_response},
    },
};
use libfuzzer_sys::fuzz_target;

static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(Deployment::open);

fuzz_target!(|query: &[u8]| {
    let Ok(parameters) = Form::parse(query) else { return };
    let address = Address { path: Some("p1".to_owned()), host: None };
    let redirect = match DEPLOYMENT.service.check_authorization_request(&address, &parameters) {
        Ok(checked) => {
            let request = checked.request;
            assert!(!parameters.has_twice() && parameters.text("response_type") == Some("code"));
            assert!(request.code_challenge.is_some(), "a public client without PKCE");
            assert_eq!(AuthorizationRequest::from_json(&request.to_json()).as_ref(), Some(&request));
            let code = countersign_crypto::secret::SecretText::new("code".to_owned());
            authorization_response(&request, &code)
        }
        Err(AuthorizationRefused::Page(_)) => return,
        Err(AuthorizationRefused::Client(error)) => error.redirect(),
        Err(AuthorizationRefused::Outage(outage)) => panic!("{outage}"),
    };
    match redirect {
        Redirect::FormPost { action, .. } => assert!(is_registered(&action), "{action}"),
        Redirect::Uri(uri) => {
            assert!(uri.bytes().all(|b| b.is_ascii_graphic()), "{uri}");
            let (place, said) = uri.split_once('?').unwrap();
            assert!(is_registered(place), "{uri}");
            let said = Form::parse(said.as_bytes()).unwrap();
            assert!(said.text("iss").is_some() && !said.has_twice(), "{uri}");
            assert_eq!(said.text("state"), parameters.text("state").filter(|state| state.len() <= 4096));
        }
    }
    assert_eq!(form::decode(form::encode("a&b").as_bytes()).as_deref(), Ok("a&b"));
});

/// A second reader of the rule: byte for byte, but for the digits of a port after 127.0.0.1.
fn is_registered(place: &str) -> bool {
    let without_port = |uri: &str| match uri.strip_prefix("http://127.0.0.1:") {
        Some(rest) => format!("http://127.0.0.1{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => uri.to_owned(),
    };
    REDIRECT_URIS.split(' ').any(|registered| registered == place || without_port(registered) == without_port(place))
}
