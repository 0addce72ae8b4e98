//! A gibibyte in either direction, in as much memory as a letter takes.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use tokio::time::{sleep, timeout};

use super::stage::{Plan, Server, http1, http2};

const LENGTH: u64 = 1024 * 1024 * 1024;
const PIECE: usize = 64 * 1024;
/// What the buffers of the kernel and of four ends of connections hold at most; a proxy that collects bodies holds all of it.
const AT_MOST: u64 = 48 * 1024 * 1024;
const LONG: Duration = Duration::from_mins(5);

/// What was sent and what arrived.
#[derive(Default)]
struct Scales {
    sent: AtomicU64,
    arrived: AtomicU64,
    heaviest: AtomicU64,
}

impl Scales {
    fn send(&self, length: usize) {
        let sent = self.sent.fetch_add(length as u64, Ordering::SeqCst) + length as u64;
        self.heaviest.fetch_max(sent - self.arrived.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    fn arrive(&self, length: usize) {
        self.arrived.fetch_add(length as u64, Ordering::SeqCst);
    }

    #[track_caller]
    fn balance(&self) {
        assert_eq!(self.sent.load(Ordering::SeqCst), LENGTH);
        assert_eq!(self.arrived.load(Ordering::SeqCst), LENGTH);
        let heaviest = self.heaviest.load(Ordering::SeqCst);
        assert!(heaviest < AT_MOST, "{heaviest} bytes were on their way at once");
    }
}

fn gibibyte(scales: Arc<Scales>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let piece = Bytes::from(vec![7; PIECE]);
    let pieces = LENGTH / PIECE as u64;
    stream::iter(0..pieces).map(move |_| {
        scales.send(PIECE);
        Ok(piece.clone())
    })
}

async fn weigh(mut body: impl Stream<Item = Bytes> + Unpin, scales: &Scales) {
    while let Some(piece) = body.next().await {
        assert!(piece.first().is_none_or(|byte| *byte == 7) && piece.last().is_none_or(|byte| *byte == 7));
        scales.arrive(piece.len());
    }
}

/// The upstream gives a gibibyte at `/down` and takes one at `/up`.
async fn upstream(scales: &Arc<Scales>) -> Server {
    let (giving, taking) = (Arc::clone(scales), Arc::clone(scales));
    let down = get(move || async move { Body::from_stream(gibibyte(giving)) });
    let up = post(move |request: Request| async move {
        let body = request.into_body().into_data_stream().map(Result::unwrap);
        weigh(body, &taking).await;
        "taken"
    });
    Server::of(Router::new().route("/down", down).route("/up", up)).await
}

async fn goes_down(over_http2: bool) {
    let scales = Arc::<Scales>::default();
    let upstream = upstream(&scales).await;
    let stage = Plan::before(&upstream.url()).open().await;
    let caller = if over_http2 { http2() } else { http1() };
    let request = Request::get(stage.url("/down")).body(Body::empty()).unwrap();
    let mut body = Box::pin(caller.request(request).await.unwrap().into_body().into_data_stream().map(Result::unwrap));
    // Whoever doesn't read holds the upstream back.
    scales.arrive(body.next().await.unwrap().len());
    sleep(Duration::from_millis(500)).await;
    let sent = scales.sent.load(Ordering::SeqCst);
    sleep(Duration::from_millis(500)).await;
    assert_eq!(scales.sent.load(Ordering::SeqCst), sent, "it goes on sending to nobody");
    timeout(LONG, weigh(body, &scales)).await.expect("an end");
    scales.balance();
}

async fn goes_up(over_http2: bool) {
    let scales = Arc::<Scales>::default();
    let upstream = upstream(&scales).await;
    let stage = Plan::before(&upstream.url()).open().await;
    let caller = if over_http2 { http2() } else { http1() };
    let body = Body::from_stream(gibibyte(Arc::clone(&scales)));
    let request = Request::post(stage.url("/up")).body(body).unwrap();
    let answer = timeout(LONG, caller.request(request)).await.expect("an end").unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "taken");
    scales.balance();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_goes_down_in_constant_memory() {
    goes_down(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_goes_down_over_http2_in_constant_memory() {
    goes_down(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_goes_up_in_constant_memory() {
    goes_up(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_goes_up_over_http2_in_constant_memory() {
    goes_up(true).await;
}
