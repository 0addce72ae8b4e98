//! Bytes on a connection, for what no honest client sends.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A connection that says whatever the test wants.
pub struct RawConnection(TcpStream);

impl RawConnection {
    /// Connects to `http://HOST:PORT`.
    pub async fn to(base: &str) -> Self {
        let address = base.strip_prefix("http://").unwrap_or(base);
        Self(TcpStream::connect(address).await.expect("the server listens"))
    }

    /// Sends bytes.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        // The server may have answered and closed already: what it answered is what counts.
        let _ = self.0.write_all(bytes.as_ref()).await;
        self
    }

    /// Closes the sending half.
    pub async fn half_close(&mut self) -> &mut Self {
        let _ = self.0.shutdown().await;
        self
    }

    /// Waits until the server has said this, and nothing else.
    pub async fn hear_exactly(&mut self, expected: &str, patience: Duration) -> &mut Self {
        let mut heard = vec![0; expected.len()];
        timeout(patience, self.0.read_exact(&mut heard)).await.expect("the server says something in time").unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), expected);
        self
    }

    /// All that the server says until it closes, or for as long as `patience`.
    pub async fn hear(&mut self, patience: Duration) -> String {
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        let listening = async {
            while let Ok(count @ 1..) = self.0.read(&mut buffer).await {
                heard.extend_from_slice(&buffer[..count]);
            }
        };
        let _ = timeout(patience, listening).await;
        String::from_utf8_lossy(&heard).into_owned()
    }
}
