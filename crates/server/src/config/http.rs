//! How callers reach the server.

use std::{
    fmt::Display,
    net::{Ipv6Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use axum::http::Uri;
use countersign_domain::{id::ProjectId, policy::definition};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};
use toml::Value;

use crate::error::Failure;

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Where to listen: an address, or a list of them. Default: `127.0.0.1:7420`.
    #[serde(deserialize_with = "one_or_more")]
    pub listen: Vec<SocketAddr>,
    /// Where the server is reached from outside, as `https://auth.example.com`. Required.
    pub public_url: String,
    /// The project that the root serves. Default: none, so every call must name its project.
    #[serde(deserialize_with = "project")]
    pub default_project: Option<ProjectId>,
    /// Networks of the proxies whose `X-Forwarded-For`, `X-Forwarded-Host`, `X-Forwarded-Proto` and `X-Request-Id` are believed: one, or a
    /// list. Default: none.
    #[serde(deserialize_with = "one_or_more")]
    pub trusted_proxies: Vec<IpNet>,
    /// A certificate chain in PEM: the server speaks TLS itself. Default: a proxy does.
    pub tls_certificate: Option<PathBuf>,
    /// The key of that certificate, in PEM.
    pub tls_key: Option<PathBuf>,
    /// Connections at most. Default: 10,000.
    pub max_connections: usize,
    /// How long a client may take to send the head of a request. Default: 30 s.
    #[serde(deserialize_with = "super::span")]
    pub header_time: Duration,
    /// How long a client may take to send the body of one. Default: 10 s.
    #[serde(deserialize_with = "super::span")]
    pub body_time: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 7420))],
            public_url: String::new(),
            default_project: None,
            trusted_proxies: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            max_connections: 10_000,
            header_time: Duration::from_secs(30),
            body_time: Duration::from_secs(10),
        }
    }
}

impl HttpConfig {
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.check_public_url()?;
        if self.listen.is_empty() {
            return unsafe_setting("http.listen names no address");
        }
        if self.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
            return unsafe_setting("http.trusted_proxies trusts the whole internet: name the networks of your proxies");
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return unsafe_setting("http.tls_certificate and http.tls_key go together");
        }
        if !(1..=1_000_000).contains(&self.max_connections) {
            return unsafe_setting("http.max_connections must be between 1 and 1000000");
        }
        // The deadline of a time without end lies beyond the clock, and whoever computes it panics.
        let sensible = Duration::from_millis(1)..=Duration::from_hours(1);
        if !sensible.contains(&self.header_time) || !sensible.contains(&self.body_time) {
            return unsafe_setting("http.header_time and http.body_time must be between 1ms and 1h");
        }
        Ok(())
    }

    fn check_public_url(&self) -> Result<(), Failure> {
        let url = self.public_url.as_str();
        if url.is_empty() {
            return unsafe_setting(
                "http.public_url is missing: say where the server is reached, as https://auth.example.com",
            );
        }
        let uri = url.parse::<Uri>().ok();
        let Some((scheme, host)) = uri.as_ref().and_then(|uri| uri.scheme_str().zip(uri.host())) else {
            return unsafe_setting("http.public_url must be a URL, as https://auth.example.com");
        };
        let port = uri.as_ref().and_then(Uri::port_u16).map(|port| format!(":{port}")).unwrap_or_default();
        if format!("{scheme}://{host}{port}") != url {
            return unsafe_setting(
                "http.public_url must be scheme, host and port alone, without a path or a slash at the end",
            );
        }
        if !is_host(host) {
            return unsafe_setting("http.public_url must name a host, in lower case");
        }
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match scheme {
            "https" => Ok(()),
            "http" if is_here => Ok(()),
            "http" => unsafe_setting("http.public_url must be https: tokens would cross the network in the clear"),
            _ => unsafe_setting("http.public_url must begin with https://"),
        }
    }
}

/// Tokens are compared by their issuer letter for letter, so there is one spelling.
fn is_host(text: &str) -> bool {
    let v6 = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match v6 {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok_and(|address| address.to_string() == v6),
        None => !text.is_empty() && definition("host").is_ok_and(|host| host.check(text).is_ok()),
    }
}

/// What production must not start with.
pub(crate) fn unsafe_setting<T>(problem: &str) -> Result<T, Failure> {
    Err(Failure::Usage(problem.to_owned()))
}

fn project<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProjectId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

/// A list, or the one thing in it: most deployments have one.
pub(super) fn one_or_more<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let texts = match Value::deserialize(deserializer)? {
        Value::Array(many) => many,
        one => vec![one],
    };
    let read = |text: Value| {
        let text = text.as_str().ok_or_else(|| D::Error::custom("must be a text, or a list of texts"))?;
        text.parse().map_err(D::Error::custom)
    };
    texts.into_iter().map(read).collect()
}
