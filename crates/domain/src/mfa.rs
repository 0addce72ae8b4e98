//! Second factors: what users have beside the first, and when it is asked for.

use std::{fmt, str::FromStr};

use crate::{
    clock::Timestamp,
    identity::{Identity, IdentityKind},
    proof::Level,
    risk::Assessment,
    text::InvalidText,
};

/// The kinds of second factor. A user has at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactorKind {
    /// Codes that an app counts out (RFC 6238).
    Totp,
    /// A code to a telephone.
    Sms,
    /// A code to an e-mail address.
    Email,
}

impl FactorKind {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::Totp, Self::Sms, Self::Email];

    /// The name in the database, in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    /// Does it prove something else than a code to such an address did?
    const fn is_other_than(self, first: Option<IdentityKind>) -> bool {
        !matches!((self, first), (Self::Sms, Some(IdentityKind::Phone)) | (Self::Email, Some(IdentityKind::Email)))
    }
}

impl fmt::Display for FactorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FactorKind {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or(InvalidText("must be `totp`, `sms` or `email`"))
    }
}

/// A second factor that a user has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// What it is.
    pub kind: FactorKind,
    /// Where its codes go, where they are sent.
    pub contact: Option<Identity>,
    /// Since when the user has it.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// When a user wants to be asked for a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// Never.
    None,
    /// At each sign-in.
    Always,
    /// Where something speaks against the sign-in.
    RiskOnly,
}

impl Preference {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::None, Self::Always, Self::RiskOnly];

    /// The name in the database and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Always => "always",
            Self::RiskOnly => "risk_only",
        }
    }
}

impl FromStr for Preference {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let known = Self::ALL.into_iter().find(|preference| preference.as_str() == text);
        known.ok_or(InvalidText("must be `none`, `always` or `risk_only`"))
    }
}

/// What a project asks of its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaPolicy {
    /// No second factor, unless an app asks for the level.
    Off,
    /// A second factor of those who have one, as they wish.
    Suggested,
    /// A second factor of everybody.
    Required,
}

impl MfaPolicy {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::Off, Self::Suggested, Self::Required];

    /// As the setting has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Suggested => "suggested",
            Self::Required => "required",
        }
    }
}

/// Somebody who has proved a first factor.
#[derive(Debug, Clone, Copy)]
pub struct FirstProved<'a> {
    /// To what kind of address a code was sent; none: a passkey, or another way.
    pub by: Option<IdentityKind>,
    /// What that comes to.
    pub level: Level,
    /// What they have, what they used last or have newest first.
    pub factors: &'a [Factor],
    /// What they wish; none: they never said.
    pub preference: Option<Preference>,
    /// What speaks against the sign-in.
    pub risk: &'a Assessment,
    /// Does the app want two factors?
    pub is_demanded: bool,
}

/// What is asked of somebody who has proved a first factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing more.
    Nothing,
    /// One of these, the best first.
    One(Vec<FactorKind>),
    /// They have none that would do: they set one up.
    SetUp,
}

/// What is asked for as a second factor. What proves the same as the first did is asked for only where there is nothing better and nobody relies on
/// its being a second one: otherwise whoever reads somebody's mail would need nothing else.
pub fn wanted(policy: MfaPolicy, proved: &FirstProved<'_>) -> Wanted {
    let kinds = |is_right: &dyn Fn(FactorKind) -> bool| -> Vec<FactorKind> {
        proved.factors.iter().map(|factor| factor.kind).filter(|kind| is_right(*kind)).collect()
    };
    let others = kinds(&|kind| kind.is_other_than(proved.by));
    if proved.level >= Level::TwoFactors {
        return Wanted::Nothing;
    }
    if proved.is_demanded || policy == MfaPolicy::Required {
        return if others.is_empty() { Wanted::SetUp } else { Wanted::One(others) };
    }
    let is_wished = match proved.preference {
        None | Some(Preference::Always) => true,
        Some(Preference::RiskOnly) => proved.risk.is_detected(),
        Some(Preference::None) => false,
    };
    match policy {
        MfaPolicy::Suggested if is_wished && !others.is_empty() => Wanted::One(others),
        MfaPolicy::Suggested if is_wished && !proved.factors.is_empty() => Wanted::One(kinds(&|_| true)),
        _ => Wanted::Nothing,
    }
}

