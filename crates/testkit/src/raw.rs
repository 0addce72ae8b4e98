//! Bytes on a connection, for what no honest client sends.

use std::time::Duration;

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode, header::HeaderName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::answer::Answer;

/// A connection that says whatever the test wants.
pub struct RawConnection {
    stream: TcpStream,
    /// What was heard and belongs to no answer yet.
    heard: Vec<u8>,
}

/// Long enough for any server that means to answer.
const PATIENCE: Duration = Duration::from_secs(30);

impl RawConnection {
    /// Connects to `http://HOST:PORT`.
    pub async fn to(base: &str) -> Self {
        let address = base.strip_prefix("http://").unwrap_or(base);
        Self { stream: TcpStream::connect(address).await.expect("the server listens"), heard: Vec::new() }
    }

    /// Sends bytes.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        // The server may have answered and closed already: what it answered is what counts.
        let _ = self.stream.write_all(bytes.as_ref()).await;
        self
    }

    /// Closes the sending half.
    pub async fn half_close(&mut self) -> &mut Self {
        let _ = self.stream.shutdown().await;
        self
    }

    /// Waits until the server has said this, and nothing else.
    pub async fn hear_exactly(&mut self, expected: &str, patience: Duration) -> &mut Self {
        let mut heard = vec![0; expected.len()];
        timeout(patience, self.stream.read_exact(&mut heard))
            .await
            .expect("the server says something in time")
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), expected);
        self
    }

    /// All that the server says until it closes, or for as long as `patience`.
    pub async fn hear(&mut self, patience: Duration) -> String {
        let mut heard = std::mem::take(&mut self.heard);
        let mut buffer = [0; 4096];
        let listening = async {
            while let Ok(count @ 1..) = self.stream.read(&mut buffer).await {
                heard.extend_from_slice(&buffer[..count]);
            }
        };
        let _ = timeout(patience, listening).await;
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// The next answer; none where the server closes without one.
    pub async fn answer(&mut self) -> Option<Answer> {
        timeout(PATIENCE, self.read_answer()).await.expect("the server answers or closes")
    }

    /// The next answer, if it comes as soon as that.
    pub async fn answer_within(&mut self, patience: Duration) -> Option<Answer> {
        timeout(patience, self.read_answer()).await.ok().flatten()
    }

    async fn read_answer(&mut self) -> Option<Answer> {
        loop {
            if let Some((answer, length)) = first_answer(&self.heard) {
                self.heard.drain(..length);
                return Some(answer);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer).await {
                Ok(count @ 1..) => self.heard.extend_from_slice(&buffer[..count]),
                _ => return None,
            }
        }
    }

    /// The server must close this connection, and say nothing more before it does.
    pub async fn is_closed(&mut self) {
        assert!(self.answer().await.is_none(), "the server goes on");
        assert!(self.heard.is_empty(), "the server said half of something");
    }
}

/// The answer that these bytes begin with, if it is all there, and how many of them it takes.
fn first_answer(heard: &[u8]) -> Option<(Answer, usize)> {
    let head_length = heard.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let top = String::from_utf8_lossy(&heard[..head_length]);
    let mut lines = top.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse::<StatusCode>().expect("a status");
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.append(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
    }
    let body_length = headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
    let body = heard.get(head_length..head_length + body_length)?;
    Some((Answer { status, headers, body: Bytes::copy_from_slice(body) }, head_length + body_length))
}
