//! Messages to users, and how they leave.
//!
//! Whoever needs one draws it up ([`draft`]), and writes it in the transaction of what it announces: it is there before anybody is told
//! of it, and survives whatever happens to the process. The worker ([`worker`]) takes on what is due and hands it to the [`carrier`] of its
//! channel, until it has left or its time is over. In development nothing leaves: messages stay where people can read them ([`outbox`]).

pub mod budget;
pub mod carrier;
mod compose;
pub mod content;
pub mod draft;
pub mod health;
pub mod letter;
pub mod outbox;
mod words;
pub mod worker;

pub(crate) use health::Healths;
