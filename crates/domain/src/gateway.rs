//! Where the gateway takes a call: upstreams, routes, and which paths can be judged at all.
//!
//! A route is chosen by host and path, and says whose calls it takes. That is worth something only as long as the upstream reads the path as
//! we did: what it could read otherwise is refused ([`path`]), or taken only where both readings lead the same way ([`routes`]).

pub mod credential;
pub mod path;
pub mod routes;
pub mod upstream;