/// What both come to.
pub const fn level_of_both(first: Option<IdentityKind>, second: FactorKind) -> Level {
    if second.is_other_than(first) { Level::TwoFactors } else { Level::OneFactor }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn having(kinds: &[FactorKind]) -> Vec<Factor> {
        let factor =
            |kind: &FactorKind| Factor { kind: *kind, contact: None, created_at: Timestamp::EPOCH, last_used_at: None };
        kinds.iter().map(factor).collect()
    }

    fn asked(policy: MfaPolicy, kinds: &[FactorKind], change: impl Fn(&mut FirstProved<'_>)) -> Wanted {
        let factors = having(kinds);
        let risk = Assessment::default();
        let mut proved = FirstProved {
            by: Some(IdentityKind::Email),
            level: Level::OneFactor,
            factors: &factors,
            preference: None,
            risk: &risk,
            is_demanded: false,
        };
        change(&mut proved);
        wanted(policy, &proved)
    }

    const ALL: [FactorKind; 3] = FactorKind::ALL;

    #[test]
    fn who_has_one_is_asked_unless_they_wish_otherwise() {
        let totp = [FactorKind::Totp];
        assert_eq!(asked(MfaPolicy::Suggested, &totp, |_| ()), Wanted::One(totp.to_vec()));
        assert_eq!(asked(MfaPolicy::Suggested, &[], |_| ()), Wanted::Nothing);
        let wishing = |preference| asked(MfaPolicy::Suggested, &totp, |proved| proved.preference = Some(preference));
        assert_eq!(wishing(Preference::Always), Wanted::One(totp.to_vec()));
        assert_eq!(wishing(Preference::RiskOnly), Wanted::Nothing);
        assert_eq!(wishing(Preference::None), Wanted::Nothing);
        assert_eq!(asked(MfaPolicy::Off, &totp, |_| ()), Wanted::Nothing);
    }

    #[test]
    fn who_wishes_so_is_asked_where_something_speaks_against_the_sign_in() {
        let risk: Assessment = "new_device".parse().unwrap();
        let factors = having(&[FactorKind::Totp]);
        let proved = FirstProved {
            by: None,
            level: Level::OneFactor,
            factors: &factors,
            preference: Some(Preference::RiskOnly),
            risk: &risk,
            is_demanded: false,
        };
        assert_eq!(wanted(MfaPolicy::Suggested, &proved), Wanted::One(vec![FactorKind::Totp]));
    }

    #[test]
    fn a_mailbox_is_no_second_factor_to_itself() {
        let email = [FactorKind::Email];
        // Where nobody relies on it, what somebody set up is asked for all the same.
        assert_eq!(asked(MfaPolicy::Suggested, &email, |_| ()), Wanted::One(email.to_vec()));
        assert_eq!(asked(MfaPolicy::Suggested, &ALL, |_| ()), Wanted::One(vec![FactorKind::Totp, FactorKind::Sms]));
        assert_eq!(asked(MfaPolicy::Required, &email, |_| ()), Wanted::SetUp);
        assert_eq!(asked(MfaPolicy::Off, &email, |proved| proved.is_demanded = true), Wanted::SetUp);
        assert_eq!(level_of_both(Some(IdentityKind::Email), FactorKind::Email), Level::OneFactor);
        assert_eq!(level_of_both(Some(IdentityKind::Phone), FactorKind::Email), Level::TwoFactors);
    }

    #[test]
    fn where_one_is_required_everybody_has_one_or_sets_one_up() {
        assert_eq!(asked(MfaPolicy::Required, &[], |_| ()), Wanted::SetUp);
        let never = asked(MfaPolicy::Required, &ALL, |proved| proved.preference = Some(Preference::None));
        assert_eq!(never, Wanted::One(vec![FactorKind::Totp, FactorKind::Sms]));
        let passkey = asked(MfaPolicy::Required, &ALL, |proved| proved.level = Level::TwoFactors);
        assert_eq!(passkey, Wanted::Nothing);
    }

    #[test]
    fn names_read_back() {
        for kind in ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for preference in Preference::ALL {
            assert_eq!(preference.as_str().parse(), Ok(preference));
        }
        assert!("sometimes".parse::<Preference>().is_err() && "push".parse::<FactorKind>().is_err());
    }
}
