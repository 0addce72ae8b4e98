//! A body of bounded length, sent in bounded time.

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::{
    app::App,
    error::{client_api, vouch},
};

/// No call of these doors needs more.
const LONGEST: usize = 64 * 1024;
/// Of a body that is too long.
const MOST_THROWN_AWAY: usize = 1024 * 1024;

/// A body of at most 64 KiB.
pub(crate) struct ShortBody(pub(crate) Bytes);

/// The same, for what answers in door 2's shape.
pub(crate) struct ShortClientBody(pub(crate) Bytes);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoBody {
    TooLong,
    TooSlow,
    BrokenOff,
}

impl FromRequest<App> for ShortBody {
    type Rejection = vouch::Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, vouch::Failure> {
        Ok(Self(read_in_time(request, app).await?))
    }
}

impl FromRequest<App> for ShortClientBody {
    type Rejection = client_api::Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, client_api::Failure> {
        Ok(Self(read_in_time(request, app).await?))
    }
}

pub(crate) async fn read_in_time(request: Request, app: &App) -> Result<Bytes, NoBody> {
    timeout(app.doors.body_time, read(request)).await.unwrap_or(Err(NoBody::TooSlow))
}

/// Takes no more than it may. What is too long is read on for a while and thrown away: a caller who is still sending when the connection
/// closes never gets to see the answer.
async fn read(request: Request) -> Result<Bytes, NoBody> {
    let announced = announced(request.headers());
    let waits_for_a_word = request.headers().contains_key(header::EXPECT);
    if announced > MOST_THROWN_AWAY || (announced > LONGEST && waits_for_a_word) {
        return Err(NoBody::TooLong);
    }
    let mut body = BytesMut::new();
    let mut received: usize = 0;
    let mut chunks = request.into_body().into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| NoBody::BrokenOff)?;
        received = received.saturating_add(chunk.len());
        if received <= LONGEST {
            body.extend_from_slice(&chunk);
        } else if received > MOST_THROWN_AWAY {
            break;
        }
    }
    if received > LONGEST { Err(NoBody::TooLong) } else { Ok(body.freeze()) }
}

fn announced(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}
