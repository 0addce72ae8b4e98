//! Which upstream a call goes to, and what it must be proved with.

use countersign_testkit::{database::Engine, house::House, on_both_engines};
use serde_json::json;

use super::{open, upstream::Upstream};

on_both_engines!(
    the_longest_prefix_leads_the_way,
    a_route_takes_only_its_credentials,
    a_host_of_its_own_is_the_gateways_alone,
    two_projects_cant_have_one_host,
);

async fn routes(house: &House, routes: serde_json::Value) {
    house.set(&[&format!("gateway.routes={routes}")]).await;
}

async fn the_longest_prefix_leads_the_way(engine: Engine) {
    let (house, usual) = open(engine).await;
    let (v2, admin) = (Upstream::start().await, Upstream::start().await);
    routes(
        &house,
        json!([
            { "prefix": "/v2", "upstream": v2.url(), "strip_prefix": true },
            { "prefix": "/v2/reports", "upstream": format!("{}/base", admin.url()) },
        ]),
    )
    .await;
    let app = house.client_app("crm-7");
    let target = async |path: &str| app.get(path).await.ok().json()["target"].as_str().unwrap().to_owned();
    assert_eq!(target("/v2/things?a=b").await, "/things?a=b");
    assert_eq!(target("/v2/reports/7").await, "/base/v2/reports/7");
    assert_eq!(target("/v2things").await, "/v2things");
    assert_eq!((usual.asked(), v2.asked(), admin.asked()), (1, 1, 1));
}

async fn a_route_takes_only_its_credentials(engine: Engine) {
    let (house, _usual) = open(engine).await;
    let upstream = Upstream::start().await;
    routes(&house, json!([{ "prefix": "/internal", "upstream": upstream.url(), "accepts": ["secret_key"] }])).await;
    let app = house.client_app("crm-7");
    app.get("/internal/x").await.denied(403, "forbidden");
    let token = house.backend().new_app("ada@example.com").await.access;
    let bearer = house.node.client().with("authorization", &format!("Bearer {token}"));
    bearer.get("/internal/x").await.denied(403, "forbidden");
    for path in ["/Internal/x", "/%69nternal/x", "/internal%2fx", "/x/../internal/x", "//internal/x"] {
        let answer = app.get(path).await;
        assert!(answer.status() == 400 || answer.status() == 403, "{path}: {answer}");
    }
    assert_eq!(upstream.asked(), 0);
    house.secret_bearer().get("/internal/x").await.is_ok();
    app.get("/other").await.is_ok();
}

async fn a_host_of_its_own_is_the_gateways_alone(engine: Engine) {
    let (house, _usual) = open(engine).await;
    let upstream = Upstream::start().await;
    routes(&house, json!([{ "host": "api.example.com", "prefix": "/", "upstream": upstream.url() }])).await;
    let app = house.client_app("crm-7");
    let at_host = app.http().with("x-forwarded-host", "api.example.com");
    for path in ["/v1/me", "/users", "/auth/v1/signout", "/health/live", "/p/p1/x", "/verify"] {
        assert_eq!(at_host.get(path).await.ok().json()["target"], path);
    }
    assert_eq!(upstream.asked(), 6);
    house
        .node
        .client()
        .with("x-forwarded-host", "api.example.com")
        .get("/v1/me")
        .await
        .denied(401, "invalid_credentials");
    at_host.get("/.well-known/oauth-protected-resource").await.denied(404, "resource_not_found");
    // Elsewhere these are ours.
    app.get("/v1/me").await.ok().text("uid");
    assert_eq!(upstream.asked(), 6);
}

async fn two_projects_cant_have_one_host(engine: Engine) {
    let (house, upstream) = open(engine).await;
    house.another_project("p2").await;
    let route = json!([{ "host": "api.example.com", "prefix": "/", "upstream": upstream.url() }]);
    routes(&house, route.clone()).await;
    let p2 = "p2".parse().unwrap();
    let service = &house.node.service;
    for setting in [format!("gateway.routes={route}"), "host=api.example.com".to_owned()] {
        let refused = service.set_project(&p2, countersign_testkit::house::changes(&[&setting])).await.unwrap_err();
        assert_eq!(refused.to_string(), "project `p1` is served at that host name");
    }
    let own = json!([{ "host": "127.0.0.1", "prefix": "/", "upstream": upstream.url() }]);
    let setting = format!("gateway.routes={own}");
    let refused = service.set_project(&p2, countersign_testkit::house::changes(&[&setting])).await.unwrap_err();
    assert!(refused.to_string().contains("would hide everything else"), "{refused}");
}
