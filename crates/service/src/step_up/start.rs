//! A backend asks for a step-up.

use std::{sync::Arc, time::Duration};

use countersign_crypto::jose::step_up_token::{StepUpToken, StepUpTokenKind};
use countersign_domain::{
    audit::{Act, Subject},
    id::{ProjectId, StepUpId, UserId},
    identity::{Identity, IdentityRecord},
    message::Channel,
    step_up::{Change, Purpose, START_LIFETIME, StepUp},
    text::PhoneNumber,
};
use countersign_storage::{identities, step_ups, users};

use crate::{
    Service, admin::Deed, caller::Caller, deliver::health::ChannelState, management::ManagementRefused,
    proof::manager::Manager,
};

/// What a backend asks for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// For whom: an e-mail address, a uid, or the customer's own id.
    pub userid: &'a str,
    /// What it calls it.
    pub purpose: &'a Purpose,
    /// The second factor that the user is to have: `sms_otp`, `email_otp` or `totp`.
    pub new_mfa_method: Option<&'a str>,
    /// The telephone number that the user is to have.
    pub new_phone_number: Option<&'a PhoneNumber>,
}

/// What it gets.
pub struct Started {
    /// For the user's app, which begins with it, once.
    pub token: String,
    /// Within this time.
    pub expires_in: Duration,
}

impl Service {
    /// Asks for a step-up of a user.
    pub async fn start_step_up(
        &self,
        manager: &Manager,
        asked: Asked<'_>,
        caller: &Caller,
    ) -> Result<Started, ManagementRefused> {
        let project = &manager.project;
        let user = self.managed_user(&project.project.id, asked.userid).await?;
        if user.is_disabled {
            return Err(ManagementRefused::UserDisabled);
        }
        let change = self.judge_change(&project.project.id, user.id, asked).await?;
        let now = self.now();
        let mut reader = self.db.reader().await?;
        let found = users::find(&mut reader.conn(), &project.project.id, user.id).await?;
        drop(reader);
        let step_up = StepUp {
            project: project.project.id.clone(),
            id: StepUpId::new(now, self.entropy.bytes()),
            client: manager.client.clone(),
            user: user.id,
            user_generation: found.ok_or(ManagementRefused::NoSuchUser)?.generation,
            purpose: asked.purpose.clone(),
            change,
            created_at: now,
        };
        let token = StepUpToken { id: step_up.id, user: user.id, issued_at: now, expires_at: step_up.start_ends() };
        let kept = Arc::new(step_up.clone());
        let done = self.perform(deed(&step_up, Act::StepUpStarted), manager.actor, Some(caller), move |conn| {
            let kept = Arc::clone(&kept);
            Box::pin(async move {
                step_ups::insert(conn, &kept).await?;
                Ok(Ok(((), Vec::new())))
            })
        });
        done.await?;
        let token = token.sign(StepUpTokenKind::Start, &project.issuer, project.signing_key());
        Ok(Started { token, expires_in: START_LIFETIME })
    }

    /// What is to change, if it can be.
    async fn judge_change(
        &self,
        project: &ProjectId,
        user: UserId,
        asked: Asked<'_>,
    ) -> Result<Option<Change>, ManagementRefused> {
        use ManagementRefused::{Invalid, Taken};
        let known_as = identities::list(&mut self.db.reader().await?.conn(), project, user).await?;
        let number = asked.new_phone_number;
        match (asked.new_mfa_method, number) {
            (Some("totp"), None) => Ok(Some(Change::Totp)),
            (Some("email_otp"), None) => {
                let address = newest(&known_as, |identity, is_verified| match identity {
                    Identity::Email(address) if is_verified => Some(address.clone()),
                    _ => None,
                });
                self.needs_channel(Channel::Email)?;
                address
                    .map(|address| Some(Change::Email(address)))
                    .ok_or(Invalid("the user has no e-mail address that is proved"))
            }
            (Some("sms_otp"), number) => {
                self.needs_channel(Channel::Sms)?;
                let known = newest(&known_as, |identity, _| match identity {
                    Identity::Phone(number) => Some(number.clone()),
                    _ => None,
                });
                let number = number.cloned().or(known);
                number
                    .map(|number| Some(Change::Sms(number)))
                    .ok_or(Invalid("the user has no telephone number: name it as new_phone_number"))
            }
            (Some(_), _) => Err(Invalid(
                "new_mfa_method must be sms_otp, email_otp or totp, and new_phone_number goes with sms_otp alone",
            )),
            (None, Some(number)) => {
                self.needs_channel(Channel::Sms)?;
                let owner = Identity::Phone(number.clone());
                let owner = identities::find(&mut self.db.reader().await?.conn(), project, &owner).await?;
                if owner.is_some_and(|owner| owner.user != user) {
                    return Err(Taken);
                }
                Ok(Some(Change::Phone(number.clone())))
            }
            (None, None) => Ok(None),
        }
    }

    fn needs_channel(&self, channel: Channel) -> Result<(), ManagementRefused> {
        if self.channel_state(channel) == ChannelState::Absent {
            return Err(ManagementRefused::Invalid("this server has no way to send such codes: see its configuration"));
        }
        Ok(())
    }
}

/// The newest of the identities that will do; they come newest first.
fn newest<T>(known_as: &[IdentityRecord], read: impl Fn(&Identity, bool) -> Option<T>) -> Option<T> {
    known_as.iter().find_map(|record| read(&record.identity, record.verified_at.is_some()))
}

/// What is done with a step-up, for the trail.
pub(super) fn deed(step_up: &StepUp, act: Act) -> Deed {
    let change = step_up.change.as_ref().map_or("nothing", Change::kind);
    Deed {
        project: step_up.project.clone(),
        act,
        subject: Subject { user: Some(step_up.user), client: Some(step_up.client.clone()), ..Subject::default() },
        detail: vec![
            ("step_up", step_up.id.to_string()),
            ("purpose", step_up.purpose.as_str().to_owned()),
            ("change", change.to_owned()),
        ],
    }
}
