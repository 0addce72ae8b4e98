//! The second half of a sign-in: a first factor is proved, another is asked for.

use super::{CODE_LIFETIME, NotNow, SENDS, SentCode, SignIn, Step, TRIES};
use crate::{
    clock::Timestamp,
    id::{ChallengeId, UserId},
    identity::{Identity, IdentityKind},
    mfa::FactorKind,
    proof::Proof,
    risk::Assessment,
};

/// What is known once a first factor is proved, and what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Second {
    /// Who it is, if the second factor says so, too.
    pub user: UserId,
    /// How often the user was revoked then: who is revoked meanwhile begins again.
    pub generation: u32,
    /// How the first factor was proved.
    pub first: Proof,
    /// To what kind of address a code was sent; none: another way.
    pub first_by: Option<IdentityKind>,
    /// The same, as the trail has it.
    pub first_method: String,
    /// What would do, the best first. Empty: the user has nothing that would do, and sets something up.
    pub choices: Vec<FactorKind>,
    /// Has the user recovery codes?
    pub has_recovery_codes: bool,
    /// What is asked.
    pub asked: Asked,
    /// How often something wrong was shown. Another code doesn't forget it.
    pub tries: u32,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Which factor it is to be.
    Which,
    /// What the authenticator app shows.
    Totp,
    /// What was sent there.
    Sent {
        /// As what factor.
        kind: FactorKind,
        /// Where it went.
        to: Identity,
        /// What went there.
        code: SentCode,
    },
    /// What the authenticator app shows once it has this seed.
    NewTotp {
        /// The seed, sealed.
        sealed_seed: String,
    },
    /// Which telephone is to be the factor.
    WhichPhone,
    /// What was sent to that telephone.
    NewPhone {
        /// Where it went.
        to: Identity,
        /// What went there.
        code: SentCode,
    },
}

impl Asked {
    /// The code that was sent.
    pub const fn sent(&self) -> Option<&SentCode> {
        match self {
            Self::Sent { code, .. } | Self::NewPhone { code, .. } => Some(code),
            Self::Which | Self::Totp | Self::NewTotp { .. } | Self::WhichPhone => None,
        }
    }
}

impl Second {
    /// Does the user set something up?
    pub const fn is_set_up(&self) -> bool {
        self.choices.is_empty()
    }

    /// How often something may still be shown.
    pub const fn tries_left(&self) -> u32 {
        TRIES.saturating_sub(self.tries)
    }
}

impl SignIn {
    /// A first factor is proved, which isn't enough.
    #[must_use]
    pub fn first_proved(self, second: Second, risk: Assessment) -> Self {
        Self { step: Step::Second(Box::new(second)), risk, ..self }
    }

    /// What is known, where a second factor is asked for.
    pub fn second(&self) -> Option<&Second> {
        match &self.step {
            Step::Second(second) => Some(second),
            Step::Choosing | Step::Sent(_) | Step::Proved(_) => None,
        }
    }

    /// Something is shown as a second factor, or to be set up as one: may it be looked at?
    pub fn judge_second(&self, now: Timestamp) -> Result<&Second, NotNow> {
        self.is_open(now)?;
        let second = self.second().ok_or(NotNow::NoCode)?;
        if second.tries_left() == 0 {
            return Err(NotNow::TooManyCodes);
        }
        Ok(second)
    }

    /// A code is shown that was sent: may it be looked at?
    pub fn judge_second_code(&self, now: Timestamp) -> Result<SentCode, NotNow> {
        let sent = *self.judge_second(now)?.asked.sent().ok_or(NotNow::NoCode)?;
        if sent.sent_at.plus(CODE_LIFETIME).is_past(now) { Err(NotNow::CodeOver) } else { Ok(sent) }
    }

    /// Something else is asked, for which nothing is sent.
    pub fn ask_second(self, asked: Asked, now: Timestamp) -> Result<Self, NotNow> {
        let second = Second { asked, ..self.judge_second(now)?.clone() };
        Ok(Self { step: Step::Second(Box::new(second)), ..self })
    }

