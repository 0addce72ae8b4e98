//! Asking leaves no traces, is for the project's own backend, and has its limits.

use std::time::Duration;

use countersign_domain::key::KeyScope;
use countersign_service::keys::create::NewKey;
use countersign_testkit::{answer::Answer, database::Engine, on_both_engines};
use serde_json::{Value, json};

use super::{
    Explained, ask,
    macs::v1,
    stage::{ID, Stage, headers},
    verify,
};

on_both_engines!(
    asking_leaves_no_traces,
    asking_uses_up_no_limit,
    a_backend_asks_for_its_own_project_alone,
    only_a_backend_may_ask,
    what_is_no_question_is_refused,
);

/// Calls of every kind, and of users whom nobody has seen.
fn calls(stage: &Stage) -> Vec<Vec<(String, String)>> {
    let bearer = |token: &str| headers(&[("authorization", &format!("Bearer {token}"))]);
    vec![
        stage.call("a newcomer", &v1(&stage.secret, "a newcomer")),
        stage.call(ID, &v1(&stage.old_secret, ID)),
        stage.call("a newcomer", "wrong"),
        headers(&[("x-proficient-api-key", &stage.publishable), ("x-proficient-user-external-id", "another")]),
        headers(&[("x-proficient-api-key", "pk_nobody")]),
        bearer(&stage.tokens.live),
        bearer("nothing of ours"),
        bearer("sk_nobody"),
        bearer(&stage.revoked_backend_key),
        bearer(&stage.backend_key),
        [bearer(&stage.backend_key), headers(&[("origin", "https://app.example")])].concat(),
    ]
}

/// All that is in the database, what was counted until now included, but for what it says of one key.
async fn written_down(stage: &Stage, but_for: &NewKey) -> Vec<String> {
    stage.house.node.service.write_down().await;
    let id = but_for.key.id.to_string();
    stage.house.database.dump().await.lines().filter(|line| !line.contains(&id)).map(str::to_owned).collect()
}

async fn asking_leaves_no_traces(engine: Engine) {
    let stage = Stage::open(engine).await;
    // The question itself is a call of a secret key, and its use is noted.
    let asking = stage.house.another_key(KeyScope::default()).await;
    let backend = stage.backend_with(asking.secret.danger_expose());
    for settings in [&["hmac=required"][..], &["hmac=off"]] {
        stage.house.set(settings).await;
        let before = written_down(&stage, &asking).await;
        for call in calls(&stage) {
            ask(&backend, &call).await.is_ok();
        }
        let after = written_down(&stage, &asking).await;
        let traces: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        assert_eq!((traces, after.len()), (Vec::<&String>::new(), before.len()), "{settings:?}");
    }
    for call in calls(&stage) {
        verify(&stage.house.node, "p1", &call).await;
    }
    let dump = written_down(&stage, &asking).await.join("\n");
    for trace in ["a newcomer", "another", "key.seen_in_browser", "proved_v1"] {
        assert!(dump.contains(trace), "the calls themselves would leave {trace}");
    }
}

async fn asking_uses_up_no_limit(engine: Engine) {
    let stage = Stage::open(engine).await;
    // The users that were made until now are forgotten.
    stage.house.advance(Duration::from_mins(1)).await;
    stage.house.set(&["limits.failures=2", "users.per_hour=1"]).await;
    let newcomer = |id: &str| stage.call(id, &v1(&stage.secret, id));
    for id in ["one", "two", "three"] {
        assert_eq!(Explained::of(&ask(&stage.backend(), &newcomer(id)).await).codes, ["proved_v1", "user_new"]);
        ask(&stage.backend(), &stage.call(ID, "wrong")).await.is_ok();
    }
    assert_eq!(verify(&stage.house.node, "p1", &newcomer("one")).await, 200);
    let refused = Explained::of(&ask(&stage.backend(), &newcomer("two")).await);
    assert_eq!(refused.codes, ["proved_v1", "too_many_users"]);
    let statuses = [
        verify(&stage.house.node, "p1", &newcomer("two")).await,
        verify(&stage.house.node, "p1", &stage.call(ID, "wrong")).await,
        verify(&stage.house.node, "p1", &stage.call(ID, "wrong")).await,
    ];
    assert_eq!(statuses, [401, 401, 429], "the failures are those of the door");
}

