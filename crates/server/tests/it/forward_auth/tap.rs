//! A tap on the line between a proxy and the server: what was asked, byte for byte.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    task::{JoinHandle, JoinSet},
};

/// It passes everything on. The line is dead when this is dropped.
pub(super) struct Tap {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
    running: JoinHandle<()>,
}

impl Tap {
    /// On the line to `http://HOST:PORT`.
    pub(super) async fn before(base: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::default());
        let (server, hearing) = (base.strip_prefix("http://").unwrap().to_owned(), Arc::clone(&heard));
        let running = tokio::spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((caller, _)) = listener.accept().await {
                let (server, heard) = (TcpStream::connect(&server).await.unwrap(), Arc::clone(&hearing));
                let ((from, mut back), (mut answers, to)) = (caller.into_split(), server.into_split());
                lines.spawn(async move { pass(from, to, &heard).await });
                lines.spawn(async move { drop(copy(&mut answers, &mut back).await) });
            }
        });
        Self { address, heard, running }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that was asked so far.
    pub(super) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }

    /// The line goes dead, as when the server is down.
    pub(super) async fn cut(&mut self) {
        self.running.abort();
        let _ = (&mut self.running).await;
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, heard: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        heard.lock().unwrap().extend_from_slice(&buffer[..count]);
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
