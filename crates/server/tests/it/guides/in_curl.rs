//! The second guide's call, as it is pasted into a shell.

use std::process::Command;

use serde_json::{Value, json};

use super::{
    dev::Dev,
    guide::{Place, listing},
    mend::Mend,
    tools::run,
};
use crate::gateway::upstream::Upstream;

#[tokio::test(flavor = "multi_thread")]
async fn two_headers_are_enough_in_development() {
    let (dev, upstream) = (Dev::start().await, Upstream::start().await);
    dev.program.run(&["project", "set", "p1", &format!("gateway.upstream={}", upstream.url())]).await.ok();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let mends = [Mend::ClientApi(dev.fact("/url")), Mend::PublishableKey(dev.fact("/publishable_key"))];
    let mut shell = Command::new("sh");
    shell.args(["-c", &listing(Place::CurlCall, &mends)]);
    let told: Value = run(shell.into()).await.json();
    assert_eq!((&told["method"], &told["target"]), (&json!("GET"), &json!("/interactions")));
    assert_eq!(told["headers"]["x-countersign-external-id"], json!(["gtLIK8ELsHTr0Fajg28Ud9eFpJJ3"]));
    assert_eq!(told["headers"]["x-countersign-amr"], json!(["unproved"]));
}
