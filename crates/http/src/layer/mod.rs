//! What happens around every request.

mod cors;
pub(crate) mod observe;
mod request_id;
mod route_metrics;

pub(crate) use request_id::{HEADER as REQUEST_ID, RequestId};

/// Marks an answer that pages of other origins must not read, whoever asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForOwnPagesAlone;

/// What metrics and the log call an answer that no route of ours gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteLabel(pub(crate) &'static str);
