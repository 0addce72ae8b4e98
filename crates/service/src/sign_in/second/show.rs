//! What is shown as a second factor, checked as far as it can be before the transaction.

use countersign_crypto::{
    one_time_code::{OneTimeCode, OneTimeCodeKey},
    typed_code::TypedCodeHash,
};
use countersign_domain::{
    clock::Timestamp,
    id::{AuditId, UserId},
    identity::Identity,
    mfa::{Factor, FactorKind, level_of_both},
    proof::{Level, Method, Proof},
    sign_in::{Asked, Second},
};
use countersign_storage::{
    identities,
    messages::OutgoingMessage,
    second_factors::{self, StoredFactor},
};

use super::super::{
    action::{Action, Who},
    prompt::Hint,
    step::{StepRefused, Stepping},
};
use crate::{
    Service,
    deliver::letter::{AccountChange, Letter},
    error::Outage,
    guesses::Guessed,
};

/// Something that is shown by a user who has proved a first factor.
pub(in super::super) struct SecondShown {
    pub(in super::super) user: UserId,
    /// How both were proved, as the trail has it.
    pub(in super::super) methods: String,
    pub(super) by: ShownBy,
    /// Who is told, if it changes what the user has.
    pub(super) notices: Vec<OutgoingMessage>,
    pub(super) entry: AuditId,
}

pub(super) enum ShownBy {
    /// The code of this step, of the app that has this seed.
    Totp { sealed_seed: String, step: i64 },
    /// What was sent there.
    Sent { kind: FactorKind, to: Identity, code: OneTimeCode, key: Box<OneTimeCodeKey> },
    /// One of the codes that the user keeps.
    Recovery(TypedCodeHash),
    /// The code of an app that has just been set up. `pending`: the seed as it was kept.
    NewTotp { pending: String, factor: StoredFactor },
    /// What was sent to a telephone that is to become a factor.
    NewPhone { to: Identity, code: OneTimeCode, key: Box<OneTimeCodeKey>, factor: StoredFactor },
}

impl ShownBy {
    /// As what factor it counts; none: as whichever was asked for.
    const fn kind(&self) -> Option<FactorKind> {
        match self {
            Self::Totp { .. } | Self::NewTotp { .. } => Some(FactorKind::Totp),
            Self::Sent { kind, .. } => Some(*kind),
            Self::NewPhone { .. } => Some(FactorKind::Sms),
            Self::Recovery(_) => None,
        }
    }

    const fn method(&self) -> &'static str {
        match self {
            Self::Totp { .. } => "totp",
            Self::Sent { kind: FactorKind::Email, .. } => "email_code",
            Self::Sent { .. } => "sms_code",
            Self::Recovery(_) => "recovery_code",
            Self::NewTotp { .. } => "new_totp",
            Self::NewPhone { .. } => "new_sms_code",
        }
    }
}

impl Service {
    /// A code is shown, of whatever is asked for.
    pub(super) async fn showing_second(
        &self,
        stepping: &Stepping<'_>,
        second: &Second,
        unverified: &str,
    ) -> Result<Action, StepRefused> {
        let now = self.now();
        if let Some(hint) = self.may_not_show(stepping, second) {
            return Ok(Action::Nothing(Some(hint)));
        }
        let Some(code) = OneTimeCode::unverified(unverified) else {
            return Ok(Action::Nothing(Some(Hint::RetryInput)));
        };
        let by = match &second.asked {
            Asked::Which | Asked::WhichPhone => return Ok(Action::Nothing(Some(Hint::RetryInput))),
            Asked::Totp => self.shown_totp(stepping, second, &code, now).await?,
            Asked::NewTotp { sealed_seed } => self.shown_new_totp(stepping, second, sealed_seed, &code, now),
            Asked::Sent { kind, to, .. } => {
                let key = Box::new(self.master_key.one_time_code_key(&stepping.project.project.id));
                Some(ShownBy::Sent { kind: *kind, to: to.clone(), code, key })
            }
            Asked::NewPhone { to, .. } => {
                let key = Box::new(self.master_key.one_time_code_key(&stepping.project.project.id));
                let contact = Some(to.clone());
                let factor = Factor { kind: FactorKind::Sms, contact, created_at: now, last_used_at: Some(now) };
                let factor = StoredFactor { factor, sealed_seed: None, used_step: 0 };
                Some(ShownBy::NewPhone { to: to.clone(), code, key, factor })
            }
        };
        match by {
            Some(by) => self.showing_as_second(stepping, second, by).await,
            None => Ok(Action::Mistake),
        }
    }

