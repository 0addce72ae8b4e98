//! Following the audit trail.

use std::time::Duration;

use countersign_domain::id::AuditId;
use countersign_testkit::{database::Engine, on_both_engines, program::Running, wait};
use serde_json::Value;

use super::deployment::Deployment;

on_both_engines!(who_follows_the_trail_misses_nothing_and_hears_nothing_twice);

const PATIENCE: Duration = Duration::from_secs(20);

fn entries(follower: &Running) -> Vec<Value> {
    follower.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn heard(follower: &Running, count: usize) -> Vec<Value> {
    wait::until(&format!("{count} entries"), PATIENCE, || async { entries(follower).len() >= count }).await;
    entries(follower)
}

async fn who_follows_the_trail_misses_nothing_and_hears_nothing_twice(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let follower = deployment.program.start(&["audit", "tail", "--limit", "2", "--follow"]);
    let first = heard(&follower, 2).await;
    assert_eq!([&first[0]["act"], &first[1]["act"]], ["client.created", "key.created"]);

    deployment.program.run(&["user", "create", "--email", "ada@example.com"]).await.ok();
    let second = heard(&follower, 3).await;
    assert_eq!(second[2]["act"], "user.created");

    // An act that began before that one, and whose transaction ended after it.
    let newest: AuditId = second[2]["id"].as_str().unwrap().parse().unwrap();
    let late = earlier(newest, 3_000);
    let insert = format!(
        "insert into audit_entries (project_id, audit_id, at, act, actor_kind, detail) \
         select project_id, '{late}', at - 3000000, 'session.vouched', actor_kind, detail from audit_entries where audit_id = '{newest}'"
    );
    deployment.database.execute(&insert).await;
    let third = heard(&follower, 4).await;
    assert_eq!(third[3]["id"], late.to_string());

    deployment.program.run(&["user", "disable", "ada@example.com"]).await.ok();
    let fourth = heard(&follower, 5).await;
    assert_eq!(fourth[4]["act"], "user.disabled");
    // Long enough to be looked at again a few times.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(entries(&follower).len(), 5, "something was heard twice, or was there before");
}

/// The id of an entry that was begun so much earlier.
fn earlier(id: AuditId, millis: u64) -> AuditId {
    let bytes = u128::from_be_bytes(id.to_bytes());
    AuditId::from_bytes((bytes - (u128::from(millis) << 80)).to_be_bytes())
}
