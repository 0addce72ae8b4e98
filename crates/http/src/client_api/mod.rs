//! Door 2, and everything under `/v1`.

pub(crate) mod me;
