//! What customers' backends ask of their project, and hear.

pub mod error;
pub mod policy;
pub mod step_up;
pub mod user;
