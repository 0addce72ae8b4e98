//! Step-ups, for the backend that asks for them.

pub(crate) mod consume;
pub(crate) mod start;
