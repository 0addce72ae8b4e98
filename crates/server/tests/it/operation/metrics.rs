//! What Prometheus is told.

use std::{collections::BTreeMap, time::Duration};

use countersign_testkit::{
    actors::{App, Backend},
    client_app::{ClientApp, hmac_of},
    database::Engine,
    http::Client,
    on_both_engines,
    program::{Program, Running},
    service_provider::ServiceProvider,
    sign_in::sign_in,
    wait,
};

use super::deployment::Deployment;

on_both_engines!(
    what_happens_is_counted,
    a_known_token_and_garbage_cost_no_statement,
    a_verdict_on_a_known_user_costs_no_statement,
    a_forged_signature_of_a_delegated_call_costs_no_statement,
    nobody_costs_as_many_statements_as_somebody_who_never_said,
    paths_of_strangers_make_no_new_series
);

const PATIENCE: Duration = Duration::from_secs(20);

/// A page of metrics: each series with its value.
pub(super) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// The page of a server that was told to have a listener for it.
    pub(super) async fn of(server: &Running) -> Self {
        let log = server.log();
        let (_, after) = log.split_once("metrics at ").unwrap();
        let page = Client::of(after.split("/metrics").next().unwrap()).get("/metrics").await.ok();
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        let series = page.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let value = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        Self(series.map(value).collect())
    }

    /// All series of a name, together.
    pub(super) fn sum(&self, name: &str) -> f64 {
        self.with(name, &[])
    }

    /// The series of a name with these labels, together.
    fn with(&self, name: &str, labels: &[&str]) -> f64 {
        let is_meant = |series: &str| {
            let (own, rest) = series.split_once('{').unwrap_or((series, ""));
            own == name && labels.iter().all(|label| rest.contains(label))
        };
        self.0.iter().filter(|(series, _)| is_meant(series)).map(|(_, value)| value).sum()
    }
}

fn with_metrics(program: &Program) -> Program {
    program.clone().environment("COUNTERSIGN_METRICS__LISTEN", "127.0.0.1:0")
}

