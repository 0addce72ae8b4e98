//! Where a client wants its users sent back to (RFC 6749 §3.1.2). The one thing that keeps codes out of strangers' hands, so it is compared
//! byte for byte, and nothing is registered that could be read in two ways.

use std::{fmt, str::FromStr};

use crate::text::{InvalidText, is_host_name};

/// A registered redirect URI.
#[derive(Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: Box<str>,
    kind: RedirectKind,
}

/// What a redirect URI leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectKind {
    /// A page on the web.
    Https,
    /// This machine by its name; the port is part of what was registered.
    Localhost,
    /// This machine by its address: an app listens on whatever port was free (RFC 8252 §7.3).
    Loopback,
    /// An app that has claimed a scheme (RFC 8252 §7.1).
    PrivateScheme,
}

/// Longer than any that somebody means.
const LONGEST: usize = 1024;

const LOOPBACK: [&str; 2] = ["127.0.0.1", "[::1]"];

impl RedirectUri {
    /// As it was registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it leads to.
    pub fn kind(&self) -> RedirectKind {
        self.kind
    }

    /// Is this what was registered? Byte for byte, but for the port of a loopback address.
    pub fn matches(&self, shown: &str) -> bool {
        if *self.text == *shown {
            return true;
        }
        if self.kind != RedirectKind::Loopback {
            return false;
        }
        match (without_port(&self.text), without_port(shown)) {
            (Some(registered), Some(shown)) => registered == shown,
            _ => false,
        }
    }
}

impl FromStr for RedirectUri {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(may_stand_in_a_uri) {
            return Err(InvalidText("must be redirect URIs of at most 1024 ASCII characters, with spaces between"));
        }
        if text.contains('#') {
            return Err(InvalidText("must not have a fragment in a redirect URI (RFC 6749 §3.1.2)"));
        }
        let kind = match text.split_once("://") {
            Some((scheme @ ("https" | "http"), rest)) => kind_of(scheme, rest)?,
            _ => check_private(text)?,
        };
        Ok(Self { text: text.into(), kind })
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// RFC 3986 §2, without the characters that browsers read in ways of their own: a backslash is a slash to some of them.
fn may_stand_in_a_uri(b: u8) -> bool {
    b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'*')
}

fn kind_of(scheme: &str, rest: &str) -> Result<RedirectKind, InvalidText> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, place) = rest.split_at(end);
    if authority.contains('@') {
        return Err(InvalidText("must not have a user in a redirect URI"));
    }
    check_path(place)?;
    let (host, port) = host_and_port(authority).ok_or(HOST)?;
    if !port.is_none_or(is_port) {
        return Err(HOST);
    }
    if scheme == "https" {
        let is_address = LOOPBACK.contains(&host) || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        return if is_host_name(host) && !is_address { Ok(RedirectKind::Https) } else { Err(HOST) };
    }
    match host {
        "localhost" => Ok(RedirectKind::Localhost),
        host if LOOPBACK.contains(&host) => Ok(RedirectKind::Loopback),
        _ => Err(InvalidText(
            "must be https, but for this machine: `http://localhost:5000/callback`, `http://127.0.0.1/`",
        )),
    }
}

const HOST: InvalidText =
    InvalidText("must name a host in lower case in each redirect URI, and a port only from 1 to 65535");

/// `host[:port]`, where an IPv6 address stands in brackets.
fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let after_bracket = authority.find(']').map_or(0, |at| at + 1);
    let (host, rest) = match authority.get(after_bracket..)?.find(':') {
        Some(at) => authority.split_at(after_bracket + at),
        None => (authority, ""),
    };
    Some((host, rest.strip_prefix(':')))
}

/// One spelling: no zero in front, no sign, not empty.
fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == text)
}

/// A path that climbs could end up at a page of somebody else's, on a host that many share.
fn check_path(place: &str) -> Result<(), InvalidText> {
    let path = place.split('?').next().unwrap_or_default();
    let climbs = path.split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    });
    let lower = path.to_ascii_lowercase();
    if climbs || lower.contains("%2f") || lower.contains("%5c") {
        return Err(InvalidText("must not have `.`, `..` or an encoded slash in the path of a redirect URI"));
    }
    if is_percent_encoded_well(place) { Ok(()) } else { Err(InvalidText("must have two hex digits after each `%`")) }
}

