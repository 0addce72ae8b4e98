//! Streams that stay open: they come through at once, and end when the caller's right does.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    routing::{any, get},
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{broadcast, mpsc},
    time::{sleep, timeout},
};

use super::stage::{Caller, PATIENCE, Plan, Server, Stage, http1, http2, until};

/// What a revocation may take until it is felt; the spec says a second.
const AT_ONCE: Duration = Duration::from_secs(1);

const OPEN: &str = "countersign_gateway_open_streams";
const CUT: &str = "countersign_gateway_cut_streams_total";

/// An upstream that sends whatever it is told to, and says how each of its streams ended.
struct Events {
    server: Server,
    say: broadcast::Sender<&'static str>,
    /// As many as are open.
    open: Arc<()>,
}

impl Events {
    async fn open() -> Self {
        let (say, _) = broadcast::channel(16);
        let (hear, open) = (say.clone(), Arc::new(()));
        let token = Arc::clone(&open);
        let events = move || {
            let (said, token) = (hear.subscribe(), Arc::clone(&token));
            async move { ([("content-type", "text/event-stream")], Body::from_stream(spoken(said, token))) }
        };
        let server = Server::of(Router::new().route("/events", get(events))).await;
        Self { server, say, open }
    }

    fn say(&self, text: &'static str) {
        self.say.send(text).unwrap();
    }

    fn are_open(&self) -> usize {
        // This one, and that of the route.
        Arc::strong_count(&self.open) - 2
    }
}

fn spoken(said: broadcast::Receiver<&'static str>, open: Arc<()>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((said, open), |(mut said, open)| async {
        let text = said.recv().await.ok()?;
        Some((Ok(Bytes::from_static(text.as_bytes())), (said, open)))
    })
}

async fn listen(stage: &Stage, caller: &Caller) -> Incoming {
    let request = Request::get(stage.url("/events")).body(Body::empty()).unwrap();
    let answer = timeout(PATIENCE, caller.request(request)).await.unwrap().unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
        (200, "text/event-stream")
    );
    answer.into_body()
}

async fn next(body: &mut Incoming) -> Result<Bytes, hyper::Error> {
    let frame = timeout(PATIENCE, body.frame()).await.expect("something in time").expect("no end");
    frame.map(|frame| frame.into_data().unwrap())
}

#[tokio::test]
async fn an_event_comes_through_before_the_next_is_known() {
    for h2c in ["off", "on"] {
        let events = Events::open().await;
        let stage = Plan::before(&events.server.url()).set("gateway.h2c", h2c).open().await;
        for caller in [http1(), http2()] {
            let mut body = listen(&stage, &caller).await;
            for event in ["data: 1\n\n", "data: 2\n\n", ": still here\n\n"] {
                events.say(event);
                assert_eq!(next(&mut body).await.unwrap(), event);
            }
        }
    }
}

#[tokio::test]
async fn an_open_stream_is_cut_within_a_second_of_a_revocation() {
    for h2c in ["off", "on"] {
        for caller in [http1(), http2()] {
            let events = Events::open().await;
            let stage = Plan::before(&events.server.url()).set("gateway.h2c", h2c).open().await;
            let mut body = listen(&stage, &caller).await;
            events.say("data: 1\n\n");
            assert_eq!(next(&mut body).await.unwrap(), "data: 1\n\n");
            until("the stream counts as open", || stage.metric(OPEN) > 0).await;

            // What concerns others leaves it alone.
            for _ in 0..3 {
                stage.proof.change();
            }
            events.say("data: 2\n\n");
            assert_eq!(next(&mut body).await.unwrap(), "data: 2\n\n");

            stage.proof.revoke();
            let end = timeout(AT_ONCE, body.frame()).await.expect("an end within a second");
            assert!(end.expect("no clean end").is_err());
            until("the upstream's stream is gone too", || events.are_open() == 0).await;
            assert_eq!((stage.metric(OPEN), stage.metric(CUT)), (0, 1));
        }
    }
}

