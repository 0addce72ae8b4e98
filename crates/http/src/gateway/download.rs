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
use hyper::body::{Body, Frame, SizeHint};

use super::{
    counts::{Counts, OpenStream},
    guard::{Guard, Leash},
    headers,
    stillness::Patience,
};

/// A body as the caller gets it. Where it breaks off, what it came over is gone at once, and the caller sees a broken stream.
pub(super) struct Download<B> {
    body: Option<B>,
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
    Upstream(Box<dyn Error + Send + Sync>),
}

impl<B> Download<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    pub(super) fn new(body: B, guard: Guard, idle_timeout: Option<Duration>, counts: &Arc<Counts>) -> Self {
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
            Poll::Ready(Some(Err(problem))) => Poll::Ready(Some(Err(BrokenOff::Upstream(problem.into())))),
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

impl<B> Body for Download<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
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

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicBool, Ordering},
    };

    use futures_util::{StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};
    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn a_body_that_always_has_more_is_cut_and_let_go_of() {
        let upstream = Arc::new(());
        let held = Arc::clone(&upstream);
        let piece = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"more")));
        let endless = StreamBody::new(stream::repeat_with(piece).map(move |piece| (piece, &held).0).boxed_local());
        let (changes, stands) = (watch::Sender::new(0), Arc::new(AtomicBool::new(true)));
        let asked = Arc::clone(&stands);
        let guard = Guard::new(changes.subscribe(), move || asked.load(Ordering::SeqCst));
        let mut body = Download::new(endless, guard, None, &Arc::new(Counts::new()));
        for _ in 0..1000 {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "more");
        }
        changes.send_modify(|at| *at += 1);
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.open.is_none(), "nobody had to wait");

        stands.store(false, Ordering::SeqCst);
        changes.send_modify(|at| *at += 1);
        assert!(matches!(body.frame().await, Some(Err(BrokenOff::Cut))));
        assert_eq!(Arc::strong_count(&upstream), 1, "the upstream is still held");
        assert!(body.frame().await.is_none());
    }
}
