//! The pages in a real Chromium. Each test is a visitor: a program of Node that does what a person would, and fails where the page does. An app
//! stands beside, a plain server that shows what it was sent.

use std::{os::unix::fs::symlink, path::Path};

use countersign_testkit::{database::Engine, house::House};
use tokio::{process::Command, sync::Mutex};

use crate::guides::tools::{run, told};

/// One at a time: several browsers at once would make a small machine slow, and what is late would look broken.
static TURN: Mutex<()> = Mutex::const_new(());

const PROGRAMS: [(&str, &str); 6] = [
    ("visitor.mjs", include_str!("visitor.mjs")),
    ("signs_in.mjs", include_str!("signs_in.mjs")),
    ("looks.mjs", include_str!("looks.mjs")),
    ("passkeys.mjs", include_str!("passkeys.mjs")),
    ("waits.mjs", include_str!("waits.mjs")),
    ("is_stopped.mjs", include_str!("is_stopped.mjs")),
];

async fn visit(program: &str, settings: &[&str]) {
    let _turn = TURN.lock().await;
    let house = House::open_now_at_localhost(Engine::Sqlite).await;
    house.set(&["signup=on"]).await;
    house.set(settings).await;
    let home = tempfile::tempdir().unwrap();
    for (name, text) in PROGRAMS {
        std::fs::write(home.path().join(name), text).unwrap();
    }
    symlink(told("COUNTERSIGN_TEST_BROWSER_MODULES"), home.path().join("node_modules")).unwrap();
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&pictures).unwrap();
    let app = free_port();
    let uri = format!("http://127.0.0.1:{app}/callback");
    house.set_client("c3", &[&format!("oauth.redirect_uris={uri}"), "oauth.first_party=on"]).await;
    house.set_client("c2", &[&format!("oauth.redirect_uris={uri}"), "oauth.first_party=off"]).await;
    let mut node = Command::new("node");
    node.current_dir(&home).arg(program);
    node.env("BROWSER", told("COUNTERSIGN_TEST_BROWSER")).env("SERVER", house.public_url());
    node.env("APP_PORT", app.to_string()).env("PICTURES", pictures);
    let done = run(node).await;
    assert_eq!(done.status, 0, "{}{}", done.stdout, done.stderr);
}

fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_allows_an_app_and_signs_out() {
    visit("signs_in.mjs", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_on_a_phone_and_on_a_desk_by_everybody() {
    visit("looks.mjs", &["page.color=#ffd400"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_a_person_says_what_to_do() {
    visit("is_stopped.mjs", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_makes_a_passkey_and_signs_in_by_it() {
    visit("passkeys.mjs", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_passkey_too_often_is_told_to_wait() {
    visit("waits.mjs", &["limits.sign_ins=2"]).await;
}
