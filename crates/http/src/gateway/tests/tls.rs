//! Upstreams over TLS.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use axum::{Router, extract::Request, routing::any};
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{Duration, timeout},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tokio_tungstenite::{accept_async, client_async, tungstenite::Message};

use super::stage::{Answer, PATIENCE, Plan, Server};

/// A certificate for `localhost` that nobody trusts yet.
struct Certificate {
    directory: TempDir,
}

impl Certificate {
    fn make() -> Self {
        let directory = TempDir::new().unwrap();
        let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                       -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
        let mut openssl = Command::new("openssl");
        openssl.args(request.split_whitespace());
        openssl.arg("-out").arg(directory.path().join("cert.pem"));
        openssl.arg("-keyout").arg(directory.path().join("key.pem"));
        let made = openssl.output().expect("openssl is installed");
        assert!(made.status.success(), "{made:?}");
        Self { directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("cert.pem")
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path()).unwrap()).unwrap();
        roots
    }
}

/// Shows the certificate at this path, with the key beside it.
fn acceptor(certificate: &Path, protocols: &[&str]) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificate.with_file_name("key.pem")).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Says which HTTP it was asked over, and with which marks of it.
async fn told(request: Request) -> String {
    let te = request.headers().get("te").map(|te| te.to_str().unwrap().to_owned());
    let connection = request.headers().contains_key("connection");
    format!("{:?} {te:?} {connection} {}", request.version(), request.uri().path())
}

async fn upstream(certificate: &Certificate, protocols: &[&str]) -> Server {
    let router = Router::new().route("/x", any(told));
    Server::over_tls(router, acceptor(&certificate.path(), protocols)).await
}

fn url(server: &Server, host: &str) -> String {
    format!("https://{host}:{}", server.address.port())
}

fn is_unavailable(answer: &Answer) {
    answer.refused(503, "unavailable");
    let said = format!("{:?}", answer.body).to_lowercase();
    assert!(!said.contains("certificate") && !said.contains("localhost"), "{said}");
}

#[tokio::test]
async fn the_upstream_chooses_which_http_it_speaks() {
    let certificate = Certificate::make();
    for (protocols, version) in
        [(&["h2", "http/1.1"][..], "HTTP/2.0"), (&["http/1.1"], "HTTP/1.1"), (&["h2"], "HTTP/2.0"), (&[], "HTTP/1.1")]
    {
        let upstream = upstream(&certificate, protocols).await;
        let stage = Plan::before(&url(&upstream, "localhost")).with_roots(certificate.roots()).open().await;
        for _ in 0..3 {
            let request = Request::post(stage.url("/x")).header("te", "trailers");
            let answer = stage.send(request, "hello".into()).await;
            assert_eq!(answer.body, format!(r#"{version} Some("trailers") false /x"#));
        }
        assert_eq!(upstream.connections(), 1);
    }
}

#[tokio::test]
async fn a_certificate_that_isnt_trusted_or_isnt_the_hosts_is_no_upstreams() {
    let (certificate, other) = (Certificate::make(), Certificate::make());
    let upstream = upstream(&certificate, &["http/1.1"]).await;
    let stage = Plan::before(&url(&upstream, "localhost")).with_roots(other.roots()).open().await;
    is_unavailable(&stage.get("/x").await);
    let stage = Plan::before(&url(&upstream, "127.0.0.1")).with_roots(certificate.roots()).open().await;
    is_unavailable(&stage.get("/x").await);
    // One that speaks no TLS at all, and one that speaks it where nobody expects it.
    let plain = Server::of(Router::new().route("/x", any(told))).await;
    let stage = Plan::before(&url(&plain, "localhost")).with_roots(certificate.roots()).open().await;
    is_unavailable(&stage.get("/x").await);
    let stage = Plan::before(&upstream.url()).open().await;
    stage.get("/x").await.refused(502, "unavailable");

    let stage = Plan::before(&url(&upstream, "localhost")).with_roots(certificate.roots()).open().await;
    assert!(stage.get("/x").await.body.starts_with(b"HTTP/1.1"));
}

#[tokio::test]
async fn an_upstream_that_never_finishes_its_handshake_is_timed_out() {
    let silent = Server::raw(|mut stream| async move {
        let mut buffer = [0; 1024];
        while let Ok(1..) = stream.read(&mut buffer).await {}
    })
    .await;
    let plan = Plan::before(&url(&silent, "localhost")).with_roots(RootCertStore::empty());
    let stage = plan.set("gateway.connect_timeout", "300ms").open().await;
    timeout(Duration::from_secs(5), stage.get("/x")).await.expect("an answer in time").refused(504, "unavailable");
}

#[tokio::test]
async fn a_websocket_goes_over_http1_even_where_the_upstream_likes_http2_better() {
    let certificate = Certificate::make();
    let acceptor = acceptor(&certificate.path(), &["h2", "http/1.1"]);
    let upstream = Server::raw(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let mut socket = accept_async(stream).await.unwrap();
            while let Some(Ok(message)) = socket.next().await {
                let _ = socket.send(message).await;
            }
        }
    })
    .await;
    let stage = Plan::before(&url(&upstream, "localhost")).with_roots(certificate.roots()).open().await;
    let stream = TcpStream::connect(stage.server.address).await.unwrap();
    let (mut socket, _) = client_async(format!("ws://{}/chat", stage.server.address), stream).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    let heard = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(heard, Message::text("hello"));
}

/// The environment is a process's, so each case has a process: this test again, which finds the certificate's path among its arguments.
#[tokio::test]
async fn the_machines_roots_are_those_that_the_environment_names() {
    const NAME: &str = "gateway::tests::tls::the_machines_roots_are_those_that_the_environment_names";
    if let Some(certificate) = env::args().find(|argument| argument.ends_with("cert.pem")) {
        let acceptor = acceptor(Path::new(&certificate), &["http/1.1"]);
        let upstream = Server::over_tls(Router::new().route("/x", any(told)), acceptor).await;
        let stage = Plan::before(&url(&upstream, "localhost")).open().await;
        println!("ANSWERED {}", stage.get("/x").await.status.as_u16());
        return;
    }
    let certificate = Certificate::make();
    let nothing = certificate.directory.path().join("empty.pem");
    fs::write(&nothing, "").unwrap();
    for (roots, expected) in [(&certificate.path(), "ANSWERED 200"), (&nothing, "ANSWERED 503")] {
        let mut process = Command::new(env::current_exe().unwrap());
        process.args([NAME, "--exact", "--nocapture"]).arg(certificate.path());
        process.env("SSL_CERT_FILE", roots).env_remove("SSL_CERT_DIR");
        let said = process.output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout);
        assert!(said.contains(expected), "{said}");
    }
}
