//! Texts that came from outside and have been looked at: addresses, names, identifiers of other people's making.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress as Rfc5321, Options};

/// What is wrong with a text. The message says what would be right and never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidText(pub &'static str);

macro_rules! checked_text {
    ($(#[doc = $doc:literal])+ $name:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// The length only: these are a person's data, and `{:?}` ends up in logs.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({} bytes)", stringify!($name), self.0.len())
            }
        }
    };
}

checked_text!(
    /// An e-mail address in the one form in which we keep and compare it: ASCII, lower case, RFC 5321 syntax.
    EmailAddress
);

impl FromStr for EmailAddress {
    type Err = InvalidText;

    /// Beyond the syntax, whatever would let one mailbox be spelt in two ways, or two mailboxes look alike, is refused: letters outside ASCII
    /// (a Cyrillic `a`; the Kelvin sign, whose lower case is `k`), quoted local parts, comments, address literals, a dot at the end.
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if !text.is_ascii() {
            return Err(InvalidText(
                "must be an ASCII e-mail address; write an internationalised domain in its xn-- form",
            ));
        }
        let syntax = Options::default().without_domain_literal().without_display_text();
        let parsed = Rfc5321::parse_with_options(text, syntax).ok().filter(|address| {
            let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'(' | b')' | b'\\' | b'<' | b'>');
            // The parser takes in a domain whatever RFC 5322 allows there; RFC 5321 §4.1.2 allows letters, digits and hyphens.
            let of_a_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
            address.as_str().len() <= 254
                && address.as_str().bytes().all(plain)
                && address.domain().bytes().all(of_a_name)
        });
        match parsed {
            Some(address) => Ok(Self(address.as_str().to_ascii_lowercase().into())),
            None => Err(InvalidText("must be an e-mail address like `name@example.com`")),
        }
    }
}

impl EmailAddress {
    /// What may be shown to those who need only recognise it: `n…@example.com`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let first = local.chars().next().unwrap_or('…');
        format!("{first}…@{domain}")
    }
}

/// Could it be a host's name (RFC 1123 §2.1), in lower case?
pub fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

checked_text!(
    /// A telephone number as E.164 writes it: `+`, country code, number; 7 to 15 digits.
    PhoneNumber
);

impl FromStr for PhoneNumber {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let right =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if right {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText("must be a telephone number in E.164 form like `+15551234567`"))
        }
    }
}

checked_text!(
    /// The customer's own identifier of a user: any text of 1 to 255 bytes without control characters. Compared byte for byte.
    ExternalId
);

/// In bytes of UTF-8.
pub const LONGEST_EXTERNAL_ID: usize = 255;

impl FromStr for ExternalId {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.is_empty() || !fits(text, LONGEST_EXTERNAL_ID) {
            return Err(InvalidText("must be 1 to 255 bytes without control characters"));
        }
        Ok(Self(text.into()))
    }
}

checked_text!(
    /// A name or label that people wrote for people: up to 255 bytes, may be empty, any script, no control characters.
    Name
);

impl Name {
    /// No name.
    pub fn empty() -> Self {
        Self(Box::default())
    }
}

/// Nobody said.
impl Default for Name {
    fn default() -> Self {
        Self("".into())
    }
}

impl FromStr for Name {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if fits(text, 255) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText("must be at most 255 bytes without control characters"))
        }
    }
}

checked_text!(
    /// What an app calls its installation on one device: 1 to 128 bytes without control characters.
    DeviceId
);

impl FromStr for DeviceId {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.is_empty() || !fits(text, 128) {
            return Err(InvalidText("must be 1 to 128 bytes without control characters"));
        }
        Ok(Self(text.into()))
    }
}

/// NUL can't be stored, a newline forges a log line, an escape sequence speaks to somebody's terminal.
fn fits(text: &str, bytes: usize) -> bool {
    text.len() <= bytes && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Result<String, InvalidText> {
        text.parse::<EmailAddress>().map(|address| address.as_str().to_owned())
    }

    #[test]
    fn addresses_are_kept_in_lower_case() {
        assert_eq!(email("User.Name+Tag@Example.COM").as_deref(), Ok("user.name+tag@example.com"));
        assert_eq!(email("o'neil@xn--bcher-kva.example").as_deref(), Ok("o'neil@xn--bcher-kva.example"));
    }

    #[test]
    fn look_alike_addresses_are_refused() {
        let disguises = [
            "us\u{435}r@example.com",   // Cyrillic e
            "\u{212A}im@example.com",   // Kelvin sign: lower-cases to an ASCII k
            "\u{FF55}ser@example.com",  // full-width u
            "user@ex\u{430}mple.com",   // Cyrillic a in the domain
            "user\u{200B}@example.com", // zero-width space
            "\"user\"@example.com",     // the quoted spelling of user@
            "user(work)@example.com",   // a comment
            "user@[127.0.0.1]",         // an address literal
            "User <user@example.com>",  // a display name
            "user@example.com.",        // the same domain to DNS
            "user@exam_ple.com",        // no host name (RFC 5321 §2.3.5)
            "user@example.com?x=y",
            "user@example.com%00",
            " user@example.com",
            "user@example.com\n",
            "user@example.com\u{0}",
        ];
        for text in disguises {
            assert!(email(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn texts_that_are_no_addresses_are_refused() {
        for text in [
            "",
            "@",
            "user",
            "user@",
            "@example.com",
            "a@b@c.com",
            "user@-example.com",
            "user@exam_ple.com",
            "user@exam{ple}.com",
            "user@example.com/path.com",
            "user@a|b.com",
            "user@a%b.com",
            &format!("{}@example.com", "a".repeat(65)),
        ] {
            assert!(email(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_masked_address_shows_one_letter_and_the_domain() {
        let address: EmailAddress = "alice@example.com".parse().unwrap();
        assert_eq!(address.masked(), "a…@example.com");
        assert_eq!(format!("{address:?}"), "EmailAddress(17 bytes)");
    }

    #[test]
    fn telephone_numbers_are_e164() {
        assert!("+15551234567".parse::<PhoneNumber>().is_ok());
        for text in ["", "+", "15551234567", "+0155512345", "+1 555 123", "+123456", "+1234567890123456", "+١٢٣٤٥٦٧"]
        {
            assert!(text.parse::<PhoneNumber>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn control_characters_are_refused_in_every_text() {
        for text in ["a\u{0}b", "a\nb", "a\u{1b}[2J", "a\u{85}b"] {
            assert!(text.parse::<Name>().is_err());
            assert!(text.parse::<ExternalId>().is_err());
            assert!(text.parse::<DeviceId>().is_err());
        }
        assert!("محمد 🙂".parse::<Name>().is_ok());
        assert!("".parse::<Name>().is_ok());
        assert!("".parse::<ExternalId>().is_err());
    }
}
