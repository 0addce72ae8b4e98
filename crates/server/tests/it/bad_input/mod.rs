//! What attackers, broken clients and broken networks send.

mod bodies;
mod clocks;
mod connections;
mod framing;
mod logs;
