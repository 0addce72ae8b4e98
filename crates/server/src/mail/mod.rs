//! Mail: a letter as a message (RFC 5322), and its way to the mail server.
//!
//! Each message has a connection of its own. The library's pool would take a connection back that was given up in the middle of a
//! conversation, and the next message would get the answers to this one.

mod failure;
pub mod reply;
mod server;

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
    transport::smtp::commands::{Data, Mail, Rcpt},
};

use crate::{config::mail::MailConfig, error::Failure};
use failure::{Step, failure};
use server::MailServer;

/// A mail server, and in whose name we write to it.
pub struct Mailer {
    server: MailServer,
    from: EmailAddress,
    from_name: Option<Name>,
    reply_to: Option<EmailAddress>,
    timeout: Duration,
}

impl Mailer {
    /// As it is configured; none: no mail is sent.
    pub fn new(config: &MailConfig) -> Result<Option<Self>, Failure> {
        let (Some(host), Some(from)) = (&config.host, &config.from) else { return Ok(None) };
        Ok(Some(Self {
            server: MailServer::new(config, host, domain(from))?,
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
        let mut connection = self.server.connect().await?;
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
