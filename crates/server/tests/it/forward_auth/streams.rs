//! What stays open passes as it comes.

use std::time::Duration;

use super::{stage::Stage, through_each_proxy};

through_each_proxy!(
    events_arrive_as_they_happen,
    a_web_socket_passes_both_ways,
    a_web_socket_takes_nothing_of_our_word_away,
    a_web_socket_without_proof_is_none,
);

const SOON: Duration = Duration::from_secs(10);
const UPGRADE: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// The API sends an event every 50 ms, and never ends.
async fn events_arrive_as_they_happen(stage: Stage) {
    let head = stage.head("GET", "/events", &stage.app("crm-7"));
    let mut connection = stage.connection().await;
    connection.say(format!("{head}accept: text/event-stream\r\n\r\n")).await;
    let said = connection.hear(Duration::from_millis(700)).await;
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("data: 3\n\n"), "{said}");
    let more = connection.hear(Duration::from_millis(300)).await;
    let events = more.matches("data: ").count();
    // A proxy that collects them would send none or all at once.
    assert!((1..=8).contains(&events), "{events} events within 300 ms: {more}");
}

async fn a_web_socket_passes_both_ways(stage: Stage) {
    let mut socket = stage.connection().await;
    socket.say(format!("{}{UPGRADE}\r\n", stage.head("GET", "/socket", &stage.app("crm-7")))).await;
    let heard = socket.hear(Duration::from_millis(700)).await;
    assert!(heard.starts_with("HTTP/1.1 101"), "{heard}");
    for word in ["ping", "pong"] {
        socket.say(word).await.hear_exactly(word, SOON).await;
    }
    assert_eq!(stage.api.asked(), 1);
}

/// What a caller names in `Connection` ends at the proxy (RFC 9110 §7.6.1): what we say of it must not.
async fn a_web_socket_takes_nothing_of_our_word_away(stage: Stage) {
    let upgrade = UPGRADE.replace("Upgrade\r\n", "Upgrade, X-Countersign-User, X-Countersign-Amr\r\n");
    let mut socket = stage.connection().await;
    socket.say(format!("{}{upgrade}\r\n", stage.head("GET", "/socket", &stage.app("crm-7")))).await;
    let heard = socket.hear(Duration::from_millis(700)).await;
    assert!(heard.starts_with("HTTP/1.1 101"), "{heard}");
    let uid = stage.uid("crm-7").await.to_lowercase();
    let told = stage.api_line.heard().to_lowercase();
    for said in [format!("x-countersign-user: {uid}\r\n"), "x-countersign-amr: hmac\r\n".to_owned()] {
        assert!(told.contains(&said), "{told}");
    }
}

async fn a_web_socket_without_proof_is_none(stage: Stage) {
    let mut socket = stage.connection().await;
    socket.say(format!("{}{UPGRADE}\r\n", stage.head("GET", "/socket", &stage.app("crm-7").unproved()))).await;
    socket.answer().await.expect("an answer").denied(401, "invalid_credentials");
    assert_eq!(stage.api.asked(), 0);
}
