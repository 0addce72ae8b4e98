//! Taking messages on and seeing them off.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use countersign_domain::{
    clock::Timestamp,
    message::{Channel, retry_after},
};
use countersign_storage::{
    error::Result as StorageResult,
    messages::{self, ClaimedMessage, Outcome},
};
use futures_util::stream::{FuturesUnordered, StreamExt};
use metrics::{counter, gauge};
use tracing::warn;

use super::carrier::{Carrier, Fault, NotSent};
use crate::Service;

/// Messages of one channel that a node sends at once.
const PLACES: usize = 8;
/// How often it is looked for others while some are leaving.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How much longer than its carrier may take a message is nobody else's: clocks of nodes differ, and what came of it must be written down.
const SLACK: Duration = Duration::from_secs(10);
/// How long it is known how a message ended.
const ENDED_KEPT: Duration = Duration::from_hours(24);
/// Rows that one transaction touches at most.
const BATCH: u32 = 200;

impl Service {
    /// Sees off all messages of a channel that are due, some at once, and returns when none is left. Takes on no more once `may_go_on` says so;
    /// what is dropped on its way is another's once its time with this node is over.
    pub async fn deliver_due(&self, channel: Channel, may_go_on: impl Fn() -> bool) {
        let Some(carrier) = self.config.delivery.carrier(channel) else { return };
        let mut leaving = FuturesUnordered::new();
        loop {
            if leaving.len() < PLACES && may_go_on() {
                let claimed = self.claim(channel, carrier, PLACES - leaving.len()).await;
                leaving.extend(claimed.into_iter().map(|message| self.deliver(channel, carrier, message)));
            }
            // One that stalls holds up nobody who comes meanwhile.
            tokio::select! {
                left = leaving.next() => if left.is_none() {
                    return;
                },
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// While the database is away there is nothing to be had; one line says so.
    async fn claim(&self, channel: Channel, carrier: &Carrier, places: usize) -> Vec<ClaimedMessage> {
        static IS_SAID: AtomicBool = AtomicBool::new(false);
        match self.try_to_claim(channel, carrier, places).await {
            Ok(claimed) => {
                IS_SAID.store(false, Ordering::Relaxed);
                claimed
            }
            Err(problem) => {
                if !IS_SAID.swap(true, Ordering::Relaxed) {
                    warn!(%problem, "can't look for messages that are due: {problem}");
                }
                Vec::new()
            }
        }
    }

    async fn try_to_claim(
        &self,
        channel: Channel,
        carrier: &Carrier,
        places: usize,
    ) -> StorageResult<Vec<ClaimedMessage>> {
        let now = self.now();
        if !messages::is_due(&mut self.db.reader().await?.conn(), channel, now).await? {
            return Ok(Vec::new());
        }
        let (until, places) = (now.plus(carrier.limit + SLACK), u32::try_from(places).unwrap_or(1));
        let claim = self.db.write(move |mut conn| {
            Box::pin(async move { messages::claim(&mut conn, channel, now, until, places).await })
        });
        claim.await
    }

    async fn deliver(&self, channel: Channel, carrier: &Carrier, claimed: ClaimedMessage) {
        let now = self.now();
        if claimed.expires_at.is_past(now) {
            return self.end_message(channel, claimed, Outcome::Expired).await;
        }
        let Some(message) = self.open_message(&claimed.project, claimed.id, claimed.created_at, &claimed.sealed) else {
            warn!(message.id = %claimed.id, "message {} can't be opened: it was altered, or sealed under another master key", claimed.id);
            return self.end_message(channel, claimed, Outcome::Refused).await;
        };
        match carrier.take(message).await {
            Ok(()) => {
                self.healths.works(channel);
                self.end_message(channel, claimed, Outcome::Sent).await;
            }
            Err(not_sent) => self.did_not_leave(channel, claimed, &not_sent).await,
        }
    }

    async fn did_not_leave(&self, channel: Channel, claimed: ClaimedMessage, not_sent: &NotSent) {
        match not_sent.fault {
            Fault::Channel => self.healths.failed(channel, &not_sent.cause, self.time.monotonic()),
            Fault::MessageNow | Fault::MessageForGood => {
                self.healths.works(channel);
                self.healths.refused(channel, &not_sent.cause, self.time.monotonic());
            }
        }
        if not_sent.fault == Fault::MessageForGood {
            return self.end_message(channel, claimed, Outcome::Refused).await;
        }
        let [random] = self.entropy.bytes();
        let at = self.now().plus(retry_after(claimed.attempts, random));
        if claimed.expires_at.is_past(at) {
            // There will be no other attempt in its time.
            return self.end_message(channel, claimed, Outcome::Expired).await;
        }
        counter!("countersign_messages_total", "channel" => channel.as_str(), "outcome" => "retried").increment(1);
        self.write_down_fate(claimed, None, at).await;
    }

    async fn end_message(&self, channel: Channel, claimed: ClaimedMessage, outcome: Outcome) {
        counter!("countersign_messages_total", "channel" => channel.as_str(), "outcome" => outcome.as_str())
            .increment(1);
        let now = self.now();
        self.write_down_fate(claimed, Some(outcome), now).await;
    }

    /// What can't be written down is another's once this node's time with it is over: sent again, by the same name.
    async fn write_down_fate(&self, claimed: ClaimedMessage, outcome: Option<Outcome>, at: Timestamp) {
        let written = self.db.write(move |mut conn| {
            let claimed = claimed.clone();
            Box::pin(async move {
                match outcome {
                    Some(outcome) => messages::end(&mut conn, &claimed, outcome, at).await,
                    None => messages::put_back(&mut conn, &claimed, at).await,
                }
            })
        });
        if let Err(problem) = written.await {
            warn!(%problem, "can't write down what became of a message: {problem}");
        }
    }

    /// Ends what nobody could send in its time, and forgets what ended long ago.
    pub(crate) async fn tidy_messages(&self, now: Timestamp) -> StorageResult<()> {
        for channel in Channel::ALL {
            loop {
                let work = self.db.write(move |mut conn| {
                    Box::pin(async move { messages::expire(&mut conn, channel, now, BATCH).await })
                });
                let expired = work.await?;
                if expired > 0 {
                    counter!("countersign_messages_total", "channel" => channel.as_str(), "outcome" => "expired")
                        .increment(expired);
                    warn!(%channel, expired, "{expired} messages by {channel} couldn't be sent in their time");
                }
                if expired < u64::from(BATCH) {
                    break;
                }
            }
            let waiting = messages::count_waiting(&mut self.db.reader().await?.conn(), channel).await?;
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            gauge!("countersign_messages_waiting", "channel" => channel.as_str()).set(waiting as f64);
        }
        let forget = move || {
            self.db.write(move |mut conn| {
                Box::pin(async move { messages::delete_ended(&mut conn, now.minus(ENDED_KEPT), BATCH).await })
            })
        };
        while forget().await? == u64::from(BATCH) {}
        Ok(())
    }
}
