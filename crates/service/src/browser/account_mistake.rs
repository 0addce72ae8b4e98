//! What an account's page says of what was done on it.

use countersign_domain::message::Channel;

macro_rules! mistakes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// What went wrong, where the page alone doesn't show it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AccountMistake {
            $($(#[doc = $doc])+ $name,)+
        }

        impl AccountMistake {
            const ALL: &[Self] = &[$(Self::$name),+];

            /// As the address of the page has it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

mistakes! {
    /// That is no e-mail address.
    NoAddress = "no-address",
    /// That is no telephone number.
    NoNumber = "no-number",
    /// The user is known by it already.
    Yours = "yours",
    /// What it was to replace is there no more.
    Gone = "gone",
    /// This server sends no mail.
    NoMail = "no-mail",
    /// This server sends no text messages.
    NoSms = "no-sms",
    /// Too many messages, or too many mistakes, for now.
    Wait = "later",
    /// It wasn't the code.
    WrongCode = "wrong-code",
    /// There is no code, it is over, or it was tried too often.
    CodeOver = "code-over",
    /// Another account is known by it: whoever has shown the code may know.
    Taken = "taken",
    /// Whoever deletes an account types what it is known by.
    Unconfirmed = "unconfirmed",
}

impl AccountMistake {
    /// There is no such channel.
    pub(super) const fn no_channel(channel: Channel) -> Self {
        match channel {
            Channel::Email => Self::NoMail,
            Channel::Sms => Self::NoSms,
        }
    }

    /// What an address of the page says.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mistake| mistake.as_str() == text)
    }
}
