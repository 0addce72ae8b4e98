//! Signing in by a passkey. Nobody need have said who they are: whose it is says the passkey.

use std::num::NonZeroU32;

use countersign_crypto::caller_marks::network_of;

use super::{
    action::{Action, Who},
    prompt::Hint,
    step::{StepRefused, Stepping},
};
use crate::{
    Service,
    limits::{Rate, TooMany},
    passkeys::PasskeyRefused,
};

/// How many a sign-in comes to, by and large: one as its page is shown, one by the button, one after a mistake.
const QUESTIONS: NonZeroU32 = NonZeroU32::new(3).unwrap();

impl Service {
    /// Draws up what a passkey is to answer.
    pub(super) fn asking_passkey(&self, stepping: &Stepping<'_>) -> Result<Action, StepRefused> {
        if let Err(reason) = stepping.kept.sign_in.awaits_proof(self.now()) {
            return Ok(Action::Nothing(Some(reason.into())));
        }
        if let Err(too_many) = self.take_question(stepping) {
            return Ok(Action::Nothing(Some(Hint::Wait(too_many.retry_after))));
        }
        match self.begin_assertion(stepping.project) {
            Ok(challenge) => Ok(Action::Ask(Box::new(challenge))),
            Err(PasskeyRefused::Outage(outage)) => Err(outage.into()),
            Err(_) => Ok(Action::Nothing(Some(Hint::RetryPasskey))),
        }
    }

    /// Each question is written down, so one network asks so many: some for each sign-in that it may begin.
    fn take_question(&self, stepping: &Stepping<'_>) -> Result<(), TooMany> {
        let project = stepping.project;
        let who = ("passkey-questions", project.project.id.as_str(), network_of(stepping.caller.address));
        let rate = Rate::per_minute(project.settings.limit_sign_ins.saturating_mul(QUESTIONS));
        self.limits.take(&who, rate, self.monotonic())
    }

    /// A passkey answers. Whatever is wrong with it, whoever shows it hears one thing.
    pub(super) async fn showing_passkey(&self, stepping: &Stepping<'_>, response: &str) -> Result<Action, StepRefused> {
        let project = stepping.project;
        if let Err(reason) = stepping.kept.sign_in.awaits_proof(self.now()) {
            return Ok(Action::Nothing(Some(reason.into())));
        }
        let Some(state) = stepping.kept.passkey_state.clone() else {
            return Ok(Action::Nothing(Some(Hint::RetryPasskey)));
        };
        match self.prove_passkey(project, &state, response, stepping.caller).await {
            Ok(passkey) => {
                let proof = passkey.proof.clone();
                self.showing(stepping, Who::Passkey { proof: Box::new(passkey), state }, proof)
            }
            Err(PasskeyRefused::Outage(outage)) => Err(outage.into()),
            Err(_) => Ok(Action::Fail(match self.take_failure(Some(project), stepping.caller.address) {
                Ok(()) => Hint::RetryPasskey,
                Err(too_many) => Hint::Wait(too_many.retry_after),
            })),
        }
    }
}
