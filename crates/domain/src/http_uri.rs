//! Where a call went, in the one spelling in which two spellings of it are compared: RFC 3986 §6.2.2 and §6.2.3, without query and fragment,
//! as RFC 9449 §4.3 asks.

use std::fmt;

/// An absolute `http` or `https` URI, normalised: equal ones name the same resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpUri {
    is_https: bool,
    host: String,
    port: u16,
    path: String,
}

/// Longer than any that is called here.
const LONGEST: usize = 4 * 1024;

impl HttpUri {
    /// Reads one. Whatever could be read in two ways is none: user information, backslashes, spaces, letters outside ASCII, a percent sign
    /// that begins no octet.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_https = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ => return None,
        };
        let rest = rest.split(['?', '#']).next()?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_authority(authority)?;
        let port = if port.is_empty() { default_port(is_https) } else { read_port(port)? };
        let host = is_host(host).then(|| host.to_ascii_lowercase())?;
        Some(Self { is_https, host, port, path: normal_path(path)? })
    }

    /// The host, in lower case, an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path. It begins with a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same place, at another path.
    pub fn at(&self, path: &str) -> Option<Self> {
        let path = path.split(['?', '#']).next()?;
        (path.len() <= LONGEST).then_some(())?;
        Some(Self { path: normal_path(path)?, ..self.clone() })
    }
}

impl fmt::Display for HttpUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != default_port(self.is_https) {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

const fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

/// Colons within brackets belong to an address.
fn split_authority(authority: &str) -> Option<(&str, &str)> {
    let host_ends = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority[host_ends..].find(':') {
        Some(colon) => (&authority[..host_ends + colon], &authority[host_ends + colon + 1..]),
        None => (authority, ""),
    };
    (!host.is_empty()).then_some((host, port))
}

fn read_port(port: &str) -> Option<u16> {
    // A sign is a number to the standard library, and no port.
    port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok())?
}

/// A name or an address. Names spelt with percent signs exist in RFC 3986 alone.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')),
    }
}

/// Octets that needn't be encoded are decoded, the others spelt in upper case; then dots are resolved. An empty path is the root's.
fn normal_path(path: &str) -> Option<String> {
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    let mut normal = String::with_capacity(path.len().max(1));
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let (&[high, low], after) = rest.split_first_chunk()?;
            rest = after;
            let octet = hex(high)? << 4 | hex(low)?;
            if is_unreserved(octet) {
                normal.push(char::from(octet));
            } else {
                normal.extend(['%', char::from(high.to_ascii_uppercase()), char::from(low.to_ascii_uppercase())]);
            }
        } else if first == b'/' || is_unreserved(first) || is_allowed(first) {
            normal.push(char::from(first));
        } else {
            return None;
        }
    }
    Some(without_dot_segments(&normal))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// RFC 3986 §2.3.
fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// What else may stand in a path as it is: RFC 3986 §3.3.
fn is_allowed(b: u8) -> bool {
    matches!(b, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@')
}

/// RFC 3986 §5.2.4, for a path that begins with a slash or is empty.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                // What a dot stood for is a folder.
                if is_last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> String {
        HttpUri::parse(text).map_or_else(|| format!("{text} was refused"), |uri| uri.to_string())
    }

    #[test]
    fn spellings_of_one_resource_are_equal() {
        for spelling in [
            "https://auth.example.com/v1/me",
            "HTTPS://AUTH.Example.COM/v1/me",
            "https://auth.example.com:443/v1/me",
            "https://auth.example.com:/v1/me",
            "https://auth.example.com:0443/v1/me",
            "https://auth.example.com/v1/%6de",
            "https://auth.example.com/v1/./me",
            "https://auth.example.com/v1/x/../me",
            "https://auth.example.com/v1/x/%2E%2e/me",
            "https://auth.example.com/../v1/me",
            "https://auth.example.com/v1/me?a=b",
            "https://auth.example.com/v1/me#there",
            "https://auth.example.com/v1/me?a=/../b#c?d",
        ] {
            assert_eq!(normal(spelling), "https://auth.example.com/v1/me", "{spelling}");
        }
        for spelling in
            ["http://[2001:DB8::7]", "http://[2001:db8::7]:80/", "http://[2001:db8::7]?", "http://[2001:db8::7]/a/.."]
        {
            assert_eq!(normal(spelling), "http://[2001:db8::7]/", "{spelling}");
        }
        assert_eq!(normal("http://localhost:7420/p/p1/v1/me"), "http://localhost:7420/p/p1/v1/me");
        assert_eq!(normal("https://a.example/%e4%2f%7e"), "https://a.example/%E4%2F~");
    }

    #[test]
    fn different_resources_stay_different() {
        let one = HttpUri::parse("https://auth.example.com/v1/me").unwrap();
        for other in [
            "http://auth.example.com/v1/me",
            "https://auth.example.com:8443/v1/me",
            "https://auth.example.com.evil.example/v1/me",
            "https://auth.example.com/V1/me",
            "https://auth.example.com/v1/me/",
            "https://auth.example.com//v1/me",
            "https://auth.example.com/v1%2Fme",
            "https://auth.example.com/v1/me/.",
            "https://auth.example.com/?x=/v1/me",
            "https://auth.example.com?/v1/me",
            "https://auth.example.com#/v1/me",
        ] {
            assert_ne!(HttpUri::parse(other).unwrap(), one, "{other}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "",
            "auth.example.com/v1/me",
            "/v1/me",
            "//auth.example.com/v1/me",
            "ftp://auth.example.com/",
            "https:/auth.example.com/",
            "https:///v1/me",
            "https://:443/v1/me",
            "https://user@auth.example.com/v1/me",
            "https://auth.example.com@evil.example/v1/me",
            "https://auth.example.com\\@evil.example/v1/me",
            "https://auth.example.com:443:443/",
            "https://auth.example.com:+443/",
            "https://auth.example.com:65536/",
            "https://auth.example.com:https/",
            "https://[2001:db8::7/",
            "https://2001:db8::7]/",
            "https://[2001:db8::7]x/",
            "https://[v1.x]/",
            "https://auth%2Eexample.com/",
            "https://auth.example.com/%",
            "https://auth.example.com/%4",
            "https://auth.example.com/%zz",
            "https://auth.example.com/a b",
            "https://auth.example.com/a\u{0}",
            "https://auth.example.com/ü",
            "https://äuth.example.com/",
            "https://auth.example.com/\"",
            " https://auth.example.com/",
            &format!("https://auth.example.com/{}", "a".repeat(LONGEST)),
        ] {
            assert_eq!(HttpUri::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_example_of_the_rfc_resolves_as_it_says() {
        // RFC 3986 §5.2.4.
        assert_eq!(normal_path("/a/b/c/./../../g").unwrap(), "/a/g");
        assert_eq!(normal_path("/../../../g").unwrap(), "/g");
        assert_eq!(normal_path("/b/c/g/..").unwrap(), "/b/c/");
        assert_eq!(normal_path("/b/c/.").unwrap(), "/b/c/");
        assert_eq!(normal_path("/b/..g/.../g..").unwrap(), "/b/..g/.../g..");
        assert_eq!(normal_path("*"), None, "the target of `OPTIONS *` is no path");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,200}") {
            let _ = HttpUri::parse(&text);
            let _ = HttpUri::parse(&format!("https://a.example/{text}"));
            let _ = HttpUri::parse(&format!("https://{text}/"));
        }

        #[test]
        fn a_normal_spelling_stays_as_it_is(path in "(/|[a-z.%/~2eEfF0]){0,40}") {
            if let Some(uri) = HttpUri::parse(&format!("https://a.example:8443/{path}")) {
                prop_assert_eq!(HttpUri::parse(&uri.to_string()), Some(uri.clone()));
                prop_assert!(!uri.path().split('/').any(|segment| segment == "." || segment == ".."), "{}", uri);
            }
        }
    }
}
