//! Who calls, as far as the connection tells.

use std::net::IpAddr;

/// What is known of a caller before anything was proved.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The address it calls from; behind a trusted proxy, the one that the proxy saw.
    pub address: IpAddr,
    /// What it says it is; empty where it says nothing.
    pub user_agent: String,
    /// The origin of the page, where the call comes from one in a browser (Fetch standard, `Origin`).
    pub origin: Option<Box<str>>,
    /// The name of the request in logs and in the audit trail.
    pub request_id: String,
}
