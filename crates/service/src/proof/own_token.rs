//! An app shows its own access token. Garbage counts against the network that it comes from; an authentic token is served even when others
//! there have failed too often.

use super::access_token::{Bearer, TokenRefused};
use crate::{Service, address::Address, caller::Caller, limits::TooMany};

/// Why an app isn't told.
#[derive(Debug, thiserror::Error)]
pub enum OwnTokenRefused {
    /// Its token isn't taken.
    #[error(transparent)]
    Refused(#[from] TokenRefused),
    /// It isn't taken, and from that network too many weren't.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
}

impl Service {
    /// Who shows a live access token of the project that the call is addressed to is the user it names.
    pub fn prove_own_token(
        &self,
        address: &Address,
        unverified: &str,
        caller: &Caller,
    ) -> Result<Bearer, OwnTokenRefused> {
        let refused = match self.prove_access_token(address, unverified) {
            Ok(bearer) => return Ok(bearer),
            Err(refused) => refused,
        };
        if let (TokenRefused::NotOurs, Ok(project)) = (&refused, self.addressed(address, None)) {
            self.take_failure(&project, caller).map_err(OwnTokenRefused::TooMany)?;
        }
        Err(refused.into())
    }
}
