//! What a client is to sign.

use super::SCOPE;
use crate::{
    Service,
    address::{Address, Misaddressed},
};

/// What a client is to sign.
pub struct BootstrapChallenge {
    /// Good for ten minutes at most. One for everybody at a moment: it says only that an assertion wasn't made long before.
    pub nonce: String,
    /// Whom the assertion is for.
    pub audience: String,
    /// What it may ask for.
    pub scope: &'static str,
}

impl Service {
    /// What a client is to sign. Whether there is such a client isn't said, and nothing is written: anybody may ask.
    pub fn bootstrap_challenge(
        &self,
        address: &Address,
        config_id: Option<&str>,
    ) -> Result<BootstrapChallenge, Misaddressed> {
        let project = self.project_named(address, config_id)?;
        Ok(BootstrapChallenge {
            nonce: self.dpop_nonce(&project),
            audience: format!("{}/bootstrap/exchange", project.issuer),
            scope: SCOPE,
        })
    }
}
