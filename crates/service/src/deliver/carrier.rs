//! How messages leave. The roof knows mail servers and providers of text messages; here a carrier is a function.

use std::{fmt, sync::Arc, time::Duration};

use countersign_domain::message::Channel;
use futures_util::future::BoxFuture;

use super::content::Message;

/// What takes a message away.
pub type Carry = dyn Fn(Message) -> BoxFuture<'static, Result<(), NotSent>> + Send + Sync;

/// What takes the messages of a channel away.
#[derive(Clone)]
pub struct Carrier {
    pub(super) carry: Arc<Carry>,
    pub(super) limit: Duration,
}

impl Carrier {
    /// A carrier that is given up after `limit`. By then it must have let go: the message may be another node's soon after.
    pub fn new(
        limit: Duration,
        carry: impl Fn(Message) -> BoxFuture<'static, Result<(), NotSent>> + Send + Sync + 'static,
    ) -> Self {
        Self { carry: Arc::new(carry), limit }
    }

    /// Takes a message away, within the time that there is.
    pub async fn take(&self, message: Message) -> Result<(), NotSent> {
        match tokio::time::timeout(self.limit, (self.carry)(message)).await {
            Ok(taken) => taken,
            Err(_) => Err(NotSent::channel(format!("no answer within {:?}", self.limit))),
        }
    }
}

/// Why a message didn't leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSent {
    /// What that means.
    pub fault: Fault,
    /// What happened, for the log: no address, nothing of what was said.
    pub cause: String,
    /// What the other side said, for the eyes of an operator who tries it out. It may repeat the address.
    pub answer: Option<String>,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The channel's: no message gets through just now.
    Channel,
    /// This message's, for now.
    MessageNow,
    /// This message's, for good.
    MessageForGood,
}

impl NotSent {
    /// The channel fails.
    pub fn channel(cause: impl Into<String>) -> Self {
        Self { fault: Fault::Channel, cause: cause.into(), answer: None }
    }
}

/// Where messages go.
#[derive(Clone)]
pub enum Delivery {
    /// Nowhere: they stay where people can read them. For development.
    Outbox,
    /// To those whom they are for, as far as there is a way.
    Channels {
        /// Takes mail.
        email: Option<Carrier>,
        /// Takes text messages.
        sms: Option<Carrier>,
    },
}

impl Delivery {
    /// There is no way out.
    pub const NOWHERE: Self = Self::Channels { email: None, sms: None };

    pub(super) fn carrier(&self, channel: Channel) -> Option<&Carrier> {
        match (self, channel) {
            (Self::Outbox, _) => None,
            (Self::Channels { email, .. }, Channel::Email) => email.as_ref(),
            (Self::Channels { sms, .. }, Channel::Sms) => sms.as_ref(),
        }
    }

    /// Are messages caught, for people to read?
    pub const fn is_outbox(&self) -> bool {
        matches!(self, Self::Outbox)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbox => f.write_str("Outbox"),
            Self::Channels { email, sms } => {
                f.debug_struct("Channels").field("email", &email.is_some()).field("sms", &sms.is_some()).finish()
            }
        }
    }
}
