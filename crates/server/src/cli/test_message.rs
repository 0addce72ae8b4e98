//! `mail`, `sms`.

use std::sync::Arc;

use clap::Subcommand;
use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    locale::Locale,
    message::{Channel, Destination},
    text::{EmailAddress, PhoneNumber},
};
use countersign_service::{
    deliver::{
        carrier::{Carrier, Fault},
        draft::test_message,
    },
    time::TimeSource,
};
use serde_json::json;

use super::output::Output;
use crate::{clock::SystemClock, config::Config, error::Failure, mail::Mailer, sms::Provider};

#[derive(Subcommand)]
pub(super) enum MailVerb {
    /// Send a test by the mail server that is configured, and say what comes of it
    Test {
        /// To whom
        #[arg(long, value_name = "ADDRESS")]
        to: EmailAddress,
        /// In which language: en or de
        #[arg(long, default_value_t = Locale::En)]
        locale: Locale,
    },
}

#[derive(Subcommand)]
pub(super) enum SmsVerb {
    /// Send a test by the provider that is configured, and say what comes of it
    Test {
        /// To which number, as +15551234567
        #[arg(long, value_name = "NUMBER")]
        to: PhoneNumber,
        /// In which language: en or de
        #[arg(long, default_value_t = Locale::En)]
        locale: Locale,
    },
}

impl MailVerb {
    pub(super) async fn run(self, config: &Config, output: &Output) -> Result<(), Failure> {
        let Self::Test { to, locale } = self;
        config.check_channels()?;
        let mailer = Mailer::new(&config.mail)?;
        let carrier = mailer.map(Mailer::carrier).ok_or_else(|| absent("mail.host"))?;
        try_out(carrier, Destination::Email(to), locale, config, output).await
    }
}

impl SmsVerb {
    pub(super) async fn run(self, config: &Config, output: &Output) -> Result<(), Failure> {
        let Self::Test { to, locale } = self;
        config.check_channels()?;
        let provider = Provider::new(&config.sms)?;
        let carrier = provider.map(Provider::carrier).ok_or_else(|| absent("sms.url or sms.preset"))?;
        try_out(carrier, Destination::Phone(to), locale, config, output).await
    }
}

fn absent(setting: &str) -> Failure {
    Failure::Failed(format!("no message can leave: {setting} isn't configured"))
}

/// Past the queue: whoever tries it out wants to know now, and everything that the other side says.
async fn try_out(
    carrier: Carrier,
    to: Destination,
    locale: Locale,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let (clock, entropy) = (Arc::new(SystemClock::start()), Entropy::system());
    let sender = config.http.public_url.split_once("://").map_or("Countersign", |(_, host)| host);
    let channel = to.channel();
    let message = test_message(sender, to, locale, &entropy, clock.wall());
    let id = message.id;
    let Err(not_sent) = carrier.take(message).await else {
        return output.print(&json!({ "sent": true, "channel": channel.as_str(), "id": id.to_string() }));
    };
    let answer = not_sent.answer.map(|answer| format!(". It says: {answer}")).unwrap_or_default();
    let advice = match (not_sent.fault, channel) {
        (Fault::Channel, Channel::Email) => "Look at the settings mail.*",
        (Fault::Channel, Channel::Sms) => "Look at the settings sms.*",
        (Fault::MessageNow, _) => "It may go through later",
        (Fault::MessageForGood, _) => "It is this message or this address",
    };
    Err(Failure::Failed(format!("the test wasn't sent: {}{answer}. {advice}", not_sent.cause)))
}
