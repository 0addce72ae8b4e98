//! Telling users that their second factor is another: at their addresses, and where the codes went until now.

use countersign_domain::{
    identity::{Identity, IdentityKind, IdentityRecord},
    locale::Locale,
    message::Destination,
    mfa::{Factor, FactorKind},
};
use countersign_storage::messages::OutgoingMessage;

use crate::{
    Service,
    code_sign_in::destination_of,
    deliver::{
        health::ChannelState,
        letter::{AccountChange, Letter},
    },
    directory::ProjectView,
};

/// How many addresses of one user are told.
const MOST_TOLD: usize = 5;

impl Service {
    /// To where codes went until now, then to the e-mail addresses that the user has had for longest: one that was added just now may be the thief's.
    pub(super) fn factor_notices(
        &self,
        project: &ProjectView,
        known_as: &[IdentityRecord],
        before: &[Factor],
        now_has: FactorKind,
        locale: Locale,
    ) -> Vec<OutgoingMessage> {
        let contacts = before.iter().filter_map(|factor| factor.contact.as_ref());
        let addresses = known_as.iter().rev().map(|record| &record.identity).filter(|it| is_email(it));
        let mut told: Vec<Destination> = Vec::new();
        for to in contacts.chain(addresses).filter_map(destination_of) {
            if told.len() < MOST_TOLD && !told.contains(&to) && self.channel_state(to.channel()) != ChannelState::Absent
            {
                told.push(to);
            }
        }
        let (letter, now) = (Letter::Changed(AccountChange::FactorAdded(now_has)), self.now());
        told.iter().map(|to| self.draft_message(project, to, locale, &letter, now)).collect()
    }
}

fn is_email(identity: &Identity) -> bool {
    identity.kind() == IdentityKind::Email
}
