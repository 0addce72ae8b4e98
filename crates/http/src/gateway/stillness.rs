//! Waiting for something that doesn't move.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

/// So fine is it looked at what may move: what stands still is noticed at most this part of the patience too late.
const GLANCES: u32 = 8;

/// Ends when `moved` has said the same for so long.
pub(super) async fn still_for(patience: Duration, moved: impl Fn() -> u64) {
    let mut before = moved();
    let mut still = 0;
    while still < GLANCES {
        sleep(patience / GLANCES).await;
        let now = moved();
        still = if now == before { still + 1 } else { 0 };
        before = now;
    }
}

/// How long one end of a body may make the other wait.
pub(super) struct Patience {
    limit: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    has_moved: bool,
}

impl Patience {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { limit, timer: None, has_moved: false }
    }

    /// Something came.
    pub(super) fn moved(&mut self) {
        self.has_moved = true;
    }

    /// Nothing came: has that been so for too long? Wakes the task when it has.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.limit else { return Poll::Pending };
        let has_moved = std::mem::take(&mut self.has_moved);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        if has_moved {
            timer.set(sleep(limit));
        }
        timer.as_mut().poll(cx)
    }
}
