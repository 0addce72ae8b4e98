//! Passkeys on our own pages: what a page's script asks for, and what a user does with their own.

use std::time::Duration;

use countersign_domain::{
    browser_session::Freshness,
    id::PasskeyId,
    passkey::{MOST, Passkey},
    sign_in::Purpose,
    text::Name,
};
use countersign_storage::browser_sessions;
use serde_json::Value;

use super::{Browser, PageRefused, account::Owner, authorize::Authorized, locale_of, session::LiveBrowser};
use crate::{
    Service,
    address::Address,
    admin::Refused,
    caller::Caller,
    devices::DeviceRefused,
    directory::ProjectView,
    error::Outage,
    passkeys::{By, PasskeyRefused, Registration},
    sign_in::{
        Hint,
        step::{Move, StepRefused, Stepped},
    },
};

/// How lately somebody must have been proved who changes their passkeys: a browser that was left open is worth none.
const LATELY: Duration = Duration::from_mins(10);

/// A user's passkeys, as their own page has them.
pub struct OwnPasskeys {
    /// The oldest first.
    pub all: Vec<Passkey>,
    /// There may be another, as far as browsers can tell.
    pub may_add: bool,
    /// Whoever changes them must sign in again first.
    pub is_locked: bool,
}

/// What a user does with their passkeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// Adds the one that answered the challenge.
    Add {
        /// What the authenticator said.
        response: &'a str,
    },
    /// Calls one something else.
    Rename {
        /// Which.
        id: &'a str,
        /// What.
        name: &'a str,
    },
    /// Takes one away, and signs out wherever it signed in.
    Remove {
        /// Which.
        id: &'a str,
    },
    /// Locks one out, and signs out wherever it signed in.
    Revoke {
        /// Which.
        id: &'a str,
    },
    /// Lets one in again.
    Unrevoke {
        /// Which.
        id: &'a str,
    },
}

/// What a page's script is told that asks for a question.
pub enum Question {
    /// What a passkey is to answer.
    Asked(Value),
    /// Too many were asked: there is another after this time.
    Wait(Duration),
    /// There is none now. Whoever sends the form all the same hears why.
    No,
}

/// What comes of it.
pub enum Changed {
    /// It is done.
    Done,
    /// It won't do.
    Failed,
    /// They must prove again who they are.
    SignIn(Authorized),
}

