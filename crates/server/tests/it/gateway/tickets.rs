//! Tickets: for who can set no header.

use countersign_service::projects::state::StateChange;
use countersign_testkit::{answer::Answer, client_app::ClientApp, database::Engine, house::House, on_both_engines};
use hyper::Method;
use tokio::task::JoinSet;

use super::open;

on_both_engines!(
    a_ticket_stands_for_its_caller_once,
    twenty_who_show_one_ticket_at_once_are_one,
    a_ticket_is_good_for_thirty_seconds,
    a_ticket_of_who_was_revoked_meanwhile_is_none,
    a_ticket_does_nothing_but_read,
    a_changed_ticket_is_none,
    a_ticket_and_another_credential_are_never_mixed,
    a_ticket_of_a_bound_token_needs_its_key_once,
    a_proxy_may_ask_about_a_ticket,
    a_proxy_that_asks_about_another_method_than_get_finds_no_ticket,
    a_ticket_is_of_one_project,
);

async fn ticket(app: &ClientApp) -> String {
    let made = app.http().send(Method::POST, "/v1/tickets", String::new().into()).await.ok();
    assert_eq!((made.text("parameter").as_str(), made.json()["expires_in"].as_u64()), ("countersign_ticket", Some(30)));
    made.text("ticket")
}

async fn shown(house: &House, ticket: &str) -> Answer {
    house.node.client().get(&format!("/events-of-mine?a=b&countersign_ticket={ticket}&c")).await
}

async fn a_ticket_stands_for_its_caller_once(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let other = house.another_node().await;
    let app = house.client_app("crm-7");
    let ticket = ticket(&app).await;
    let answer = shown(&house, &ticket).await.ok();
    let told = answer.json();
    assert_eq!(told["headers"]["x-countersign-external-id"][0], "crm-7");
    assert_eq!(told["target"], "/events-of-mine?a=b&c", "the ticket ends here");
    shown(&house, &ticket).await.denied(401, "invalid_credentials");
    let there = other.client().get(&format!("/x?countersign_ticket={ticket}")).await;
    there.denied(401, "invalid_credentials");
}

async fn twenty_who_show_one_ticket_at_once_are_one(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let other = house.another_node().await;
    let ticket = ticket(&house.client_app("crm-7")).await;
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let client = if number % 2 == 0 { house.node.client() } else { other.client() };
        let path = format!("/x?countersign_ticket={ticket}");
        calls.spawn(async move { client.get(&path).await.status() });
    }
    let statuses = calls.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(upstream.asked(), 1);
}

async fn a_ticket_is_good_for_thirty_seconds(engine: Engine) {
    if engine == Engine::Postgres {
        // Time by hand is SQLite's alone.
        return;
    }
    let (house, _upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    let (early, late) = (ticket(&app).await, ticket(&app).await);
    house.advance(std::time::Duration::from_secs(29)).await;
    shown(&house, &early).await.is_ok();
    house.advance(std::time::Duration::from_secs(2)).await;
    shown(&house, &late).await.denied(401, "invalid_credentials");
}

async fn a_ticket_of_who_was_revoked_meanwhile_is_none(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let app = house.client_app("crm-7");
    let of_user = ticket(&app).await;
    let user = app.uid().await.parse().unwrap();
    let (service, project) = (&house.node.service, "p1".parse().unwrap());
    service.change_user_state(&project, user, StateChange::Disable).await.unwrap();
    shown(&house, &of_user).await.denied(401, "invalid_credentials");
    service.change_user_state(&project, user, StateChange::Enable).await.unwrap();
    let of_key = ticket(&app).await;
    service.revoke_client_api_key(&project, house.hmac.key.id, false).await.unwrap();
    shown(&house, &of_key).await.denied(401, "invalid_credentials");
    assert_eq!(upstream.asked(), 0);
}

async fn a_ticket_does_nothing_but_read(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let ticket = ticket(&house.client_app("crm-7")).await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let path = format!("/messages?countersign_ticket={ticket}");
        house.node.client().send(method, &path, String::new().into()).await.denied(401, "invalid_credentials");
    }
    // Nor does it open what is ours.
    house.node.client().get(&format!("/v1/me?countersign_ticket={ticket}")).await.denied(401, "invalid_credentials");
    assert_eq!(upstream.asked(), 0);
    shown(&house, &ticket).await.is_ok();
}

