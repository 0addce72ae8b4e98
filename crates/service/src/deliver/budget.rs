//! How many messages may be sent: to one destination, because of one network, to the telephones of one country. Each message costs money
//! or patience, and not that of whoever asks for it.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use countersign_crypto::caller_marks::network_of;
use countersign_domain::message::{Destination, calling_code};
use metrics::counter;

use crate::{
    Service,
    directory::ProjectView,
    limits::{Quota, Rate, TooMany},
};

/// To one destination.
const DESTINATION: Quota = Quota { most: 5, within: Duration::from_mins(10), apart: Duration::from_secs(30) };
/// The same where nothing leaves, and tests send what people don't.
const DESTINATION_IN_DEVELOPMENT: Quota = Quota { most: 60, within: Duration::from_mins(1), apart: Duration::ZERO };
/// Because of one network, a minute, where nothing leaves.
const NETWORK_IN_DEVELOPMENT: NonZeroU32 = NonZeroU32::new(10_000).unwrap();

impl Service {
    /// Counts one message, if it may be sent. Each node counts for itself.
    pub fn take_sending_budget(&self, project: &ProjectView, to: &Destination, network: IpAddr) -> Result<(), TooMany> {
        let taken = self.take_each_budget(project, to, network);
        if let Err((limit, _)) = taken {
            counter!("countersign_messages_refused_total", "channel" => to.channel().as_str(), "limit" => limit)
                .increment(1);
        }
        taken.map_err(|(_, too_many)| too_many)
    }

    /// What is refused by one budget costs the others nothing.
    fn take_each_budget(
        &self,
        project: &ProjectView,
        to: &Destination,
        network: IpAddr,
    ) -> Result<(), (&'static str, TooMany)> {
        let (id, settings, now) = (project.project.id.as_str(), &project.settings, self.time.monotonic());
        let is_outbox = self.config.delivery.is_outbox();
        let (quota, network_rate) = if is_outbox {
            (&DESTINATION_IN_DEVELOPMENT, Rate::per_minute(NETWORK_IN_DEVELOPMENT))
        } else {
            (&DESTINATION, Rate::per_hour(settings.limit_messages_network))
        };
        let by_network = ("messages by network", id, network_of(network));
        let country = match to {
            Destination::Phone(number) if !is_outbox => Some(calling_code(number)),
            _ => None,
        };
        let by_country = country.map(|code| ("messages by country", id, code));
        let country_rate = Rate::per_hour(settings.limit_messages_country);
        self.limits.room(&by_network, network_rate, now).map_err(|limit| ("network", limit))?;
        if let Some(who) = &by_country {
            self.limits.room(who, country_rate, now).map_err(|limit| ("country", limit))?;
        }
        self.quotas.take(&(id, to), quota, now).map_err(|limit| ("destination", limit))?;
        self.limits.take(&by_network, network_rate, now).map_err(|limit| ("network", limit))?;
        if let Some(who) = &by_country {
            self.limits.take(who, country_rate, now).map_err(|limit| ("country", limit))?;
        }
        Ok(())
    }
}
