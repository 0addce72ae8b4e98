//! Mail: a letter as a message (RFC 5322), and its way to the mail server.
//!
//! Each message has a connection of its own. The library's pool would take a connection back that was given up in the middle of a
//! conversation, and the next message would get the answers to this one.

use std::{sync::Arc, time::Duration};

use countersign_domain::{
    message::Destination,
    text::{EmailAddress, Name},
};
use countersign_service::deliver::{
    carrier::{Carrier, Fault, NotSent},
    content::Message,
};
use lettre::{
    Address,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};

use crate::{
    config::mail::{MailConfig, Security},
    error::Failure,
};

/// A mail server, and in whose name we write to it.
pub struct Mailer {
    server: (String, u16),
    way: Way,
    credentials: Option<Credentials>,
    hello: ClientId,
    from: EmailAddress,
    from_name: Option<Name>,
    reply_to: Option<EmailAddress>,
    timeout: Duration,
}

enum Way {
    Tls(TlsParameters),
    StartTls(TlsParameters),
    Open,
}

/// In this order, as the server offers them. Nothing is sent before the way is safe.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

impl Mailer {
    /// As it is configured; none: no mail is sent.
    pub fn new(config: &MailConfig) -> Result<Option<Self>, Failure> {
        let (Some(host), Some(from)) = (&config.host, &config.from) else { return Ok(None) };
        let way = match config.security {
            Security::Tls => Way::Tls(trust(config, host)?),
            Security::StartTls => Way::StartTls(trust(config, host)?),
            Security::None => Way::Open,
        };
        let credentials = match (&config.user, config.password()?) {
            (Some(user), Some(password)) => Some(Credentials::new(user.clone(), password.danger_expose().to_owned())),
            _ => None,
        };
        Ok(Some(Self {
            server: (host.clone(), config.port()),
            way,
            credentials,
            hello: ClientId::Domain(domain(from).to_owned()),
            from: from.clone(),
            from_name: config.from_name.clone(),
            reply_to: config.reply_to.clone(),
            timeout: config.timeout,
        }))
    }

    /// Takes mail to the server.
    pub fn carrier(self) -> Carrier {
        let (timeout, mailer) = (self.timeout, Arc::new(self));
        Carrier::new(timeout, move |message| {
            let mailer = Arc::clone(&mailer);
            Box::pin(async move { mailer.send(&message).await })
        })
    }