#[tokio::test]
async fn a_stream_that_never_makes_the_caller_wait_is_cut_as_well() {
    let busy =
        || async { Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[7; 8192])))) };
    let upstream = Server::of(Router::new().route("/events", get(busy))).await;
    let stage = Plan::before(&upstream.url()).open().await;
    let request = Request::get(stage.url("/events")).body(Body::empty()).unwrap();
    let mut body = http1().request(request).await.unwrap().into_body();
    let reading = async { while let Some(Ok(_)) = body.frame().await {} };
    let revoking = async {
        sleep(Duration::from_millis(200)).await;
        stage.proof.revoke();
    };
    timeout(Duration::from_millis(200) + AT_ONCE, async { tokio::join!(reading, revoking) }).await.expect("an end");
    assert_eq!(stage.metric(CUT), 1);
}

#[tokio::test]
async fn nothing_that_came_after_a_revocation_reaches_a_caller_who_reads_late() {
    let events = Events::open().await;
    let stage = Plan::before(&events.server.url()).open().await;
    let mut body = listen(&stage, &http1()).await;
    events.say("data: 1\n\n");
    assert_eq!(next(&mut body).await.unwrap(), "data: 1\n\n");
    stage.proof.revoke();
    events.say("data: secret\n\n");
    sleep(Duration::from_millis(100)).await;
    let rest = body.collect().await;
    assert!(rest.is_err());
}

