//! The kinds of value a setting can have, each read from text.

use std::{fmt::Display, num::NonZeroU32, str::FromStr, time::Duration};

use crate::{
    id::SigningKeyId,
    mfa::MfaPolicy,
    oauth::{
        redirect_uri::RedirectUri,
        registration::{AuthMethod, GrantType, PkcePolicy},
        scope::Scopes,
    },
    text::{InvalidText, is_host_name},
};

/// Whether a vouched address counts as proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VouchEmail {
    /// It does, unless the vouch says otherwise.
    Trusted,
    /// It does not.
    Unverified,
}

/// What a sign-up of a user who exists gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignupExisting {
    /// Tokens for that user: two launches of an app race into sign-up, and both must win.
    Accept,
    /// An error.
    Reject,
}

/// What an app must show beside the user's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HmacEnforcement {
    /// Nothing.
    Off,
    /// Nothing, but what would fail is counted.
    Observe,
    /// An HMAC.
    Required,
}

impl HmacEnforcement {
    /// As the setting has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Required => "required",
        }
    }
}

/// Which versions of the user proof are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofVersions {
    /// Only the one that is good for ever.
    V1,
    /// Both.
    Both,
    /// Only the one that expires.
    V2,
}

/// A value that says itself what it may be.
pub(super) fn choice<T: Named>(text: &str) -> Result<T, String> {
    T::from_text(text).ok_or_else(|| format!("must be {}", T::EXPECTED))
}

pub(super) trait Named: Sized {
    const EXPECTED: &'static str;
    fn from_text(text: &str) -> Option<Self>;
}

impl Named for VouchEmail {
    const EXPECTED: &'static str = "`trusted` or `unverified`";
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "trusted" => Some(Self::Trusted),
            "unverified" => Some(Self::Unverified),
            _ => None,
        }
    }
}

impl Named for SignupExisting {
    const EXPECTED: &'static str = "`accept` or `reject`";
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "accept" => Some(Self::Accept),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }
}

impl Named for HmacEnforcement {
    const EXPECTED: &'static str = "`off`, `observe` or `required`";
    fn from_text(text: &str) -> Option<Self> {
        [Self::Off, Self::Observe, Self::Required].into_iter().find(|it| it.as_str() == text)
    }
}

impl Named for MfaPolicy {
    const EXPECTED: &'static str = "`off`, `suggested` or `required`";
    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

impl Named for ProofVersions {
    const EXPECTED: &'static str = "`v1`, `both` or `v2`";
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "v1" => Some(Self::V1),
            "both" => Some(Self::Both),
            "v2" => Some(Self::V2),
            _ => None,
        }
    }
}

impl Named for AuthMethod {
    const EXPECTED: &'static str = "`none`, `client_secret_basic`, `client_secret_post` or `private_key_jwt`";
    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

impl Named for PkcePolicy {
    const EXPECTED: &'static str = "`required` or `nonce_or_pkce`";
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "required" => Some(Self::Required),
            "nonce_or_pkce" => Some(Self::NonceOrPkce),
            _ => None,
        }
    }
}

impl Named for u32 {
    const EXPECTED: &'static str = "a whole number";
    fn from_text(text: &str) -> Option<Self> {
        // One spelling: no sign, no zero in front.
        text.parse::<Self>().ok().filter(|number| number.to_string() == text)
    }
}

impl Named for NonZeroU32 {
    const EXPECTED: &'static str = "a whole number from 1";
    fn from_text(text: &str) -> Option<Self> {
        Self::from_str(text).ok()
    }
}

/// A value whose own reader says what it may be.
pub(super) fn parsed<T: FromStr<Err = InvalidText>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|problem: InvalidText| problem.to_string())
}

/// Redirect URIs, with spaces between.
pub(super) fn redirect_uris(text: &str) -> Result<Vec<RedirectUri>, String> {
    text.split(' ').filter(|uri| !uri.is_empty()).map(parsed).collect()
}

/// Grants, with spaces between.
pub(super) fn grants(text: &str) -> Result<Vec<GrantType>, String> {
    let known = |word: &str| GrantType::ALL.into_iter().find(|grant| grant.as_str() == word);
    let read = |word| {
        known(word).ok_or_else(|| {
            "must be `authorization_code`, `refresh_token`, `client_credentials`, with spaces between".to_owned()
        })
    };
    text.split(' ').filter(|word| !word.is_empty()).map(read).collect()
}

