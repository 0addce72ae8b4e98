//! The second half of a sign-in: what else is asked of somebody who has proved a first factor, and what they show.

mod ask;
mod show;
mod write;

use countersign_domain::{
    id::ProjectId,
    identity::IdentityKind,
    mfa::{Factor, FirstProved, MfaPolicy, Wanted, wanted},
    proof::{Level, Proof},
    risk::Assessment,
    sign_in::{Asked, Second},
};
use countersign_storage::{Conn, error::Result, mfa_preferences, recovery_codes, second_factors};

pub(super) use self::show::SecondShown;
use crate::{oauth::authorization::AuthorizationRequest, users::arrival::ArrivedUser};

/// A first factor, as it is proved just now.
pub(super) struct First {
    pub(super) proof: Proof,
    /// To what kind of address a code was sent.
    pub(super) by: Option<IdentityKind>,
    /// As the trail has it.
    pub(super) method: &'static str,
    /// What the project asks of its users.
    pub(super) policy: MfaPolicy,
    /// Does the app want two factors?
    pub(super) is_demanded: bool,
}

impl First {
    /// In the transaction that proves it: what else is asked. None: nothing.
    pub(super) async fn second(
        &self,
        conn: &mut Conn<'_>,
        project: &ProjectId,
        user: &ArrivedUser,
        risk: &Assessment,
    ) -> Result<Option<Second>> {
        if self.proof.level >= Level::TwoFactors {
            return Ok(None);
        }
        let stored = second_factors::list(conn, project, user.id).await?;
        let factors: Vec<Factor> = stored.into_iter().map(|stored| stored.factor).collect();
        let proved = FirstProved {
            by: self.by,
            level: self.proof.level,
            preference: mfa_preferences::find(conn, project, user.id).await?,
            factors: &factors,
            risk,
            is_demanded: self.is_demanded,
        };
        let choices = match wanted(self.policy, &proved) {
            Wanted::Nothing => return Ok(None),
            Wanted::One(kinds) => kinds,
            Wanted::SetUp => Vec::new(),
        };
        Ok(Some(Second {
            user: user.id,
            generation: user.generation,
            first: self.proof.clone(),
            first_by: self.by,
            first_method: self.method.to_owned(),
            // Codes take the place of a factor; who has none that would do has nothing to replace.
            has_recovery_codes: !choices.is_empty() && recovery_codes::count(conn, project, user.id).await? > 0,
            choices,
            asked: Asked::Which,
            tries: 0,
        }))
    }
}

/// Does the app want two factors, and nothing less? Names of levels that nobody knows say nothing.
pub(crate) fn is_demanded(request: Option<&AuthorizationRequest>) -> bool {
    let levels = request.into_iter().flat_map(|request| &request.acr_values);
    levels.filter_map(|value| value.parse::<Level>().ok()).min() == Some(Level::TwoFactors)
}
