//! Conversations over WebSocket.

use std::time::Duration;

use axum::{Router, http::Request as HttpRequest};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async, client_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        handshake::server::{Request, Response},
    },
};

use super::stage::{PATIENCE, Plan, Server, Stage, head, until};

/// An upstream that says everything twice, and tells in a header who it thinks is there.
async fn chatty() -> Server {
    Server::raw(|stream| async {
        #[expect(clippy::result_large_err, reason = "the handshake wants it so")]
        let told = |request: &Request, mut response: Response| {
            let user = request.headers()["x-countersign-user"].clone();
            response.headers_mut().insert("x-seen-user", user);
            response.headers_mut().insert("x-countersign-user", "u_eve".parse().unwrap());
            assert!(!request.headers().contains_key("authorization"));
            if let Some(protocol) = request.headers().get("sec-websocket-protocol") {
                response.headers_mut().insert("sec-websocket-protocol", protocol.clone());
            }
            Ok(response)
        };
        let Ok(mut socket) = accept_hdr_async(stream, told).await else { return };
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() || message.is_binary() {
                let _ = socket.send(message.clone()).await;
                let _ = socket.send(message).await;
            }
        }
    })
    .await
}

type Socket = WebSocketStream<TcpStream>;

async fn open(stage: &Stage) -> (Socket, axum::http::Response<Option<Vec<u8>>>) {
    let mut request = format!("ws://{}/chat?room=1", stage.server.address).into_client_request().unwrap();
    for (name, value) in
        [("authorization", "Bearer CANARY"), ("x_countersign_user", "u_eve"), ("sec-websocket-protocol", "chat")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(stage.server.address).await.unwrap();
    timeout(PATIENCE, client_async(request, stream)).await.unwrap().expect("a socket")
}

async fn hear(socket: &mut Socket) -> Message {
    timeout(PATIENCE, socket.next()).await.expect("a word in time").expect("no end").expect("a message")
}

#[tokio::test]
async fn a_conversation_goes_both_ways_and_ends_politely() {
    let upstream = chatty().await;
    for h2c in ["off", "on"] {
        let stage = Plan::before(&upstream.url()).set("gateway.h2c", h2c).open().await;
        let (mut socket, response) = open(&stage).await;
        assert_eq!(response.headers()["x-seen-user"], "u_ada");
        assert_eq!(response.headers()["sec-websocket-protocol"], "chat");
        assert!(!response.headers().contains_key("x-countersign-user"));
        for message in [Message::text("hello"), Message::binary(vec![7; 200_000]), Message::text("é")] {
            socket.send(message.clone()).await.unwrap();
            assert_eq!(hear(&mut socket).await, message);
            assert_eq!(hear(&mut socket).await, message);
        }
        assert_eq!(stage.metric("countersign_gateway_open_streams"), 1);
        socket.close(None).await.unwrap();
        assert!(matches!(hear(&mut socket).await, Message::Close(_)));
        assert!(timeout(PATIENCE, socket.next()).await.unwrap().is_none());
        drop(socket);
        until("it counts as open no more", || stage.metric("countersign_gateway_open_streams") == 0).await;
        assert_eq!(stage.metric(r#"countersign_gateway_requests_total{answer="1xx"}"#), 1);
        assert_eq!(stage.metric("countersign_gateway_broken_streams_total"), 0);
    }
}

#[tokio::test]
async fn a_socket_is_cut_within_a_second_of_a_revocation() {
    let upstream = chatty().await;
    let stage = Plan::before(&upstream.url()).open().await;
    let (mut socket, _) = open(&stage).await;
    socket.send(Message::text("hello")).await.unwrap();
    for _ in 0..2 {
        hear(&mut socket).await;
    }
    stage.proof.change();
    socket.send(Message::text("still here")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(hear(&mut socket).await, Message::text("still here"));
    }
    stage.proof.revoke();
    let end = timeout(Duration::from_secs(1), socket.next()).await.expect("an end within a second");
    assert!(matches!(end, Some(Err(_))), "a polite end: {end:?}");
    until("it is counted", || stage.metric("countersign_gateway_cut_streams_total") > 0).await;
    until("it counts as open no more", || stage.metric("countersign_gateway_open_streams") == 0).await;
}

#[tokio::test]
async fn a_socket_may_be_silent_unless_the_project_says_otherwise() {
    let upstream = chatty().await;
    let stage = Plan::before(&upstream.url()).set("gateway.idle_timeout", "300ms").open().await;
    let (mut socket, _) = open(&stage).await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        socket.send(Message::text("hello")).await.unwrap();
        for _ in 0..2 {
            hear(&mut socket).await;
        }
    }
    let end = timeout(Duration::from_secs(5), socket.next()).await.expect("an end");
    assert!(matches!(end, Some(Err(_))), "{end:?}");

    let patient = Plan::before(&upstream.url()).set("gateway.timeout", "200ms").open().await;
    let (mut socket, _) = open(&patient).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    socket.send(Message::text("hello")).await.unwrap();
    hear(&mut socket).await;
}

const KEYS: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n";

/// An upstream that answers with this, whatever was asked, repeats the head it read, and echoes whatever follows.
async fn saying(answer: &'static str) -> Server {
    Server::raw(move |mut stream| async move {
        let asked = head(&mut stream).await;
        let length = asked.len();
        let answer = answer.replace("LENGTH", &length.to_string());
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.write_all(asked.as_bytes()).await;
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            let _ = stream.write_all(b"TUNNEL").await;
            let _ = stream.write_all(&buffer[..count]).await;
        }
    })
    .await
}

#[tokio::test]
async fn where_the_upstream_doesnt_agree_there_is_no_tunnel() {
    // A wrong version, which the upstream refuses: whoever takes the request for the deed opens a tunnel past every proof.
    let upstream = saying("HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: LENGTH\r\n\r\n").await;
    let stage = Plan::before(&upstream.url()).open().await;
    let request = format!("GET /chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n{KEYS}\r\n");
    let hidden = "GET /secret HTTP/1.1\r\nhost: x\r\nx-countersign-user: u_eve\r\n\r\n";
    let heard = stage.hear(request + hidden).await;
    assert!(heard.starts_with("HTTP/1.1 426 "), "{heard}");
    assert!(!heard.contains("TUNNEL") && !heard.contains("u_eve"), "{heard}");
}

#[tokio::test]
async fn only_a_whole_request_for_a_websocket_is_one() {
    let upstream = saying("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: LENGTH\r\n\r\n").await;
    let stage = Plan::before(&upstream.url()).open().await;
    let whole = format!("GET /chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n{KEYS}\r\n");
    assert!(stage.hear(&whole).await.contains("upgrade: websocket\r\n"));
    for request in [
        whole.replace("upgrade: websocket", "upgrade: h2c"),
        whole.replace("upgrade: websocket", "upgrade: websocket, h2c"),
        whole.replace("upgrade: websocket", "upgrade: h2c\r\nupgrade: websocket"),
        whole.replace("connection: upgrade", "connection: keep-alive"),
        whole.replace("GET", "POST").replace("\r\n\r\n", "\r\ncontent-length: 0\r\n\r\n"),
        whole.replace("\r\n\r\n", "\r\ncontent-length: 2\r\n\r\nhi"),
        whole.replace("HTTP/1.1", "HTTP/1.0"),
    ] {
        let heard = stage.hear(&request).await;
        assert!(heard.contains(" 200 OK\r\n"), "{request}: {heard}");
        assert!(!heard.to_lowercase().contains("upgrade: "), "{request}: {heard}");
    }
}

#[tokio::test]
async fn an_upstream_that_switches_to_what_nobody_asked_for_is_a_bad_answer() {
    let socket = format!("GET /chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n{KEYS}\r\n");
    let plain = "GET /chat HTTP/1.1\r\nhost: x\r\n\r\n".to_owned();
    let switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n";
    for (request, answer) in [
        (&plain, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"),
        (&socket, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
        (&socket, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\r\n"),
    ] {
        assert!(answer.starts_with(switching));
        let upstream = saying(answer).await;
        let stage = Plan::before(&upstream.url()).open().await;
        let heard = stage.hear(format!("{request}TUNNEL?")).await;
        assert!(heard.starts_with("HTTP/1.1 502 "), "{heard}");
        assert!(!heard.contains("TUNNEL"), "{heard}");
    }
}

#[tokio::test]
async fn what_the_upstream_says_with_its_agreement_is_not_lost() {
    let agreed = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n\r\n";
    let upstream = saying(agreed).await;
    let stage = Plan::before(&upstream.url()).open().await;
    let request = format!("GET /chat HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\n{KEYS}\r\n");
    // And what the caller says with its request isn't either.
    let heard = stage.hear(request + "early").await;
    assert!(heard.starts_with("HTTP/1.1 101 "), "{heard}");
    assert!(heard.contains("x-countersign-user: u_ada\r\n"), "{heard}");
    assert!(heard.ends_with("TUNNELearly"), "{heard}");
}

#[tokio::test]
async fn an_upstream_that_is_down_opens_no_socket() {
    let nobody = Server::of(Router::new()).await.url();
    let stage = Plan::before(&nobody).open().await;
    let stream = TcpStream::connect(stage.server.address).await.unwrap();
    let request: HttpRequest<()> = format!("ws://{}/chat", stage.server.address).into_client_request().unwrap();
    let refused = client_async(request, stream).await.unwrap_err().to_string();
    assert!(refused.contains("503"), "{refused}");
}
