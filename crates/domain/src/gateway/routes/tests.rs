use proptest::prelude::*;

use super::*;
use crate::gateway::credential::Credential;

const TABLE: &str = r#"[
    {"upstream": "http://all"},
    {"prefix": "/v2", "upstream": "http://two/base", "accepts": ["hmac", "access_token"]},
    {"prefix": "/v2/reports", "upstream": "http://reports", "accepts": ["secret_key"], "strip_prefix": true},
    {"host": "api.example.com", "upstream": "http://host"},
    {"host": "api.example.com", "prefix": "/v2", "upstream": "http://host-two", "strip_prefix": true}
]"#;

fn routes(text: &str) -> Routes {
    text.parse().unwrap()
}

/// What is asked of which upstream.
fn led(routes: &Routes, host: &str, path: &str) -> String {
    let path = ClearPath::read(path, true).unwrap();
    match routes.find(None, Some(host), &path) {
        Found::Way(way) => way.upstream.origin() + &way.target(&path, None),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_route_of_the_host_goes_before_the_longest_prefix() {
    let routes = routes(TABLE);
    for (host, path, expected) in [
        ("x", "/", "http://all/"),
        ("x", "/v", "http://all/v"),
        ("x", "/v20/a", "http://all/v20/a"),
        ("x", "/v2", "http://two/base/v2"),
        ("x", "/v2/", "http://two/base/v2/"),
        ("x", "/v2/agents", "http://two/base/v2/agents"),
        ("x", "/v2/reports", "http://reports/"),
        ("x", "/v2/reports/", "http://reports/"),
        ("x", "/v2/reports/1/2", "http://reports/1/2"),
        ("x", "/v2/reportsx", "http://two/base/v2/reportsx"),
        ("x", "/%762/reports/%61", "http://reports/%61"),
        ("api.example.com", "/", "http://host/"),
        ("api.example.com", "/v2/reports", "http://host-two/reports"),
    ] {
        assert_eq!(led(&routes, host, path), expected, "{host} {path}");
    }
}

#[test]
fn the_plain_upstream_is_the_last_resort_and_takes_every_proof() {
    let only = routes(r#"[{"prefix": "/v2", "upstream": "http://two", "accepts": ["secret_key"]}]"#);
    let upstream: Upstream = "http://last".parse().unwrap();
    let path = ClearPath::read("/x", false).unwrap();
    assert_eq!(only.find(None, None, &path), Found::Nowhere);
    let Found::Way(way) = only.find(Some(&upstream), None, &path) else { panic!("no way") };
    assert_eq!(way.target(&path, Some("a=/../b")), "/x?a=/../b");
    for credential in [Credential::Hmac, Credential::AccessToken, Credential::SecretKey] {
        assert!(way.accepts.contains(credential));
    }
    let path = ClearPath::read("/v2/x", false).unwrap();
    let Found::Way(way) = only.find(Some(&upstream), None, &path) else { panic!("no way") };
    assert!(way.accepts.contains(Credential::SecretKey));
    assert!(!way.accepts.contains(Credential::Hmac) && !way.accepts.contains(Credential::AccessToken));
}

#[test]
fn our_own_paths_go_to_no_upstream_but_on_the_host_of_a_route() {
    let routes = routes(TABLE);
    let contract = "/auth /api/auth /v1 /verify /users /oauth2 /oauth /.well-known /hc_auth /mfa /device /bootstrap \
        /admin /portal /sign-in /account /health /metrics /dev /p /openapi.json";
    for ours in contract.split_whitespace() {
        for path in [ours.to_owned(), format!("{ours}/x"), format!("/{ours}"), format!("{ours};x/y")] {
            assert_eq!(led(&routes, "x", &path), "Ours", "{path}");
            assert_eq!(led(&routes, "api.example.com", &path), format!("http://host{path}"));
        }
        assert_eq!(led(&routes, "x", &format!("{ours}x/y")), format!("http://all{ours}x/y"));
    }
    for path in ["/%61uth/v1/private/signin", "/%75sers", "/api/%61uth"] {
        assert_eq!(led(&routes, "x", path), "Ours", "{path}");
    }
    for path in ["/api", "/api/authx", "/api/x", "/Users/x", "/"] {
        assert_eq!(led(&routes, "x", path), format!("http://all{path}"));
    }
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/v2"] {
        assert_eq!(led(&routes, "api.example.com", path), "Ours", "{path}");
    }
}

#[test]
fn a_path_that_a_lenient_upstream_takes_for_that_of_another_route_is_taken_by_none() {
    let table = r#"[
        {"upstream": "http://all", "accepts": ["hmac"]},
        {"prefix": "/reports", "upstream": "http://all", "accepts": ["secret_key"]},
        {"prefix": "/reports/public", "upstream": "http://all", "accepts": ["hmac"]}
    ]"#;
    let routes = routes(table);
    for path in [
        "//reports",
        "//reports/x",
        "/Reports/x",
        "/reports;x=1/y",
        "/reports%3Bx",
        "/;/reports",
        "/%2Freports",
        "/reports%2Fx",
        "/%2572eports",
        "/reports//public",
        "/reports/PUBLIC/x",
    ] {
        assert_eq!(led(&routes, "x", path), "TwoWays", "{path}");
    }
    for path in ["/a//b", "/A/b", "/a;x/b", "/reports//x", "/reports/public//x", "/reports/public;x"] {
        let led = led(&routes, "x", path);
        assert!(led.ends_with(path) || path.ends_with(";x"), "{path}: {led}");
    }
    let one = self::routes(r#"[{"upstream": "http://all"}]"#);
    assert_eq!(led(&one, "x", "//Reports;x%2F"), "http://all//Reports;x%2F");
}

fn problem(text: &str) -> String {
    text.parse::<Routes>().unwrap_err().to_string()
}

#[test]
fn a_table_that_is_wrong_is_refused_for_what_is_wrong() {
    let list = r#"must be a JSON list like `[{"prefix":"/v2","upstream":"http://127.0.0.1:9000"}]`; "#;
    for (text, expected) in [
        (
            r#"[{"upstream":"http://x","hots":"y"}]"#,
            "unknown field `hots`, expected one of `host`, `prefix`, `upstream`, `accepts`, `strip_prefix` (line 1, column 30)",
        ),
        (r#"[{"host":"y"}]"#, "missing field `upstream` (line 1, column 13)"),
        (r#"[{"upstream":"http://x","upstream":"http://y"}]"#, "duplicate field `upstream` (line 1, column 34)"),
        (
            r#"[{"upstream":"http://x","accepts":["password"]}]"#,
            "unknown variant `password`, expected one of `hmac`, `access_token`, `secret_key` (line 1, column 45)",
        ),
        (r#"{"upstream":"http://x"}"#, "it is none (line 1, column 0)"),
        (r#"[{"upstream":7}]"#, "it is none (line 1, column 14)"),
        ("[", "it is none (line 1, column 1)"),
        ("http://x", "it is none (line 1, column 1)"),
        (r#"[{"a`b":1}]"#, "it is none (line 1, column 7)"),
    ] {
        assert_eq!(problem(text), format!("{list}{expected}"));
    }
    let of = |members: &str| problem(&format!(r#"[{{"upstream":"http://x"}},{{{members}}}]"#));
    for (members, expected) in [
        (r#""upstream":"http://u:secret@x""#, "`upstream` must not hold a user name or password"),
        (
            r#""upstream":"http://y","host":"API.example.com""#,
            "`host` must be a host name like `api.example.com`, in lower case",
        ),
        (r#""upstream":"http://y","host":"x:80""#, "`host` must be a host name like `api.example.com`, in lower case"),
        (r#""upstream":"http://y","prefix":"/""#, "it has host and prefix of route 1"),
        (
            r#""upstream":"http://y","prefix":"/auth/x""#,
            "`prefix` begins with a path of this server's own, and is never reached",
        ),
        (r#""upstream":"http://y","prefix":"/a","accepts":[]"#, "`accepts` is empty: nobody could make a call"),
    ] {
        assert_eq!(of(members), format!("has a problem in route 2: {expected}"));
    }
    for prefix in ["", "v2", "/v2/", "//", "/v2//x", "/v2/..", "/%762", "/v2;x", "/v2?x", "/v 2", "/v2\\\\x"] {
        let problem = of(&format!(r#""upstream":"http://y","prefix":"{prefix}""#));
        assert!(
            problem.starts_with("has a problem in route 2: `prefix` must be a path like `/v2`"),
            "{prefix}: {problem}"
        );
    }
    let twins = r#"[{"upstream":"http://x","prefix":"/V2"},{"upstream":"http://x","prefix":"/v2"}]"#;
    assert_eq!(problem(twins), "has a problem in route 2: it has host and prefix of route 1");
    let many = format!("[{}]", vec![r#"{"upstream":"http://x"}"#; 101].join(","));
    assert_eq!(problem(&many), "must hold at most 100 routes");
    let on_its_host = r#"[{"upstream":"http://x","host":"y","prefix":"/auth"}]"#;
    assert_eq!(routes(on_its_host).hosts().collect::<Vec<_>>(), ["y"]);
}

proptest! {
    /// However an upstream tidies a path up, it doesn't end where the caller may not go.
    #[test]
    fn no_reading_of_a_path_leads_to_a_route_that_was_not_asked(
        path in "/([arR/]|rep|;|/|%72|%2f|%2572|//|/rep){0,10}"
    ) {
        let routes = routes(r#"[
            {"upstream": "http://all"},
            {"prefix": "/rep", "upstream": "http://reports"},
            {"prefix": "/rep/a", "upstream": "http://public"}
        ]"#);
        let Ok(clear) = ClearPath::read(&path, true) else { return Ok(()) };
        let Found::Way(way) = routes.find(None, None, &clear) else { return Ok(()) };
        for tidy in readings(&path) {
            let tidied = ClearPath::read(&tidy, true).unwrap();
            let found = routes.find(None, None, &tidied);
            let is_same = matches!(found, Found::Way(other) if other.upstream == way.upstream) || matches!(found, Found::TwoWays);
            prop_assert!(is_same, "{} leads to {}, {} to {:?}", path, way.upstream, tidy, found);
        }
    }
}

/// What upstreams make of a path before they look for a handler.
fn readings(path: &str) -> Vec<String> {
    let unescape = |path: &str| path.replace("%72", "r").replace("%2f", "/");
    let twice = |path: &str| unescape(&unescape(path).replace("%2572", "%72").replace("%25", "%"));
    let merge = |path: &str| {
        let mut path = path.to_owned();
        while path.contains("//") {
            path = path.replace("//", "/");
        }
        path
    };
    let cut = |path: &str| {
        let bare: Vec<&str> = path.split('/').map(|segment| segment.split(';').next().unwrap()).collect();
        bare.join("/")
    };
    vec![
        unescape(path),
        twice(path),
        merge(path),
        cut(path),
        path.to_lowercase(),
        merge(&cut(&twice(path))),
        merge(&cut(&unescape(path))).to_lowercase(),
        merge(&cut(&twice(path))).to_lowercase(),
    ]
}
