//! How much the server remembers: each entry takes a few hundred bytes, and the least used make room.

use serde::Deserialize;

/// `[memory]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Access tokens whose signature needn't be checked again. Default: 100,000.
    pub verified_tokens: usize,
    /// Users whose names needn't be read again. Default: 100,000.
    pub known_users: usize,
    /// Assertions for the APIs behind us that needn't be signed again, about 1 KiB each. Default: 30,000.
    pub assertions: usize,
    /// Callers that are counted at once for limits. Default: 100,000.
    pub counted_callers: usize,
    /// Proofs of possession, none of which is taken twice. Default: 100,000.
    pub seen_proofs: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            verified_tokens: 100_000,
            known_users: 100_000,
            assertions: 30_000,
            counted_callers: 100_000,
            seen_proofs: 100_000,
        }
    }
}