    /// A code is sent: as this factor, or, where there is none yet, to what is to become one.
    pub fn send_second(
        self,
        kind: Option<FactorKind>,
        to: Identity,
        challenge: ChallengeId,
        now: Timestamp,
    ) -> Result<Self, NotNow> {
        let second = self.judge_second(now)?;
        if let Some(sent) = second.asked.sent()
            && sent.resend_at() > now
        {
            return Err(NotNow::Wait(sent.resend_at().since(now)));
        }
        if self.sends >= SENDS {
            return Err(NotNow::TooManyCodes);
        }
        let code = SentCode { challenge, tries: 0, sent_at: now };
        let asked = match kind {
            Some(kind) => Asked::Sent { kind, to, code },
            None => Asked::NewPhone { to, code },
        };
        let second = Second { asked, ..second.clone() };
        Ok(Self { step: Step::Second(Box::new(second)), sends: self.sends + 1, ..self })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        id::SignInId,
        proof::Level,
        sign_in::{APART, Purpose},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + second)
    }

    fn challenge(n: u8) -> ChallengeId {
        ChallengeId::new(at(0), [n; 10])
    }

    fn phone() -> Identity {
        Identity::Phone("+15551234567".parse().unwrap())
    }

    fn begun() -> SignIn {
        let sign_in = SignIn {
            project: "p1".parse().unwrap(),
            id: SignInId::new(at(0), [1; 10]),
            purpose: Purpose::Account,
            identity: None,
            dpop_jkt: None,
            step: Step::Choosing,
            sends: 1,
            risk: Assessment::default(),
            created_at: at(0),
            expires_at: at(1800),
        };
        let second = Second {
            user: UserId::from_bytes([7; 16]),
            generation: 0,
            first: Proof { methods: Vec::new(), level: Level::OneFactor, at: at(0) },
            first_by: Some(IdentityKind::Email),
            first_method: "email_code".to_owned(),
            choices: vec![FactorKind::Sms, FactorKind::Totp],
            has_recovery_codes: false,
            asked: Asked::Which,
            tries: 0,
        };
        sign_in.first_proved(second, Assessment::default())
    }

    fn send(sign_in: SignIn, n: u8, second: i64) -> Result<SignIn, NotNow> {
        sign_in.send_second(Some(FactorKind::Sms), phone(), challenge(n), at(second))
    }

    #[test]
    fn the_first_factor_is_proved_once_and_no_code_for_it_is_sent_or_taken_any_more() {
        let email = Identity::Email("ada@example.com".parse().unwrap());
        assert_eq!(begun().judge(at(1)), Err(NotNow::NoCode));
        assert_eq!(begun().awaits_proof(at(1)), Err(NotNow::NoCode));
        assert_eq!(begun().send(challenge(1), at(60)), Err(NotNow::NoCode));
        assert_eq!(begun().named(email, at(1)), Err(NotNow::NoCode));
    }

    #[test]
    fn five_mistakes_end_it_whatever_is_asked_and_however_many_codes_are_sent() {
        let mut sign_in = begun();
        for (n, left) in (1_u8..).zip((0..TRIES).rev()) {
            let again = if n <= 4 { send(sign_in.clone(), n, i64::from(n) * 30) } else { Ok(sign_in) };
            sign_in = again.unwrap().mistaken();
            assert_eq!(sign_in.second().unwrap().tries_left(), left);
        }
        assert_eq!(sign_in.judge_second(at(200)), Err(NotNow::TooManyCodes));
        assert_eq!(sign_in.judge_second_code(at(200)), Err(NotNow::TooManyCodes));
        assert_eq!(send(sign_in.clone(), 9, 600), Err(NotNow::TooManyCodes));
        assert_eq!(sign_in.ask_second(Asked::Totp, at(200)), Err(NotNow::TooManyCodes));
    }

    #[test]
    fn codes_are_sent_apart_so_many_and_no_more_and_each_has_an_end() {
        let sent = send(begun(), 1, 0).unwrap();
        assert_eq!(sent.judge_second_code(at(599)).unwrap().challenge, challenge(1));
        assert_eq!(sent.judge_second_code(at(600)), Err(NotNow::CodeOver));
        assert_eq!(send(sent.clone(), 2, 10), Err(NotNow::Wait(APART.saturating_sub(Duration::from_secs(10)))));
        let many = (2..=4).try_fold(sent, |sign_in, n| send(sign_in, n, i64::from(n) * 30)).unwrap();
        assert_eq!(many.sends, SENDS);
        assert_eq!(send(many, 6, 300), Err(NotNow::TooManyCodes));
    }

    #[test]
    fn it_is_over_when_the_sign_in_is() {
        assert_eq!(begun().judge_second(at(1800)), Err(NotNow::Over));
        assert_eq!(begun().ask_second(Asked::Totp, at(1800)), Err(NotNow::Over));
        assert_eq!(begun().judge_second_code(at(1)), Err(NotNow::NoCode));
    }
}