#[expect(clippy::float_cmp, reason = "these are whole numbers")]
async fn what_happens_is_counted(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let server = with_metrics(&deployment.program).serve().await;
    let before = Metrics::of(&server).await;
    let backend = deployment.backend(&server);
    let mut app = backend.new_app("ada@example.com").await;
    app.refresh().await.is_ok();
    app.me().await.is_ok();
    backend.sign_in("nobody@example.com").await.refused(403, 100_012);
    backend.with_secret("sk_wrong").sign_in("ada@example.com").await.refused(401, 100_006);
    app.http.with("authorization", "Bearer garbage").get("/v1/me").await;
    let after = Metrics::of(&server).await;
    let more = |name: &str, labels: &[&str]| after.with(name, labels) - before.with(name, labels);

    let sign_in = r#"route="/auth/v1/private/signin""#;
    for (status, count) in [("403", 1.0), ("401", 1.0)] {
        let labels = [sign_in, r#"method="POST""#, &format!(r#"status="{status}""#)];
        assert_eq!(more("countersign_http_requests_total", &labels), count, "{status}");
    }
    assert_eq!(more("countersign_http_request_seconds_count", &[sign_in]), 2.0);
    assert_eq!(more("countersign_http_request_seconds_bucket", &[sign_in, r#"le="+Inf""#]), 2.0);
    for proof in ["secret_key", "access_token", "refresh_token"] {
        let label = format!(r#"proof="{proof}""#);
        assert!(more("countersign_verdicts_total", &[&label]) >= 1.0, "{proof}: {:?}", after.0);
    }
    assert!(more("countersign_sql_statements_total", &[]) > 0.0);
    // On PostgreSQL each unit has a transaction of its own.
    let batches = more("countersign_writer_batches_total", &[]);
    assert_eq!(batches > 0.0, engine == Engine::Sqlite, "{batches}");
    let age = after.sum("countersign_feed_age_seconds");
    assert!((0.0..5.0).contains(&age), "{age}");
}

async fn a_known_token_and_garbage_cost_no_statement(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let server = with_metrics(&deployment.program).serve().await;
    let app = deployment.backend(&server).new_app("ada@example.com").await;
    app.me().await.is_ok();
    let garbage = App { refresh: "rt_garbage".to_owned(), ..app.clone() };
    let statements = || async { Metrics::of(&server).await.sum("countersign_sql_statements_total") };
    // The feed is read by statements, too, a few times a second: what costs none is seen to between two of its readings.
    wait::until("both cost nothing", PATIENCE, || async {
        let before = statements().await;
        app.me().await.is_ok();
        garbage.try_refresh().await.gone("ended");
        statements().await - before == 0.0
    })
    .await;
    for _ in 0..20 {
        let before = statements().await;
        app.try_refresh().await.is_ok();
        assert!(statements().await - before > 0.0, "what is refreshed is looked up");
    }
}

async fn a_verdict_on_a_known_user_costs_no_statement(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let program = &deployment.program;
    program.run(&["project", "set", "p1", "hmac=required"]).await.ok();
    let publishable = program.json(&["key", "create", "--kind", "publishable"]).await;
    let secret = program.json(&["key", "create", "--kind", "hmac"]).await;
    let server = with_metrics(program).serve().await;
    let app = |id: &str| ClientApp {
        http: server.client(),
        key: publishable["key"].as_str().unwrap().to_owned(),
        id: id.to_owned(),
        hmac: Some(hmac_of(secret["secret"].as_str().unwrap(), id)),
    };
    let known = app("crm-7");
    known.verify().await.is_ok();
    let statements = || async { Metrics::of(&server).await.sum("countersign_sql_statements_total") };
    let wrong = known.showing(&hmac_of("guessed", "crm-7"));
    wait::until("verdicts cost nothing", PATIENCE, || async {
        let before = statements().await;
        for _ in 0..10 {
            known.verify().await.is_ok();
            wrong.verify().await.denied(401, "invalid_credentials");
        }
        statements().await - before == 0.0
    })
    .await;
    for number in 0..20 {
        let before = statements().await;
        app(&format!("new-{number}")).verify().await.is_ok();
        assert!(statements().await - before > 0.0, "whoever is new is looked up");
    }
}

/// A server, and the backend of `c1` that seals and signs its calls.
async fn with_provider(deployment: &Deployment) -> (Running, ServiceProvider) {
    let made = deployment.program.json(&["key", "create", "--kind", "delegation", "--client", "c1"]).await;
    let server = with_metrics(&deployment.program).serve().await;
    let provider = ServiceProvider::of_program(&server.client(), "c1", made["credential"].as_str().unwrap());
    (server, provider)
}

const SUGGESTED: &str = "/hc_auth/v5/update/get-suggested-mfa";

async fn a_forged_signature_of_a_delegated_call_costs_no_statement(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    deployment.program.run(&["project", "set", "p1", "limits.failures=1000000"]).await.ok();
    let (server, provider) = with_provider(&deployment).await;
    let statements = || async { Metrics::of(&server).await.sum("countersign_sql_statements_total") };
    let body = provider.sealed(&serde_json::json!({ "userid": "ada@example.com" }));
    let other = provider.signed(&provider.sealed(&serde_json::json!({})));
    wait::until("a forged signature costs nothing", PATIENCE, || async {
        let before = statements().await;
        for _ in 0..10 {
            assert_eq!(other.post_bytes(SUGGESTED, body.clone()).await.status(), 401);
        }
        statements().await - before == 0.0
    })
    .await;
    for _ in 0..20 {
        let before = statements().await;
        provider.call(SUGGESTED, &serde_json::json!({ "userid": "ada@example.com" })).await.ok();
        assert!(statements().await - before > 0.0, "what is signed is used up");
    }
    let page = Metrics::of(&server).await;
    for reason in ["not_signed", "accepted"] {
        let labels = [r#"proof="delegation""#, &format!(r#"reason="{reason}""#)];
        assert!(page.with("countersign_verdicts_total", &labels) > 0.0, "{reason}");
    }
}

async fn nobody_costs_as_many_statements_as_somebody_who_never_said(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let (server, provider) = with_provider(&deployment).await;
    deployment.backend(&server).sign_up("ada@example.com").await.is_ok();
    let statements = || async { Metrics::of(&server).await.sum("countersign_sql_statements_total") };
    let mut costs = Vec::new();
    for userid in ["ada@example.com", "eve@example.com"] {
        let mut fewest = f64::INFINITY;
        // The feed is read by statements, too: the cheapest of many is what the call itself costs.
        for _ in 0..30 {
            let before = statements().await;
            provider.call(SUGGESTED, &serde_json::json!({ "userid": userid })).await.ok();
            fewest = fewest.min(statements().await - before);
        }
        costs.push(fewest);
    }
    assert!(costs[0] > 0.0 && (costs[0] - costs[1]).abs() < 0.5, "{costs:?}");
}

async fn paths_of_strangers_make_no_new_series(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let server = with_metrics(&deployment.program).serve().await;
    let ask = |number: u32| {
        let client = server.client();
        async move {
            for path in ["/x", "/p/q/auth/v1/x", "/auth/v1/user/u/sessions", "/p/p/v1/me"] {
                client.get(&format!("{path}{number}")).await;
                client.get(&path.replacen('/', &format!("/{number}/"), 1)).await;
                client
                    .get(&path.replace("/u/", &format!("/u{number}/")).replace("/p/v1", &format!("/p{number}/v1")))
                    .await;
            }
            let method = format!("METHOD{number}").parse().unwrap();
            client.send(method, "/v1/me", bytes::Bytes::new()).await;
        }
    };
    ask(0).await;
    let before = Metrics::of(&server).await;
    for number in 1..20 {
        ask(number).await;
    }
    let after = Metrics::of(&server).await;
    let names = |metrics: &Metrics| metrics.0.keys().filter(|key| key.contains("http")).cloned().collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before));
    assert!(names(&after).iter().any(|name| name.contains(r#"route="/auth/v1/user/{uid}/sessions""#)));
    assert!(names(&after).iter().any(|name| name.contains(r#"route="unmatched""#)));
    assert!(names(&after).iter().any(|name| name.contains(r#"method="other""#)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_the_feed_goes_back_to_nothing() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let server = with_metrics(&deployment.program).serve().await;
    wait::until("the feed was just read", PATIENCE, || async {
        Metrics::of(&server).await.sum("countersign_feed_age_seconds") < 0.2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_speaks_against_a_sign_in_is_counted_by_reason() {
    let directory = tempfile::tempdir().unwrap();
    let server = Program::new(env!("CARGO_BIN_EXE_countersign"), &directory.path().join("data")).dev().await;
    let dev = std::fs::read(directory.path().join("data/dev.json")).unwrap();
    let dev: serde_json::Value = serde_json::from_slice(&dev).unwrap();
    let backend = Backend::new(&server.client(), dev["secret_key"].as_str().unwrap());
    backend.sign_up("ada@example.com").await.is_ok();
    let request = [
        ("response_type", "code"),
        ("scope", "openid email"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let from = async |agent: &str| {
        let http = server.client().user_agent(agent);
        sign_in(&http, "ada@example.com", &request, &|| vec![("client_id", "c3".to_owned())]).await;
        let page = server.client().get("/metrics").await.ok();
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        let risks = page.lines().filter(|line| line.starts_with("countersign_sign_in_risks_total"));
        risks.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(from("Shop/1").await, [""; 0]);
    assert_eq!(from("Shop/2").await, [""; 0], "a new version is no new device");
    assert_eq!(from("Other").await, [r#"countersign_sign_in_risks_total{reason="new_device"} 1"#]);
}
