//! What happens around every request.

pub(crate) mod observe;
mod request_id;
mod route_metrics;

pub(crate) use request_id::{HEADER as REQUEST_ID, RequestId};