    /// A recovery code is shown.
    pub(super) async fn showing_recovery_code(
        &self,
        stepping: &Stepping<'_>,
        second: &Second,
        unverified: &str,
    ) -> Result<Action, StepRefused> {
        if let Some(hint) = self.may_not_show(stepping, second) {
            return Ok(Action::Nothing(Some(hint)));
        }
        match TypedCodeHash::of_unverified(unverified) {
            Some(hash) => self.showing_as_second(stepping, second, ShownBy::Recovery(hash)).await,
            None => Ok(Action::Nothing(Some(Hint::RetryInput))),
        }
    }

    fn may_not_show(&self, stepping: &Stepping<'_>, second: &Second) -> Option<Hint> {
        if let Err(reason) = stepping.kept.sign_in.judge_second(self.now()) {
            return Some(reason.into());
        }
        let room = self.room_for_guess(stepping.project, Guessed::SecondFactor(second.user));
        room.err().map(|too_many| Hint::Wait(too_many.retry_after))
    }

    async fn shown_totp(
        &self,
        stepping: &Stepping<'_>,
        second: &Second,
        code: &OneTimeCode,
        now: Timestamp,
    ) -> Result<Option<ShownBy>, StepRefused> {
        let project = &stepping.project.project.id;
        let mut reader = self.db.reader().await?;
        let all = second_factors::list(&mut reader.conn(), project, second.user).await?;
        let sealed = all.into_iter().find_map(|stored| stored.sealed_seed);
        let Some(sealed_seed) = sealed else { return Ok(None) };
        let seed = self.open_seed(project, second.user, &sealed_seed).map_err(StepRefused::Outage)?;
        Ok(seed.step_of(code, now).map(|step| ShownBy::Totp { sealed_seed, step }))
    }

    fn shown_new_totp(
        &self,
        stepping: &Stepping<'_>,
        second: &Second,
        pending: &str,
        code: &OneTimeCode,
        now: Timestamp,
    ) -> Option<ShownBy> {
        let sign_in = &stepping.kept.sign_in;
        let seed = self.pending_seed(&sign_in.project, sign_in.id, pending)?;
        let used_step = seed.step_of(code, now)?;
        let factor = Factor { kind: FactorKind::Totp, contact: None, created_at: now, last_used_at: Some(now) };
        let sealed_seed = Some(self.seal_seed(&sign_in.project, second.user, &seed));
        let factor = StoredFactor { factor, sealed_seed, used_step };
        Some(ShownBy::NewTotp { pending: pending.to_owned(), factor })
    }

    async fn showing_as_second(
        &self,
        stepping: &Stepping<'_>,
        second: &Second,
        by: ShownBy,
    ) -> Result<Action, StepRefused> {
        let now = self.now();
        let change = match &by {
            ShownBy::NewTotp { .. } => Some(AccountChange::FactorAdded(FactorKind::Totp)),
            ShownBy::NewPhone { .. } => Some(AccountChange::FactorAdded(FactorKind::Sms)),
            ShownBy::Recovery(_) => Some(AccountChange::RecoveryCodeUsed),
            ShownBy::Totp { .. } | ShownBy::Sent { .. } => None,
        };
        let notices = match change {
            Some(change) => self.notices_of(stepping, second.user, &Letter::Changed(change)).await?,
            None => Vec::new(),
        };
        let shown = SecondShown {
            user: second.user,
            methods: format!("{}+{}", second.first_method, by.method()),
            notices,
            entry: AuditId::new(now, self.entropy.bytes()),
            by,
        };
        let proof = proof_of_both(second, &shown.by, now);
        self.showing(stepping, Who::Second(Box::new(shown)), proof)
    }

    async fn notices_of(
        &self,
        stepping: &Stepping<'_>,
        user: UserId,
        letter: &Letter,
    ) -> Result<Vec<OutgoingMessage>, Outage> {
        let mut reader = self.db.reader().await?;
        let known_as = identities::list(&mut reader.conn(), &stepping.project.project.id, user).await?;
        Ok(self.account_notices(stepping.project, &known_as, stepping.locale, letter))
    }
}

/// RFC 8176: `mfa` stands beside the methods, and only where they are two.
fn proof_of_both(second: &Second, by: &ShownBy, now: Timestamp) -> Proof {
    let level = by.kind().map_or(Level::TwoFactors, |kind| level_of_both(second.first_by, kind));
    let own = if by.kind() == Some(FactorKind::Sms) { &["otp", "sms"][..] } else { &["otp"][..] };
    let both = if level == Level::TwoFactors { &["mfa"][..] } else { &[][..] };
    let mut methods = second.first.methods.clone();
    for method in own.iter().chain(both).filter_map(|name| name.parse::<Method>().ok()) {
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    Proof { methods, level, at: now }
}
