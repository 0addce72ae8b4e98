//! What happens around every request.

mod cors;
pub(crate) mod observe;
mod request_id;
mod route_metrics;

pub(crate) use request_id::RequestId;
