//! The way to the mail server, secured before anything is said that matters.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use countersign_service::deliver::carrier::{Fault, NotSent};
use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, AsyncTokioStream},
    extension::ClientId,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};

use super::{
    failure::{Step, failure, shown},
    reply::{self, Reply},
};
use crate::{
    config::mail::{MailConfig, Security},
    error::Failure,
    tls,
};

/// A mail server, and who we are there.
pub(super) struct MailServer {
    host: String,
    port: u16,
    way: Way,
    hello: ClientId,
    credentials: Option<Credentials>,
}

enum Way {
    Tls(Secure),
    StartTls(Secure),
    Open,
}

/// By whom the server must be certified, and as whom.
struct Secure {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// In this order, as the server offers them.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

impl MailServer {
    pub(super) fn new(config: &MailConfig, host: &str, hello: &str) -> Result<Self, Failure> {
        let secure = || -> Result<Secure, Failure> {
            let trusting = tls::client("mail.ca_file", config.ca_file.as_deref())?;
            let name =
                ServerName::try_from(host.to_owned()).map_err(|problem| Failure::failed("mail.host", problem))?;
            Ok(Secure { connector: TlsConnector::from(Arc::new(trusting)), name })
        };
        let way = match config.security {
            Security::Tls => Way::Tls(secure()?),
            Security::StartTls => Way::StartTls(secure()?),
            Security::None => Way::Open,
        };
        let credentials = config.user.clone().zip(config.password()?);
        let credentials =
            credentials.map(|(user, password)| Credentials::new(user, password.danger_expose().to_owned()));
        let (host, hello) = (host.to_owned(), ClientId::Domain(hello.to_owned()));
        Ok(Self { host, port: config.port(), way, hello, credentials })
    }

    /// A connection on which messages are taken.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, NotSent> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port)).await;
        let mut stream = connecting.map_err(|problem| unreachable(&problem))?;
        let stream: Box<dyn AsyncTokioStream> = match &self.way {
            Way::Open => Box::new(stream),
            Way::Tls(secure) => Box::new(secure.secure(stream, b"").await?),
            Way::StartTls(secure) => {
                self.ask_for_tls(&mut stream).await?;
                // The server has greeted, and the library waits for a greeting.
                Box::new(secure.secure(stream, b"220 secured\r\n").await?)
            }
        };
        let greeting = AsyncSmtpConnection::connect_with_transport(stream, &self.hello);
        let mut connection = greeting.await.map_err(|problem| failure(Step::Connecting, &problem))?;
        if let Some(credentials) = &self.credentials {
            let proving = connection.auth(&MECHANISMS, credentials);
            proving.await.map_err(|problem| failure(Step::Authenticating, &problem))?;
        }
        Ok(connection)
    }

    /// `STARTTLS` (RFC 3207). What was heard until then counts for nothing afterwards; the library would keep it.
    async fn ask_for_tls(&self, stream: &mut TcpStream) -> Result<(), NotSent> {
        expect(&hear(stream).await?, 220)?;
        let offer = say(stream, &format!("EHLO {}\r\n", self.hello)).await?;
        expect(&offer, 250)?;
        if !offer.offers("STARTTLS") {
            return Err(NotSent::channel("the mail server doesn't offer STARTTLS, and without it nothing is sent"));
        }
        expect(&say(stream, "STARTTLS\r\n").await?, 220)
    }
}

impl Secure {
    /// Secures a stream; `heard` is what its reader gets first.
    async fn secure(&self, stream: TcpStream, heard: &'static [u8]) -> Result<Secured, NotSent> {
        let shaking_hands = self.connector.connect(self.name.clone(), stream).await;
        let inner = shaking_hands.map_err(|problem| {
            NotSent::channel(format!("the way to the mail server can't be secured: {}", shown(&problem.to_string())))
        })?;
        Ok(Secured { heard, inner })
    }
}

fn unreachable(problem: &io::Error) -> NotSent {
    NotSent::channel(format!("the mail server can't be reached: {}", shown(&problem.to_string())))
}

async fn say(stream: &mut TcpStream, line: &str) -> Result<Reply, NotSent> {
    stream.write_all(line.as_bytes()).await.map_err(|problem| unreachable(&problem))?;
    hear(stream).await
}

async fn hear(stream: &mut TcpStream) -> Result<Reply, NotSent> {
    let mut heard = Vec::new();
    loop {
        if stream.read_buf(&mut heard).await.map_err(|problem| unreachable(&problem))? == 0 {
            return Err(NotSent::channel("the mail server can't be reached: it broke off"));
        }
        match reply::read(&heard) {
            Ok(Some(reply)) => return Ok(reply),
            Ok(None) => {}
            Err(reply::Unintelligible) => {
                return Err(NotSent::channel(
                    "the mail server says what no mail server says before the way is secured",
                ));
            }
        }
    }
}

fn expect(reply: &Reply, code: u16) -> Result<(), NotSent> {
    if reply.code == code {
        return Ok(());
    }
    let cause = format!("the way to the mail server can't be secured: it says {}", reply.code);
    Err(NotSent { fault: Fault::Channel, cause, answer: Some(shown(&reply.lines.join(" "))) })
}

/// A stream that is secured.
#[derive(Debug)]
struct Secured {
    /// What its reader gets before what comes.
    heard: &'static [u8],
    inner: TlsStream<TcpStream>,
}

impl AsyncTokioStream for Secured {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Secured {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.heard.is_empty() {
            let (now, later) = self.heard.split_at(self.heard.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.heard = later;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
