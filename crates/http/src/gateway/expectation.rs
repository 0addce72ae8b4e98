//! `Expect: 100-continue` (RFC 9110 §10.1.1): whether a body is wanted is the upstream's to say, before a byte of it is sent.
//!
//! Our own word to the caller is given by reading the body. So the body isn't read before the upstream gave its word.

use std::{pin::Pin, time::Duration};

use axum::http::{HeaderValue, StatusCode, Version, header, request::Parts};
use hyper::ext::on_informational;
use tokio::{sync::watch, time::timeout};

use super::{hop::Manner, upload::Upload};

/// How long an upstream may take to give its word. Many never do, and wait for the body themselves.
const PATIENCE: Duration = Duration::from_secs(1);

/// A caller who waits for a word.
pub(super) struct Expectation(watch::Sender<Word>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    Continue,
    /// The answer came first: nobody wants the body any more.
    Over,
}

/// Waits for the word: is the body wanted?
pub(super) type Wanted = Pin<Box<dyn Future<Output = bool> + Send>>;

impl Expectation {
    /// The expectation of a request. HTTP/1.0 has none, and nobody tells us of a word that was given over HTTP/2.
    pub(super) fn of(parts: &Parts, manner: Manner) -> Option<Self> {
        let expects =
            parts.headers.get(header::EXPECT).is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        (expects && parts.version == Version::HTTP_11 && manner.is_http1())
            .then(|| Self(watch::Sender::new(Word::None)))
    }

    /// Passes the expectation on, and listens for the word.
    pub(super) fn listen(&self, request: &mut hyper::Request<Upload>) {
        request.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        let word = self.0.clone();
        on_informational(request, move |response| {
            if response.status() == StatusCode::CONTINUE {
                word.send_replace(Word::Continue);
            }
        });
    }

    pub(super) fn wanted(&self) -> Wanted {
        let mut word = self.0.subscribe();
        Box::pin(async move {
            let given = timeout(PATIENCE, word.wait_for(|word| *word != Word::None)).await;
            given.map_or(true, |given| given.is_ok_and(|word| *word == Word::Continue))
        })
    }

    /// The answer has come, or won't.
    pub(super) fn end(self) {
        self.0.send_if_modified(|word| {
            let was_none = *word == Word::None;
            if was_none {
                *word = Word::Over;
            }
            was_none
        });
    }
}
