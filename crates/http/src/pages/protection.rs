//! What a browser may do with a page of ours (Content Security Policy Level 3): nothing but show it, and send its forms here, or on to the app.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use countersign_domain::page_look::PageLogo;

use crate::layer::ForOwnPagesAlone;

/// What a page needs.
#[derive(Default)]
pub(super) struct Needs<'a> {
    /// A picture from elsewhere.
    pub(super) logo: Option<&'a PageLogo>,
    /// Where its forms lead in the end: browsers look at the redirect after a form, too.
    pub(super) leads_to: Option<&'a str>,
    /// A script of ours.
    pub(super) script: bool,
}

pub(super) fn protect(response: &mut Response, needs: &Needs<'_>) {
    let logo = needs.logo.map(|logo| format!("; img-src {}", logo.as_str())).unwrap_or_default();
    let leads_to = needs.leads_to.map(|uri| format!(" {}", source(uri))).unwrap_or_default();
    let script = if needs.script { "; script-src 'self'; connect-src 'self'" } else { "" };
    let policy = format!(
        "default-src 'none'; style-src 'self'{logo}{script}; form-action 'self'{leads_to}; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // With `no-referrer` browsers would send our forms with `Origin: null`.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    response.extensions_mut().insert(ForOwnPagesAlone);
}

/// What a policy calls the place to which a redirect URI leads: its origin, or its scheme where that is an app's own. A policy knows no IPv6
/// addresses; only a loopback one can be a redirect URI over http.
fn source(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")) else {
        let scheme = uri.split(':').next().unwrap_or_default();
        return format!("{scheme}:");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'_');
    if host.bytes().all(is_plain) { format!("{scheme}://{host}") } else { format!("{scheme}:") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_the_app_that_asked_and_nowhere_else() {
        for (uri, expected) in [
            ("https://app.example.com/callback?a=b", "https://app.example.com"),
            ("http://localhost:5000/callback", "http://localhost:5000"),
            ("http://127.0.0.1:49152/", "http://127.0.0.1:49152"),
            ("http://[::1]:49152/callback", "http:"),
            ("com.example.app:/callback", "com.example.app:"),
            ("com.example.app://callback/a", "com.example.app:"),
        ] {
            assert_eq!(source(uri), expected, "{uri}");
        }
    }
}
