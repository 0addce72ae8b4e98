//! How text messages leave: through a provider, by an HTTP request that is described here.

use std::{fmt, path::PathBuf, time::Duration};

use axum::http::Uri;
use countersign_crypto::secret::SecretText;
use serde::{Deserialize, Deserializer, de::Error};

use super::{
    http::{one_or_more, unsafe_setting},
    secret_file,
};
use crate::error::Failure;

/// `[sms]`
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmsConfig {
    /// A provider whose request is known: `twilio`, which needs `account`, `secret` and `from`. Default: none, and the request is described
    /// by what follows.
    pub preset: Option<Preset>,
    /// The account at the provider, where the preset has one.
    pub account: Option<String>,
    /// Where the request goes. Default: where the preset says; without either no text messages are sent.
    pub url: Option<String>,
    /// `POST` or `PUT`. Default: `POST`.
    pub method: Method,
    /// Headers of the request, as `X-Api-Key: {secret}`: one, or a list. Default: none.
    #[serde(deserialize_with = "lines")]
    pub headers: Vec<String>,
    /// The fields of a form, as `To={to}`: one, or a list. `{to}`, `{text}` and `{from}` stand for number, text and sender.
    #[serde(deserialize_with = "lines")]
    pub form: Vec<String>,
    /// Instead of a form a JSON text, in whose strings the same may stand.
    pub json: Option<String>,
    /// The status by which the provider says that it has taken the message. Default: any from 200 to 299.
    pub status: Option<u16>,
    /// `basic`, `bearer`, or `none`. Default: `basic` where there is a `user`, else `none`.
    pub authentication: Option<Authentication>,
    /// Who we are there.
    pub user: Option<String>,
    /// A file that only the server may read, with the secret in it.
    pub secret_file: Option<PathBuf>,
    /// The secret itself, from the environment only: `COUNTERSIGN_SMS__SECRET`.
    pub secret: Option<String>,
    /// The number or name that messages come from.
    pub from: Option<String>,
    /// Certificates in PEM, of which one must have issued the provider's. Default: those that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// How long sending one message may take, connecting included. Default: 15 s.
    #[serde(deserialize_with = "super::span")]
    pub timeout: Duration,
}

/// Providers whose request is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Twilio's Messages resource.
    Twilio,
}

/// Methods that bring a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Method {
    /// `POST`
    #[serde(rename = "POST")]
    Post,
    /// `PUT`
    #[serde(rename = "PUT")]
    Put,
}

/// How the secret is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// As a password (RFC 7617).
    Basic,
    /// As a token (RFC 6750).
    Bearer,
    /// In a header of its own, or not at all.
    None,
}

impl Default for SmsConfig {
    fn default() -> Self {
        Self {
            preset: None,
            account: None,
            url: None,
            method: Method::Post,
            headers: Vec::new(),
            form: Vec::new(),
            json: None,
            status: None,
            authentication: None,
            user: None,
            secret_file: None,
            secret: None,
            from: None,
            ca_file: None,
            timeout: Duration::from_secs(15),
        }
    }
}

impl SmsConfig {
    /// Is there any way for a text message?
    pub fn is_there(&self) -> bool {
        self.preset.is_some() || self.url.is_some()
    }

    /// What can be seen without looking into files. The request itself is checked where it is made.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if !self.is_there() {
            let is_meant = self.from.is_some() || self.json.is_some() || !self.form.is_empty() || self.user.is_some();
            return if is_meant {
                unsafe_setting("sms.url is missing, or sms.preset: name the provider")
            } else {
                Ok(())
            };
        }
        if let Some(url) = &self.url {
            check_url(url)?;
        }
        match self.preset {
            Some(Preset::Twilio) => self.check_twilio()?,
            None => {
                if self.form.is_empty() == self.json.is_none() {
                    return unsafe_setting("sms.form or sms.json must say what the request holds: one of them");
                }
            }
        }
        let has_secret = self.secret.is_some() || self.secret_file.is_some();
        if self.authentication() != Authentication::None && !has_secret {
            return unsafe_setting(
                "sms.secret_file or COUNTERSIGN_SMS__SECRET is missing: the provider asks who we are",
            );
        }
        if self.authentication() == Authentication::Basic && self.user().is_none() {
            return unsafe_setting("sms.user is missing");
        }
        if !(Duration::from_secs(1)..=Duration::from_mins(5)).contains(&self.timeout) {
            return unsafe_setting("sms.timeout must be between 1s and 5m");
        }
        Ok(())
    }

    fn check_twilio(&self) -> Result<(), Failure> {
        let is_account =
            |account: &str| account.starts_with("AC") && account.bytes().all(|b| b.is_ascii_alphanumeric());
        if !self.account.as_deref().is_some_and(is_account) {
            return unsafe_setting("sms.account must be the account's SID, which begins with AC");
        }
        if self.from.is_none() {
            return unsafe_setting(
                "sms.from is missing: the number that messages come from, or a messaging service's SID",
            );
        }
        if !self.form.is_empty() || self.json.is_some() || !self.headers.is_empty() {
            return unsafe_setting(
                "sms.preset says what the request holds: sms.form, sms.json and sms.headers go without it",
            );
        }
        Ok(())
    }

    /// How the secret is shown.
    pub fn authentication(&self) -> Authentication {
        self.authentication.unwrap_or(match (self.preset, &self.user) {
            (Some(Preset::Twilio), _) | (None, Some(_)) => Authentication::Basic,
            (None, None) => Authentication::None,
        })
    }

    /// Who we are there; the account, where nobody else is named.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref().or(self.account.as_deref())
    }

    /// The secret, wherever it is.
    pub fn secret(&self) -> Result<Option<SecretText>, Failure> {
        secret_file::read("sms.secret", self.secret.as_ref(), self.secret_file.as_deref())
    }
}

fn check_url(url: &str) -> Result<(), Failure> {
    let uri = url.parse::<Uri>().ok();
    let Some((scheme, authority)) = uri.as_ref().and_then(|uri| uri.scheme_str().zip(uri.authority())) else {
        return unsafe_setting("sms.url must be a URL, as https://api.example.com/messages");
    };
    if authority.as_str().contains('@') {
        return unsafe_setting("sms.url must not hold a password: sms.user and sms.secret_file do");
    }
    let is_here = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
    if scheme == "https" || (scheme == "http" && is_here) {
        return Ok(());
    }
    unsafe_setting("sms.url must be https: codes would cross the network in the clear")
}

/// A list of texts, or the one in it. From the environment a list comes as a text, too: `["To={to}", "Body={text}"]`.
fn lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let lines: Vec<String> = one_or_more(deserializer)?;
    let [list] = lines.as_slice() else { return Ok(lines) };
    if !list.starts_with('[') {
        return Ok(lines);
    }
    let read = format!("lines = {list}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("lines"));
    let read = read.and_then(|read| read.try_into::<Vec<String>>().ok());
    read.ok_or_else(|| D::Error::custom("must be a text, or a list of texts"))
}

/// Without the secret, which may be anywhere.
impl fmt::Debug for SmsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsConfig").field("preset", &self.preset).finish_non_exhaustive()
    }
}
