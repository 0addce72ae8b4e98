//! Algorithms by which a project signs (RFC 7518 §3.1, RFC 8037 §3.1).

use std::{fmt, str::FromStr};

use crate::text::InvalidText;

/// An algorithm, and with it the kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256: what everything is signed with unless a client registered another.
    Es256,
    /// EdDSA on Ed25519.
    EdDsa,
    /// RSA with PKCS #1 v1.5 padding and SHA-256: the one that every `OpenID` client knows.
    Rs256,
}

impl SigningAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// As `alg` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SigningAlgorithm {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text);
        known.ok_or(InvalidText("must be `ES256`, `EdDSA` or `RS256`"))
    }
}
