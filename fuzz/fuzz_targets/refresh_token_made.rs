//! Refresh tokens of every content, and one change to each.
#![no_main]

use countersign_crypto::refresh_token::{RefreshToken, UnverifiedRefreshToken};
use countersign_domain::id::{MacKeyId, ProjectId, SessionId};
use countersign_fuzz::issued::{MASTER_KEY, refresh_secret};
use libfuzzer_sys::fuzz_target;

// Project, generation, MAC key, secret, session, then where to change the text, and into what.
fuzz_target!(|lines: &str| {
    let lines: Vec<&str> = lines.split('\n').collect();
    let [project, generation, mac_key, secret, session, position, replacement] = lines[..] else {
        return;
    };
    let (Ok(project), Ok(generation), Ok(mac_key), Ok(secret), Ok(session)) =
        (project.parse::<ProjectId>(), generation.parse(), mac_key.parse(), secret.parse(), session.parse())
    else {
        return;
    };
    let mac_key = MacKeyId(mac_key);
    let session: SessionId = session;
    let token = RefreshToken { project: project.clone(), session, generation, secret: refresh_secret(secret), mac_key };
    let key = MASTER_KEY.refresh_token_key(&project, mac_key);
    let text = token.sign(&key).danger_expose().to_owned();
    let read = |text: &str| UnverifiedRefreshToken::parse(text).and_then(|it| it.verify(&key));

    let again = read(&text).expect("a token that was just made");
    assert_eq!((&again.project, again.session, again.generation), (&project, session, generation));
    assert_eq!(again.mac_key, mac_key);
    assert!(again.secret.hash().matches(&token.secret));

    let other = MASTER_KEY.refresh_token_key(&project, MacKeyId(mac_key.0.wrapping_add(1)));
    assert!(UnverifiedRefreshToken::parse(&text).and_then(|it| it.verify(&other)).is_err());

    let position = position.parse().unwrap_or(0) % (text.len() + 1);
    for end in [position, (position + 1).min(text.len()), text.len()] {
        let changed = format!("{}{replacement}{}", &text[..position], &text[end..]);
        assert!(changed == text || read(&changed).is_err(), "{changed} was taken for {text}");
    }
});