/// Scopes, with spaces between.
pub(super) fn scopes(text: &str) -> Result<Scopes, String> {
    Scopes::parse(text).map_err(|_| "must be words with single spaces between, like `openid email`".to_owned())
}

/// A JSON object; empty: none. What stands in it is for those to judge who can read keys.
pub(super) fn json_or_nothing(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_object = serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| json.is_object());
    if is_object { Ok(Some(text.to_owned())) } else { Err("must be a JWK Set: `{\"keys\":[…]}`".to_owned()) }
}

/// `on` or `off`.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be `on` or `off`".to_owned()),
    }
}

/// A span of time within bounds.
pub(super) fn span(text: &str, least: &str, most: &str) -> Result<Duration, String> {
    let parse = |text| humantime::parse_duration(text).map_err(|_| "must be a time like `15m` or `45days`".to_owned());
    let span = parse(text)?;
    if (parse(least)?..=parse(most)?).contains(&span) {
        Ok(span)
    } else {
        Err(format!("must be between {least} and {most}"))
    }
}

/// How long a signing key signs; `0s`: until an operator says otherwise. A key is published for a day before it signs.
pub(super) fn rotation(text: &str) -> Result<Duration, String> {
    match span(text, "0s", "10years")? {
        Duration::ZERO => Ok(Duration::ZERO),
        _ => span(text, "2days", "10years").map_err(|_| "must be 0s (never), or between 2days and 10years".to_owned()),
    }
}

/// The wish to have the key pinned that signs now.
pub const PINNED: &str = "pinned";

/// A signing key by its name, or the wish for one, or nothing.
pub(super) fn pinned_key(text: &str) -> Result<Option<SigningKeyId>, String> {
    match text {
        "" | PINNED => Ok(None),
        id => id.parse().map(Some).map_err(|_| "must be `pinned`, or the name of a signing key".to_owned()),
    }
}

/// How long somebody stays signed in; `0s`: not at all.
pub(super) fn stay(text: &str) -> Result<Duration, String> {
    match span(text, "0s", "400days")? {
        Duration::ZERO => Ok(Duration::ZERO),
        _ => span(text, "1m", "400days").map_err(|_| "must be 0s (never), or between 1m and 400days".to_owned()),
    }
}

/// A host name, or nothing.
pub(super) fn host_name(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        name if is_host_name(name) => Ok(Some(name.to_owned())),
        _ => Err("must be a host name like `auth.example.com`".to_owned()),
    }
}

/// Origins (RFC 6454 §6.2) with spaces between, or nothing.
pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    let is_origin = |text: &str| {
        let (scheme, host) = text.split_once("://").unwrap_or_default();
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b':' | b'[' | b']');
        let is_scheme = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.');
        !scheme.is_empty() && scheme.bytes().all(is_scheme) && !host.is_empty() && host.bytes().all(plain)
    };
    let all: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    if all.iter().all(|origin| is_origin(origin)) {
        Ok(all)
    } else {
        Err("must be origins like `https://app.example.com`, in lower case, with spaces between".to_owned())
    }
}

/// Host names with spaces between, or nothing.
pub(super) fn host_names(text: &str) -> Result<Vec<String>, String> {
    let all: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    if all.iter().all(|name| is_host_name(name)) {
        Ok(all)
    } else {
        Err("must be host names like `api.example.com`, with spaces between".to_owned())
    }
}

/// How long something may stand still, or `0s`: for ever.
pub(super) fn patience(text: &str) -> Result<Option<Duration>, String> {
    match span(text, "0s", "30days")? {
        Duration::ZERO => Ok(None),
        _ => span(text, "100ms", "30days")
            .map(Some)
            .map_err(|_| "must be 0s (never), or between 100ms and 30days".to_owned()),
    }
}

/// What is read by its own rules, or nothing.
pub(super) fn optional<T: FromStr<Err: Display>>(text: &str) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|problem: T::Err| problem.to_string()) }
}

/// The name of an API, or nothing.
pub(super) fn audience(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        name if name.len() <= 255 && name.bytes().all(|b| b.is_ascii_graphic()) => Ok(Some(name.to_owned())),
        _ => Err("must be at most 255 visible ASCII characters".to_owned()),
    }
}
