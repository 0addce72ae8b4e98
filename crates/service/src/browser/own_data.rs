//! What a user does with all that is kept of them: takes a copy, or has it deleted.

use std::num::NonZeroU32;

use countersign_domain::audit::Actor;
use serde_json::Value;

use super::{Browser, PageRefused, account_mistake::AccountMistake, authorize::Authorized, locale_of};
use crate::{
    Service,
    address::Address,
    admin::Refused,
    caller::Caller,
    deliver::letter::{AccountNews, Letter},
    error::Outage,
    limits::Rate,
    users::export::Looking,
};

/// So often a user may have a copy made, in an hour: the trail is long.
const COPIES: NonZeroU32 = NonZeroU32::new(6).unwrap();

/// What comes of asking for a copy.
pub enum Copy {
    /// The copy.
    Made(Value),
    /// Too many were made.
    Failed(AccountMistake),
    /// They must prove again who they are.
    SignIn(Authorized),
}

/// What comes of asking to be forgotten.
pub enum Erased {
    /// It is done.
    Done,
    /// It was not confirmed.
    Failed(AccountMistake),
    /// They must prove again who they are.
    SignIn(Authorized),
}

impl Service {
    /// A copy of all that is kept of whoever asks.
    pub async fn copy_own_data(
        &self,
        address: &Address,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Copy, PageRefused> {
        let owner = self.owner_of_form(address, unverified_form_token, browser).await?;
        if let Some(authorized) = self.sign_in_if_stale(&owner, browser, caller).await? {
            return Ok(Copy::SignIn(authorized));
        }
        let (project, user) = (&owner.project.project.id, owner.live.session.user);
        let who = ("exports", project.as_str(), user);
        if self.limits.take(&who, Rate::per_hour(COPIES), self.monotonic()).is_err() {
            return Ok(Copy::Failed(AccountMistake::Wait));
        }
        match self.export_user(project, user, Looking::Newest, Some(caller)).await {
            Ok(copy) => Ok(Copy::Made(copy)),
            Err(Refused::Outage(outage)) => Err(outage.into()),
            // Somebody has deleted the account in this very moment.
            Err(_) => Err(PageRefused::Over),
        }
    }

    /// Forgets whoever asks, who types what they are known by.
    pub async fn erase_own_account(
        &self,
        address: &Address,
        typed: &str,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Erased, PageRefused> {
        let owner = self.owner_of_form(address, unverified_form_token, browser).await?;
        if let Some(authorized) = self.sign_in_if_stale(&owner, browser, caller).await? {
            return Ok(Erased::SignIn(authorized));
        }
        let user = owner.live.session.user;
        let known_as = self.known_as(&owner.project, user).await?;
        if typed.trim().to_lowercase() != known_as.to_lowercase() {
            return Ok(Erased::Failed(AccountMistake::Unconfirmed));
        }
        let having = self.identities_of(&owner.project, user).await?;
        let letter = Letter::Account(AccountNews::Deleted);
        let notices = self.account_notices(&owner.project, &having, locale_of(&[], browser), &letter);
        let project = &owner.project.project.id;
        match self.forget_user(project, user, Actor::User(user), Some(caller), notices).await {
            Ok(_) => Ok(Erased::Done),
            Err(Refused::Outage(outage)) => Err(outage.into()),
            Err(Refused::NotFound { .. }) => Err(PageRefused::Over),
            Err(other) => Err(Outage::Fault(other.to_string()).into()),
        }
    }
}
