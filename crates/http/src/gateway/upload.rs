//! The body of a request on its way to the upstream.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body as CallerBody, Bytes};
use hyper::body::{Body, Frame, SizeHint};

use super::{
    expectation::{Expectation, Wanted},
    failure::GatewayFailure,
    guard::{Guard, Leash},
    headers,
    stillness::Patience,
};

/// A body as the upstream gets it.
pub(super) struct Upload(Option<Sending>);

struct Sending {
    body: CallerBody,
    /// Where the caller waits for a word before it sends anything.
    wanted: Option<Wanted>,
    leash: Leash,
    patience: Patience,
    progress: Arc<Progress>,
}

/// What is known of a body that somebody else is sending.
#[derive(Default)]
pub(super) struct Progress {
    moved: AtomicU64,
    state: AtomicU8,
}

const ON_ITS_WAY: u8 = 0;
const WAITS_FOR_CALLER: u8 = 1;
const BROKEN_OFF: u8 = 2;
const STALLED: u8 = 3;
const CUT: u8 = 4;
const UNWANTED: u8 = 5;

/// Why a body ends before its end.
#[derive(Debug)]
pub(super) struct BrokenOff(&'static str);

impl Upload {
    /// Wraps the caller's body. Where there is none, there is nothing to watch.
    pub(super) fn new(
        body: CallerBody,
        guard: &Guard,
        idle_timeout: Option<Duration>,
        expectation: Option<&Expectation>,
    ) -> (Self, Option<Arc<Progress>>) {
        if body.is_end_stream() {
            return (Self(None), None);
        }
        let progress = Arc::new(Progress::default());
        let sending = Sending {
            body,
            wanted: expectation.map(Expectation::wanted),
            leash: Leash::new(guard.clone()),
            patience: Patience::new(idle_timeout),
            progress: Arc::clone(&progress),
        };
        (Self(Some(sending)), Some(progress))
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Some(sending) = &mut self.0 else { return Poll::Ready(None) };
        let frame = ready!(sending.poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|sending| sending.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |sending| sending.body.size_hint())
    }
}

impl Sending {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if self.leash.is_broken() {
            return self.break_off(CUT);
        }
        if let Some(wanted) = &mut self.wanted {
            match wanted.as_mut().poll(cx) {
                Poll::Ready(true) => self.wanted = None,
                Poll::Ready(false) => return self.break_off(UNWANTED),
                Poll::Pending => return self.leash.poll_broken(cx).map(|()| Some(Err(self.progress.end(CUT)))),
            }
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(mut frame))) => {
                self.patience.moved();
                self.progress.move_on();
                if let Some(trailers) = frame.trailers_mut() {
                    headers::clean_trailers(trailers);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => self.break_off(BROKEN_OFF),
            Poll::Ready(None) => {
                self.progress.move_on();
                Poll::Ready(None)
            }
            Poll::Pending => {
                self.progress.set(WAITS_FOR_CALLER);
                if self.leash.poll_broken(cx).is_ready() {
                    self.break_off(CUT)
                } else if self.patience.poll_lost(cx).is_ready() {
                    self.break_off(STALLED)
                } else {
                    Poll::Pending
                }
            }
        }
    }

    fn break_off(&self, why: u8) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        Poll::Ready(Some(Err(self.progress.end(why))))
    }
}

impl Progress {
    /// A number that is another whenever something has moved.
    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Is it the caller who has the next move?
    pub(super) fn waits_for_caller(&self) -> bool {
        self.state.load(Ordering::Relaxed) == WAITS_FOR_CALLER
    }

    /// What became of the call, where it was the body that failed.
    pub(super) fn failure(&self) -> Option<GatewayFailure> {
        match self.state.load(Ordering::Relaxed) {
            BROKEN_OFF => Some(GatewayFailure::CallerBrokeOff),
            STALLED => Some(GatewayFailure::CallerStalled),
            CUT => Some(GatewayFailure::Revoked),
            _ => None,
        }
    }

    fn move_on(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
        self.set(ON_ITS_WAY);
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
    }

    fn end(&self, why: u8) -> BrokenOff {
        self.set(why);
        BrokenOff(match why {
            CUT => "the caller may no longer send",
            STALLED => "the caller sent nothing for too long",
            UNWANTED => "the answer came before the body",
            _ => "the caller broke off",
        })
    }
}

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for BrokenOff {}
