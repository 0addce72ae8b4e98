//! Explain and the door never disagree, whatever is sent.

use std::fmt;

use countersign_domain::client_api_key::ClientApiKeyKind;
use countersign_testkit::{
    database::Engine,
    house::{changes, p1},
    on_both_engines,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};

use super::{
    Explained, ask,
    macs::{base64url, v1, v2, v2k},
    sendable,
    stage::{ID, Stage},
    verify,
};

on_both_engines!(what_explain_says_of_any_headers_is_what_the_door_does);

const CALLS: usize = 400;

/// A header, and what it holds.
#[derive(Clone)]
struct Sent(String, Value);

#[derive(Clone, Debug)]
enum Value {
    /// One of those that mean something.
    Known(usize),
    /// One of them, cut, lengthened or otherwise spoilt.
    Spoilt(usize, Spoil),
    Garbage(String),
}

#[derive(Clone, Debug)]
enum Spoil {
    Cut(usize),
    Append(String),
    Upper,
    Lower,
    Letter(usize, char),
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.0, self.1)
    }
}

fn spoil() -> impl Strategy<Value = Spoil> {
    prop_oneof![
        (0..80_usize).prop_map(Spoil::Cut),
        "[ -~]{1,4}|[\u{a0}-\u{24f}]{1,2}".prop_map(Spoil::Append),
        Just(Spoil::Upper),
        Just(Spoil::Lower),
        (0..100_usize, any::<char>()).prop_map(|(at, letter)| Spoil::Letter(at, letter)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        12 => any::<prop::sample::Index>().prop_map(|at| Value::Known(at.index(1_000))),
        3 => (0..1_000_usize, spoil()).prop_map(|(at, spoil)| Value::Spoilt(at, spoil)),
        1 => "\\PC{0,30}".prop_map(Value::Garbage),
        1 => "v2k?\\.[0-9]{0,14}(\\.[A-Za-z0-9_=+/-]{0,50}){1,2}".prop_map(Value::Garbage),
        1 => "[A-Za-z0-9+/_=-]{40,50}".prop_map(Value::Garbage),
    ]
}

/// Mostly what a call has, sometimes what none has.
fn call() -> impl Strategy<Value = Vec<Sent>> {
    let name = |names: &'static [&'static str]| prop::sample::select(names).prop_map(str::to_owned);
    let header = |names, likely: f64| prop::option::weighted(likely, (name(names), value()));
    let headers = (
        header(&["X-PROFICIENT-API-KEY", "x-countersign-api-key"], 0.9),
        header(&["X-PROFICIENT-USER-EXTERNAL-ID", "X-Countersign-User-External-Id"], 0.9),
        header(&["X-PROFICIENT-USER-HMAC", "x-countersign-user-hmac", "x_proficient_user_hmac"], 0.9),
        header(&["Authorization"], 0.15),
        header(
            &["Origin", "Host", "DPoP", "X-PROFICIENT-API-KEY", "X-COUNTERSIGN-USER-EXTERNAL-ID", "authorization"],
            0.1,
        ),
    );
    headers.prop_map(|(a, b, c, d, e)| {
        [a, b, c, d, e].into_iter().flatten().map(|(name, value)| Sent(name, value)).collect()
    })
}

/// What values are made of: for each header those that belong there, and all the others, too.
struct Values {
    keys: Vec<String>,
    ids: Vec<String>,
    hmacs: Vec<String>,
    bearers: Vec<String>,
    rest: Vec<String>,
}

impl Values {
    fn of(stage: &Stage) -> Self {
        let (soon, key) = (stage.soon(), base64url([7; 32]));
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let ids = owned(&[ID, "bob", "Zo\u{eb}", "locked out", "a\"b", ""]);
        let secrets = [&stage.secret, &stage.old_secret, &stage.revoked_secret, &stage.other_secret];
        let mut hmacs: Vec<String> =
            secrets.iter().flat_map(|secret| ids.iter().map(move |id| v1(secret, id))).collect();
        for id in &ids {
            hmacs.extend([v2(&stage.secret, soon, id), v2(&stage.secret, 7, id), v2k(&stage.secret, soon, &key, id)]);
        }
        let tokens = &stage.tokens;
        let bearers = [
            &stage.backend_key,
            &stage.revoked_backend_key,
            &stage.other_backend_key,
            &tokens.live,
            &tokens.session_ended,
            &tokens.of_other_project,
            &tokens.bound.app.access,
        ];
        Self {
            keys: owned(&[
                &stage.publishable,
                &stage.publishable,
                &stage.publishable,
                &stage.other_publishable,
                &stage.revoked_publishable,
            ]),
            hmacs,
            ids,
            bearers: bearers
                .iter()
                .flat_map(|token| [format!("Bearer {token}"), format!("DPoP {token}")])
                .chain(owned(&["Basic YTpi", "bearer"]))
                .collect(),
            rest: owned(&["two.example", "localhost:7420", "https://app.example", "https://evil.example"]),
        }
    }

