//! Open streams end within a second of a revocation, on every node.

use std::time::Duration;

use countersign_service::projects::state::StateChange;
use countersign_testkit::{client_app::ClientApp, database::Engine, house::House, on_both_engines, raw::RawConnection};

use super::open;

on_both_engines!(
    events_of_a_disabled_user_end,
    events_under_a_revoked_secret_end,
    events_without_proof_end_when_one_is_required,
    events_of_a_session_that_is_signed_out_end,
    a_socket_of_a_disabled_user_ends,
    news_of_others_end_nothing,
);

/// One second, and two for noise.
const SOON: Duration = Duration::from_secs(3);

fn head(app: &ClientApp, path: &str, more: &str) -> String {
    let hmac = app.hmac.as_ref().map(|hmac| format!("x-proficient-user-hmac: {hmac}\r\n")).unwrap_or_default();
    format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nx-proficient-api-key: {}\r\nx-proficient-user-external-id: {}\r\n{hmac}{more}\r\n",
        app.key, app.id
    )
}

/// An open stream of events, at another node than the one where things are revoked.
async fn events(base: &str, request: &str) -> RawConnection {
    let mut connection = RawConnection::to(base).await;
    connection.say(request).await;
    let said = connection.hear(Duration::from_millis(400)).await;
    assert!(said.contains("data: 1"), "{said}");
    connection
}

/// It must end by being broken off: a clean end would say that there is no more to come.
async fn is_cut(connection: &mut RawConnection) {
    let hearing = tokio::time::timeout(SOON, connection.hear(SOON + SOON));
    let heard = hearing.await.expect("the stream goes on");
    assert!(!heard.ends_with("0\r\n\r\n"), "the stream ended as if all had been said");
}

async fn goes_on(connection: &mut RawConnection) {
    let heard = connection.hear(Duration::from_millis(300)).await;
    assert!(heard.contains("data: "), "the stream stands still");
}

async fn disable(house: &House, app: &ClientApp) {
    let user = app.uid().await.parse().unwrap();
    house.node.service.change_user_state(&"p1".parse().unwrap(), user, StateChange::Disable).await.unwrap();
}

async fn events_of_a_disabled_user_end(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let other = house.another_node().await;
    let (app, bystander) = (house.client_app("crm-7"), house.client_app("crm-8"));
    let mut here = events(house.node.base(), &head(&app, "/events", "")).await;
    let mut there = events(other.base(), &head(&app, "/events", "")).await;
    let mut by = events(other.base(), &head(&bystander, "/events", "")).await;
    disable(&house, &app).await;
    is_cut(&mut here).await;
    is_cut(&mut there).await;
    goes_on(&mut by).await;
}

async fn events_under_a_revoked_secret_end(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let other = house.another_node().await;
    let mut there = events(other.base(), &head(&house.client_app("crm-7"), "/events", "")).await;
    house.node.service.revoke_client_api_key(&"p1".parse().unwrap(), house.hmac.key.id, false).await.unwrap();
    is_cut(&mut there).await;
}

async fn events_without_proof_end_when_one_is_required(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    house.set(&["hmac=off"]).await;
    let app = house.client_app("crm-7");
    let mut unproved = events(house.node.base(), &head(&app.unproved(), "/events", "")).await;
    let mut proved = events(house.node.base(), &head(&app, "/events", "")).await;
    house.set(&["hmac=required"]).await;
    is_cut(&mut unproved).await;
    goes_on(&mut proved).await;
}

async fn events_of_a_session_that_is_signed_out_end(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let other = house.another_node().await;
    let app = house.backend().new_app("ada@example.com").await;
    let head = format!(
        "GET /events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
        &house.node.base()[7..],
        app.access
    );
    let mut there = events(other.base(), &head).await;
    app.sign_out().await.is_ok();
    is_cut(&mut there).await;
}

async fn a_socket_of_a_disabled_user_ends(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let other = house.another_node().await;
    let app = house.client_app("crm-7");
    let mut socket = RawConnection::to(other.base()).await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    socket.say(head(&app, "/socket", upgrade)).await;
    let heard = socket.hear(Duration::from_millis(300)).await;
    assert!(heard.starts_with("HTTP/1.1 101"), "{heard}");
    socket.say("ping").await.hear_exactly("ping", SOON).await;
    disable(&house, &app).await;
    is_cut(&mut socket).await;
}

async fn news_of_others_end_nothing(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let (app, other) = (house.client_app("crm-7"), house.client_app("crm-8"));
    let mut stream = events(house.node.base(), &head(&app, "/events", "")).await;
    disable(&house, &other).await;
    house.set(&["session.cap=50"]).await;
    house.node.new_client_api_key("p1", countersign_domain::client_api_key::ClientApiKeyKind::Hmac).await;
    goes_on(&mut stream).await;
}
