//! A backend has done what its user has proved.

use std::sync::Arc;

use countersign_crypto::jose::step_up_token::StepUpTokenKind;
use countersign_domain::{
    audit::Act,
    clock::Timestamp,
    id::{ProjectId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord, IdentitySource},
    locale::Locale,
    mfa::{Factor, FactorKind},
    step_up::{Change, StepUp},
};
use countersign_storage::{
    Conn,
    error::Result as StorageResult,
    identities, messages,
    second_factors::{self, StoredFactor},
    step_ups::{self, StoredStepUp},
    users,
};

use super::{start::deed, token_of};
use crate::{
    Service,
    admin::Refused,
    caller::Caller,
    deliver::letter::{AccountChange, Letter},
    management::ManagementRefused,
    proof::manager::Manager,
};

/// What the transaction comes to.
enum Applied {
    Done,
    Spent,
    Revoked,
    Taken,
}

impl Service {
    /// Makes the change whose receipt this is, for the client that asked for it. Of however many who show it, one has it done.
    pub async fn consume_step_up(
        &self,
        manager: &Manager,
        receipt: &str,
        expected_userid: Option<&str>,
        caller: &Caller,
    ) -> Result<(), ManagementRefused> {
        let (project, now) = (&manager.project, self.now());
        let token = token_of(project, StepUpTokenKind::Receipt, receipt, now).ok_or(ManagementRefused::NoReceipt)?;
        let id = &project.project.id;
        let mut reader = self.db.reader().await?;
        let stored = step_ups::find(&mut reader.conn(), id, token.id).await?;
        let known_as = identities::list(&mut reader.conn(), id, token.user).await?;
        let before = second_factors::list(&mut reader.conn(), id, token.user).await?;
        drop(reader);
        let step_up = stored.map(|stored| stored.step_up).ok_or(ManagementRefused::NoReceipt)?;
        if step_up.client != manager.client || step_up.user != token.user {
            return Err(ManagementRefused::NoReceipt);
        }
        if let Some(userid) = expected_userid
            && self.managed_user(id, userid).await?.id != step_up.user
        {
            return Err(ManagementRefused::NoReceipt);
        }
        let before: Vec<Factor> = before.into_iter().map(|stored| stored.factor).collect();
        let notices = match step_up.change.as_ref().map(Change::factor) {
            None => Vec::new(),
            Some(None) => {
                let letter = Letter::Changed(AccountChange::PhoneChanged);
                self.account_notices(project, &known_as, Locale::default(), &letter)
            }
            Some(Some((kind, _))) => self.replacement_notices(project, &known_as, &before, kind, Locale::default()),
        };
        let plan = Arc::new((step_up.clone(), notices));
        let done = self.perform(deed(&step_up, Act::StepUpApplied), manager.actor, Some(caller), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (step_up, notices) = &*plan;
                match apply(conn, step_up, now).await? {
                    Applied::Done => {}
                    Applied::Spent => return Ok(Err(Refused::exists("receipt", SPENT))),
                    Applied::Revoked => return Ok(Err(Refused::not_found("receipt", step_up.id))),
                    Applied::Taken => return Ok(Err(Refused::Invalid("the number is another user's".to_owned()))),
                }
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), vec![Self::user_news(&step_up.project, step_up.user, now)])))
            })
        });
        done.await.map_err(|refused| match refused {
            Refused::Exists { .. } => ManagementRefused::Spent,
            Refused::NotFound { .. } => ManagementRefused::NoReceipt,
            other => other.into(),
        })
    }
}

const SPENT: &str = "spent";

async fn apply(conn: &mut Conn<'_>, step_up: &StepUp, now: Timestamp) -> StorageResult<Applied> {
    let (project, user) = (&step_up.project, step_up.user);
    let found = users::find(conn, project, user).await?;
    if !found.is_some_and(|found| found.disabled_at.is_none() && found.generation == step_up.user_generation) {
        return Ok(Applied::Revoked);
    }
    // Whether the number is free is asked before anything is written: what is refused leaves the receipt as it was.
    if let Some(Change::Phone(number)) = &step_up.change
        && let Some(owner) = identities::find(conn, project, &Identity::Phone(number.clone())).await?
        && owner.user != user
    {
        return Ok(Applied::Taken);
    }
    let Some(stored) = step_ups::apply(conn, project, step_up.id, now).await? else {
        return Ok(Applied::Spent);
    };
    match &step_up.change {
        None => {}
        Some(Change::Phone(number)) => {
            set_phone(conn, project, user, &Identity::Phone(number.clone()), now).await?;
        }
        Some(change) => set_factor(conn, &stored, change, now).await?,
    }
    Ok(Applied::Done)
}

/// The user has this factor and no other.
async fn set_factor(conn: &mut Conn<'_>, stored: &StoredStepUp, change: &Change, now: Timestamp) -> StorageResult<()> {
    let Some((kind, contact)) = change.factor() else { return Ok(()) };
    let (project, user) = (&stored.step_up.project, stored.step_up.user);
    let factor = StoredFactor {
        factor: Factor { kind, contact, created_at: now, last_used_at: None },
        sealed_seed: stored.sealed_seed.clone().filter(|_| kind == FactorKind::Totp),
        used_step: stored.used_step,
    };
    second_factors::put(conn, project, user, &factor).await?;
    second_factors::delete_others(conn, project, user, kind).await?;
    Ok(())
}

/// The user has this number and no other, and a second factor by text message goes there.
async fn set_phone(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    number: &Identity,
    now: Timestamp,
) -> StorageResult<()> {
    let known_as = identities::list(conn, project, user).await?;
    for known in known_as.iter().filter(|known| known.identity.kind() == IdentityKind::Phone) {
        identities::delete(conn, project, user, &known.identity).await?;
    }
    let record = IdentityRecord {
        identity: number.clone(),
        user,
        source: IdentitySource::Proof,
        verified_at: Some(now),
        created_at: now,
    };
    identities::insert_many(conn, &[(project, &record)]).await?;
    let factors = second_factors::list(conn, project, user).await?;
    for stored in factors.into_iter().filter(|stored| stored.factor.kind == FactorKind::Sms) {
        let factor = Factor { contact: Some(number.clone()), ..stored.factor.clone() };
        second_factors::put(conn, project, user, &StoredFactor { factor, ..stored }).await?;
    }
    Ok(())
}
