//! The provider's requests, and what each can't cost less than.

use crate::bench::rows::Primitives;

/// A request that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bench) enum Row {
    Discovery,
    Jwks,
    Introspect,
    /// A client gets a token of its own, for its secret.
    Token,
    /// The same, for an assertion by ES256.
    TokenEs256,
    /// The same, for an assertion by `EdDSA`.
    TokenEdDsa,
    /// A code is exchanged; the `id_token` is by ES256.
    CodeEs256,
    /// The same, by `EdDSA`.
    CodeEdDsa,
    OauthRefresh,
}

impl Row {
    /// In the order of the table.
    pub(in crate::bench) const ALL: [Self; 9] = [
        Self::Discovery,
        Self::Jwks,
        Self::Introspect,
        Self::Token,
        Self::TokenEs256,
        Self::TokenEdDsa,
        Self::CodeEs256,
        Self::CodeEdDsa,
        Self::OauthRefresh,
    ];

    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Introspect => "introspect",
            Self::Token => "token",
            Self::TokenEs256 => "token-es256",
            Self::TokenEdDsa => "token-eddsa",
            Self::CodeEs256 => "code-es256",
            Self::CodeEdDsa => "code-eddsa",
            Self::OauthRefresh => "oauth-refresh",
        }
    }

    /// What the bare server answers to it.
    pub(super) fn answer(self) -> &'static str {
        match self {
            Self::TokenEs256 | Self::TokenEdDsa => "token",
            Self::CodeEs256 | Self::CodeEdDsa => "code",
            Self::Discovery | Self::Jwks | Self::Introspect | Self::Token | Self::OauthRefresh => self.name(),
        }
    }

    /// What it needs.
    pub(super) fn needs(self) -> &'static str {
        match self {
            Self::Discovery | Self::Jwks => "GET",
            Self::Introspect => "POST",
            Self::Token => "POST + sign",
            Self::TokenEs256 => "POST + verify + sign + insert",
            Self::TokenEdDsa => "POST + EdDSA verify + sign + insert",
            Self::CodeEs256 => "POST + 2 sign + insert",
            Self::CodeEdDsa => "POST + sign + EdDSA sign + insert",
            Self::OauthRefresh => "POST + sign + update + 2 HMAC",
        }
    }

    /// The nanoseconds of that, beside HTTP.
    pub(super) fn cost(self, of: &Primitives) -> f64 {
        match self {
            Self::Discovery | Self::Jwks | Self::Introspect => 0.0,
            Self::Token => of.sign,
            Self::TokenEs256 => of.verify + of.sign + of.insert,
            Self::TokenEdDsa => of.verify_eddsa + of.sign + of.insert,
            Self::CodeEs256 => 2.0 * of.sign + of.insert,
            Self::CodeEdDsa => of.sign + of.sign_eddsa + of.insert,
            Self::OauthRefresh => of.sign + of.update + 2.0 * of.hmac,
        }
    }

    pub(super) fn target(self) -> &'static str {
        match self {
            Self::Discovery | Self::Jwks => "≥ 80 %",
            _ => "≥ 60 %",
        }
    }
}
