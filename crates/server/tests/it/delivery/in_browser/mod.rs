//! The outbox as people see it, in a real Chromium.

use std::os::unix::fs::symlink;

use countersign_testkit::{database::Engine, house::House};
use tokio::process::Command;

use super::{queue, sign_in_code};
use crate::guides::tools::{run, told};

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_can_be_read_on_a_phone_and_on_a_desk_by_everybody() {
    let house = House::in_development(Engine::Sqlite).await;
    let db = house.database.open().await;
    for to in ["ada@example.com", "+15551234567", &format!("{}@example.com", "long".repeat(16))] {
        queue(&house.node.service, &db, to, &sign_in_code()).await;
    }
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("looks.mjs"), include_str!("looks.mjs")).unwrap();
    symlink(told("COUNTERSIGN_TEST_BROWSER_MODULES"), home.path().join("node_modules")).unwrap();
    let mut node = Command::new("node");
    node.current_dir(&home).arg("looks.mjs");
    node.env("BROWSER", told("COUNTERSIGN_TEST_BROWSER")).env("OUTBOX", format!("{}/dev/outbox", house.node.base()));
    let done = run(node).await;
    assert_eq!(done.status, 0, "{}{}", done.stdout, done.stderr);
}
