//! What customers' backends do with the users of their project.

pub(crate) mod policy;
pub(crate) mod step_up;
pub(crate) mod users;
