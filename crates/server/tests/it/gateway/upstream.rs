//! A customer's API, which tells what it was asked.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream::{self, StreamExt};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// It ends when it is dropped.
pub(crate) struct Upstream {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    running: JoinHandle<()>,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let routes = Router::new()
            .route("/events", get(events))
            .route("/socket", get(socket))
            .fallback(echo)
            .with_state(Arc::clone(&asked));
        let running = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, asked, running }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many calls reached it.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// What it was asked, as JSON; beside it, headers that only the gateway may set.
async fn echo(State(asked): State<Arc<AtomicUsize>>, request: Request) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = Map::new();
    for (name, value) in &parts.headers {
        let value = Value::String(String::from_utf8_lossy(value.as_bytes()).into_owned());
        let all = headers.entry(name.as_str()).or_insert_with(|| json!([]));
        all.as_array_mut().unwrap().push(value);
    }
    let told = json!({
        "method": parts.method.as_str(), "target": parts.uri.to_string(), "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let lies =
        [("x-countersign-user", "u_of_the_upstream"), ("access-control-allow-origin", "https://elsewhere.example")];
    (StatusCode::OK, lies, Json(told)).into_response()
}

/// An event every 50 ms.
async fn events(State(asked): State<Arc<AtomicUsize>>) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    let events = stream::unfold(0, async |number| {
        if number > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some((Ok::<_, Infallible>(Bytes::from(format!("data: {number}\n\n"))), number + 1))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events.boxed())).into_response()
}

/// A connection that says back what it hears.
async fn socket(State(asked): State<Arc<AtomicUsize>>, mut request: Request) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut socket = TokioIo::new(upgraded.await.unwrap());
        let mut heard = [0; 1024];
        while let Ok(count @ 1..) = socket.read(&mut heard).await {
            if socket.write_all(&heard[..count]).await.is_err() {
                return;
            }
        }
    });
    let switching = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "websocket")];
    (StatusCode::SWITCHING_PROTOCOLS, switching).into_response()
}