async fn a_backend_asks_for_its_own_project_alone(engine: Engine) {
    let stage = Stage::open(engine).await;
    let right = stage.call(ID, &v1(&stage.secret, ID));
    let other = stage.backend_with(&stage.other_backend_key);
    let answer = ask(&other, &right).await;
    let codes = Explained::of(&answer).codes;
    assert_eq!(codes, ["key_other_project", "other_project", "hmac_other_project", "hmac_wrong"]);
    // Nothing of the first project but that it is another.
    for told in ["p1", stage.house.hmac.key.id.to_string().as_str(), stage.uid.as_str()] {
        assert!(!answer.to_string().contains(told), "{answer} tells {told}");
    }
    // The user was seen in the first project, and an HMAC of that user isn't told to be of another user here.
    let kept = headers(&[
        ("x-proficient-api-key", &stage.other_publishable),
        ("x-proficient-user-external-id", "somebody"),
        ("x-proficient-user-hmac", &v1(&stage.secret, ID)),
    ]);
    assert_eq!(Explained::of(&ask(&other, &kept).await).codes, ["hmac_unexplained", "hmac_wrong"]);
    for token in [&stage.tokens.live, &stage.backend_key] {
        let call = headers(&[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(Explained::of(&ask(&other, &call).await).verdict, "refused");
        assert_eq!(Explained::of(&ask(&stage.backend(), &call).await).verdict, "accepted", "its own backend");
    }
    let elsewhere = stage.backend().post("/p/p2/v1/explain", &json!({ "headers": {} })).await;
    refused(&elsewhere, 401, "invalid_credentials");
    other.post("/p/p2/v1/explain", &json!({ "headers": {} })).await.is_ok();
}

async fn only_a_backend_may_ask(engine: Engine) {
    let stage = Stage::open(engine).await;
    let question = json!({ "headers": {} });
    let app = stage.house.client_app(ID).http();
    refused(&app.post("/v1/explain", &question).await, 403, "forbidden");
    refused(&stage.backend_with(&stage.tokens.live).post("/v1/explain", &question).await, 403, "forbidden");
    let page = stage.backend().with("origin", "https://app.example");
    refused(&page.post("/v1/explain", &question).await, 403, "forbidden");
    for key in [&stage.revoked_backend_key, "sk_nobody"] {
        refused(&stage.backend_with(key).post("/v1/explain", &question).await, 401, "invalid_credentials");
    }
    refused(&stage.house.node.client().post("/v1/explain", &question).await, 401, "invalid_credentials");
    stage.backend().post("/v1/explain", &question).await.is_ok();
}

async fn what_is_no_question_is_refused(engine: Engine) {
    let stage = Stage::open(engine).await;
    let backend = stage.backend();
    for body in [json!({}), json!({ "headers": null }), json!([]), json!({ "headers": [stage.secret] })] {
        refused(&backend.post("/v1/explain", &body).await, 400, "invalid_request");
    }
    for value in [json!(7), json!(true), json!([stage.secret, 7]), json!({ "a": stage.secret })] {
        let answer = backend.post("/v1/explain", &json!({ "headers": { "x-proficient-user-hmac": value } })).await;
        refused(&answer, 400, "invalid_request");
    }
    let twice = r#"{"headers": {"a": "1", "a": "2"}}"#;
    refused(&backend.post_bytes("/v1/explain", twice).await, 400, "invalid_request");
    let long = json!({ "headers": { "x-proficient-user-hmac": "a".repeat(65 * 1024) } });
    refused(&backend.post("/v1/explain", &long).await, 413, "invalid_request");
    refused(&backend.get("/v1/explain").await, 405, "invalid_request");
    // As long as it may be, with as many headers as fit, and members that nobody reads.
    let many: Value = (0..3_000).map(|n| (format!("h{n}"), json!("value"))).collect::<serde_json::Map<_, _>>().into();
    let answer = backend.post("/v1/explain", &json!({ "headers": many, "more": { "a": 1 } })).await;
    assert_eq!(Explained::of(&answer).codes, ["key_missing", "id_missing"]);
    let long = stage.call(&"i".repeat(30_000), &"A".repeat(30_000));
    let codes = Explained::of(&ask(&backend, &long).await).codes;
    assert_eq!(codes, ["id_too_long", "id_unreadable"]);
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let json = answer.json();
    assert_eq!((answer.status(), &json["error"]["code"]), (status, &json!(code)), "{answer}");
    assert_eq!(json.as_object().unwrap().len(), 1, "{answer}");
    assert_eq!(json["error"].as_object().unwrap().len(), 2, "{answer}");
    assert!(!answer.to_string().contains("hsec_"), "{answer}");
}
