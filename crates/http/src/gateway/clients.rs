//! Connections to upstreams, kept for the next call.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use hyper::Request;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector};
use hyper_util::{
    client::legacy::{Client, ResponseFuture, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio_rustls::rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, crypto::aws_lc_rs};

use super::{
    connector::Connector,
    hop::{Manner, Speech},
    upload::Upload,
};

/// Shorter than what upstreams commonly keep an idle connection for (5 s): who closes last isn't asked something by a connection that is
/// just being closed, and what was asked of one can't be asked again.
const IDLE: Duration = Duration::from_secs(4);
/// How often a connection that many calls share is asked whether it still lives, and how long it may take to say so.
const ALIVE_EVERY: Duration = Duration::from_secs(30);
const ALIVE_WITHIN: Duration = Duration::from_secs(10);

/// A call on its way.
pub(super) type Sending = ResponseFuture;

/// One pool for each manner in which upstreams are connected to. Settings make them, so they are few.
#[derive(Default)]
pub(super) struct Clients {
    pools: RwLock<HashMap<Manner, Client<Connector, Upload>>>,
    /// With the machine's own roots, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. They are hundreds, and are read when an upstream
    /// is first spoken to over TLS.
    trusting: OnceLock<ClientConfig>,
}

impl Clients {
    /// Sends on a connection that is kept, or on a new one. Only what no byte was sent of is tried again on another.
    pub(super) fn send(&self, manner: Manner, request: Request<Upload>) -> io::Result<Sending> {
        if let Some(pool) = self.pools.read().unwrap_or_else(PoisonError::into_inner).get(&manner) {
            return Ok(pool.request(request));
        }
        let pool = self.open(manner)?;
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        Ok(pools.entry(manner).or_insert(pool).request(request))
    }

    fn open(&self, manner: Manner) -> io::Result<Client<Connector, Upload>> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(ALIVE_EVERY));
        let inner = HttpsConnector::from((http, self.tls(manner.speech)?));
        let pool = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http2_only(manner.speech == Speech::Http2)
            .http2_keep_alive_interval(ALIVE_EVERY)
            .http2_keep_alive_timeout(ALIVE_WITHIN)
            .build(Connector { inner, timeout: manner.connect_timeout });
        Ok(pool)
    }

    fn tls(&self, speech: Speech) -> io::Result<ClientConfig> {
        let protocols: &[&[u8]] = match speech {
            // The connector wants one, and never uses it.
            Speech::Http1 | Speech::Http2 => {
                return Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
            }
            Speech::Tls => &[b"h2", b"http/1.1"],
            Speech::TlsHttp1 => &[b"http/1.1"],
        };
        let mut config = self.trusting()?.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    fn trusting(&self) -> io::Result<&ClientConfig> {
        if let Some(trusting) = self.trusting.get() {
            return Ok(trusting);
        }
        let trusting = builder()?.with_native_roots()?.with_no_client_auth();
        Ok(self.trusting.get_or_init(|| trusting))
    }

    #[cfg(test)]
    pub(super) fn with_roots(roots: RootCertStore) -> Self {
        let trusting = builder().unwrap().with_root_certificates(roots).with_no_client_auth();
        Self { trusting: trusting.into(), ..Self::default() }
    }
}

fn builder() -> io::Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    builder.with_safe_default_protocol_versions().map_err(io::Error::other)
}
