//! The example's programs, without a browser.

use std::fs;

use countersign_testkit::http::Client;
use rustix::process::{Signal, kill_process};
use serde_json::json;

use super::{copy::Copy, started::Assistant};
use crate::guides::tools::run;

const FOLDERS_OF_TESTS: [&str; 4] = ["upstream/test/", "backend/test/", "page/test/", "start/test/"];

#[tokio::test(flavor = "multi_thread")]
async fn its_own_tests_pass() {
    let copy = Copy::of_the_example();
    let mut command = copy.node("--test");
    command.arg("--test-reporter=tap").args(FOLDERS_OF_TESTS);
    let done = run(command.into()).await;
    let count = |what: &str| -> usize {
        let line = done.stdout.lines().find_map(|line| line.strip_prefix(&format!("# {what} ")));
        line.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("it doesn't say how many: {done:?}"))
    };
    assert_eq!((done.status, count("fail"), count("skipped")), (0, 0, 0), "{}", done.stdout);
    let written = tests_written_in(&copy);
    assert!(written > 50 && count("pass") >= written, "{written} tests are written: {}", done.stdout);
}

/// How many tests there are at least: some stand for a list of them.
fn tests_written_in(copy: &Copy) -> usize {
    let files = FOLDERS_OF_TESTS.iter().flat_map(|folder| fs::read_dir(copy.programs().join(folder)).unwrap());
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    texts.map(|text| text.lines().filter(|line| line.starts_with("test(")).count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_starts_it_all_and_one_signal_ends_it() {
    let ways: [fn(&Assistant); 2] = [Assistant::ask_to_end, Assistant::press_ctrl_c];
    for end in ways {
        let mut assistant = Assistant::start("required").await;
        assert_eq!(assistant.listening().await.len(), 4);
        end(&assistant);
        let status = assistant.ended();
        assert_eq!(status.code(), Some(0), "{status} {}", assistant.log());
        assert!(!assistant.log().contains("ended by itself"), "{}", assistant.log());
        assert!(assistant.listening().await.is_empty(), "somebody still listens");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_ends_takes_the_others_with_it() {
    let mut assistant = Assistant::start("required").await;
    let (upstream, _) = assistant.part("upstream/server.mjs");
    kill_process(upstream, Signal::KILL).unwrap();
    let status = assistant.ended();
    assert_eq!(status.code(), Some(1), "{status} {}", assistant.log());
    assert!(assistant.log().contains("upstream ended by itself (SIGKILL)."), "{}", assistant.log());
    assert!(assistant.listening().await.is_empty(), "somebody still listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_backend_is_told_the_secret() {
    let assistant = Assistant::start("required").await;
    let facts = assistant.facts();
    let (hmac_secret, secret_key) = (facts["hmac_secret"].as_str().unwrap(), facts["secret_key"].as_str().unwrap());
    for (part, is_told) in [("backend/server.mjs", true), ("upstream/server.mjs", false), ("page/server.mjs", false)] {
        let (_, environment) = assistant.part(part);
        assert_eq!(environment.contains(hmac_secret), is_told, "{part}");
        assert!(!environment.contains(secret_key), "{part}");
    }
    let page = Client::of(assistant.url()).get("/config.json").await.ok();
    assert_eq!(page.text("apiKey"), facts["publishable_key"]);
    for told in [page.to_string(), assistant.log()] {
        assert!(!told.contains("hsec_") && !told.contains("sk_"), "a secret is told: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_answers_nobody_who_comes_past_the_gateway() {
    let assistant = Assistant::start("off").await;
    let (upstream, gateway) = (assistant.port("UPSTREAM_PORT"), assistant.port("COUNTERSIGN_PORT"));
    let past = as_customer_1(&assistant, upstream);
    let past = past.with("x-countersign-user", "u_01M7YDBD79ZQQTEA7B12RDMHY2").with("x-countersign-amr", "hmac");
    let refused = past.get("/interactions").await;
    assert_eq!((refused.status(), &refused.json()["error"]["code"]), (401, &json!("invalid_credentials")));
    // The same call, through it: the guide's cURL call.
    let through = as_customer_1(&assistant, gateway);
    assert_eq!(through.get("/interactions").await.ok().json(), json!({ "data": [], "has_more": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_may_not_call() {
    let assistant = Assistant::start("off").await;
    let client = as_customer_1(&assistant, assistant.port("COUNTERSIGN_PORT"));
    for path in ["/v1/me", "/interactions"] {
        let refused = client.with("origin", "http://localhost:1").get(path).await;
        assert_eq!((refused.status(), &refused.json()["error"]["code"]), (403, &json!("forbidden")), "{path}");
        client.with("origin", &assistant.url()).get(path).await.is_ok();
    }
}

/// An app of `customer-1` that shows no proof, at a port of this machine.
fn as_customer_1(assistant: &Assistant, port: u16) -> Client {
    let client = Client::of(format!("http://127.0.0.1:{port}"));
    let client = client.with("x-proficient-api-key", assistant.facts()["publishable_key"].as_str().unwrap());
    client.with("x-proficient-user-external-id", "customer-1")
}
