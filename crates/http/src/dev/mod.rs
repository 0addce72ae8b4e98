//! What there is in development mode alone, for people and scripts on this machine. No part of the API: it is in no document, and in
//! production there is nothing at its paths.

mod developer;
pub(crate) mod outbox;
