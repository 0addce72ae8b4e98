//! `htu`: where the client believes that it calls. It must be here, in whatever way the client came.

use countersign_testkit::{
    answer::Answer,
    bound::{BoundApp, Proof},
    database::Engine,
    house::House,
    on_both_engines,
};
use hyper::Method;

use super::{bound_app, challenged};

on_both_engines!(
    a_call_is_known_by_the_public_address_with_the_project_in_its_path_or_without,
    a_call_to_a_projects_own_host_is_known_by_it,
    behind_a_proxy_a_call_is_known_by_what_the_proxy_was_asked_for,
    a_proof_that_was_made_for_another_server_is_refused_whatever_the_host_header_says,
    a_proof_for_another_project_is_refused,
    a_call_that_a_proxy_asks_about_is_the_callers_and_not_the_question,
    a_call_that_a_proxy_asks_about_went_to_a_host_that_the_project_knows,
    whoever_asks_for_itself_asks_for_the_call_that_it_makes,
);

const OTHER: &str = "htu of the proof is not the address of this call";

/// Calls `path` with a proof made for `htu`.
async fn call(app: &BoundApp, path: &str, htu: &str) -> Answer {
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

/// A proxy before the API asks about a call of this app. It says what the call was.
async fn ask(app: &BoundApp, said: &[(&str, &str)], proof: &Proof) -> Answer {
    let http = said.iter().fold(app.app.http.clone(), |http, (name, value)| http.with(name, value));
    app.through(http).call(&Method::GET, "/p/p1/verify", proof).await
}

const CALL: [(&str, &str); 4] = [
    ("x-forwarded-method", "PUT"),
    ("x-forwarded-uri", "/interactions/7?a=b"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "api.example.com"),
];

fn proof_of_that_call(app: &BoundApp) -> Proof {
    app.proof_with_token("PUT", "/").saying("htu", "https://api.example.com/interactions/7")
}

async fn a_call_that_a_proxy_asks_about_is_the_callers_and_not_the_question(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["verify.hosts=api.example.com other.example.com"]).await;
    let app = bound_app(&house).await;
    let good = || proof_of_that_call(&app);
    let refused = [
        good().saying("htm", "GET"),
        good().saying("htm", "put"),
        good().saying("htu", "https://api.example.com/interactions/8"),
        good().saying("htu", "https://api.example.com/p/p1/interactions/7"),
        good().saying("htu", "https://other.example.com/interactions/7"),
        good().saying("htu", "http://api.example.com/interactions/7"),
        good().saying("htu", "https://api.example.com:8443/interactions/7"),
        good().saying("htu", format!("{}/interactions/7", app.url)),
        good().saying("htu", format!("{}/p/p1/verify", app.url)),
        app.proof_with_token("GET", "/p/p1/verify"),
    ];
    for proof in refused {
        let answer = ask(&app, &CALL, &proof).await;
        let wrong =
            if proof.claims["htm"] == "PUT" { OTHER } else { "htm of the proof is not the method of this call" };
        challenged(&answer, "invalid_dpop_proof", wrong);
        assert!(!answer.headers.contains_key("x-countersign-assertion"), "{:?}", answer.headers);
    }
    // What is said by half, or twice over in one header, is no call that was made.
    for (at, name) in
        [(0, "x-forwarded-method"), (1, "x-forwarded-uri"), (2, "x-forwarded-proto"), (3, "x-forwarded-host")]
    {
        let mut said = CALL.to_vec();
        said.remove(at);
        let answer = ask(&app, &said, &good()).await;
        assert_eq!(answer.status(), 401, "without {name}");
        assert_eq!(answer.header("www-authenticate").split(',').next(), Some("DPoP error=\"invalid_dpop_proof\""));
    }
    assert_eq!(ask(&app, &CALL, &good()).await.ok().header("x-countersign-user"), app.app.uid);
}

async fn a_call_that_a_proxy_asks_about_went_to_a_host_that_the_project_knows(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let good = || proof_of_that_call(&app);
    challenged(&ask(&app, &CALL, &good()).await, "invalid_dpop_proof", OTHER);
    house.set(&["verify.hosts=api.example.com"]).await;
    ask(&app, &CALL, &good()).await.is_ok();
    // Who talks an app into calling `evil.example` brings its proof to the proxy, which repeats any host.
    let evil = [CALL[0], CALL[1], CALL[2], ("x-forwarded-host", "evil.example")];
    let relayed = good().saying("htu", "https://evil.example/interactions/7");
    challenged(&ask(&app, &evil, &relayed).await, "invalid_dpop_proof", OTHER);
    // An API may stand at the server's own name.
    let own = [CALL[0], CALL[1], ("x-forwarded-proto", "http"), ("x-forwarded-host", &app.url["http://".len()..])];
    ask(&app, &own, &good().saying("htu", format!("{}/interactions/7", app.url))).await.is_ok();
    // The host is the API's, and makes none of the server's own calls.
    let elsewhere = [("x-forwarded-proto", "https"), ("x-forwarded-host", "api.example.com")];
    let http = elsewhere.iter().fold(app.app.http.clone(), |http, (name, value)| http.with(name, value));
    let answer = call(&app.through(http), "/v1/me", "https://api.example.com/v1/me").await;
    challenged(&answer, "invalid_dpop_proof", OTHER);
}

async fn whoever_asks_for_itself_asks_for_the_call_that_it_makes(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    ask(&app, &[], &app.proof_with_token("GET", "/p/p1/verify")).await.is_ok();
    // Only there does a proxy ask about another call.
    let said = [("x-forwarded-method", "PUT"), ("x-forwarded-uri", "/elsewhere")];
    let http = said.iter().fold(app.app.http.clone(), |http, (name, value)| http.with(name, value));
    let bystander = app.through(http);
    bystander.me().await.is_ok();
    let answer = bystander.me_with(&app.proof_with_token("PUT", "/elsewhere")).await;
    challenged(&answer, "invalid_dpop_proof", "htm of the proof is not the method of this call");
}
