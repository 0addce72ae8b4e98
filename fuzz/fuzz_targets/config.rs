//! The configuration file, and the environment over it.
#![no_main]

use std::{collections::BTreeMap, time::Duration};

use axum::http::Uri;
use countersign_domain::policy::definition;
use countersign_fuzz::assert_tells_no_secret;
use countersign_server::config::{Config, http::HttpConfig};
use libfuzzer_sys::fuzz_target;

// A TOML file; after a line of three hyphens, `NAME=value`, one a line.
fuzz_target!(|text: &str| {
    let (file, environment) = text.split_once("---\n").unwrap_or((text, ""));
    let pairs = environment.lines().filter_map(|line| line.split_once('='));
    let environment: BTreeMap<String, String> = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();

    if let Ok(config) = Config::parse(file, &BTreeMap::new()) {
        assert!(config.secrets.master_key.is_none(), "a master key was taken from the file");
    }
    for value in environment.values() {
        assert_taken_as_it_stands(value);
    }
    match Config::parse(file, &environment) {
        Ok(config) => {
            // The other sections hold no secrets, and are shown.
            assert_tells_no_secret(&format!("{:?} {:?}", config.database, config.secrets));
            match config.check() {
                Ok(()) => assert_safe(&config),
                Err(problem) => assert_tells_no_secret(&problem.to_string()),
            }
        }
        // A name that holds a backtick can't be told from what stands beside it.
        Err(problem) if !text.contains('`') => assert_tells_no_secret(&problem.to_string()),
        Err(_) => {}
    }
});

/// Whatever it looks like, a text for a setting that is a text stays what it is.
fn assert_taken_as_it_stands(text: &str) {
    let environment = BTreeMap::from([
        ("COUNTERSIGN_SECRETS__MASTER_KEY".to_owned(), text.to_owned()),
        ("COUNTERSIGN_HTTP__PUBLIC_URL".to_owned(), text.to_owned()),
    ]);
    let config = Config::parse("", &environment).expect("two texts for two texts");
    assert_eq!(config.secrets.master_key.as_deref(), Some(text));
    assert_eq!(config.http.public_url, text);
}

fn assert_safe(config: &Config) {
    let http = &config.http;
    assert!(!http.listen.is_empty() && (1..=1_000_000).contains(&http.max_connections));
    let sensible = Duration::from_millis(1)..=Duration::from_hours(1);
    assert!(sensible.contains(&http.header_time) && sensible.contains(&http.body_time));
    assert!(http.trusted_proxies.iter().all(|network| network.prefix_len() > 0));
    assert_eq!(http.tls_certificate.is_some(), http.tls_key.is_some());
    assert!(config.metrics.listen.is_none_or(|at| at.port() == 0 || !http.listen.contains(&at)));
    assert!(!config.metrics.beside_doors);
    assert_is_origin(http);
}

/// Scheme, host and port, as the issuer of every token begins with.
fn assert_is_origin(http: &HttpConfig) {
    let url: Uri = http.public_url.parse().expect("a URL");
    let host = url.host().expect("a host");
    assert!(host.starts_with('[') || definition("host").unwrap().check(host).is_ok());
    assert!(!host.is_empty() && (url.port().is_none() || url.port_u16().is_some()));
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    assert!(url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && is_here));
    let port = url.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    assert_eq!(format!("{}://{host}{port}", url.scheme_str().unwrap()), http.public_url, "another spelling");
    assert!(!host.bytes().any(|b| b.is_ascii_uppercase()), "another spelling");
}
