//! Telling users what has changed in their account: whoever didn't want it hears of it at once.

use countersign_domain::{
    identity::{Identity, IdentityRecord},
    locale::Locale,
    message::{Channel, Destination},
};
use countersign_storage::messages::OutgoingMessage;

use crate::{
    Service,
    deliver::{health::ChannelState, letter::Letter},
    directory::ProjectView,
};

/// How many addresses of one user are told.
const MOST_TOLD: usize = 5;

impl Service {
    /// To every e-mail address of the user, those that the user has had for longest first: one that was added just now may be the thief's.
    pub(crate) fn account_notices(
        &self,
        project: &ProjectView,
        known_as: &[IdentityRecord],
        locale: Locale,
        letter: &Letter,
    ) -> Vec<OutgoingMessage> {
        if self.channel_state(Channel::Email) == ChannelState::Absent {
            return Vec::new();
        }
        let now = self.now();
        let addresses = known_as.iter().rev().filter_map(|record| match &record.identity {
            Identity::Email(address) => Some(Destination::Email(address.clone())),
            Identity::Phone(_) | Identity::ExternalId(_) => None,
        });
        addresses.take(MOST_TOLD).map(|to| self.draft_message(project, &to, locale, letter, now)).collect()
    }
}
