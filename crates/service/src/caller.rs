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

/// What is kept of what a caller calls itself.
const LONGEST_AGENT: usize = 256;

impl Caller {
    /// What it calls itself, as far as that is kept.
    pub(crate) fn agent(&self) -> String {
        self.user_agent.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect()
    }
}
