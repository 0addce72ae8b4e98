//! A body of bounded length, sent in bounded time.

use axum::{
    extract::{FromRequest, Request},
    http::header,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::{app::App, error::vouch::Failure};

/// No call of these doors needs more.
const LONGEST: usize = 64 * 1024;

/// A body of at most 64 KiB.
pub(crate) struct ShortBody(pub(crate) Bytes);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoBody {
    TooLong,
    TooSlow,
    BrokenOff,
}

impl FromRequest<App> for ShortBody {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        match timeout(app.doors.body_time, read(request)).await {
            Ok(body) => Ok(Self(body?)),
            Err(_) => Err(NoBody::TooSlow.into()),
        }
    }
}

async fn read(request: Request) -> Result<Bytes, NoBody> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > LONGEST) {
        return Err(NoBody::TooLong);
    }
    let mut body = BytesMut::new();
    let mut chunks = request.into_body().into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| NoBody::BrokenOff)?;
        if body.len() + chunk.len() > LONGEST {
            return Err(NoBody::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
