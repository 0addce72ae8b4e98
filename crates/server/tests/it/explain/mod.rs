//! Explain: every mistake that people make is made here, with the real secret, and must be found; nothing else may come of asking.

mod answers;
mod bearers;
mod command;
mod differential;
mod keys;
mod macs;
mod making;
mod stage;
mod traces;
mod users;
mod writing;

use std::fmt::Write;

use countersign_testkit::{answer::Answer, house::Node, http::Client, raw::RawConnection};
use serde_json::{Value, json};

/// What was answered: the verdict and the codes of the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Explained {
    verdict: String,
    codes: Vec<String>,
}

impl Explained {
    fn of(answer: &Answer) -> Self {
        answer.is_ok();
        Self::read(&answer.json())
    }

    fn expected(verdict: &str, codes: &[&str]) -> Self {
        Self { verdict: verdict.to_owned(), codes: codes.iter().map(|code| (*code).to_owned()).collect() }
    }

    fn read(json: &Value) -> Self {
        let reasons = json["reasons"].as_array().unwrap();
        assert!(!reasons.is_empty(), "no reason is given");
        assert!(reasons.iter().all(|it| it["message"].as_str().is_some_and(|text| text.len() > 10)), "{json}");
        let codes = reasons.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect();
        Self { verdict: json["verdict"].as_str().unwrap().to_owned(), codes }
    }
}

/// Headers as a body has them: a name that stands there more than once has a list.
fn body(headers: &[(String, String)]) -> Value {
    let mut members = serde_json::Map::new();
    for (name, value) in headers {
        let values = members.entry(name.clone()).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(json!(value));
    }
    json!({ "headers": members })
}

async fn ask(backend: &Client, headers: &[(String, String)]) -> Answer {
    backend.post("/v1/explain", &body(headers)).await
}

/// What the door itself answers to these headers, as they are.
async fn verify(node: &Node, project: &str, headers: &[(String, String)]) -> u16 {
    let mut request = format!("GET /p/{project}/verify HTTP/1.1\r\n");
    let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = (!has_host).then(|| ("host".to_owned(), "localhost".to_owned()));
    for (name, value) in headers.iter().chain(&host) {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    let mut connection = RawConnection::to(node.base()).await;
    connection.say(format!("{request}connection: close\r\n\r\n")).await;
    connection.answer().await.expect("the door answers").status()
}

/// Can a request carry these?
fn sendable(headers: &[(String, String)]) -> bool {
    headers.iter().all(|(_, value)| value.bytes().all(|b| b == b'\t' || !b.is_ascii_control()))
}
