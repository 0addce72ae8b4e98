//! The body of an answer on its way to the caller.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::{
    counts::{Counts, OpenStream},
    guard::{Guard, Leash},
    headers,
    stillness::Patience,
};

/// A body as the caller gets it. Where it breaks off, what it came over is gone at once, and the caller sees a broken stream.
pub(super) struct Download {
    body: Option<Incoming>,
    leash: Leash,
    patience: Patience,
    counts: Arc<Counts>,
    /// From the first time that the caller had to wait.
    open: Option<OpenStream>,
}

/// Why an answer ends before its end.
#[derive(Debug)]
pub(super) enum BrokenOff {
    /// What the caller proved no longer stands.
    Cut,
    /// Nothing came for too long.
    Still,
    /// The upstream broke it off.
    Upstream(hyper::Error),
}

impl Download {
    pub(super) fn new(body: Incoming, guard: Guard, idle_timeout: Option<Duration>, counts: &Arc<Counts>) -> Self {
        let (leash, patience) = (Leash::new(guard), Patience::new(idle_timeout));
        Self { body: Some(body), leash, patience, counts: Arc::clone(counts), open: None }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if self.leash.is_broken() {
            return Poll::Ready(Some(Err(BrokenOff::Cut)));
        }
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(Some(Ok(mut frame))) => {
                self.patience.moved();
                if let Some(trailers) = frame.trailers_mut() {
                    headers::clean_trailers(trailers);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(problem))) => Poll::Ready(Some(Err(BrokenOff::Upstream(problem)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                self.open.get_or_insert_with(|| self.counts.open_stream());
                if self.leash.poll_broken(cx).is_ready() {
                    Poll::Ready(Some(Err(BrokenOff::Cut)))
                } else if self.patience.poll_lost(cx).is_ready() {
                    Poll::Ready(Some(Err(BrokenOff::Still)))
                } else {
                    Poll::Pending
                }
            }
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let piece = self.poll_piece(cx);
        if let Poll::Ready(Some(Err(problem))) = &piece {
            self.body = None;
            self.open = None;
            self.counts.broke_off(matches!(problem, BrokenOff::Cut));
            tracing::debug!(%problem, "an answer broke off: {problem}");
        }
        piece
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("the caller may no longer have it"),
            Self::Still => f.write_str("the upstream sent nothing for too long"),
            Self::Upstream(problem) => problem.fmt(f),
        }
    }
}

impl Error for BrokenOff {}