    async fn send(&self, message: &Message) -> Result<(), NotSent> {
        let letter = self.write(message).map_err(|problem| NotSent {
            fault: Fault::MessageForGood,
            cause: format!("it can't be written as a message: {problem}"),
            answer: None,
        })?;
        let mut connection = self.connect().await?;
        let envelope = letter.envelope();
        let mail = Mail::new(envelope.from().cloned(), Vec::new());
        connection.command(mail).await.map_err(|problem| failure(Step::Sender, &problem))?;
        for to in envelope.to() {
            let recipient = Rcpt::new(to.clone(), Vec::new());
            connection.command(recipient).await.map_err(|problem| failure(Step::Recipient, &problem))?;
        }
        connection.command(Data).await.map_err(|problem| failure(Step::Content, &problem))?;
        connection.message(&letter.formatted()).await.map_err(|problem| failure(Step::Content, &problem))?;
        // It is taken; whoever fails to say goodbye changes nothing about that.
        let _ = tokio::time::timeout(Duration::from_secs(1), connection.quit()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, NotSent> {
        let tls = match &self.way {
            Way::Tls(tls) => Some(tls.clone()),
            Way::StartTls(_) | Way::Open => None,
        };
        let server = (self.server.0.as_str(), self.server.1);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &self.hello, tls, None);
        let mut connection = connecting.await.map_err(|problem| failure(Step::Connecting, &problem))?;
        if let Way::StartTls(tls) = &self.way {
            let securing = connection.starttls(tls.clone(), &self.hello);
            securing.await.map_err(|problem| failure(Step::Securing, &problem))?;
        }
        if let Some(credentials) = &self.credentials {
            let proving = connection.auth(&MECHANISMS, credentials);
            proving.await.map_err(|problem| failure(Step::Authenticating, &problem))?;
        }
        Ok(connection)
    }

    /// The same at every attempt, to the last byte: who gets it twice can tell.
    fn write(&self, message: &Message) -> Result<lettre::Message, lettre::error::Error> {
        let Destination::Email(to) = &message.to else { return Err(lettre::error::Error::MissingTo) };
        let micros = u64::try_from(message.at.micros()).unwrap_or(0);
        let content = &message.content;
        let name = self.from_name.as_ref().map_or(content.sender.as_str(), Name::as_str);
        let boundary = format!("part-{}", message.id);
        let parts = MultiPart::alternative()
            .boundary(boundary)
            .singlepart(SinglePart::plain(content.text.clone()))
            .singlepart(SinglePart::html(content.html.clone()));
        let mut letter = lettre::Message::builder()
            .message_id(Some(format!("<{}@{}>", message.id, domain(&self.from))))
            .date(std::time::UNIX_EPOCH + Duration::from_micros(micros))
            .from(Mailbox::new(Some(name.to_owned()), address(&self.from)))
            .to(Mailbox::new(None, address(to)))
            .subject(content.subject.clone())
            .header(AutoSubmitted);
        if let Some(reply_to) = &self.reply_to {
            letter = letter.reply_to(Mailbox::new(None, address(reply_to)));
        }
        letter.multipart(parts)
    }
}

fn trust(config: &MailConfig, host: &str) -> Result<TlsParameters, Failure> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(file) = &config.ca_file {
        let failed =
            |problem: &dyn std::fmt::Display| Failure::failed(&format!("mail.ca_file, {}", file.display()), problem);
        let pem = std::fs::read(file).map_err(|problem| failed(&problem))?;
        if !pem.windows(11).any(|bytes| bytes == b"BEGIN CERTI") {
            return Err(failed(&"holds no certificate"));
        }
        let certificates = Certificate::from_pem(&pem).map_err(|problem| failed(&problem))?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    parameters.build().map_err(|problem| Failure::failed("mail", problem))
}

/// Ours are stricter: no quotes, no comments, ASCII.
fn address(address: &EmailAddress) -> Address {
    Address::new_dangerous(local(address), domain(address))
}

fn local(address: &EmailAddress) -> &str {
    address.as_str().rsplit_once('@').map_or("", |(local, _)| local)
}

fn domain(address: &EmailAddress) -> &str {
    address.as_str().rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// No answering machine is to answer (RFC 3834 §5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// How far a conversation had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Connecting,
    Securing,
    Authenticating,
    Sender,
    Recipient,
    Content,
}

/// Up to the sender a refusal would meet every message; from the recipient on it is about this one. A server that is just going away
/// (421) says so at any time.
fn failure(step: Step, problem: &SmtpError) -> NotSent {
    let answer = problem.status().map(|_| shown(&source(problem)));
    let code = problem.status().map(|code| code.to_string());
    let is_about_message = matches!(step, Step::Recipient | Step::Content) && code.as_deref() != Some("421");
    let fault = match code {
        Some(_) if is_about_message && problem.is_permanent() => Fault::MessageForGood,
        Some(_) if is_about_message => Fault::MessageNow,
        _ => Fault::Channel,
    };
    let what = match step {
        Step::Connecting => "the mail server can't be reached",
        Step::Securing => "the way to the mail server can't be secured",
        Step::Authenticating => "the mail server doesn't take user and password",
        Step::Sender => "the mail server doesn't take mail from mail.from",
        Step::Recipient => "the mail server doesn't take mail for this address",
        Step::Content => "the mail server doesn't take the message",
    };
    NotSent { fault, cause: format!("{what}: {}", detail(problem)), answer }
}

/// Codes, and what our own side says: what the server says in words may repeat addresses, and more.
fn detail(problem: &SmtpError) -> String {
    match problem.status() {
        Some(code) => {
            let said = source(problem);
            let enhanced = said.split_whitespace().next().filter(|word| is_enhanced(word)).unwrap_or_default();
            format!("{code} {enhanced}").trim_end().to_owned()
        }
        None if problem.is_response() => "it says what no mail server says".to_owned(),
        None if is_broken_off(problem) => "it broke off".to_owned(),
        None => shown(&problem.to_string()),
    }
}

/// What the layers below say of that differs, and one of them would explain itself at length.
fn is_broken_off(problem: &SmtpError) -> bool {
    use std::io::{
        Error,
        ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof},
    };
    let below = std::error::Error::source(problem).and_then(<dyn std::error::Error>::downcast_ref::<Error>);
    below.is_some_and(|it| matches!(it.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
}

/// `5.1.1` (RFC 3463).
fn is_enhanced(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number)
}

fn source(problem: &SmtpError) -> String {
    std::error::Error::source(problem).map(ToString::to_string).unwrap_or_default()
}

/// As it can stand on a terminal and in a log: one line, not too long.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
