//! The ways that messages take out of the house, as they are configured.

use countersign_service::deliver::carrier::Delivery;

use crate::{config::Config, error::Failure, mail::Mailer, sms::Provider};

/// Opens no connection: a mail server that is away is no reason not to start.
pub fn channels(config: &Config) -> Result<Delivery, Failure> {
    let email = Mailer::new(&config.mail)?.map(Mailer::carrier);
    let sms = Provider::new(&config.sms)?.map(Provider::carrier);
    Ok(Delivery::Channels { email, sms })
}
