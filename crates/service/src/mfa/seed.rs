//! What authenticator apps count their codes from, at rest.

use countersign_crypto::{seal::Place, totp::TotpSeed};
use countersign_domain::id::{ProjectId, UserId};

use crate::{Service, error::Outage};

fn place<'a>(row: &'a [&'a str; 2]) -> Place<'a> {
    Place { table: "second_factors", column: "sealed_seed", row }
}

impl Service {
    /// Seals a seed for the row of its user.
    pub(crate) fn seal_seed(&self, project: &ProjectId, user: UserId, seed: &TotpSeed) -> String {
        self.master_key.seal(place(&[project.as_str(), &user.to_string()]), seed.danger_bytes())
    }

    /// Opens the seed of a user.
    pub(crate) fn open_seed(&self, project: &ProjectId, user: UserId, sealed: &str) -> Result<TotpSeed, Outage> {
        let opened = self.master_key.open(place(&[project.as_str(), &user.to_string()]), sealed);
        let fault =
            |reason: String| Outage::Fault(format!("the seed of an authenticator app can't be opened: {reason}"));
        let bytes = opened.map_err(|reason| fault(reason.to_string()))?;
        TotpSeed::from_bytes(&bytes).ok_or_else(|| fault("it has another length".to_owned()))
    }
}