async fn a_changed_ticket_is_none(engine: Engine) {
    let (house, upstream) = open(engine).await;
    house.set(&["limits.failures=1000000"]).await;
    let ticket = ticket(&house.client_app("crm-7")).await;
    for position in (0..ticket.len()).step_by(7) {
        let mut changed = ticket.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        shown(&house, &changed).await.denied(401, "invalid_credentials");
    }
    for wrong in ["", "tkt_", "tkt_v1", &ticket[..ticket.len() - 1], &ticket["tkt_".len()..], &format!("{ticket}A")] {
        shown(&house, wrong).await.denied(401, "invalid_credentials");
    }
    let twice = format!("/x?countersign_ticket={ticket}&countersign_ticket={ticket}");
    house.node.client().get(&twice).await.denied(401, "invalid_credentials");
    assert_eq!(upstream.asked(), 0);
    shown(&house, &ticket).await.is_ok();
}

async fn a_ticket_and_another_credential_are_never_mixed(engine: Engine) {
    let (house, upstream) = open(engine).await;
    let ticket = ticket(&house.client_app("crm-7")).await;
    let path = format!("/x?countersign_ticket={ticket}");
    house.client_app("crm-8").get(&path).await.denied(401, "invalid_credentials");
    house.secret_bearer().get(&path).await.denied(401, "invalid_credentials");
    assert_eq!(upstream.asked(), 0);
    shown(&house, &ticket).await.is_ok();
}

async fn a_ticket_of_a_bound_token_needs_its_key_once(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let app = house.bound_app("ada@example.com").await.informed().await;
    let thief = app.app.http.with("authorization", &format!("Bearer {}", app.app.access));
    thief.send(Method::POST, "/v1/tickets", String::new().into()).await.denied(401, "invalid_credentials");
    let made = app.call(&Method::POST, "/v1/tickets", &app.proof_with_token("POST", "/v1/tickets")).await.ok();
    let told = shown(&house, &made.text("ticket")).await.ok().json();
    assert_eq!(told["headers"]["x-countersign-user"][0], app.app.uid);
    let again = app.call(&Method::POST, "/v1/tickets", &app.proof_with_token("POST", "/v1/tickets")).await.ok();
    app.sign_out().await.is_ok();
    shown(&house, &again.text("ticket")).await.denied(401, "invalid_credentials");
}

async fn a_proxy_may_ask_about_a_ticket(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    for header in ["x-forwarded-uri", "x-original-uri"] {
        let ticket = ticket(&house.client_app("crm-7")).await;
        let proxy = house.node.client().with(header, &format!("/socket?countersign_ticket={ticket}"));
        let verdict = proxy.get("/verify").await.ok();
        assert_eq!(verdict.header("x-countersign-external-id"), "crm-7");
        proxy.get("/verify").await.denied(401, "invalid_credentials");
    }
    let ticket = ticket(&house.client_app("crm-7")).await;
    house.node.client().get(&format!("/verify/socket?countersign_ticket={ticket}")).await.is_ok();
}

async fn a_proxy_that_asks_about_another_method_than_get_finds_no_ticket(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    let ticket = ticket(&house.client_app("crm-7")).await;
    let proxy = house.node.client().with("x-forwarded-uri", &format!("/messages?countersign_ticket={ticket}"));
    for method in ["POST", "DELETE", "get", ""] {
        proxy.with("x-forwarded-method", method).get("/verify").await.denied(401, "invalid_credentials");
    }
    proxy.send(Method::POST, "/verify", String::new().into()).await.denied(401, "invalid_credentials");
    proxy.with("x-forwarded-method", "GET").get("/verify").await.is_ok();
}

async fn a_ticket_is_of_one_project(engine: Engine) {
    let (house, _upstream) = open(engine).await;
    house.another_project("p2").await;
    let ticket = ticket(&house.client_app("crm-7")).await;
    let elsewhere = house.node.client().get(&format!("/p/p2/x?countersign_ticket={ticket}")).await;
    elsewhere.denied(401, "invalid_credentials");
    shown(&house, &ticket).await.is_ok();
}
