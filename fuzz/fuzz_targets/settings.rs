//! Settings of a project and of a client, as an operator or the database gives them.
#![no_main]

use std::time::Duration;

use countersign_domain::policy::{InvalidSetting, Overrides, Settings, definition};
use countersign_fuzz::assert_tells_no_secret;
use libfuzzer_sys::fuzz_target;

// `name=value`, one a line, the project's; after an empty line, the client's.
fuzz_target!(|lines: &str| {
    let (project, client) = lines.split_once("\n\n").unwrap_or((lines, ""));
    let (project, client) = (overrides(project), overrides(client));
    let layers = [&client, &project];
    let is_valid = layers.iter().all(|layer| layer.iter().all(|(name, value)| check(name, value)));
    match Settings::resolve(&layers) {
        Ok(settings) => assert_within_bounds(&settings),
        Err(problem) => {
            assert!(!is_valid, "each value is right, and together: {problem}");
            assert_tells_no_secret(&problem.to_string());
        }
    }
});

fn overrides(lines: &str) -> Overrides {
    let settings = lines.lines().filter_map(|line| line.split_once('='));
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn check(name: &str, value: &str) -> bool {
    match definition(name).and_then(|definition| definition.check(value)) {
        Ok(()) => true,
        // What nobody knows is not looked at when settings are resolved.
        Err(InvalidSetting::Unknown(unknown)) => unknown == name,
        Err(problem) => {
            assert_tells_no_secret(&problem.to_string());
            false
        }
    }
}

fn assert_within_bounds(settings: &Settings) {
    const DAY: u64 = 24 * 60 * 60;
    let (seconds, ten_years) = (Duration::from_secs, Duration::from_secs(3653 * DAY));
    assert!((seconds(10)..=seconds(DAY)).contains(&settings.access_lifetime));
    assert!((seconds(60)..=ten_years).contains(&settings.refresh_lifetime));
    assert!((seconds(60)..=ten_years).contains(&settings.session_idle));
    assert!(settings.refresh_retry <= seconds(31 * DAY));
    assert!(settings.refresh_overlap <= seconds(600));
    assert!(settings.signing_rotation <= ten_years);
    assert!((Duration::from_millis(100)..=seconds(DAY)).contains(&settings.gateway_timeout));
    assert!((Duration::from_millis(100)..=seconds(600)).contains(&settings.gateway_connect_timeout));
    assert!(settings.gateway_idle_timeout.is_none_or(|it| it >= Duration::from_millis(100)));
    if let Some(upstream) = &settings.gateway_upstream {
        assert_eq!(upstream.to_string().parse().as_ref(), Ok(upstream));
    }
    if let Some(host) = &settings.host {
        assert!(host.len() <= 253 && !host.is_empty());
        assert!(host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.'));
        assert_eq!(countersign_http::extract::address::host_name(host), *host, "no request can ask for it");
    }
    if let Some(audience) = &settings.audience {
        assert!(audience.len() <= 255 && audience.bytes().all(|b| b.is_ascii_graphic()));
    }
}