fn is_percent_encoded_well(text: &str) -> bool {
    let hex = |digit: Option<u8>| digit.is_some_and(|b| b.is_ascii_hexdigit());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' && !(hex(bytes.next()) && hex(bytes.next())) {
            return false;
        }
    }
    true
}

/// A scheme with a dot in it is somebody's domain turned round (RFC 8252 §7.1); `javascript`, `data` and their like have none.
fn check_private(text: &str) -> Result<RedirectKind, InvalidText> {
    let (scheme, rest) = text.split_once(':').ok_or(PRIVATE)?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'))
        && scheme.contains('.')
        && !scheme.ends_with('.');
    let is_path = rest.starts_with('/') && !rest.starts_with("//");
    if !is_scheme || !is_path || rest.contains('@') {
        return Err(PRIVATE);
    }
    check_path(rest)?;
    Ok(RedirectKind::PrivateScheme)
}

const PRIVATE: InvalidText = InvalidText(
    "must be redirect URIs like `https://app.example.com/callback`, or for an app `com.example.app:/callback`",
);

/// A loopback URI before and after its port. None: it is no such URI, or its port is none.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (host, after) = LOOPBACK.iter().find_map(|host| Some((*host, rest.strip_prefix(host)?)))?;
    let Some(numbered) = after.strip_prefix(':') else {
        return (after.is_empty() || after.starts_with(['/', '?'])).then_some((host, after));
    };
    let end = numbered.find(['/', '?', '#']).unwrap_or(numbered.len());
    let (port, place) = numbered.split_at(end);
    is_port(port).then_some((host, place))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uri(text: &str) -> RedirectUri {
        text.parse().unwrap_or_else(|problem| panic!("{text}: {problem}"))
    }

    #[test]
    fn a_redirect_uri_is_https_or_this_machine_or_an_apps_own_scheme() {
        for (text, kind) in [
            ("https://app.example.com/callback", RedirectKind::Https),
            ("https://app.example.com", RedirectKind::Https),
            ("https://app.example.com:8443/callback?tenant=a", RedirectKind::Https),
            ("http://localhost:5000/callback", RedirectKind::Localhost),
            ("http://127.0.0.1/callback", RedirectKind::Loopback),
            ("http://[::1]:8000/callback", RedirectKind::Loopback),
            ("com.example.app:/callback", RedirectKind::PrivateScheme),
        ] {
            assert_eq!(uri(text).kind(), kind, "{text}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_not_registered() {
        for text in [
            "",
            "/callback",
            "//app.example.com/callback",
            "app.example.com/callback",
            "http://app.example.com/callback",
            "https://app.example.com/callback#there",
            "https://user@app.example.com/callback",
            "https://app.example.com@evil.example/callback",
            "https://app.example.com\\@evil.example/callback",
            "https://app.example.com/a/../callback",
            "https://app.example.com/a/%2e%2E/callback",
            "https://app.example.com/./callback",
            "https://app.example.com/a%2fcallback",
            "https://app.example.com/a%5ccallback",
            "https://app.example.com/%",
            "https://app.example.com/%zz",
            "https://*.example.com/callback",
            "https://APP.example.com/callback",
            "HTTPS://app.example.com/callback",
            "https://app.example.com:/callback",
            "https://app.example.com:0/callback",
            "https://app.example.com:080/callback",
            "https://app.example.com:65536/callback",
            "https://192.0.2.7/callback",
            "https:///callback",
            "https://app.example.com/a b",
            "https://app.example.com/ä",
            "http://127.0.0.1.evil.example/callback",
            "http://127.1/callback",
            "http://localhost.evil.example/callback",
            "http://[::1]evil.example/callback",
            "http://[::ffff:127.0.0.1]/callback",
            "javascript:alert(1)",
            "data:text/html,hello",
            "file:///etc/passwd",
            "ftp://app.example.com/",
            "myapp:/callback",
            "com.example.app:callback",
            "com.example.app://callback",
            "com.example.app:/a/../callback",
            "com.example.app:/callback#there",
            &format!("https://app.example.com/{}", "a".repeat(LONGEST)),
        ] {
            assert!(text.parse::<RedirectUri>().is_err(), "{text} was registered");
        }
    }

    #[test]
    fn what_differs_in_anything_is_another() {
        let registered = uri("https://app.example.com/callback");
        assert!(registered.matches("https://app.example.com/callback"));
        for shown in [
            "https://app.example.com/callback/",
            "https://app.example.com/Callback",
            "https://app.example.com/callbac",
            "https://app.example.com/callback?",
            "https://app.example.com/callback?a=b",
            "https://app.example.com/callback#",
            "https://app.example.com/x/../callback",
            "https://app.example.com/%63allback",
            "https://app.example.com:443/callback",
            "https://app.example.com.evil.example/callback",
            "https://user@app.example.com/callback",
            "https://evil.example/callback",
            "http://app.example.com/callback",
            "HTTPS://app.example.com/callback",
            " https://app.example.com/callback",
            "",
        ] {
            assert!(!registered.matches(shown), "{shown}");
        }
    }

    #[test]
    fn the_port_of_a_loopback_address_is_free_and_nothing_else_is() {
        for registered in ["http://127.0.0.1/callback", "http://127.0.0.1:5000/callback"] {
            for shown in ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"]
            {
                assert!(uri(registered).matches(shown), "{shown}");
            }
            for shown in [
                "http://127.0.0.1:/callback",
                "http://127.0.0.1:0/callback",
                "http://127.0.0.1:65536/callback",
                "http://127.0.0.1:080/callback",
                "http://127.0.0.1:5000@evil.example/callback",
                "http://127.0.0.1:5000.evil.example/callback",
                "http://127.0.0.1.evil.example/callback",
                "http://127.0.0.1:5000/callback/",
                "http://127.0.0.1:5000/callback#there",
                "http://127.0.0.1:5000#/callback",
                "http://127.0.0.1:5000/other",
                "http://127.0.0.2/callback",
                "http://localhost:5000/callback",
                "http://[::1]:5000/callback",
                "https://127.0.0.1/callback",
            ] {
                assert!(!uri(registered).matches(shown), "{shown}");
            }
        }
        assert!(uri("http://[::1]/").matches("http://[::1]:7000/"));
        // A name may lead anywhere (RFC 8252 §8.3): its port is what was registered.
        assert!(!uri("http://localhost:5000/callback").matches("http://localhost:5001/callback"));
    }

    proptest! {
        #[test]
        fn what_is_registered_matches_itself_and_reads_back(text in "(https://[a-z.]{1,12}|http://127\\.0\\.0\\.1|http://localhost|com\\.a:)(:[0-9]{1,5})?[/a-z.%0-9?#@=]{0,24}") {
            if let Ok(registered) = text.parse::<RedirectUri>() {
                prop_assert!(registered.matches(&text));
                prop_assert_eq!(registered.as_str(), &text);
            }
        }

        #[test]
        fn what_matches_differs_in_the_port_of_a_loopback_address_at_most(shown in "http://(127\\.0\\.0\\.1|\\[::1\\]|127\\.0\\.0\\.1\\.a)(:[0-9@a.]{0,6})?(/callback|/|/callbac|#/callback|\\?/callback)") {
            let registered = uri("http://127.0.0.1/callback");
            if registered.matches(&shown) {
                let rest = shown.strip_prefix("http://127.0.0.1").unwrap();
                let port = rest.strip_suffix("/callback").unwrap();
                prop_assert!(port.is_empty() || is_port(&port[1..]), "{}", shown);
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,120}") {
            let _ = text.parse::<RedirectUri>();
            let _ = uri("http://127.0.0.1/callback").matches(&text);
            let _ = format!("http://{text}").parse::<RedirectUri>();
            let _ = format!("http://127.0.0.1{text}").parse::<RedirectUri>();
        }
    }
}
