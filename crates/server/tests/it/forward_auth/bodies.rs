//! Bodies go to the API, and to it alone.

use hyper::Method;

use super::{stage::Stage, through_each_proxy};

through_each_proxy!(
    a_body_of_a_mebibyte_reaches_the_api_and_not_the_server,
    a_body_of_unsaid_length_does_too,
    the_body_of_a_call_that_is_not_proved_reaches_nobody,
);

const MARK: &str = "only-the-api-may-see-this";

fn body() -> String {
    let mut body = MARK.repeat(1 + (1 << 20) / MARK.len());
    body.truncate(1 << 20);
    body
}

async fn a_body_of_a_mebibyte_reaches_the_api_and_not_the_server(stage: Stage) {
    for method in [Method::POST, Method::PUT] {
        let told = stage.app("crm-7").http().send(method.clone(), "/messages", body().into()).await.ok().json();
        assert_eq!(told["method"], method.as_str());
        assert!(told["body"] == body(), "the body isn't what was sent");
    }
    not_heard(&stage);
}

async fn a_body_of_unsaid_length_does_too(stage: Stage) {
    let mut connection = stage.connection().await;
    let head = stage.head("POST", "/messages", &stage.app("crm-7"));
    connection.say(format!("{head}transfer-encoding: chunked\r\n\r\n")).await;
    for piece in body().as_bytes().chunks(64 * 1024) {
        connection.say(format!("{:x}\r\n", piece.len())).await.say(piece).await.say("\r\n").await;
    }
    let answer = connection.say("0\r\n\r\n").await.answer().await.expect("an answer").ok();
    assert!(answer.json()["body"] == body(), "the body isn't what was sent");
    not_heard(&stage);
}

async fn the_body_of_a_call_that_is_not_proved_reaches_nobody(stage: Stage) {
    let stranger = stage.app("crm-7").unproved().http();
    stranger.send(Method::POST, "/messages", MARK.into()).await.denied(401, "invalid_credentials");
    assert_eq!(stage.api.asked(), 0);
    not_heard(&stage);
}

#[track_caller]
fn not_heard(stage: &Stage) {
    let asked = stage.tap.heard();
    assert!(asked.contains("/p/p1/verify") && !asked.contains(MARK), "the server was sent a body");
}
