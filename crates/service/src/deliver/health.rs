//! Whether a channel works. A message's fate says nothing about the person whom it was for; a channel's is everybody's.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use countersign_domain::message::Channel;
use metrics::gauge;
use tracing::{info, warn};

use crate::Service;

/// How a channel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelState {
    /// As far as is known, messages leave.
    Works,
    /// The last message didn't, because of the channel. They are still taken, and tried again.
    Fails,
    /// There is none.
    Absent,
}

/// How often a failing channel is spoken of.
const REMINDER: Duration = Duration::from_mins(5);

/// How often it is spoken of messages that were refused one by one: a list of addresses that aren't there must not fill the log.
const REFUSAL_REMINDER: Duration = Duration::from_mins(1);

/// All channels, as far as this node has tried them.
#[derive(Default)]
pub(crate) struct Healths {
    failures: [Mutex<Option<Failure>>; Channel::ALL.len()],
    refusals: [Mutex<Option<Failure>>; Channel::ALL.len()],
}

#[derive(Clone, Copy)]
struct Failure {
    said_at: Duration,
    unsaid: u64,
}

impl Healths {
    /// Says what is wrong once, and again every few minutes while it is.
    pub(super) fn failed(&self, channel: Channel, cause: &str, now: Duration) {
        if let Some(unsaid) = may_speak(&self.failures[place(channel)], REMINDER, now) {
            warn!(%channel, %cause, unsaid, "messages don't leave by {channel}: {cause}");
        }
        gauge!("countersign_channel_failing", "channel" => channel.as_str()).set(1.0);
    }

    pub(super) fn works(&self, channel: Channel) {
        let failure = self.failures[place(channel)].lock().unwrap_or_else(PoisonError::into_inner).take();
        if failure.is_some() {
            info!(%channel, "messages leave by {channel} again");
        }
        gauge!("countersign_channel_failing", "channel" => channel.as_str()).set(0.0);
    }

    /// A message was refused, though the channel works.
    pub(super) fn refused(&self, channel: Channel, cause: &str, now: Duration) {
        if let Some(unsaid) = may_speak(&self.refusals[place(channel)], REFUSAL_REMINDER, now) {
            warn!(%channel, %cause, unsaid, "a message was refused by {channel}: {cause}");
        }
    }

    fn is_failing(&self, channel: Channel) -> bool {
        self.failures[place(channel)].lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

const fn place(channel: Channel) -> usize {
    match channel {
        Channel::Email => 0,
        Channel::Sms => 1,
    }
}

/// How many lines weren't written since the last; none: this one isn't either.
fn may_speak(failure: &Mutex<Option<Failure>>, reminder: Duration, now: Duration) -> Option<u64> {
    let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *failure {
        Some(failure) if now.saturating_sub(failure.said_at) < reminder => {
            failure.unsaid += 1;
            None
        }
        other => {
            let unsaid = other.map_or(0, |failure| failure.unsaid);
            *other = Some(Failure { said_at: now, unsaid: 0 });
            Some(unsaid)
        }
    }
}

impl Service {
    /// How a channel does, as far as this node has tried it: what fails, or isn't there, is no way to sign in just now.
    pub fn channel_state(&self, channel: Channel) -> ChannelState {
        let delivery = &self.config.delivery;
        if !delivery.is_outbox() && delivery.carrier(channel).is_none() {
            ChannelState::Absent
        } else if self.healths.is_failing(channel) {
            ChannelState::Fails
        } else {
            ChannelState::Works
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_fails_is_spoken_of_now_and_then() {
        let failure = Mutex::default();
        let speaks = |seconds| may_speak(&failure, Duration::from_mins(1), Duration::from_secs(seconds));
        assert_eq!([speaks(0), speaks(1), speaks(59), speaks(60), speaks(61)], [Some(0), None, None, Some(2), None]);
    }

    #[test]
    fn channels_fail_and_recover_apart() {
        let healths = Healths::default();
        healths.failed(Channel::Email, "no answer", Duration::ZERO);
        assert!(healths.is_failing(Channel::Email) && !healths.is_failing(Channel::Sms));
        healths.works(Channel::Sms);
        assert!(healths.is_failing(Channel::Email));
        healths.works(Channel::Email);
        assert!(!healths.is_failing(Channel::Email));
    }
}
