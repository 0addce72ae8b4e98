//! Where messages stay in development, for people and scripts to read.

use countersign_domain::message::Destination;
use countersign_storage::messages::{self, CaughtMessage};

use super::content::Message;
use crate::{Service, error::Outage};

/// Messages that are looked through at most.
const MOST: u32 = 1000;

impl Service {
    /// Are messages caught here?
    pub fn has_outbox(&self) -> bool {
        self.config.delivery.is_outbox()
    }

    /// What was caught in the last day for `to`, or for anybody; the newest first.
    pub async fn outbox(&self, to: Option<&Destination>) -> Result<Vec<Message>, Outage> {
        let caught = messages::list_caught(&mut self.db.reader().await?.conn(), MOST).await?;
        let open = |it: &CaughtMessage| self.open_message(&it.project, it.id, it.created_at, &it.sealed);
        let opened = caught.iter().filter_map(open);
        Ok(opened.filter(|message| to.is_none_or(|to| message.to == *to)).collect())
    }
}
