//! Messages to users: where they go, and how often it is tried.

use std::{fmt, str::FromStr, time::Duration};

use crate::text::{EmailAddress, InvalidText, PhoneNumber};

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// By mail.
    Email,
    /// As a text message.
    Sms,
}

impl Channel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Email, Self::Sms];

    /// The name in the database, in metrics and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        match text {
            "email" => Ok(Self::Email),
            "sms" => Ok(Self::Sms),
            _ => Err(InvalidText("must be `email` or `sms`")),
        }
    }
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// To a mailbox.
    Email(EmailAddress),
    /// To a telephone.
    Phone(PhoneNumber),
}

impl Destination {
    /// How a message gets there.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Phone(_) => Channel::Sms,
        }
    }

    /// The address or number.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(address) => address.as_str(),
            Self::Phone(number) => number.as_str(),
        }
    }

    /// What may be shown to those who need only recognise it: `a…@example.com`, `+1…67`.
    pub fn masked(&self) -> String {
        match self {
            Self::Email(address) => address.masked(),
            Self::Phone(number) => {
                let text = number.as_str();
                format!("+{}…{}", calling_code(number), &text[text.len() - 2..])
            }
        }
    }
}

impl FromStr for Destination {
    type Err = InvalidText;

    /// What begins with `+` is a telephone number.
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.starts_with('+') { Ok(Self::Phone(text.parse()?)) } else { Ok(Self::Email(text.parse()?)) }
    }
}

/// Islands of the North American plan whose numbers cost what calls abroad cost, and which those who live on such calls like: each is a
/// country of its own, whatever the plan says.
const NORTH_AMERICAN_ISLANDS: &[&str] = &[
    "242", "246", "264", "268", "284", "340", "345", "441", "473", "649", "658", "664", "670", "671", "684", "721",
    "758", "767", "784", "787", "809", "829", "849", "868", "869", "876", "939",
];
const TWO_DIGITS: &[&str] = &[
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
];

/// The country code of a number (ITU-T E.164, list of assigned codes): by it messages are counted against those who earn on them. In the
/// North American plan, whose one code holds many countries, with the area code where that is a country.
pub fn calling_code(number: &PhoneNumber) -> &str {
    let digits = &number.as_str()[1..];
    let length = match digits.as_bytes()[0] {
        b'1' if NORTH_AMERICAN_ISLANDS.contains(&&digits[1..4]) => 4,
        b'1' | b'7' => 1,
        _ if TWO_DIGITS.contains(&&digits[..2]) => 2,
        _ => 3,
    };
    &digits[..length]
}

/// After the first failure.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// However often it failed.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// How long to wait after the `attempts`th failure: three times as long each time, and up to half as long again, by `random`, so that what
/// failed together doesn't come again together.
pub fn retry_after(attempts: u32, random: u8) -> Duration {
    let wait = FIRST_WAIT.saturating_mul(3_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_WAIT);
    wait + wait.mul_f64(f64::from(random) / 512.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_plus_is_a_number() {
        let read = |text: &str| text.parse::<Destination>().map(|it| (it.channel(), it.as_str().to_owned()));
        assert_eq!(read("Ada@Example.com"), Ok((Channel::Email, "ada@example.com".to_owned())));
        assert_eq!(read("+15551234567"), Ok((Channel::Sms, "+15551234567".to_owned())));
        for text in ["", "+", "ada", "+1@example.com", "ada@example.com\r\nBcc: eve@example.com", "+15551234567\n"] {
            assert!(read(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_masked_destination_is_recognised_by_its_owner_alone() {
        let masked = |text: &str| text.parse::<Destination>().unwrap().masked();
        assert_eq!(masked("alice@example.com"), "a…@example.com");
        assert_eq!(masked("+4915112345678"), "+49…78");
    }

    #[test]
    fn numbers_are_counted_by_country() {
        let code = |text: &str| calling_code(&text.parse().unwrap()).to_owned();
        let expected = [
            ("+15551234567", "1"),
            ("+18765551234", "1876"),
            ("+79161234567", "7"),
            ("+4915112345678", "49"),
            ("+447700900123", "44"),
            ("+35312345678", "353"),
            ("+9647901234567", "964"),
            ("+989121234567", "98"),
            ("+99899123456", "998"),
            ("+1234567", "1"),
        ];
        for (number, country) in expected {
            assert_eq!(code(number), country, "{number}");
        }
    }

    #[test]
    fn waits_grow_up_to_an_end_and_are_spread() {
        let waits: Vec<u64> = (1..=8).map(|attempts| retry_after(attempts, 0).as_secs()).collect();
        assert_eq!(waits, [5, 15, 45, 135, 405, 600, 600, 600]);
        assert_eq!(retry_after(u32::MAX, 0), LONGEST_WAIT);
        let spread = retry_after(1, 255);
        assert!(spread > FIRST_WAIT && spread < FIRST_WAIT.mul_f64(1.5), "{spread:?}");
    }
}
