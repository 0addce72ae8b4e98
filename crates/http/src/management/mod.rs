//! What customers' backends do with the users of their project.

pub(crate) mod policy;
pub(crate) mod users;
