//! Step-ups: a backend asks for a change of a user's, the user proves to be that user, and the backend has it done. Once.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    id::{ClientId, ProjectId, StepUpId, UserId},
    identity::Identity,
    mfa::FactorKind,
    sign_in::{APART, LIFETIME, NotNow, SENDS, SentCode},
    text::{EmailAddress, InvalidText, PhoneNumber},
};

/// Within this time the user must begin.
pub const START_LIFETIME: Duration = Duration::from_mins(1);
/// Within this time after the user has passed the backend must have it done.
pub const RECEIPT_LIFETIME: Duration = Duration::from_mins(5);
/// How long what backends call a purpose may be.
const LONGEST_PURPOSE: usize = 64;

/// A step-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepUp {
    /// Where.
    pub project: ProjectId,
    /// Its own identifier.
    pub id: StepUpId,
    /// Which client asked.
    pub client: ClientId,
    /// Who is to pass it, and whose the change is.
    pub user: UserId,
    /// What the user's revocation counter stood at: who was revoked since needs another.
    pub user_generation: u32,
    /// What the backend calls it.
    pub purpose: Purpose,
    /// What is to change; none: nothing, the backend only wants to know that it is the user.
    pub change: Option<Change>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What a backend calls a step-up: short, of letters, digits, `_`, `-`, `.` and `:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose(Box<str>);

/// What is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The second factor, to an app that counts out codes.
    Totp,
    /// The second factor, to codes by text message to this number.
    Sms(PhoneNumber),
    /// The second factor, to codes by mail to this address.
    Email(EmailAddress),
    /// The telephone number, and with it where a second factor by text message goes.
    Phone(PhoneNumber),
}

/// What is left to prove of the change itself, once the user is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation<'a> {
    /// Nothing.
    Nothing,
    /// That the app counts out the right codes.
    App,
    /// That whoever has this number reads what is sent there.
    Number(&'a PhoneNumber),
}

impl Purpose {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Purpose {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let is_right = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':');
        if (1..=LONGEST_PURPOSE).contains(&text.len()) && text.bytes().all(is_right) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText("must be 1 to 64 letters, digits, `_`, `-`, `.` or `:`"))
        }
    }
}

impl Change {
    /// The name in the database and in the trail.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Sms(_) => "sms",
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }

    /// What it is changed to, where that is no secret that has yet to be made.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Totp => None,
            Self::Sms(number) | Self::Phone(number) => Some(number.as_str()),
            Self::Email(address) => Some(address.as_str()),
        }
    }

    /// From what the database has.
    pub fn from_parts(kind: &str, value: Option<&str>) -> Option<Self> {
        match (kind, value) {
            ("totp", None) => Some(Self::Totp),
            ("sms", Some(number)) => number.parse().ok().map(Self::Sms),
            ("email", Some(address)) => address.parse().ok().map(Self::Email),
            ("phone", Some(number)) => number.parse().ok().map(Self::Phone),
            _ => None,
        }
    }

    /// The second factor that the user has then, and where its codes go.
    pub fn factor(&self) -> Option<(FactorKind, Option<Identity>)> {
        match self {
            Self::Totp => Some((FactorKind::Totp, None)),
            Self::Sms(number) => Some((FactorKind::Sms, Some(Identity::Phone(number.clone())))),
            Self::Email(address) => Some((FactorKind::Email, Some(Identity::Email(address.clone())))),
            Self::Phone(_) => None,
        }
    }

    /// What is left to prove, once the user is known. An address must have been proved before it was asked for.
    pub const fn confirmation(&self) -> Confirmation<'_> {
        match self {
            Self::Totp => Confirmation::App,
            Self::Email(_) => Confirmation::Nothing,
            Self::Sms(number) | Self::Phone(number) => Confirmation::Number(number),
        }
    }
}

impl StepUp {
    /// What is left to prove, once the user is known.
    pub fn confirmation(&self) -> Confirmation<'_> {
        self.change.as_ref().map_or(Confirmation::Nothing, Change::confirmation)
    }

    /// From when on the user may not begin any more.
    pub fn start_ends(&self) -> Timestamp {
        self.created_at.plus(START_LIFETIME)
    }

    /// From when on nothing can come of it.
    pub fn ends(&self) -> Timestamp {
        self.start_ends().plus(LIFETIME).plus(RECEIPT_LIFETIME)
    }
}

/// May a code be sent, after this one and so many?
pub fn may_send(sent: Option<SentCode>, sends: u32, now: Timestamp) -> Result<(), NotNow> {
    match sent {
        Some(sent) if sent.resend_at() > now => Err(NotNow::Wait(sent.resend_at().since(now).min(APART))),
        _ if sends >= SENDS => Err(NotNow::TooManyCodes),
        _ => Ok(()),
    }
}

/// May a code be looked at?
pub fn may_judge(sent: Option<SentCode>, now: Timestamp) -> Result<SentCode, NotNow> {
    match sent {
        None => Err(NotNow::NoCode),
        Some(sent) if sent.tries_left() == 0 || sent.expires_at() <= now => Err(NotNow::CodeOver),
        Some(sent) => Ok(sent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::ChallengeId, sign_in::TRIES};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + second)
    }

    #[test]
    fn a_purpose_is_short_and_plain() {
        assert_eq!("mfa_change".parse::<Purpose>().unwrap().as_str(), "mfa_change");
        for text in ["", "a b", "ä", "\n", &"a".repeat(65)] {
            assert!(text.parse::<Purpose>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_change_reads_back_and_says_what_is_left_to_prove() {
        let number: PhoneNumber = "+15551234567".parse().unwrap();
        let address: EmailAddress = "ada@example.com".parse().unwrap();
        for (change, left) in [
            (Change::Totp, Confirmation::App),
            (Change::Sms(number.clone()), Confirmation::Number(&number)),
            (Change::Phone(number.clone()), Confirmation::Number(&number)),
            (Change::Email(address), Confirmation::Nothing),
        ] {
            assert_eq!(Change::from_parts(change.kind(), change.value()), Some(change.clone()));
            assert_eq!(change.confirmation(), left);
        }
        assert_eq!(Change::from_parts("sms", None), None);
        assert_eq!(Change::from_parts("push", Some("x")), None);
    }

    #[test]
    fn codes_are_sent_apart_and_not_for_ever_and_tried_five_times() {
        let sent = SentCode { challenge: ChallengeId::new(at(0), [1; 10]), tries: 0, sent_at: at(0) };
        assert_eq!(may_send(None, 0, at(0)), Ok(()));
        assert_eq!(may_send(Some(sent), 1, at(10)), Err(NotNow::Wait(Duration::from_secs(20))));
        assert_eq!(may_send(Some(sent), 1, at(30)), Ok(()));
        assert_eq!(may_send(Some(sent), SENDS, at(30)), Err(NotNow::TooManyCodes));
        assert_eq!(may_judge(None, at(0)), Err(NotNow::NoCode));
        assert_eq!(may_judge(Some(sent), at(599)), Ok(sent));
        assert_eq!(may_judge(Some(sent), at(600)), Err(NotNow::CodeOver));
        assert_eq!(may_judge(Some(SentCode { tries: TRIES, ..sent }), at(1)), Err(NotNow::CodeOver));
    }
}
