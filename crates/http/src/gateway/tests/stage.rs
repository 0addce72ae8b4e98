//! What the tests stand on: an upstream, the gateway before it, and clients.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use countersign_domain::{
    gateway::{
        path::ClearPath,
        routes::{Found, Routes},
    },
    policy::{Overrides, Settings},
};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::RootCertStore};
use tower::ServiceExt;

use super::super::{Gateway, clients::Clients, guard::Guard, hop::Hop};
use crate::{app::Peer, error::client_api::Failure, layer::RequestId};

/// Long enough for whatever is going to happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A server that ends with its test.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// How many connections it accepted.
    pub(super) connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Server {
    /// Accepts, and leaves the rest to `converse`.
    pub(super) async fn raw<F: Future<Output = ()> + Send + 'static>(
        converse: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                tokio::spawn(converse(stream));
            }
        });
        Self { address, connections, accepting }
    }

    /// An upstream that works.
    pub(super) async fn of(router: Router) -> Self {
        Self::raw(move |stream| speak_http(stream, router.clone())).await
    }

    /// An upstream that works, over TLS.
    pub(super) async fn over_tls(router: Router, acceptor: TlsAcceptor) -> Self {
        Self::raw(move |stream| {
            let (router, acceptor) = (router.clone(), acceptor.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    speak_http(stream, router).await;
                }
            }
        })
        .await
    }

    /// An upstream that reads a request's head and says these bytes, whatever was asked, and closes.
    pub(super) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::raw(move |mut stream| {
            let answer = answer.clone();
            async move {
                head(&mut stream).await;
                let _ = stream.write_all(&answer).await;
            }
        })
        .await
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A server as most are: it notices at once that nobody listens any more.
async fn speak_http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
    let http = Builder::new(TokioExecutor::new());
    let _ = http.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}

/// The server around the gateway, as the program configures it.
fn server() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).half_close(true);
    http.http2().timer(TokioTimer::new()).max_concurrent_streams(128);
    http
}

/// Reads up to the end of a head.
pub(super) async fn head(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => heard.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// The gateway, about to open.
pub(super) struct Plan {
    settings: Overrides,
    identity: HeaderMap,
    trusted_proxies: Vec<ipnet::IpNet>,
    roots: Option<RootCertStore>,
}

/// A gateway with a server around it.
pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) proof: Proof,
    pub(super) metrics: PrometheusHandle,
}

/// What the caller proved, to be taken away.
#[derive(Clone)]
pub(super) struct Proof {
    pub(super) changes: watch::Sender<u64>,
    stands: Arc<AtomicBool>,
}

impl Proof {
    /// Something else was revoked.
    pub(super) fn change(&self) {
        self.changes.send_modify(|at| *at += 1);
    }

    pub(super) fn revoke(&self) {
        self.stands.store(false, Ordering::SeqCst);
        self.change();
    }

    fn guard(&self) -> Guard {
        let stands = Arc::clone(&self.stands);
        Guard::new(self.changes.subscribe(), move || stands.load(Ordering::SeqCst))
    }
}

impl Plan {
    pub(super) fn before(upstream: &str) -> Self {
        let identity = [("x-countersign-user", "u_ada"), ("x-countersign-project", "p1")];
        let identity = identity.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let settings = Overrides::from([("gateway.upstream".to_owned(), upstream.to_owned())]);
        Self { settings, identity: HeaderMap::from_iter(identity), trusted_proxies: Vec::new(), roots: None }
    }

    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Believes whoever calls in this test.
    pub(super) fn trusting_the_peer(mut self) -> Self {
        self.trusted_proxies.push("127.0.0.0/8".parse().unwrap());
        self
    }

    pub(super) fn with_roots(mut self, roots: RootCertStore) -> Self {
        self.roots = Some(roots);
        self
    }

    pub(super) async fn open(self) -> Stage {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let mut gateway = metrics::with_local_recorder(&recorder, || Gateway::new(self.trusted_proxies));
        if let Some(roots) = self.roots {
            gateway.clients = Clients::with_roots(roots);
        }
        let settings = Settings::resolve(&[&self.settings]).unwrap();
        let proof = Proof { changes: watch::Sender::new(0), stands: Arc::new(AtomicBool::new(true)) };
        let stage = Arc::new((gateway, settings, self.identity, proof.clone()));
        let server = Server::raw(move |stream| {
            let stage = Arc::clone(&stage);
            async move {
                let peer = stream.peer_addr().unwrap().ip();
                let service = service_fn(move |request| answer(Arc::clone(&stage), peer, request));
                let _ = server().serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            }
        })
        .await;
        Stage { server, proof, metrics }
    }
}

type Inside = (Gateway, Settings, HeaderMap, Proof);

/// As a handler does it, but for the proof.
async fn answer(inside: Arc<Inside>, peer: IpAddr, request: Request<Incoming>) -> Result<Response, Infallible> {
    let (gateway, settings, identity, proof) = &*inside;
    let guard = proof.guard();
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    request.extensions_mut().insert(RequestId::Given("request-7".into()));
    let uri = request.uri().clone();
    let hop = hop(settings, uri.path(), uri.query());
    let answer = match hop {
        Ok(hop) => gateway.forward(request, hop, identity.clone(), guard).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    Ok(answer.unwrap_or_else(IntoResponse::into_response))
}

fn hop(settings: &Settings, path: &str, query: Option<&str>) -> Result<Hop, Failure> {
    let path = ClearPath::read(path, settings.gateway_encoded_slashes)?;
    let none = Routes::default();
    let routes = settings.gateway_routes.as_ref().unwrap_or(&none);
    match routes.find(settings.gateway_upstream.as_ref(), None, &path) {
        Found::Way(way) => Ok(Hop::along(&way, &path, query, settings)?),
        _ => Err(Failure::no_such_path()),
    }
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A refusal in the second door's shape.
    #[track_caller]
    pub(super) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.json()["error"]["code"].as_str()), (status, Some(code)));
    }
}

impl Stage {
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(self.url(path)), Body::empty()).await
    }

    pub(super) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::post(self.url(path)), body.into()).await
    }

    /// Calls over a connection of its own.
    pub(super) async fn send(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        read(self.begin(request, body).await).await.unwrap()
    }

    /// Calls, and gives the answer before its body.
    pub(super) async fn begin(&self, request: axum::http::request::Builder, body: Body) -> hyper::Response<Incoming> {
        let answer = http1().request(request.body(body).unwrap());
        timeout(PATIENCE, answer).await.expect("an answer in time").expect("an answer")
    }

    /// What a client hears that says these bytes and then waits.
    pub(super) async fn hear(&self, said: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.server.address).await.unwrap();
        let _ = stream.write_all(said.as_ref()).await;
        let _ = stream.shutdown().await;
        let mut heard = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("an end");
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// The value of a metric, its labels as they stand there.
    pub(super) fn metric(&self, series: &str) -> u64 {
        let page = self.metrics.render();
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }
}

pub(super) type Caller = Client<HttpConnector, Body>;

pub(super) fn http1() -> Caller {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(http)
}

pub(super) fn http2() -> Caller {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

pub(super) async fn read(response: hyper::Response<Incoming>) -> Result<Answer, hyper::Error> {
    let (parts, body) = response.into_parts();
    let body = timeout(PATIENCE, body.collect()).await.expect("an end of the body")?.to_bytes();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// Waits until it is so.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, looking).await.is_ok(), "this didn't come to be: {what}");
}
