//! What a caller proves itself with never reaches the API.

use std::time::Duration;

use countersign_testkit::wait;
use hyper::Method;

use super::{
    proxy::Kind,
    stage::{Stage, seen},
    through_each_proxy,
};

through_each_proxy!(
    credentials_stay_with_the_proxy,
    a_ticket_in_the_query_opens_and_stays_with_the_proxy,
    a_ticket_opens_once_and_to_a_get_alone,
    a_query_without_a_ticket_passes_as_it_is,
    a_revoked_secret_is_refused_within_a_second,
);

async fn credentials_stay_with_the_proxy(stage: Stage) {
    let app = stage.app("crm-7");
    let hmac = app.hmac.as_ref().unwrap();
    let token = stage.house.backend().new_app("ada@example.com").await.access;
    let secret = stage.house.key.secret.danger_expose();
    let own_names = stage
        .client()
        .with("x-countersign-api-key", &app.key)
        .with("x-countersign-user-external-id", "crm-7")
        .with("x-countersign-user-hmac", hmac);
    let callers = [
        app.http(),
        own_names,
        stage.client().with("authorization", &format!("Bearer {token}")),
        stage.client().with("authorization", &format!("Bearer {secret}")),
        // Careless ones, which say more than is asked.
        app.http().with("verification-token", secret).with("dpop", &token),
    ];
    for caller in callers {
        let caller = caller.with("cookie", "a=b").with("x-of-the-customer", "c");
        let told = caller.send(Method::POST, "/interactions", "body".into()).await.ok().json();
        for credential in [hmac.as_str(), &app.key, &token, secret] {
            assert!(!told.to_string().contains(credential), "the API saw a credential: {told}");
        }
        let names: Vec<&String> = told["headers"].as_object().unwrap().keys().collect();
        let ours = [
            "x-countersign-project",
            "x-countersign-user",
            "x-countersign-external-id",
            "x-countersign-amr",
            "x-countersign-assertion",
        ];
        let is_credential = |name: &str| {
            name.starts_with("x-proficient")
                || ["authorization", "dpop", "verification-token"].contains(&name)
                || (name.starts_with("x-countersign") && !ours.contains(&name))
        };
        assert!(!names.iter().any(|name| is_credential(name)), "{names:?}");
        assert_eq!((seen(&told, "cookie"), seen(&told, "x-of-the-customer")), ("a=b", "c"));
    }
}

/// A ticket of this app's, which it asks the server for.
async fn ticket(stage: &Stage) -> String {
    let app = stage.house.client_app("crm-7");
    app.http().send(Method::POST, "/v1/tickets", String::new().into()).await.ok().text("ticket")
}

async fn a_ticket_in_the_query_opens_and_stays_with_the_proxy(stage: Stage) {
    for query in ["TICKET", "a=1&TICKET", "TICKET&a=1", "a=%20%26&TICKET&b=2+c&d"] {
        let shown = query.replace("TICKET", &format!("countersign_ticket={}", ticket(&stage).await));
        let told = stage.client().get(&format!("/events/x?{shown}")).await.ok().json();
        assert_eq!(seen(&told, "x-countersign-external-id"), "crm-7");
        let target = told["target"].as_str().unwrap();
        if stage.proxy.kind == Kind::Traefik {
            assert_eq!(target, format!("/events/x?{shown}"), "Traefik can't change a query");
            continue;
        }
        assert!(!told.to_string().contains("tkt_"), "the API saw a ticket: {told}");
        let left: Vec<&str> = query.split('&').filter(|pair| *pair != "TICKET").collect();
        let (path, rest) = target.split_once('?').unwrap_or((target, ""));
        assert_eq!((path, rest.trim_matches('&')), ("/events/x", left.join("&").as_str()), "of {query}");
    }
}

async fn a_ticket_opens_once_and_to_a_get_alone(stage: Stage) {
    let ticket = ticket(&stage).await;
    let path = format!("/x?countersign_ticket={ticket}");
    let refused = "invalid_credentials";
    stage.client().send(Method::POST, &path, String::new().into()).await.denied(401, refused);
    let liar = stage.client().with("x-forwarded-method", "GET");
    liar.send(Method::DELETE, &path, String::new().into()).await.denied(401, refused);
    stage.client().get(&format!("{path}&countersign_ticket={ticket}")).await.denied(401, refused);
    stage.app("crm-8").get(&path).await.denied(401, refused);
    assert_eq!(stage.api.asked(), 0);
    stage.client().get(&path).await.is_ok();
    stage.client().get(&path).await.denied(401, refused);
    assert_eq!(stage.api.asked(), 1);
}

async fn a_query_without_a_ticket_passes_as_it_is(stage: Stage) {
    let app = stage.app("crm-7");
    for target in [
        "/countersign_ticket=/x?my_countersign_ticket=1",
        "/a%20b/c%C3%A9?d=%20e&f&g=%2F%26+h",
        "/?",
        "/a;b=c/(d)?e[]=1&e[]=2&=x&&",
        "/a?b?c=d",
    ] {
        let answer = app.get(target).await;
        assert_eq!(answer.status(), 200, "{target}");
        let told = answer.json();
        let passed = told["target"].as_str().unwrap();
        assert_eq!(passed.trim_end_matches('?'), target.trim_end_matches('?'));
    }
}

async fn a_revoked_secret_is_refused_within_a_second(stage: Stage) {
    let (app, other) = (stage.app("crm-7"), stage.house.another_node().await);
    app.get("/interactions").await.is_ok();
    let before = stage.api.asked();
    other.service.revoke_client_api_key(&"p1".parse().unwrap(), stage.house.hmac.key.id, false).await.unwrap();
    // One second, and two for noise.
    wait::until("the call is refused", Duration::from_secs(3), || {
        let app = app.clone();
        async move { app.get("/interactions").await.status() == 401 }
    })
    .await;
    let passed = stage.api.asked();
    assert!(passed >= before);
    app.get("/interactions").await.denied(401, "invalid_credentials");
    assert_eq!(stage.api.asked(), passed);
}
