//! Signing in, as a state machine: who is asked what, until it is known who they are. Hosted pages and an app's own screens drive the same one.

mod second;

use std::time::Duration;

pub use second::{Asked, Second};

use crate::{
    clock::Timestamp,
    id::{ChallengeId, ClientId, ProjectId, SignInId, UserId},
    identity::Identity,
    risk::Assessment,
    thumbprint::Thumbprint,
};

/// How long somebody may take to sign in.
pub const LIFETIME: Duration = Duration::from_mins(30);
/// How long a code is good.
pub const CODE_LIFETIME: Duration = Duration::from_mins(10);
/// How often a code may be tried. It is good for one sign-in, so nobody else can burn it.
pub const TRIES: u32 = 5;
/// How many codes one sign-in may ask for.
pub const SENDS: u32 = 5;
/// How long until another code may be asked for.
pub const APART: Duration = Duration::from_secs(30);

/// A sign-in that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Where.
    pub project: ProjectId,
    /// Its own identifier.
    pub id: SignInId,
    /// What for.
    pub purpose: Purpose,
    /// Who somebody says they are, once they have.
    pub identity: Option<Identity>,
    /// The key that whoever began it holds, and must show again.
    pub dpop_jkt: Option<Thumbprint>,
    /// Where it has got to.
    pub step: Step,
    /// How many codes were asked for.
    pub sends: u32,
    /// What speaks against it. Nothing yet, as long as it isn't known who they are.
    pub risk: Assessment,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is over, whatever it has got to.
    pub expires_at: Timestamp,
}

/// What somebody signs in for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A client wants to know who they are.
    Client {
        /// Which.
        client: ClientId,
        /// What it asked for, as it is kept.
        request: String,
    },
    /// They want to see their own account.
    Account,
}

impl Purpose {
    /// The client that wants to know.
    pub const fn client(&self) -> Option<&ClientId> {
        match self {
            Self::Client { client, .. } => Some(client),
            Self::Account => None,
        }
    }
}

/// Where a sign-in has got to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// How the person is to be proved is yet to be chosen.
    Choosing,
    /// A code was sent.
    Sent(SentCode),
    /// A first factor is proved; another is asked for.
    Second(Box<Second>),
    /// It is known who they are; they have yet to say whether the client may know it.
    Proved(UserId),
}

/// A code that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentCode {
    /// What it is bound to.
    pub challenge: ChallengeId,
    /// How often another was shown.
    pub tries: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// Why a step can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNow {
    /// Everything took too long: begin again.
    Over,
    /// There is no code to show.
    NoCode,
    /// The code was tried too often, or its time is over: ask for another.
    CodeOver,
    /// The last code was sent just now.
    Wait(Duration),
    /// Too many codes: begin again.
    TooManyCodes,
}

impl SentCode {
    /// From when on it is worthless.
    pub fn expires_at(&self) -> Timestamp {
        self.sent_at.plus(CODE_LIFETIME)
    }

    /// When another may be asked for.
    pub fn resend_at(&self) -> Timestamp {
        self.sent_at.plus(APART)
    }

    /// How often it may still be tried.
    pub fn tries_left(&self) -> u32 {
        TRIES.saturating_sub(self.tries)
    }
}

impl SignIn {
    /// A code is sent.
    pub fn send(self, challenge: ChallengeId, now: Timestamp) -> Result<Self, NotNow> {
        self.is_open(now)?;
        if let Step::Second(_) | Step::Proved(_) = self.step {
            return Err(NotNow::NoCode);
        }
        if let Step::Sent(sent) = self.step
            && sent.resend_at() > now
        {
            return Err(NotNow::Wait(sent.resend_at().since(now)));
        }
        if self.sends >= SENDS {
            return Err(NotNow::TooManyCodes);
        }
        let step = Step::Sent(SentCode { challenge, tries: 0, sent_at: now });
        Ok(Self { step, sends: self.sends + 1, ..self })
    }

    /// A code is shown: may it be looked at?
    pub fn judge(&self, now: Timestamp) -> Result<SentCode, NotNow> {
        self.is_open(now)?;
        match self.step {
            Step::Choosing | Step::Second(_) | Step::Proved(_) => Err(NotNow::NoCode),
            Step::Sent(sent) if sent.tries_left() == 0 || sent.expires_at() <= now => Err(NotNow::CodeOver),
            Step::Sent(sent) => Ok(sent),
        }
    }

    /// Something that needs no code is shown: may it be looked at?
    pub fn awaits_proof(&self, now: Timestamp) -> Result<(), NotNow> {
        self.is_open(now)?;
        match self.step {
            Step::Second(_) | Step::Proved(_) => Err(NotNow::NoCode),
            Step::Choosing | Step::Sent(_) => Ok(()),
        }
    }

    /// It is known who they are, and what speaks against it nevertheless.
    #[must_use]
    pub fn proved(self, user: UserId, risk: Assessment) -> Self {
        Self { step: Step::Proved(user), risk, ..self }
    }

