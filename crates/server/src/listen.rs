//! Accepting connections and letting them end well.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use std::convert::Infallible;

use axum::{body::Body, extract::Request, response::Response};
use countersign_http::app::{OverTls, Peer};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt};
use tracing::{debug, warn};

use crate::{config::http::HttpConfig, error::Failure};

/// How long what runs may go on once the server was asked to stop.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long a client may take for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Whatever answers requests.
pub trait Routes:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<R> Routes for R where
    R: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// Where to listen, and how.
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Takes an address.
    pub async fn bind(address: SocketAddr, tls: Option<TlsAcceptor>) -> Result<Self, Failure> {
        let cannot = |problem| Failure::failed(&format!("can't listen on {address}"), problem);
        Ok(Self { socket: TcpListener::bind(address).await.map_err(cannot)?, tls })
    }

    /// The address, with the port that the system chose where 0 was asked for.
    pub fn address(&self) -> Result<SocketAddr, Failure> {
        self.socket.local_addr().map_err(|problem| Failure::failed("can't tell the address", problem))
    }

    /// Serves until `stop` says so, then lets what runs finish, for as long as it may.
    pub async fn serve<R: Routes>(self, routes: R, config: &HttpConfig, mut stop: watch::Receiver<bool>) {
        let open = GracefulShutdown::new();
        let manner = Arc::new(Manner::of(config));
        let places = Arc::new(Semaphore::new(config.max_connections));
        loop {
            // Beyond the limit nobody is accepted: the system's queue holds callers back.
            let place = tokio::select! {
                place = Arc::clone(&places).acquire_owned() => place,
                _ = stop.changed() => break,
            };
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                _ = stop.changed() => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(problem) => {
                    // Out of file descriptors, most likely: waiting lets others end.
                    warn!(%problem, "can't accept a connection: {problem}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (routes, manner, watcher, tls) =
                (routes.clone(), Arc::clone(&manner), open.watcher(), self.tls.clone());
            tokio::spawn(async move {
                let _place = place;
                converse(stream, peer, tls, &manner, watcher, routes).await;
            });
        }
        drop(self.socket);
        if timeout(FAREWELL, open.shutdown()).await.is_err() {
            warn!("connections were cut that took longer than {FAREWELL:?} to finish");
        }
    }
}

/// How connections are served.
struct Manner {
    http: Builder<TokioExecutor>,
    /// How long a client may take until its first request. The builder's own patience begins only once it knows which HTTP is spoken.
    patience: Duration,
}

impl Manner {
    fn of(config: &HttpConfig) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        // A client that has sent its request and closed its half still wants the answer.
        http.http1().timer(TokioTimer::new()).header_read_timeout(config.header_time).half_close(true);
        http.http2().timer(TokioTimer::new()).max_concurrent_streams(128).keep_alive_interval(Duration::from_secs(30));
        Self { http, patience: config.header_time }
    }
}

async fn converse<R: Routes>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    manner: &Manner,
    watcher: hyper_util::server::graceful::Watcher,
    routes: R,
) {
    // Answers are small and complete: waiting to fill a packet only makes them late.
    let _ = stream.set_nodelay(true);
    match tls {
        None => speak_http(stream, peer, None, manner, watcher, routes).await,
        Some(tls) => match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => speak_http(stream, peer, Some(OverTls), manner, watcher, routes).await,
            Ok(Err(problem)) => debug!(%problem, "a TLS handshake failed: {problem}"),
            Err(_) => debug!("a TLS handshake took too long"),
        },
    }
}

async fn speak_http<S, R>(
    stream: S,
    peer: SocketAddr,
    tls: Option<OverTls>,
    manner: &Manner,
    watcher: hyper_util::server::graceful::Watcher,
    routes: R,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    R: Routes,
{
    let asked = Arc::new(Notify::new());
    let asks = Arc::clone(&asked);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        asks.notify_one();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer.ip()));
        if let Some(tls) = tls {
            request.extensions_mut().insert(tls);
        }
        routes.clone().oneshot(request)
    });
    let connection = manner.http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    tokio::select! {
        ended = watcher.watch(connection) => if let Err(problem) = ended {
            debug!(%problem, "a connection ended: {problem}");
        },
        () = silence(&asked, manner.patience) => debug!("a connection asked for nothing"),
    }
}

/// Ends when nothing was asked for so long.
async fn silence(asked: &Notify, patience: Duration) {
    if timeout(patience, asked.notified()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}
