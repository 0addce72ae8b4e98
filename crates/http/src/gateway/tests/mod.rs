//! The gateway between real clients and real upstreams, over TCP.

mod bodies;
mod failures;
mod framing;
mod headers;
mod paths;
mod reuse;
mod sockets;
mod stage;
mod streams;
mod tls;
mod volume;
