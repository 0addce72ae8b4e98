//! What happens around every request.

pub(crate) mod headers;
pub(crate) mod observe;