impl Service {
    /// What a passkey is to answer on the page of a sign-in.
    pub async fn passkey_question_of_page(
        &self,
        address: &Address,
        id: &str,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Question, PageRefused> {
        let own = self.own_sign_in(address, id, browser).await?;
        if !own.visit.is_form_token(own.kept.sign_in.id, unverified_form_token) {
            return Err(PageRefused::Forged);
        }
        match self.stepped_in_browser(&own, Move::AskPasskey, browser, caller).await {
            Ok(Stepped::Asked { passkey: Some(passkey), .. }) => Ok(Question::Asked(passkey.options)),
            Ok(Stepped::Asked { hint: Some(Hint::Wait(wait)), .. }) => Ok(Question::Wait(wait)),
            Ok(Stepped::Asked { .. }) => Ok(Question::No),
            Err(StepRefused::Outage(outage)) => Err(outage.into()),
            Ok(Stepped::Passed { .. }) | Err(_) => Err(PageRefused::Over),
        }
    }

    /// What a new passkey is to answer.
    pub async fn passkey_question_of_account(
        &self,
        address: &Address,
        unverified_form_token: &str,
        browser: Browser<'_>,
    ) -> Result<Question, PageRefused> {
        let Owner { project, live } = self.owner_of_form(address, unverified_form_token, browser).await?;
        if !self.was_proved_lately(&live) {
            return Ok(Question::No);
        }
        let challenge = match self.begin_registration(&project, live.session.user).await {
            Ok(challenge) => challenge,
            Err(PasskeyRefused::Outage(outage)) => return Err(outage.into()),
            Err(_) => return Ok(Question::No),
        };
        let (id, session, state) = (project.project.id.clone(), live.session.id, challenge.state);
        let written = self.db.write(move |mut conn| {
            let (id, state) = (id.clone(), state.clone());
            Box::pin(async move { browser_sessions::keep_passkey_state(&mut conn, &id, session, &state).await })
        });
        written.await.map_err(Outage::from)?;
        Ok(Question::Asked(challenge.options))
    }

    /// A user changes their passkeys.
    pub async fn change_passkeys(
        &self,
        address: &Address,
        change: Change<'_>,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Changed, PageRefused> {
        let owner = self.owner_of_form(address, unverified_form_token, browser).await?;
        if let Some(authorized) = self.sign_in_if_stale(&owner, browser, caller).await? {
            return Ok(Changed::SignIn(authorized));
        }
        let (project, user) = (&owner.project.project.id, owner.live.session.user);
        let by = By::User { caller, locale: locale_of(&[], browser) };
        let done = match change {
            Change::Add { response } => return self.add_passkey(&owner, response, browser, caller).await,
            Change::Rename { id, name } => match (id.parse::<PasskeyId>(), name.parse::<Name>()) {
                (Ok(id), Ok(name)) if !name.as_str().trim().is_empty() => {
                    self.rename_passkey(project, user, id, name, by).await
                }
                _ => return Ok(Changed::Failed),
            },
            Change::Remove { id } | Change::Revoke { id } | Change::Unrevoke { id } => {
                let Ok(id) = id.parse::<PasskeyId>() else { return Ok(Changed::Failed) };
                let done = match change {
                    Change::Revoke { .. } => self.revoke_device(project, user, id, by).await,
                    Change::Unrevoke { .. } => self.unrevoke_device(project, user, id, by).await,
                    _ => self.delete_device(project, user, id, by).await,
                };
                match done {
                    Ok(_) => Ok(()),
                    Err(DeviceRefused::NotFound) => return Ok(Changed::Failed),
                    Err(DeviceRefused::Outage(outage)) => Err(Refused::Outage(outage)),
                }
            }
        };
        match done {
            Ok(()) => Ok(Changed::Done),
            Err(Refused::Outage(outage)) => Err(outage.into()),
            Err(_) => Ok(Changed::Failed),
        }
    }

    async fn add_passkey(
        &self,
        owner: &Owner,
        response: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Changed, PageRefused> {
        let (id, session) = (owner.project.project.id.clone(), owner.live.session.id);
        let taken = self.db.write(move |mut conn| {
            let id = id.clone();
            Box::pin(async move { browser_sessions::take_passkey_state(&mut conn, &id, session).await })
        });
        let Some(state) = taken.await.map_err(Outage::from)? else {
            return Ok(Changed::Failed);
        };
        let registration = Registration {
            user: owner.live.session.user,
            state: &state,
            response,
            name: Name::empty(),
            locale: locale_of(&[], browser),
            browser: Some(session),
        };
        match self.finish_registration(&owner.project, registration, caller).await {
            Ok(_) => Ok(Changed::Done),
            Err(PasskeyRefused::Outage(outage)) => Err(outage.into()),
            Err(PasskeyRefused::SignedOut) => Err(PageRefused::Over),
            Err(_) => Ok(Changed::Failed),
        }
    }

    pub(super) async fn own_passkeys(&self, project: &ProjectView, live: &LiveBrowser) -> Result<OwnPasskeys, Outage> {
        let all = self.list_passkeys(&project.project.id, live.session.user).await?;
        Ok(OwnPasskeys {
            may_add: all.len() < MOST && self.has_passkeys(project),
            is_locked: !self.was_proved_lately(live),
            all,
        })
    }

    /// Whoever changes their account must have been proved lately, and by their second factor if they have one. Where to, for who wasn't.
    pub(super) async fn sign_in_if_stale(
        &self,
        owner: &Owner,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Option<Authorized>, PageRefused> {
        let factors = self.mfa_state(&owner.project.project.id, owner.live.session.user).await?.factors;
        if self.may_change_account(&owner.project, &owner.live, &factors) {
            return Ok(None);
        }
        let sign_in = self.new_sign_in(&owner.project, Purpose::Account);
        self.begin_in_browser(&owner.project, sign_in, browser, caller).await.map(Some)
    }

    pub(super) fn was_proved_lately(&self, live: &LiveBrowser) -> bool {
        let lately = u32::try_from(LATELY.as_secs()).unwrap_or(0);
        live.session.is_fresh(Freshness { max_age: Some(lately), not_before: None }, self.now())
    }
}
