//! Whether the caller of an open stream may go on. A proof is judged once; a stream can be open for hours after it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::watch;

/// Ends what is open when what the caller proved no longer stands.
#[derive(Clone)]
pub(crate) struct Guard {
    stands: Arc<dyn Fn() -> bool + Send + Sync>,
    changed: watch::Receiver<u64>,
}

impl Guard {
    /// `stands` is asked whenever `changed` moves, on the thread that moves bytes: it looks something up in memory, and waits for nothing.
    /// `changed` was subscribed to before the proof was judged, or a revocation between the two is missed. Once nobody can move it any more,
    /// nothing stands.
    pub(crate) fn new(changed: watch::Receiver<u64>, stands: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { stands: Arc::new(stands), changed }
    }

    /// Comes to an end when it no longer stands.
    pub(super) async fn broken(&mut self) {
        while self.changed.changed().await.is_ok() {
            if !(self.stands)() {
                return;
            }
        }
    }

    /// Looks only if something has moved.
    fn is_broken(&mut self) -> bool {
        match self.changed.has_changed() {
            Ok(false) => false,
            Ok(true) => {
                self.changed.mark_unchanged();
                !(self.stands)()
            }
            Err(_) => true,
        }
    }
}

/// A guard over a body. It is woken by a change only once the body has made it wait: an answer that is there at once costs a glance.
pub(super) struct Leash {
    guard: Guard,
    broken: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Leash {
    pub(super) fn new(guard: Guard) -> Self {
        Self { guard, broken: None }
    }

    /// To be asked before each piece is let through.
    pub(super) fn is_broken(&mut self) -> bool {
        self.guard.is_broken()
    }

    /// To be asked where there is no piece: wakes the task when it breaks.
    pub(super) fn poll_broken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let guard = &self.guard;
        let broken = self.broken.get_or_insert_with(|| {
            let mut guard = guard.clone();
            Box::pin(async move { guard.broken().await })
        });
        broken.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use futures_util::FutureExt;

    use super::*;

    struct Proof {
        guard: Guard,
        stands: Arc<AtomicBool>,
        asked: Arc<AtomicUsize>,
        changes: watch::Sender<u64>,
    }

    fn proof() -> Proof {
        let changes = watch::Sender::new(0);
        let (stands, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let (answer, count) = (Arc::clone(&stands), Arc::clone(&asked));
        let guard = Guard::new(changes.subscribe(), move || {
            count.fetch_add(1, Ordering::SeqCst);
            answer.load(Ordering::SeqCst)
        });
        Proof { guard, stands, asked, changes }
    }

    #[tokio::test]
    async fn it_asks_only_when_something_changed() {
        let mut proof = proof();
        let mut leash = Leash::new(proof.guard.clone());
        proof.stands.store(false, Ordering::SeqCst);
        assert!(!leash.is_broken());
        assert_eq!(proof.asked.load(Ordering::SeqCst), 0);
        proof.changes.send_modify(|at| *at += 1);
        assert!(leash.is_broken());
        proof.guard.broken().await;
    }

    #[tokio::test]
    async fn a_change_between_the_proof_and_the_first_wait_is_not_missed() {
        let proof = proof();
        proof.changes.send_modify(|at| *at += 1);
        proof.stands.store(false, Ordering::SeqCst);
        let mut leash = Leash::new(proof.guard.clone());
        std::future::poll_fn(|cx| leash.poll_broken(cx)).await;
    }

    #[tokio::test]
    async fn a_change_that_concerns_others_leaves_it_standing() {
        let mut proof = proof();
        for _ in 0..3 {
            proof.changes.send_modify(|at| *at += 1);
            assert!(proof.guard.broken().now_or_never().is_none());
        }
        assert_eq!(proof.asked.load(Ordering::SeqCst), 3);
        assert!(!Leash::new(proof.guard.clone()).is_broken());
    }

    #[tokio::test]
    async fn where_nobody_can_tell_any_more_nothing_stands() {
        let mut proof = proof();
        drop(proof.changes);
        assert!(Leash::new(proof.guard.clone()).is_broken());
        proof.guard.broken().await;
    }
}
