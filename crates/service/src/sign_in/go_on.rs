//! The next step on an app's own screens: a method is chosen, or a code or passkey shown.

use countersign_crypto::sign_in_handle::{HandleHash, UnverifiedHandle, generate};
use countersign_domain::{id::SignInId, mfa::FactorKind, oauth::form::Form};
use countersign_storage::sign_ins::{self, KeptSignIn};

use super::{
    ChallengeCall, ChallengeRefused, Outcome,
    prompt::{EMAIL_CODE, PASSKEY, Prompt, RECOVERY_CODE, SMS_CODE, TOTP},
    step::{Front, Move, StepRefused, Stepped, Stepping},
};
use crate::{
    Service, caller::Caller, client_auth::AuthenticatedClient, directory::ProjectView, error::Outage,
    passkeys::PasskeyChallenge,
};

impl Service {
    pub(super) async fn go_on_with_sign_in(
        &self,
        client: &AuthenticatedClient,
        unverified_handle: &str,
        call: &ChallengeCall<'_>,
        caller: &Caller,
    ) -> Result<Outcome, ChallengeRefused> {
        let project = &client.project;
        let shown = UnverifiedHandle::read(unverified_handle).ok_or(ChallengeRefused::InvalidSession)?;
        let kept = self.find_sign_in(project, shown.unverified_id, &shown.hash).await?;
        let kept = kept.ok_or(ChallengeRefused::InvalidSession)?;
        let is_theirs = kept.sign_in.purpose.client() == Some(&client.id)
            && kept.sign_in.dpop_jkt == self.challenge_key(client, call)?;
        if !is_theirs {
            return Err(ChallengeRefused::InvalidSession);
        }
        let next = generate(kept.sign_in.id, &self.entropy);
        let stepping = Stepping {
            project,
            kept: &kept,
            shown: shown.hash,
            next: HandleHash::of(&next),
            front: Front::App,
            locale: call.locale,
            caller,
        };
        match self.step(&stepping, wanted(call.form, &kept)).await {
            Ok(Stepped::Asked { kept, hint, passkey }) => {
                let prompt = match passkey {
                    Some(PasskeyChallenge { options, expires_at, .. }) => Prompt::ShowPasskey { options, expires_at },
                    None => self.prompt(project, &kept.sign_in, hint),
                };
                let risk = self.told_risk(project, kept.sign_in.identity.as_ref());
                Ok(Outcome::Asked { handle: next, prompt, risk })
            }
            Ok(Stepped::Passed { code: Some(code), .. }) => Ok(Outcome::Code(code)),
            Ok(Stepped::Passed { code: None, .. }) => {
                Err(Outage::Fault("an app's own sign-in ended without a code".to_owned()).into())
            }
            Err(StepRefused::Gone) => Err(ChallengeRefused::InvalidSession),
            Err(StepRefused::NoChannel) => Err(ChallengeRefused::NoChannel),
            Err(StepRefused::Denied(denial)) => Err(ChallengeRefused::Denied(denial)),
            Err(StepRefused::Outage(outage)) => Err(outage.into()),
        }
    }

    /// One that is known by this handle and isn't over.
    pub(crate) async fn find_sign_in(
        &self,
        project: &ProjectView,
        id: SignInId,
        handle: &HandleHash,
    ) -> Result<Option<KeptSignIn>, Outage> {
        let mut reader = self.db.reader().await?;
        let found = sign_ins::find(&mut reader.conn(), &project.project.id, id, handle).await?;
        let now = self.now();
        Ok(found.filter(|kept| !kept.sign_in.expires_at.is_past(now)))
    }
}

fn wanted<'a>(form: &'a Form, kept: &'a KeptSignIn) -> Move<'a> {
    if kept.sign_in.second().is_some() {
        return wanted_as_second(form);
    }
    match (form.text("passkey"), form.text("code"), form.text("method"), &kept.sign_in.identity) {
        (Some(response), ..) => Move::Passkey(response),
        (None, Some(code), ..) => Move::Code(code),
        (None, None, Some(EMAIL_CODE), Some(identity)) => Move::Send(identity),
        (None, None, Some(PASSKEY), _) => Move::AskPasskey,
        (None, None, Some(_), _) => Move::Mistake,
        (None, None, None, _) => Move::Look,
    }
}

fn wanted_as_second(form: &Form) -> Move<'_> {
    match (form.text("code"), form.text("phone"), form.text("method")) {
        (Some(code), _, Some(RECOVERY_CODE)) => Move::RecoveryCode(code),
        (Some(code), ..) => Move::Code(code),
        (None, Some(phone), _) => Move::Phone(phone),
        (None, None, Some(TOTP)) => Move::Second(FactorKind::Totp),
        (None, None, Some(SMS_CODE)) => Move::Second(FactorKind::Sms),
        (None, None, Some(EMAIL_CODE)) => Move::Second(FactorKind::Email),
        (None, None, Some(_)) => Move::Mistake,
        (None, None, None) => Move::Look,
    }
}
