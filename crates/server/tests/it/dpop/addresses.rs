//! `htu`: where the client believes that it calls. It must be here, in whatever way the client came.

use countersign_testkit::{bound::BoundApp, database::Engine, house::House, on_both_engines};
use hyper::Method;

use super::{bound_app, challenged};

on_both_engines!(
    a_call_is_known_by_the_public_address_with_the_project_in_its_path_or_without,
    a_call_to_a_projects_own_host_is_known_by_it,
    behind_a_proxy_a_call_is_known_by_what_the_proxy_was_asked_for,
    a_proof_that_was_made_for_another_server_is_refused_whatever_the_host_header_says,
    a_proof_for_another_project_is_refused,
);

const OTHER: &str = "htu of the proof is not the address of this call";

/// Calls `path` with a proof made for `htu`.
async fn call(app: &BoundApp, path: &str, htu: &str) -> countersign_testkit::answer::Answer {
    app.call(&Method::GET, path, &app.proof_for_me().saying("htu", htu)).await
}

async fn a_call_is_known_by_the_public_address_with_the_project_in_its_path_or_without(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    for path in ["/v1/me", "/p/p1/v1/me"] {
        for seen in ["/v1/me", "/p/p1/v1/me"] {
            call(&app, path, &format!("{}{seen}", app.url)).await.is_ok();
        }
        for seen in ["/p/p2/v1/me", "/p/p1/p/p1/v1/me", "/v1/me/", "/v1"] {
            challenged(&call(&app, path, &format!("{}{seen}", app.url)).await, "invalid_dpop_proof", OTHER);
        }
    }
}

async fn a_call_to_a_projects_own_host_is_known_by_it(engine: Engine) {
    let house = House::open(engine).await;
    let port = house.public_url().rsplit_once(':').unwrap().1.to_owned();
    let own = format!("http://own.example.com:{port}");
    let app = bound_app(&house).await;
    challenged(&call(&app, "/v1/me", &format!("{own}/v1/me")).await, "invalid_dpop_proof", OTHER);
    house.set(&["host=own.example.com"]).await;
    // The issuer is another one now, and so the token.
    let mut app = app;
    app.refresh().await.is_ok();
    for path in ["/v1/me", "/p/p1/v1/me"] {
        for url in [own.as_str(), app.url.as_str()] {
            call(&app, path, &format!("{url}/v1/me")).await.is_ok();
            call(&app, path, &format!("{url}/p/p1/v1/me")).await.is_ok();
        }
    }
    for not_own in ["http://own.example.com/v1/me", "https://own.example.com/v1/me", "http://sub.own.example.com/v1/me"]
    {
        challenged(&call(&app, "/v1/me", not_own).await, "invalid_dpop_proof", OTHER);
    }
}

async fn behind_a_proxy_a_call_is_known_by_what_the_proxy_was_asked_for(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let through = |proto: &str, host: &str| {
        app.through(app.app.http.with("x-forwarded-proto", proto).with("x-forwarded-host", host))
    };
    let proxied = through("https", "127.0.0.1:8443");
    call(&proxied, "/v1/me", "https://127.0.0.1:8443/v1/me").await.is_ok();
    call(&through("https", "127.0.0.1"), "/v1/me", "https://127.0.0.1/p/p1/v1/me").await.is_ok();
    call(&proxied, "/v1/me", &format!("{}/v1/me", app.url)).await.is_ok();
    challenged(&call(&proxied, "/v1/me", "http://127.0.0.1:8443/v1/me").await, "invalid_dpop_proof", OTHER);
    challenged(&call(&proxied, "/v1/me", "https://127.0.0.1/v1/me").await, "invalid_dpop_proof", OTHER);
    challenged(&call(&app, "/v1/me", "https://127.0.0.1:8443/v1/me").await, "invalid_dpop_proof", OTHER);
}

async fn a_proof_that_was_made_for_another_server_is_refused_whatever_the_host_header_says(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    // Who talks a client into calling `evil.example` may bring its proof here, with our nonce in it, and can make a proxy repeat any host.
    let evil = app.app.http.with("x-forwarded-proto", "https").with("x-forwarded-host", "evil.example");
    for http in [app.app.http.with("host", "evil.example"), evil] {
        let relayed = app.through(http);
        for htu in ["https://evil.example/v1/me", "http://evil.example/v1/me"] {
            challenged(&call(&relayed, "/v1/me", htu).await, "invalid_dpop_proof", OTHER);
        }
    }
    app.me().await.is_ok();
}

async fn a_proof_for_another_project_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    house.another_project("p2").await;
    let app = bound_app(&house).await;
    let there = call(&app, "/p/p2/v1/me", &format!("{}/p/p2/v1/me", app.url)).await;
    challenged(&there, "invalid_token", "not an access token of this project");
    let here = call(&app, "/p/p1/v1/me", &format!("{}/p/p2/v1/me", app.url)).await;
    challenged(&here, "invalid_dpop_proof", OTHER);
}
