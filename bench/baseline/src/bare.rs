//! A bare axum server: the connections set up as the server's own are, the answers of the same headers and size, and nothing between.

use std::{net::Ipv4Addr, path, time::Duration};

use anyhow::{Context, Result};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::IntoResponse,
    routing::get,
};
use futures_util::StreamExt;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::now;

#[tokio::main]
pub(crate) async fn serve(port: u16, answers: &path::Path) -> Result<()> {
    let toil = Toil::measured();
    let mut router = Router::new();
    for (path, name) in [
        ("/auth/v1/private/signin", "vouch"),
        ("/auth/v1/private/signup", "vouch"),
        ("/auth/v1/refreshtoken", "refresh"),
        ("/verify", "verify"),
        ("/v1/me", "me"),
        // What the OpenID provider answers, each at a path of its own.
        ("/canned/discovery", "discovery"),
        ("/canned/jwks", "jwks"),
        ("/canned/introspect", "introspect"),
        ("/canned/token", "token"),
        ("/canned/code", "code"),
        ("/canned/oauth-refresh", "oauth-refresh"),
    ] {
        // Only what is measured was answered before.
        if let Some(answer) = canned(answers, name)? {
            let reads = answer.clone();
            router = router.route(path, get(async move || answer.clone()).post(async move |_: Bytes| reads.clone()));
        }
    }
    let router = router
        .route("/health/ready", get(async || StatusCode::OK))
        .route("/interactions", get(async || small()))
        .route(
            "/interactions/{microseconds}",
            get(async move |Path(microseconds): Path<u64>| {
                toil.take(microseconds);
                small()
            }),
        )
        .route("/stream", get(stream));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30)).half_close(true);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (router, builder) = (router.clone(), builder.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
                router.clone().oneshot(request.map(Body::new))
            });
            // A connection that breaks is one whose request fails, and that is counted at the other end.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// What an API behind the gateway answers.
const SMALL: &str =
    r#"{"data":[{"id":"int_01","object":"interaction","name":"Hello","archived":false}],"has_more":false}"#;

fn small() -> impl IntoResponse {
    ([("content-type", "application/json")], SMALL)
}

/// What an API does for an answer: so much that it takes its time on a core that does nothing else. Waiting for the clock would be no work
/// where others have the core.
#[derive(Clone, Copy)]
struct Toil {
    hashes_per_millisecond: u64,
}

impl Toil {
    fn measured() -> Self {
        const MANY: u64 = 200_000;
        let start = now();
        hash_often(MANY);
        let took = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        Self { hashes_per_millisecond: MANY * 1000 / took }
    }

    fn take(self, microseconds: u64) {
        hash_often(self.hashes_per_millisecond * microseconds / 1000);
    }
}

fn hash_often(times: u64) {
    let mut block = [0; 32];
    for _ in 0..times {
        let hashed = digest(&SHA256, &block);
        block.copy_from_slice(hashed.as_ref());
    }
    std::hint::black_box(block);
}

/// A gibibyte, in pieces of 64 KiB.
async fn stream() -> Body {
    static PIECE: [u8; 65_536] = [0; 65_536];
    let pieces = futures_util::stream::iter(0..16_384);
    Body::from_stream(pieces.map(|_| Ok::<_, std::convert::Infallible>(Bytes::from_static(&PIECE))))
}

type Canned = (HeaderMap, Bytes);

/// What a server answered, from a file: a head, an empty line, a body. None: there is no such file.
fn canned(answers: &path::Path, name: &str) -> Result<Option<Canned>> {
    let file = answers.join(name);
    if !file.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").context("an answer without a body")?;
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").context("a header without a value")?;
        // These two hyper writes itself.
        if name != "date" && name != "content-length" {
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
    }
    Ok(Some((headers, Bytes::copy_from_slice(body.as_bytes()))))
}
