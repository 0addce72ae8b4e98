//! Looking at second factors, giving users some, and taking them away.

use std::sync::Arc;

use countersign_crypto::{
    secret::SecretText,
    typed_code::{TypedCodeHash, generate},
};
use countersign_domain::{
    audit::{Act, Subject},
    id::{ProjectId, UserId},
    mfa::{Factor, FactorKind, Preference},
};
use countersign_storage::{
    identities,
    messages::{self, OutgoingMessage},
    mfa_preferences, recovery_codes,
    second_factors::{self, StoredFactor},
};

use crate::{
    Service,
    admin::{Deed, Refused},
    deliver::letter::{AccountChange, Letter},
    error::Outage,
    passkeys::By,
};

/// How many recovery codes a user is given.
const RECOVERY_CODES: usize = 10;

/// What a user has, and wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaState {
    /// What was used last, or is newest, first.
    pub factors: Vec<Factor>,
    /// None: they never said.
    pub preference: Option<Preference>,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

impl Service {
    /// A user's second factors, and what goes with them.
    pub async fn mfa_state(&self, project: &ProjectId, user: UserId) -> Result<MfaState, Outage> {
        let mut reader = self.db.reader().await?;
        let stored = second_factors::list(&mut reader.conn(), project, user).await?;
        Ok(MfaState {
            factors: stored.into_iter().map(|stored| stored.factor).collect(),
            preference: mfa_preferences::find(&mut reader.conn(), project, user).await?,
            recovery_codes: recovery_codes::count(&mut reader.conn(), project, user).await?,
        })
    }

    /// Gives a user a factor, which takes the place of one of its kind. The user is told.
    pub async fn add_factor(
        &self,
        project: &ProjectId,
        user: UserId,
        stored: StoredFactor,
        by: By<'_>,
    ) -> Result<(), Refused> {
        let kind = stored.factor.kind;
        let notices = self.factor_notices(project, user, AccountChange::FactorAdded(kind), by).await?;
        let plan = Arc::new((project.clone(), stored, notices));
        let deed = deed(project, user, Act::FactorAdded, Some(("factor", kind.as_str())));
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, stored, notices) = &*plan;
                second_factors::put(conn, project, user, stored).await?;
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), Vec::new())))
            })
        });
        done.await
    }

    /// Takes a factor from a user, who is told so.
    pub async fn remove_factor(
        &self,
        project: &ProjectId,
        user: UserId,
        kind: FactorKind,
        by: By<'_>,
    ) -> Result<(), Refused> {
        let notices = self.factor_notices(project, user, AccountChange::FactorRemoved(kind), by).await?;
        let plan = Arc::new((project.clone(), notices));
        let deed = deed(project, user, Act::FactorRemoved, Some(("factor", kind.as_str())));
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, notices) = &*plan;
                if !second_factors::delete(conn, project, user, kind).await? {
                    return Ok(Err(Refused::not_found("second factor", kind)));
                }
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), Vec::new())))
            })
        });
        done.await
    }

    /// Writes when a user wants to be asked.
    pub async fn set_mfa_preference(
        &self,
        project: &ProjectId,
        user: UserId,
        preference: Preference,
        by: By<'_>,
    ) -> Result<(), Refused> {
        let now = self.now();
        let deed = deed(project, user, Act::MfaPreferenceSet, Some(("preference", preference.as_str())));
        let project = Arc::new(project.clone());
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let project = Arc::clone(&project);
            Box::pin(async move {
                mfa_preferences::put(conn, &project, user, preference, now).await?;
                Ok(Ok(((), Vec::new())))
            })
        });
        done.await
    }

    /// Gives a user new recovery codes. They are shown now and never again; those from before are worthless. The user is told.
    pub async fn make_recovery_codes(
        &self,
        project: &ProjectId,
        user: UserId,
        by: By<'_>,
    ) -> Result<Vec<SecretText>, Refused> {
        let now = self.now();
        let codes: Vec<SecretText> = (0..RECOVERY_CODES).map(|_| generate(&self.entropy)).collect();
        let hashes: Vec<TypedCodeHash> =
            codes.iter().filter_map(|code| TypedCodeHash::of_unverified(code.danger_expose())).collect();
        let notices = self.factor_notices(project, user, AccountChange::RecoveryCodesMade, by).await?;
        let deed = deed(project, user, Act::RecoveryCodesMade, None);
        let plan = Arc::new((project.clone(), hashes, notices));
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, hashes, notices) = &*plan;
                recovery_codes::replace(conn, project, user, hashes, now).await?;
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), Vec::new())))
            })
        });
        done.await?;
        Ok(codes)
    }

    async fn factor_notices(
        &self,
        project: &ProjectId,
        user: UserId,
        change: AccountChange,
        by: By<'_>,
    ) -> Result<Vec<OutgoingMessage>, Refused> {
        let view = self.directory.load().project(project.as_str()).cloned();
        let view = view.ok_or_else(|| Refused::not_found("project", project))?;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let known_as = identities::list(&mut reader.conn(), project, user).await.map_err(Outage::from)?;
        Ok(self.account_notices(&view, &known_as, by.locale(), &Letter::Changed(change)))
    }
}

fn deed(project: &ProjectId, user: UserId, act: Act, detail: Option<(&'static str, &'static str)>) -> Deed {
    let subject = Subject { user: Some(user), ..Subject::default() };
    let detail = detail.map(|(name, value)| (name, value.to_owned())).into_iter().collect();
    Deed { project: project.clone(), act, subject, detail }
}
