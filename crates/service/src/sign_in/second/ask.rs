//! What is asked as a second factor, and sent for it.

use countersign_crypto::{one_time_code::OneTimeCode, seal::Place, totp::TotpSeed};
use countersign_domain::{
    id::{ChallengeId, ProjectId, SignInId},
    identity::Identity,
    mfa::FactorKind,
    sign_in::{Asked, CODE_LIFETIME, Second},
    text::PhoneNumber,
};
use countersign_storage::second_factors;

use super::super::{
    action::{Action, SendingSecond},
    prompt::Hint,
    step::{Move, StepRefused, Stepping},
};
use crate::{Service, code_sign_in::destination_of, deliver::health::ChannelState, deliver::letter::Letter};

impl Service {
    /// What somebody does next who has proved a first factor.
    pub(in super::super) async fn second_action(
        &self,
        stepping: &Stepping<'_>,
        second: &Second,
        wanted: Move<'_>,
    ) -> Result<Action, StepRefused> {
        match (wanted, &second.asked) {
            (Move::Look, _) => Ok(Action::Nothing(None)),
            (Move::Code(code), _) => self.showing_second(stepping, second, code).await,
            (Move::RecoveryCode(code), _) if second.has_recovery_codes => {
                self.showing_recovery_code(stepping, second, code).await
            }
            (Move::Second(FactorKind::Totp), _) if second.is_set_up() => Ok(self.asking_new_totp(stepping)),
            (Move::Second(FactorKind::Sms), _) if second.is_set_up() => Ok(Action::AskSecond(Asked::WhichPhone)),
            (Move::Second(FactorKind::Totp), _) if second.choices.contains(&FactorKind::Totp) => {
                Ok(Action::AskSecond(Asked::Totp))
            }
            (Move::Second(kind), _) if second.choices.contains(&kind) => {
                match self.contact_of(stepping, second, kind).await? {
                    Some(contact) => self.sending_second(stepping, Some(kind), contact),
                    None => Ok(Action::Nothing(Some(Hint::RetryInput))),
                }
            }
            (Move::Resend, Asked::Sent { kind, to, .. }) => self.sending_second(stepping, Some(*kind), to.clone()),
            (Move::Resend, Asked::NewPhone { to, .. }) => self.sending_second(stepping, None, to.clone()),
            (Move::Phone(typed), _) if second.is_set_up() => match phone_number(typed) {
                Some(number) => self.sending_second(stepping, None, Identity::Phone(number)),
                None => Ok(Action::Nothing(Some(Hint::RetryInput))),
            },
            _ => Ok(Action::Nothing(Some(Hint::RetryInput))),
        }
    }

    async fn contact_of(
        &self,
        stepping: &Stepping<'_>,
        second: &Second,
        kind: FactorKind,
    ) -> Result<Option<Identity>, StepRefused> {
        let mut reader = self.db.reader().await?;
        let all = second_factors::list(&mut reader.conn(), &stepping.project.project.id, second.user).await?;
        Ok(all.into_iter().find(|stored| stored.factor.kind == kind).and_then(|stored| stored.factor.contact))
    }

    fn asking_new_totp(&self, stepping: &Stepping<'_>) -> Action {
        let sign_in = &stepping.kept.sign_in;
        let seed = TotpSeed::generate(&self.entropy);
        let row = [sign_in.project.as_str(), &sign_in.id.to_string()];
        let sealed_seed = self.master_key.seal(pending_seed_place(&row), seed.danger_bytes());
        Action::AskSecond(Asked::NewTotp { sealed_seed })
    }

    /// The seed that somebody is about to set up.
    pub(crate) fn pending_seed(&self, project: &ProjectId, id: SignInId, sealed: &str) -> Option<TotpSeed> {
        let row = [project.as_str(), &id.to_string()];
        TotpSeed::from_bytes(&self.master_key.open(pending_seed_place(&row), sealed).ok()?)
    }

    fn sending_second(
        &self,
        stepping: &Stepping<'_>,
        kind: Option<FactorKind>,
        to: Identity,
    ) -> Result<Action, StepRefused> {
        let (project, now) = (stepping.project, self.now());
        let challenge = ChallengeId::new(now, self.entropy.bytes());
        if let Err(reason) = stepping.kept.sign_in.clone().send_second(kind, to.clone(), challenge, now) {
            return Ok(Action::Nothing(Some(reason.into())));
        }
        let Some(destination) = destination_of(&to) else {
            return Ok(Action::Nothing(Some(Hint::RetryInput)));
        };
        if self.channel_state(destination.channel()) == ChannelState::Absent {
            return Err(StepRefused::NoChannel);
        }
        if let Err(too_many) = self.take_sending_budget(project, &destination, stepping.caller.address) {
            return Ok(Action::Nothing(Some(Hint::Wait(too_many.retry_after))));
        }
        let code = OneTimeCode::generate(&self.entropy);
        let code_hash = self.master_key.one_time_code_key(&project.project.id).hash(challenge, &code);
        let letter = Letter::SignInCode { code: code.into_secret(), link: None, valid_for: CODE_LIFETIME };
        let message = self.draft_code_message(challenge, project, &destination, stepping.locale, &letter, now);
        Ok(Action::SendSecond(Box::new(SendingSecond { kind, to, challenge, code_hash, message })))
    }
}

/// As people write it: what stands between the digits doesn't matter.
pub(crate) fn phone_number(typed: &str) -> Option<PhoneNumber> {
    let plain: String = typed.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/' | '.')).take(32).collect();
    plain.parse().ok()
}

fn pending_seed_place<'a>(row: &'a [&'a str; 2]) -> Place<'a> {
    Place { table: "sign_ins", column: "second", row }
}
