//! What callers of the gateway prove themselves with.

use serde::Deserialize;

/// A kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// Publishable key and user id, with the HMAC that the customer's backend made for them.
    Hmac,
    /// An access token.
    AccessToken,
    /// A secret key: the customer's backend itself.
    SecretKey,
}

/// Some kinds of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials(u8);

impl Credentials {
    /// Every kind.
    pub const ALL: Self = Self(bit(Credential::Hmac) | bit(Credential::AccessToken) | bit(Credential::SecretKey));

    /// Is it among them?
    pub const fn contains(self, credential: Credential) -> bool {
        self.0 & bit(credential) != 0
    }

    /// Is there none?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Credential> for Credentials {
    fn from_iter<I: IntoIterator<Item = Credential>>(credentials: I) -> Self {
        Self(credentials.into_iter().fold(0, |all, credential| all | bit(credential)))
    }
}

const fn bit(credential: Credential) -> u8 {
    match credential {
        Credential::Hmac => 1,
        Credential::AccessToken => 2,
        Credential::SecretKey => 4,
    }
}
