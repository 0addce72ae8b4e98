//! Headers that somebody has written down, explained, and judged by the door itself.
#![no_main]

use std::{net::Ipv4Addr, sync::LazyLock};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use countersign_domain::id::ProjectId;
use countersign_fuzz::deployment::Deployment;
use countersign_http::extract::{address::host_name, ticket::ticket_in, written::WrittenHeaders};
use countersign_service::{
    address::Address,
    caller::Caller,
    explain::{Code, Explanation, Verdict},
    proof::{
        actor::Credentials,
        client_call::{ClientCall, Shown},
        possession::UnverifiedPossession,
    },
};
use libfuzzer_sys::fuzz_target;

static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(Deployment::open);

// Headers, `name: value`. What stands in braces is filled in: `{key}`, `{secret key}`, `{v1}`, `{v2}`, and the same of `other` project.
fuzz_target!(|data: &str| {
    let input = DEPLOYMENT.filled_in(data);
    let headers: Vec<(&str, &str)> = input.split('\n').filter_map(|line| line.split_once(':')).collect();
    let explanation = explain(&headers);
    assert!(!explanation.reasons.is_empty(), "no reason is given");
    for reason in &explanation.reasons {
        assert!(reason.message.starts_with(reason.code.message()));
        assert!(!DEPLOYMENT.secrets.iter().any(|secret| reason.message.contains(secret)), "a secret is told");
    }
    let can_be_sent = explanation.reasons.iter().all(|reason| reason.code != Code::HeaderUnsendable);
    let is_judged = explanation.reasons.iter().all(|reason| reason.code != Code::DpopNotJudged);
    if let Some(sent) = sent(&headers)
        && is_judged
    {
        assert!(can_be_sent, "a request carries what is said to be unsendable");
        assert_eq!(explanation.verdict == Verdict::Accepted, is_accepted(&sent), "{:?}", explanation.reasons);
    }
});

fn explain(headers: &[(&str, &str)]) -> Explanation {
    let p1: ProjectId = "p1".parse().unwrap();
    let written = WrittenHeaders::new(headers.iter().map(|(name, value)| ((*name).to_owned(), *value)));
    DEPLOYMENT.run(DEPLOYMENT.service.explain_by_hand(&p1, &written.call())).unwrap()
}

/// The headers as they would arrive; none, if no request can carry them. What is no name is no header.
fn sent(headers: &[(&str, &str)]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            let value = value.trim_matches([' ', '\t']);
            map.try_append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?).ok()?;
        }
    }
    Some(map)
}

fn is_accepted(headers: &HeaderMap) -> bool {
    let shown = |names: &[&str]| {
        let values: Vec<&[u8]> =
            names.iter().flat_map(|name| headers.get_all(*name)).map(HeaderValue::as_bytes).collect();
        match values[..] {
            [] => Shown::Absent,
            [value] => Shown::Once(value),
            _ => Shown::Repeated,
        }
    };
    let text = |name: &str| match shown(&[name]) {
        Shown::Once(value) => std::str::from_utf8(value).ok().filter(|text| text.is_ascii()),
        _ => None,
    };
    let possession = text("dpop").map(|proof| UnverifiedPossession {
        unverified: proof.to_owned(),
        method: "GET".to_owned(),
        path: "/verify".to_owned(),
        forwarded: None,
        is_asked_about: false,
    });
    let forwarded = ["x-forwarded-uri", "x-original-uri", "x-original-url"];
    let query = forwarded.iter().find_map(|name| text(name)?.split_once('?'));
    let credentials = Credentials {
        client: ClientCall {
            publishable_key: shown(&["x-proficient-api-key", "x-countersign-api-key"]),
            external_id: shown(&["x-proficient-user-external-id", "x-countersign-user-external-id"]),
            hmac: shown(&["x-proficient-user-hmac", "x-countersign-user-hmac"]),
        },
        authorization: shown(&["authorization"]),
        ticket: query.and_then(|(_, query)| ticket_in(query)),
        possession: possession.as_ref(),
    };
    let caller = Caller {
        address: Ipv4Addr::LOCALHOST.into(),
        user_agent: String::new(),
        origin: headers.get("origin").map(|origin| String::from_utf8_lossy(origin.as_bytes()).into()),
        request_id: String::new(),
    };
    let address = Address { path: Some("p1".to_owned()), host: text("host").map(host_name) };
    DEPLOYMENT.run(DEPLOYMENT.service.prove(&address, &credentials, &caller)).is_ok()
}
