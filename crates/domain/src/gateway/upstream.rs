//! The API behind the gateway, as an operator names it.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use super::path;

/// An origin over `http` or `https`, with the path under which everything of it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    scheme: Scheme,
    /// In lower case, an IPv6 address in brackets, without the scheme's own port.
    authority: String,
    /// Without a slash at its end; often empty.
    base: String,
}

/// How an upstream is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// Why a text is no upstream. It never repeats the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUpstream {
    /// Another scheme, or none.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// A user's name before the host.
    #[error("must not hold a user name or password")]
    UserInfo,
    /// Something behind the path.
    #[error("must not have a query or a fragment")]
    Query,
    /// No host, or none that there can be.
    #[error("must have a host name or address, like `http://127.0.0.1:9000`")]
    Host,
    /// No such port.
    #[error("must have a port from 1 to 65535, or none")]
    Port,
    /// A path that isn't plain.
    #[error("must have a path like `/api`, without escapes, empty or dot segments, or none")]
    Path,
    /// More than anybody needs.
    #[error("must be at most 500 characters")]
    TooLong,
}

const LONGEST: usize = 500;

impl FromStr for Upstream {
    type Err = InvalidUpstream;

    fn from_str(text: &str) -> Result<Self, InvalidUpstream> {
        if text.len() > LONGEST {
            return Err(InvalidUpstream::TooLong);
        }
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else {
            return Err(InvalidUpstream::Scheme);
        };
        if rest.contains(['?', '#']) {
            return Err(InvalidUpstream::Query);
        }
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(InvalidUpstream::UserInfo);
        }
        let base = base.strip_suffix('/').unwrap_or(base);
        if !base.is_empty() && !path::is_plain(base) {
            return Err(InvalidUpstream::Path);
        }
        Ok(Self { scheme, authority: read_authority(authority, scheme)?, base: base.to_owned() })
    }
}

fn read_authority(text: &str, scheme: Scheme) -> Result<String, InvalidUpstream> {
    let host_length = if text.starts_with('[') {
        text.find(']').map_or(text.len(), |end| end + 1)
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, port) = text.split_at(host_length);
    let host = read_host(host).ok_or(InvalidUpstream::Host)?;
    let Some(port) = port.strip_prefix(':') else {
        return if port.is_empty() { Ok(host) } else { Err(InvalidUpstream::Host) };
    };
    // `parse` would take a plus.
    let number = port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse::<u16>().ok()).flatten();
    match number {
        None | Some(0) => Err(InvalidUpstream::Port),
        Some(number) if number == scheme.port() => Ok(host),
        Some(number) => Ok(format!("{host}:{number}")),
    }
}

/// Underscores aren't for host names, but those who name containers use them.
fn read_host(text: &str) -> Option<String> {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Some(format!("[{}]", address.parse::<Ipv6Addr>().ok()?));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (text.len() <= 253 && text.split('.').all(is_label)).then(|| text.to_ascii_lowercase())
}

impl Scheme {
    /// As in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Upstream {
    /// How it is spoken to.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host and port, as `Host` has them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path under which everything of it stands, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Scheme, host and port: what it is called where its path doesn't matter (RFC 6454).
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority)
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority, self.base)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, InvalidUpstream> {
        text.parse::<Upstream>().map(|upstream| upstream.to_string())
    }

    #[test]
    fn an_origin_with_or_without_a_path_is_one_and_has_one_spelling() {
        for (text, spelt) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://API.Internal:80/", "http://api.internal"),
            ("https://api.example.com:443/v2/", "https://api.example.com/v2"),
            ("https://api.example.com:8443/v2/x", "https://api.example.com:8443/v2/x"),
            ("http://my_service:3000", "http://my_service:3000"),
            ("http://[0:0::1]:9000", "http://[::1]:9000"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(spelt));
        }
        let upstream: Upstream = "https://api.example.com:443/v2".parse().unwrap();
        assert_eq!((upstream.origin().as_str(), upstream.base()), ("https://api.example.com", "/v2"));
    }

    #[test]
    fn what_is_no_origin_is_refused_for_what_is_wrong_with_it() {
        use InvalidUpstream::{Host, Path, Port, Query, Scheme, TooLong, UserInfo};
        for (text, problem) in [
            ("", Scheme),
            ("127.0.0.1:9000", Scheme),
            ("ftp://x", Scheme),
            ("HTTP://x", Scheme),
            ("file:///etc/passwd", Scheme),
            ("unix:/run/x.sock", Scheme),
            ("http://ada:secret@x", UserInfo),
            ("http://x@y/z", UserInfo),
            ("http://x?y=1", Query),
            ("http://x/#y", Query),
            ("http://", Host),
            ("http:///x", Host),
            ("http://x y", Host),
            ("http://x\\y", Host),
            ("http://x..y", Host),
            ("http://[::1", Host),
            ("http://[::1]x", Host),
            ("http://[fe80::1%25eth0]", Host),
            ("http://::1", Host),
            ("http://bücher.example", Host),
            ("http://x\r\nhost: y", Host),
            ("http://x:", Port),
            ("http://x:0", Port),
            ("http://x:65536", Port),
            ("http://x:+80", Port),
            ("http://x:80:80", Port),
            ("http://x/a//b", Path),
            ("http://x/a/../b", Path),
            ("http://x/%2e%2e", Path),
            ("http://x/a b", Path),
            ("http://x//", Path),
            (&format!("http://{}", "x".repeat(500)), TooLong),
        ] {
            assert_eq!(read(text), Err(problem), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_back_as_itself(text in "https?://[a-zA-Z0-9.:_\\[\\]-]{1,20}(/[a-z0-9._-]{0,4}){0,3}") {
            if let Ok(upstream) = text.parse::<Upstream>() {
                prop_assert_eq!(upstream.to_string().parse::<Upstream>(), Ok(upstream));
            }
        }
    }
}
