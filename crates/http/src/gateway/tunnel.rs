//! Sockets that browsers open (RFC 6455): once both sides have agreed, bytes go through in both directions, whatever they mean.

use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, Method, Version, header, request::Parts},
};
use hyper::{body::Body as _, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    time::timeout,
};

use super::{counts::Counts, guard::Guard, headers, stillness::still_for};

/// Each direction has one.
const BUFFER: usize = 16 * 1024;
/// How long one side may go on once the other has gone.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Two connections that have become one.
pub(super) struct Tunnel {
    pub(super) caller: OnUpgrade,
    pub(super) upstream: OnUpgrade,
    pub(super) guard: Guard,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) counts: Arc<Counts>,
}

/// The caller's end, if a WebSocket is asked for. Any other `Upgrade` stays here: `h2c` would be a tunnel past every rule that we keep.
pub(super) fn wanted(parts: &mut Parts, body: &Body) -> Option<OnUpgrade> {
    let upgrade = parts.extensions.remove::<OnUpgrade>()?;
    let asks = parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && body.is_end_stream()
        && headers::connection_names(&parts.headers).any(|name| name == header::UPGRADE)
        && agrees(&parts.headers);
    asks.then_some(upgrade)
}

/// Is it a WebSocket that these headers speak of, and nothing else?
pub(super) fn agrees(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::UPGRADE).iter();
    let first = values.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    first && values.next().is_none()
}

impl Tunnel {
    /// Goes on by itself, until one side ends it, it stands still for too long, or the caller may no longer have it.
    pub(super) fn open(self) {
        let Self { caller, upstream, mut guard, idle_timeout, counts } = self;
        tokio::spawn(async move {
            let _open = counts.open_stream();
            tokio::select! {
                biased;
                () = guard.broken() => counts.broke_off(true),
                ended = carry(caller, upstream, idle_timeout) => if let Err(problem) = ended {
                    counts.broke_off(false);
                    tracing::debug!(%problem, "a socket broke off: {problem}");
                },
            }
        });
    }
}

async fn carry(caller: OnUpgrade, upstream: OnUpgrade, idle_timeout: Option<Duration>) -> io::Result<()> {
    let (caller, upstream) = tokio::try_join!(caller, upstream).map_err(io::Error::other)?;
    let moved = AtomicU64::new(0);
    let (from_caller, to_caller) = split(TokioIo::new(caller));
    let (from_upstream, to_upstream) = split(TokioIo::new(upstream));
    let both =
        both_ways(carry_one_way(from_caller, to_upstream, &moved), carry_one_way(from_upstream, to_caller, &moved));
    let Some(limit) = idle_timeout else { return both.await };
    tokio::select! {
        ended = both => ended,
        () = still_for(limit, || moved.load(Ordering::Relaxed)) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// A WebSocket has no half: once one side has closed its connection, the other may say what it was saying, and no more.
async fn both_ways(
    up: impl Future<Output = io::Result<()>> + Send,
    down: impl Future<Output = io::Result<()>> + Send,
) -> io::Result<()> {
    let (mut up, mut down) = (pin!(up), pin!(down));
    let rest: Pin<&mut (dyn Future<Output = io::Result<()>> + Send)> = tokio::select! {
        ended = &mut up => { ended?; down }
        ended = &mut down => { ended?; up }
    };
    timeout(LAST_WORDS, rest).await.unwrap_or(Ok(()))
}

async fn carry_one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    moved: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = from.read(&mut buffer).await?;
        moved.fetch_add(1, Ordering::Relaxed);
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..count]).await?;
        to.flush().await?;
    }
}