    /// Somebody says who they are, or that they are somebody else. What was sent to another address is worthless from then on; how much was sent
    /// is not forgotten.
    pub fn named(self, identity: Identity, now: Timestamp) -> Result<Self, NotNow> {
        self.is_open(now)?;
        match self.step {
            Step::Second(_) | Step::Proved(_) => Err(NotNow::NoCode),
            _ if self.identity.as_ref() == Some(&identity) => Ok(self),
            _ => Ok(Self { identity: Some(identity), step: Step::Choosing, ..self }),
        }
    }

    /// It was another.
    #[must_use]
    pub fn mistaken(self) -> Self {
        let step = match self.step {
            step @ (Step::Choosing | Step::Proved(_)) => step,
            Step::Sent(sent) => Step::Sent(SentCode { tries: sent.tries + 1, ..sent }),
            Step::Second(second) => Step::Second(Box::new(Second { tries: second.tries + 1, ..*second })),
        };
        Self { step, ..self }
    }

    fn is_open(&self, now: Timestamp) -> Result<(), NotNow> {
        if self.expires_at > now { Ok(()) } else { Err(NotNow::Over) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + second)
    }

    fn email(address: &str) -> Identity {
        Identity::Email(address.parse().unwrap())
    }

    fn begun() -> SignIn {
        SignIn {
            project: "p1".parse().unwrap(),
            id: SignInId::new(at(0), [1; 10]),
            purpose: Purpose::Client { client: "c3".parse().unwrap(), request: "{}".to_owned() },
            identity: Some(email("ada@example.com")),
            dpop_jkt: None,
            step: Step::Choosing,
            sends: 0,
            risk: Assessment::default(),
            created_at: at(0),
            expires_at: at(1800),
        }
    }

    fn challenge(n: u8) -> ChallengeId {
        ChallengeId::new(at(0), [n; 10])
    }

    #[test]
    fn a_code_is_judged_until_it_was_tried_too_often() {
        assert_eq!(begun().judge(at(1)), Err(NotNow::NoCode));
        let mut sent = begun().send(challenge(1), at(1)).unwrap();
        for left in (0..TRIES).rev() {
            sent.judge(at(2)).unwrap();
            sent = sent.mistaken();
            assert!(matches!(sent.step, Step::Sent(code) if code.tries_left() == left));
        }
        assert_eq!(sent.judge(at(2)), Err(NotNow::CodeOver));
    }

    #[test]
    fn a_code_and_a_sign_in_have_an_end() {
        let sent = begun().send(challenge(1), at(1)).unwrap();
        assert!(sent.judge(at(600)).is_ok());
        assert_eq!(sent.judge(at(601)), Err(NotNow::CodeOver));
        assert_eq!(sent.judge(at(1800)), Err(NotNow::Over));
        assert_eq!(sent.send(challenge(2), at(1800)), Err(NotNow::Over));
    }

    #[test]
    fn another_code_takes_the_place_of_the_first_and_its_tries_but_not_at_once_and_not_for_ever() {
        let mut sent = begun().send(challenge(1), at(0)).unwrap().mistaken();
        assert_eq!(sent.clone().send(challenge(2), at(10)), Err(NotNow::Wait(Duration::from_secs(20))));
        for (n, second) in (2..=5).zip([30, 60, 90, 120]) {
            sent = sent.send(challenge(n), at(second)).unwrap();
            assert_eq!(sent.judge(at(second)).unwrap().challenge, challenge(n));
        }
        assert_eq!(sent.send(challenge(6), at(150)), Err(NotNow::TooManyCodes));
    }

    #[test]
    fn who_says_to_be_somebody_else_needs_another_code_and_has_no_more_of_them() {
        let sent = begun().send(challenge(1), at(0)).unwrap();
        assert_eq!(sent.clone().named(email("ada@example.com"), at(1)), Ok(sent.clone()));
        let other = sent.clone().named(email("eve@example.com"), at(1)).unwrap();
        assert_eq!((other.judge(at(1)), other.sends), (Err(NotNow::NoCode), 1));
        assert_eq!(sent.named(email("eve@example.com"), at(1800)), Err(NotNow::Over));
    }

    #[test]
    fn who_is_known_is_asked_for_no_code_any_more() {
        let known =
            begun().send(challenge(1), at(0)).unwrap().proved(UserId::from_bytes([7; 16]), Assessment::default());
        assert_eq!(known.judge(at(1)), Err(NotNow::NoCode));
        assert_eq!(known.clone().send(challenge(2), at(60)), Err(NotNow::NoCode));
        assert_eq!(known.clone().named(email("eve@example.com"), at(1)), Err(NotNow::NoCode));
        assert_eq!(known.clone().mistaken(), known);
        assert_eq!(known.awaits_proof(at(1)), Err(NotNow::NoCode));
    }

    #[test]
    fn what_needs_no_code_may_be_shown_before_and_after_one_was_sent_but_not_for_ever() {
        for waiting in [begun(), begun().send(challenge(1), at(0)).unwrap()] {
            assert_eq!(waiting.awaits_proof(at(1799)), Ok(()));
            assert_eq!(waiting.awaits_proof(at(1800)), Err(NotNow::Over));
        }
    }
}
