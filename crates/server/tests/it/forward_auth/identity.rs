//! Who calls is said by Countersign alone.

use countersign_testkit::token;
use hyper::Method;
use serde_json::json;

use super::{
    stage::{Stage, seen},
    through_each_proxy,
};

through_each_proxy!(
    a_proved_call_reaches_the_api_with_our_word_for_it,
    each_kind_of_credential_is_taken,
    identity_headers_from_outside_never_reach_the_api,
    identity_headers_of_the_api_never_reach_the_caller,
    the_server_is_told_which_call_it_is_about,
    callers_that_share_a_connection_stay_themselves,
    whoever_belongs_to_another_project_is_refused,
);

const NAMES: [&str; 5] = ["project", "user", "external-id", "amr", "assertion"];

async fn a_proved_call_reaches_the_api_with_our_word_for_it(stage: Stage) {
    let told = stage.app("crm-7").get("/interactions?limit=2").await.ok().json();
    assert_eq!((&told["method"], &told["target"]), (&json!("GET"), &json!("/interactions?limit=2")));
    let uid = stage.uid("crm-7").await;
    let said = NAMES.map(|name| seen(&told, &format!("x-countersign-{name}")));
    assert_eq!(said[..4], ["p1", &uid, "crm-7", "hmac"]);
    token::check_assertion(&stage.house.node.client(), said[4]).await;
    let claims = token::claims(said[4]);
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!("https://api.example.com"), &json!(uid)));
}

async fn each_kind_of_credential_is_taken(stage: Stage) {
    let app = stage.house.backend().new_app("ada@example.com").await;
    let secret = stage.house.key.secret.danger_expose();
    let bearers = [(app.access.as_str(), app.uid.as_str(), "vouch"), (secret, "", "secret_key")];
    for (bearer, uid, amr) in bearers {
        let client = stage.client().with("authorization", &format!("Bearer {bearer}"));
        let told = client.get("/interactions").await.ok().json();
        let said = NAMES.map(|name| seen(&told, &format!("x-countersign-{name}")));
        assert_eq!(said[..4], ["p1", uid, "", amr]);
        token::check_assertion(&stage.house.node.client(), said[4]).await;
    }
    let app = stage.app("crm-7");
    let own_names = stage
        .client()
        .with("x-countersign-api-key", &app.key)
        .with("x-countersign-user-external-id", "crm-7")
        .with("x-countersign-user-hmac", app.hmac.as_ref().unwrap());
    let told = own_names.get("/interactions").await.ok().json();
    assert_eq!(seen(&told, "x-countersign-external-id"), "crm-7");
}

async fn identity_headers_from_outside_never_reach_the_api(stage: Stage) {
    let uid = stage.uid("crm-7").await;
    let mut forger = stage.app("crm-7").http();
    for name in NAMES {
        for spelling in spellings(&format!("X-Countersign-{name}")) {
            forger = forger.with(&spelling, "forged");
        }
    }
    let named = "x-countersign-project, x-countersign-user, x-countersign-external-id, x-countersign-amr, x-countersign-assertion";
    for forger in [forger.clone(), forger.with("connection", named)] {
        let told = forger.get("/interactions").await.ok().json();
        let said = NAMES.map(|name| seen(&told, &format!("x-countersign-{name}")));
        assert_eq!(said[..4], ["p1", &uid, "crm-7", "hmac"], "{told}");
        assert!(!told.to_string().contains("forged"), "{told}");
    }
    // A backend has no user: none must be left standing in the place of none.
    let secret = format!("Bearer {}", stage.house.key.secret.danger_expose());
    let backend = stage.client().with("authorization", &secret);
    let told = backend.with("x-countersign-user", "forged").with("x_countersign_user", "forged").get("/").await.ok();
    assert!(!told.to_string().contains("forged"), "{told}");
}

/// A name with each of its dashes as it is or as an underscore: all the same to an API that goes by CGI's rules.
fn spellings(name: &str) -> Vec<String> {
    name.split('-').fold(Vec::new(), |begun, part| match begun.as_slice() {
        [] => vec![part.to_owned()],
        begun => begun.iter().flat_map(|begun| ["-", "_"].map(|mark| format!("{begun}{mark}{part}"))).collect(),
    })
}

async fn identity_headers_of_the_api_never_reach_the_caller(stage: Stage) {
    let answer = stage.app("crm-7").get("/interactions").await.ok();
    for name in NAMES {
        assert!(!answer.headers.contains_key(format!("x-countersign-{name}")), "{:?}", answer.headers);
    }
}

async fn the_server_is_told_which_call_it_is_about(stage: Stage) {
    let lies = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-uri", "/told-by-a-liar"),
        ("x-forwarded-method", "TOLD-BY-A-LIAR"),
        ("x-forwarded-host", "told-by-a-liar.example"),
        ("x-request-id", "told-by-a-liar"),
    ];
    let liar = lies.iter().fold(stage.app("crm-7").http(), |http, (name, value)| http.with(name, value));
    liar.send(Method::PUT, "/a%2Fb/?c=d", "body".into()).await.is_ok();
    let asked = stage.tap.heard().to_lowercase();
    let asked = asked.rsplit_once("/p/p1/verify").unwrap().1;
    let host = stage.host();
    let expected = [("uri", "/a%2fb/?c=d"), ("method", "put"), ("host", &host), ("proto", "http")];
    for (name, value) in expected {
        let said_of_it: Vec<&str> =
            asked.lines().filter(|line| line.starts_with(&format!("x-forwarded-{name}:"))).collect();
        assert_eq!(said_of_it, [format!("x-forwarded-{name}: {value}")], "{asked}");
    }
    let peers = asked.lines().rfind(|line| line.starts_with("x-forwarded-for: "));
    assert!(peers.is_some_and(|peers| !peers.ends_with("203.0.113.7")), "{asked}");
    assert!(!asked.contains("told-by-a-liar"), "{asked}");
}

async fn callers_that_share_a_connection_stay_themselves(stage: Stage) {
    let apps = [stage.app("crm-7"), stage.app("crm-8")];
    let uids = [stage.uid("crm-7").await, stage.uid("crm-8").await];
    let mut connection = stage.connection().await;
    for turn in 0..30 {
        let who = turn % 3;
        let head = match apps.get(who) {
            Some(app) => stage.head("GET", "/interactions", app),
            None => stage.head("GET", "/interactions", &apps[0].unproved()),
        };
        let answer = connection.say(format!("{head}\r\n")).await.answer().await.expect("the connection is kept");
        match uids.get(who) {
            Some(uid) => assert_eq!(seen(&answer.ok().json(), "x-countersign-user"), uid),
            None => answer.denied(401, "invalid_credentials"),
        }
    }
    assert_eq!(stage.api.asked(), 20);
}

async fn whoever_belongs_to_another_project_is_refused(stage: Stage) {
    let other = stage.house.another_project("p2").await;
    let other = stage.client().with("authorization", &format!("Bearer {}", other.secret.danger_expose()));
    other.get("/interactions").await.denied(401, "invalid_credentials");
    assert_eq!(stage.api.asked(), 0);
    stage.app("crm-7").get("/interactions").await.is_ok();
}
