//! `countersign serve`: configuration, migration, metrics, TLS, and stopping well.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use countersign_testkit::{database::Engine, http::Client, on_both_engines, program::Running, raw::RawConnection};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, crypto,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::deployment::Deployment;

on_both_engines!(a_schema_may_be_made_before_the_first_start, what_runs_is_finished_when_it_is_asked_to_stop);

impl Deployment {
    /// Writes a configuration file.
    fn configure(&self, toml: &str) -> String {
        let path = self.database.directory().join("countersign.toml");
        fs::write(&path, toml).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.database.directory().join(name)
    }
}

const GOOD: &str =
    "[http]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://auth.example.com\"\ndefault_project = \"p1\"\n";

async fn a_schema_may_be_made_before_the_first_start(engine: Engine) {
    let deployment = Deployment::empty(engine).await;
    assert_eq!(deployment.program.json(&["migrate"]).await, json!({ "migrations_applied": 14 }));
    let made = deployment.database.dump().await;
    assert_eq!(deployment.program.json(&["migrate"]).await, json!({ "migrations_applied": 0 }));
    assert_eq!(deployment.database.dump().await, made);
    assert!(!deployment.program.data().join("master.key").exists(), "a schema needs no master key");
    let server = deployment.program.serve().await;
    let deployment = deployment.furnish().await;
    deployment.program.run(&["user", "create", "--email", "ada@example.com"]).await.ok();
    drop(server);
    let server = deployment.program.serve().await;
    deployment.backend(&server).sign_in("ada@example.com").await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_must_not_start_with_is_refused_by_name() {
    let deployment = Deployment::empty(Engine::Sqlite).await;
    let refused = [
        ("", "http.public_url is missing"),
        ("[http]\npublic_url = \"http://auth.example.com\"", "http.public_url must be https"),
        ("[http]\npublic_urls = \"https://auth.example.com\"", "public_urls"),
        ("[htpp]\n", "htpp"),
        ("[http]\npublic_url = 7", "public_url"),
        ("[http", "countersign.toml"),
        (&format!("{GOOD}trusted_proxies = [\"0.0.0.0/0\"]"), "http.trusted_proxies trusts the whole internet"),
        (&format!("{GOOD}tls_certificate = \"c.pem\""), "http.tls_certificate and http.tls_key go together"),
        (&format!("{GOOD}body_time = \"soon\""), "must be a time like"),
        (&format!("{GOOD}[log]\nlevel = \"loud\""), "`error`, `warn`, `info`"),
        (&format!("{GOOD}[secrets]\nmaster_key = \"AAAA\""), "secrets.master_key stands in the configuration file"),
    ];
    for (toml, expected) in refused {
        let file = deployment.configure(toml);
        for command in ["check-config", "serve"] {
            let said = deployment.program.run(&[command, "--config", &file]).await.refused(2);
            assert!(said.contains(expected), "{command} {toml}: {said}");
        }
    }
    let misspelt = deployment.program.clone().environment("COUNTERSIGN_HTTP__PUBLIC_ULR", "https://auth.example.com");
    let said = misspelt.run(&["serve", "--config", &deployment.configure(GOOD)]).await.refused(2);
    assert!(said.contains("public_ulr"), "{said}");
    let said = deployment.program.run(&["serve", "--config", "nowhere.toml"]).await.refused(2);
    assert!(said.contains("nowhere.toml"), "{said}");
    assert!(!deployment.program.data().exists(), "something was made");
    let fine = deployment.program.run(&["check-config", "--config", &deployment.configure(GOOD)]).await.ok();
    assert_eq!(fine, "The configuration is fine.\n");
    assert!(!deployment.program.data().exists(), "a dry run made something");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_goes_over_the_file() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let file = deployment.configure(GOOD);
    let start = |program: countersign_testkit::program::Program| {
        let file = file.clone();
        async move { program.start(&["serve", "--config", &file]).ready().await }
    };
    let issuer = |server: Running| {
        let backend = deployment.backend(&server);
        async move {
            let token = backend.sign_up("ada@example.com").await.ok().text("authToken");
            let claims = token.split('.').nth(1).unwrap().to_owned();
            drop(server);
            claims
        }
    };
    let by_file = issuer(start(deployment.program.clone()).await).await;
    let over = deployment.program.clone().environment("COUNTERSIGN_HTTP__PUBLIC_URL", "https://elsewhere.example");
    let by_environment = issuer(start(over).await).await;
    // base64url of the beginning of the claims, where the issuer stands.
    assert!(by_file.starts_with("eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20"), "{by_file}");
    assert!(by_environment.starts_with("eyJpc3MiOiJodHRwczovL2Vsc2V3aGVyZS5leGFtcGxl"), "{by_environment}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_a_listener_of_their_own() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let program = deployment.program.clone().environment("COUNTERSIGN_METRICS__LISTEN", "127.0.0.1:0");
    let server = program.serve().await;
    let log = server.log();
    let (_, after) = log.split_once("metrics at ").expect("it says where");
    let base = after.split("/metrics").next().unwrap();
    let page = Client::of(base).get("/metrics").await.ok();
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(String::from_utf8_lossy(&page.body).contains("countersign_feed_age_seconds"));
    assert_eq!(Client::of(base).get("/health/ready").await.status(), 404, "callers aren't awaited there");
    assert_eq!(server.client().get("/metrics").await.status(), 404);
    let without = deployment.program.serve().await;
    assert_eq!(without.client().get("/metrics").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let (certificate, key) = (deployment.path("cert.pem"), deployment.path("key.pem"));
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                   -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
    let mut openssl = Command::new("openssl");
    openssl.args(request.split_whitespace()).arg("-out").arg(&certificate).arg("-keyout").arg(&key);
    let made = openssl.output().await.expect("openssl is installed");
    assert!(made.status.success(), "{made:?}");

    let program = deployment
        .program
        .clone()
        .environment("COUNTERSIGN_HTTP__LISTEN", "127.0.0.1:0")
        .environment("COUNTERSIGN_HTTP__PUBLIC_URL", "https://localhost:7420")
        .environment("COUNTERSIGN_HTTP__TLS_CERTIFICATE", certificate.to_str().unwrap())
        .environment("COUNTERSIGN_HTTP__TLS_KEY", key.to_str().unwrap());
    program.run(&["check-config"]).await.ok();
    let server = program.start(&["serve"]).listening().await;
    let address = server.base().strip_prefix("http://").unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = connector.connect(name, TcpStream::connect(address).await.unwrap()).await.expect("a handshake");
    tls.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = tls.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&answer));

    // Who speaks no TLS is told nothing.
    let plain =
        RawConnection::to(server.base()).await.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.hear(PATIENCE).await;
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
    assert_eq!(server.stop().await.0, 0);

    fs::write(&key, "no key").unwrap();
    for command in ["check-config", "serve"] {
        let said = program.run(&[command]).await.refused(1);
        assert!(said.contains("key.pem"), "{said}");
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
/// Whoever asks for it is told so when the body is being read: the request runs.
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

async fn what_runs_is_finished_when_it_is_asked_to_stop(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let server = deployment.program.serve().await;
    let body = deployment.backend(&server).vouch("ada@example.com", json!({ "createIfMissing": true })).to_string();
    let (first, rest) = body.split_at(body.len() / 2);
    let head = format!(
        "POST /auth/v1/private/signin HTTP/1.1\r\nhost: x\r\nverification-token: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        deployment.secret,
        body.len()
    );
    let mut slow = RawConnection::to(server.base()).await;
    slow.say(head).await.hear_exactly(CONTINUE, PATIENCE).await.say(first).await;
    let mut idle = RawConnection::to(server.base()).await;
    server.ask_to_stop().await;
    let address = server.base().strip_prefix("http://").unwrap().to_owned();
    countersign_testkit::wait::until("nobody new is let in", PATIENCE, || {
        let address = address.clone();
        async move { TcpStream::connect(address).await.is_err() }
    })
    .await;
    assert_eq!(idle.hear(PATIENCE).await, "", "who asked nothing is closed");
    slow.say(rest).await;
    let answer = slow.hear(PATIENCE).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("refreshToken"), "{answer}");
    let (status, log) = server.ended().await;
    assert_eq!(status, 0, "{log}");
    assert!(log.contains("stopping: finishing what runs") && log.contains("\"stopped\""), "{log}");
    let known = deployment.program.json(&["user", "show", "ada@example.com"]).await;
    assert!(answer.contains(known["id"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_too_long_is_cut_off_and_the_server_stops_well() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let server = deployment.program.clone().environment("COUNTERSIGN_HTTP__BODY_TIME", "5m").serve().await;
    let mut endless = RawConnection::to(server.base()).await;
    let head = format!(
        "POST /auth/v1/private/signin HTTP/1.1\r\nhost: x\r\nverification-token: {}\r\ncontent-length: 100\r\n\
         expect: 100-continue\r\n\r\n",
        deployment.secret
    );
    endless.say(head).await.hear_exactly(CONTINUE, PATIENCE).await.say("{").await;
    let (status, log) = server.stop().await;
    assert_eq!(status, 0, "{log}");
    assert!(log.contains("connections were cut that took longer than 10s"), "{log}");
}
