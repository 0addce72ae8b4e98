//! What an API behind the gateway, or behind a proxy that asks us, is told of a caller.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use countersign_service::{
    error::Outage,
    proof::actor::{Actor, Identification},
};

use crate::app::App;

const PROJECT: HeaderName = HeaderName::from_static("x-countersign-project");
const USER: HeaderName = HeaderName::from_static("x-countersign-user");
const EXTERNAL_ID: HeaderName = HeaderName::from_static("x-countersign-external-id");
const AMR: HeaderName = HeaderName::from_static("x-countersign-amr");
const ASSERTION: HeaderName = HeaderName::from_static("x-countersign-assertion");

/// What an API behind a proxy is told of a caller. Every header is set, so that none from outside can stand in for one that isn't.
pub(crate) async fn identity_headers(app: &App, actor: &Actor, audience: Option<&str>) -> Result<HeaderMap, Outage> {
    let identification = app.service.identify(actor).await?;
    let Identification { project, user, external_id, methods, .. } = &identification;
    let mut headers = HeaderMap::with_capacity(8);
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(PROJECT, project.as_str());
    set(USER, &user.map(|user| user.to_string()).unwrap_or_default());
    set(EXTERNAL_ID, &plain(external_id.as_deref().unwrap_or_default()));
    set(AMR, methods);
    // Without an audience nobody would check it.
    let assertion = audience.map(|audience| app.service.assert(actor, &identification, audience));
    set(ASSERTION, assertion.as_deref().unwrap_or_default());
    Ok(headers)
}

/// An id as a header can have it without two ids looking alike: what isn't visible ASCII, and `%` itself, is percent-encoded (RFC 3986 §2.1).
fn plain(id: &str) -> String {
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_as_it_is_where_a_header_can_have_it() {
        assert_eq!(plain("auth0|507f1f77@x.y"), "auth0|507f1f77@x.y");
    }

    #[test]
    fn no_two_ids_look_alike() {
        assert_eq!(plain("Zo\u{eb} 1"), "Zo%C3%AB%201");
        assert_eq!(plain("Zo%C3%AB%201"), "Zo%25C3%25AB%25201");
    }
}