    fn known(&self, name: &str, at: usize) -> &str {
        let own = match name.to_ascii_lowercase().replace('_', "-").as_str() {
            "x-proficient-api-key" | "x-countersign-api-key" => &self.keys,
            "x-proficient-user-external-id" | "x-countersign-user-external-id" => &self.ids,
            "x-proficient-user-hmac" | "x-countersign-user-hmac" => &self.hmacs,
            "authorization" => &self.bearers,
            _ => &self.rest,
        };
        // Right ids meet right HMACs often enough: one id and its MACs come before all others.
        if at.is_multiple_of(4) { &own[at % own.len()] } else { &own[0] }
    }

    fn resolve(&self, Sent(name, value): &Sent) -> (String, String) {
        let text = match value {
            Value::Known(at) => self.known(name, *at).to_owned(),
            Value::Garbage(text) => text.clone(),
            Value::Spoilt(at, spoil) => {
                let text = self.known(name, *at);
                match spoil {
                    Spoil::Cut(at) => text.chars().take(*at).collect(),
                    Spoil::Append(more) => format!("{text}{more}"),
                    Spoil::Upper => text.to_uppercase(),
                    Spoil::Lower => text.to_lowercase(),
                    Spoil::Letter(at, letter) => {
                        text.chars().enumerate().map(|(n, old)| if n == *at { *letter } else { old }).collect()
                    }
                }
            }
        };
        (name.clone(), text)
    }
}

const SETTINGS: [&[&str]; 6] = [
    &["hmac=required", "hmac.versions=both", "users.create=on", "origins="],
    &["hmac=required", "hmac.versions=v2", "users.create=on", "origins=https://app.example"],
    &["hmac=off", "hmac.versions=both", "users.create=on", "users.unproved=3"],
    &["hmac=observe", "hmac.versions=v1", "users.create=on", "users.unproved=5"],
    &["hmac=off", "hmac.versions=both", "users.create=off"],
    &["hmac=required", "hmac.versions=v1", "users.create=off"],
];

async fn what_explain_says_of_any_headers_is_what_the_door_does(engine: Engine) {
    let stage = Stage::open(engine).await;
    let (house, values) = (&stage.house, Values::of(&stage));
    let service = &house.node.service;
    service.set_project(&p1(), changes(&["limits.failures=1000000"])).await.unwrap();
    house.node.new_client_api_key("p1", ClientApiKeyKind::Hmac).await;
    let config = Config { rng_seed: RngSeed::Fixed(7_421), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..CALLS {
        if number % 20 == 0 {
            let settings = SETTINGS[number / 20 % SETTINGS.len()];
            service.set_project(&p1(), changes(settings)).await.unwrap();
        }
        let call = call().new_tree(&mut runner).unwrap().current();
        let headers: Vec<(String, String)> = call.iter().map(|it| values.resolve(it)).collect();
        let before = Explained::of(&ask(&stage.backend(), &headers).await);
        if !sendable(&headers) {
            continue;
        }
        let status = verify(&house.node, "p1", &headers).await;
        assert!([200, 401, 403].contains(&status), "{status}: {headers:?}");
        let expected = if status == 200 { "accepted" } else { "refused" };
        assert_eq!(before.verdict, expected, "{status}, {:?}: {headers:?}", before.codes);
        let again = Explained::of(&ask(&stage.backend(), &headers).await);
        assert_eq!(again.verdict, expected, "after the call: {:?}: {headers:?}", again.codes);
        *(if status == 200 { &mut accepted } else { &mut refused }) += 1;
    }
    assert!(accepted > 50 && refused > 50, "{accepted} accepted, {refused} refused");
}