#[tokio::test]
async fn a_call_that_waits_for_its_answer_is_ended_by_a_revocation() {
    let (say, mut called) = mpsc::channel(1);
    let slow = move || {
        let say = say.clone();
        async move {
            say.send(()).await.unwrap();
            sleep(Duration::from_mins(1)).await;
        }
    };
    let upstream = Server::of(Router::new().fallback(slow)).await;
    let stage = Plan::before(&upstream.url()).open().await;
    let revoking = async {
        called.recv().await.unwrap();
        stage.proof.revoke();
    };
    let (answer, ()) = timeout(PATIENCE, async { tokio::join!(stage.get("/x"), revoking) }).await.unwrap();
    answer.refused(401, "invalid_credentials");
    assert_eq!(stage.metric(r#"countersign_gateway_requests_total{answer="caller"}"#), 1);
}

#[tokio::test]
async fn an_upload_is_ended_by_a_revocation() {
    for h2c in ["off", "on"] {
        let (ended, mut end) = mpsc::channel(1);
        let reading = move |request: Request| {
            let ended = ended.clone();
            async move {
                ended.send(request.into_body().collect().await.is_ok()).await.unwrap();
            }
        };
        let upstream = Server::of(Router::new().fallback(reading)).await;
        let stage = Plan::before(&upstream.url()).set("gateway.h2c", h2c).open().await;
        let mut caller = TcpStream::connect(stage.server.address).await.unwrap();
        caller.write_all(b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        until("the upstream was called", || upstream.connections() == 1).await;
        sleep(Duration::from_millis(100)).await;
        stage.proof.revoke();
        assert_eq!(timeout(AT_ONCE, end.recv()).await.expect("an end within a second"), Some(false), "h2c {h2c}");
        let mut heard = String::new();
        timeout(PATIENCE, caller.read_to_string(&mut heard)).await.unwrap().unwrap();
        assert!(heard.starts_with("HTTP/1.1 401 "), "{heard}");
    }
}

#[tokio::test]
async fn an_upload_that_goes_on_behind_its_answer_is_ended_by_a_revocation() {
    for h2c in ["off", "on"] {
        let (ended, mut end) = mpsc::channel(1);
        let answering = move |request: Request| {
            let ended = ended.clone();
            async move {
                tokio::spawn(async move { ended.send(request.into_body().collect().await.is_ok()).await });
                "answered"
            }
        };
        let upstream = Server::of(Router::new().fallback(answering)).await;
        let stage = Plan::before(&upstream.url()).set("gateway.h2c", h2c).open().await;
        let mut caller = TcpStream::connect(stage.server.address).await.unwrap();
        caller.write_all(b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        let mut heard = [0; 1024];
        let count = timeout(PATIENCE, caller.read(&mut heard)).await.unwrap().unwrap();
        assert!(heard[..count].starts_with(b"HTTP/1.1 200 "));
        caller.write_all(b"more").await.unwrap();
        assert!(timeout(Duration::from_millis(300), end.recv()).await.is_err(), "it ended by itself");
        stage.proof.revoke();
        assert_eq!(timeout(AT_ONCE, end.recv()).await.expect("an end within a second"), Some(false), "h2c {h2c}");
    }
}

#[tokio::test]
async fn a_caller_whose_proof_was_revoked_before_it_got_here_gets_nothing() {
    let events = Events::open().await;
    let stage = Plan::before(&events.server.url()).open().await;
    let mut body = listen(&stage, &http1()).await;
    stage.proof.revoke();
    assert!(next(&mut body).await.is_err());
}

#[tokio::test]
async fn a_stream_may_be_silent_unless_the_project_says_otherwise() {
    let events = Events::open().await;
    let patient = Plan::before(&events.server.url()).set("gateway.timeout", "300ms").open().await;
    let mut silent = listen(&patient, &http1()).await;
    let impatient = Plan::before(&events.server.url()).set("gateway.idle_timeout", "300ms").open().await;
    let mut cut = listen(&impatient, &http1()).await;
    // Whoever speaks in time goes on.
    for _ in 0..4 {
        sleep(Duration::from_millis(150)).await;
        events.say("data: 1\n\n");
        assert_eq!(next(&mut cut).await.unwrap(), "data: 1\n\n");
        assert_eq!(next(&mut silent).await.unwrap(), "data: 1\n\n");
    }
    assert!(timeout(Duration::from_secs(5), cut.frame()).await.expect("an end").expect("no clean end").is_err());
    assert_eq!(impatient.metric("countersign_gateway_broken_streams_total"), 1);
    events.say("data: 2\n\n");
    assert_eq!(next(&mut silent).await.unwrap(), "data: 2\n\n");
}

#[tokio::test]
async fn a_caller_who_leaves_ends_the_upstreams_stream_with_the_next_event() {
    let events = Events::open().await;
    let stage = Plan::before(&events.server.url()).open().await;
    for caller in [http1(), http2()] {
        let body = listen(&stage, &caller).await;
        assert_eq!(events.are_open(), 1);
        drop((body, caller));
        sleep(Duration::from_millis(50)).await;
        // A client that has closed can't be told from one that has only finished speaking, until it is spoken to.
        until("the upstream's stream is gone", || {
            let _ = events.say.send(": still here\n\n");
            events.are_open() == 0
        })
        .await;
        until("it counts as open no more", || stage.metric(OPEN) == 0).await;
    }
    assert_eq!(stage.metric(CUT), 0);
}

#[tokio::test]
async fn many_streams_are_cut_together_and_those_of_others_go_on() {
    let events = Events::open().await;
    let (one, other) =
        (Plan::before(&events.server.url()).open().await, Plan::before(&events.server.url()).open().await);
    let (mut cut, mut kept) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        cut.push(listen(&one, &http1()).await);
        kept.push(listen(&other, &http1()).await);
    }
    one.proof.revoke();
    let ends = cut.iter_mut().map(|body| timeout(AT_ONCE, body.frame()));
    for end in futures_util::future::join_all(ends).await {
        assert!(end.expect("an end within a second").expect("no clean end").is_err());
    }
    events.say("data: 1\n\n");
    for body in &mut kept {
        assert_eq!(next(body).await.unwrap(), "data: 1\n\n");
    }
    assert_eq!((one.metric(CUT), other.metric(CUT)), (50, 0));
}

#[tokio::test]
async fn answers_that_are_there_at_once_are_no_open_streams() {
    let upstream = Server::of(Router::new().route("/x", any(|| async { "hello" }))).await;
    let stage = Plan::before(&upstream.url()).open().await;
    for _ in 0..20 {
        assert_eq!(stage.get("/x").await.body, "hello");
    }
    assert_eq!(stage.metric(r#"countersign_gateway_requests_total{answer="2xx"}"#), 20);
    assert_eq!((stage.metric(OPEN), stage.metric(CUT)), (0, 0));
}
