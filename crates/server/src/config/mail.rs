//! How mail leaves: through a mail server that takes our messages (RFC 6409).

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use countersign_crypto::secret::SecretText;
use countersign_domain::text::{EmailAddress, Name, is_host_name};
use serde::Deserialize;

use super::{http::unsafe_setting, secret_file};
use crate::error::Failure;

/// `[mail]`
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// The mail server, by name or address. Default: none, so no mail is sent.
    pub host: Option<String>,
    /// Its port. Default: 465 with `tls`, 587 with `starttls`, 25 with `none`.
    pub port: Option<u16>,
    /// `tls`, from the first byte; `starttls`, or nothing is sent; `none`, on this machine alone. Default: `tls`.
    pub security: Security,
    /// Certificates in PEM, of which one must have issued the server's. Default: those that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// Who we are there. Default: the server asks nobody.
    pub user: Option<String>,
    /// A file that only the server may read, with the password in it.
    pub password_file: Option<PathBuf>,
    /// The password itself, from the environment only: `COUNTERSIGN_MAIL__PASSWORD`.
    pub password: Option<String>,
    /// The address that mail comes from. Required with `host`.
    #[serde(deserialize_with = "super::parsed")]
    pub from: Option<EmailAddress>,
    /// The name beside it. Default: what the project is called.
    #[serde(deserialize_with = "super::parsed")]
    pub from_name: Option<Name>,
    /// Where answers go. Default: to `from`.
    #[serde(deserialize_with = "super::parsed")]
    pub reply_to: Option<EmailAddress>,
    /// How long sending one message may take, connecting included. Default: 30 s.
    #[serde(deserialize_with = "super::span")]
    pub timeout: Duration,
}

/// How the way to the server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// From the first byte (RFC 8314 §3.3).
    Tls,
    /// From the `STARTTLS` command on (RFC 3207). A server that doesn't offer it gets nothing.
    StartTls,
    /// Not at all.
    None,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            security: Security::Tls,
            ca_file: None,
            user: None,
            password_file: None,
            password: None,
            from: None,
            from_name: None,
            reply_to: None,
            timeout: Duration::from_secs(30),
        }
    }
}

impl MailConfig {
    pub(super) fn check(&self) -> Result<(), Failure> {
        let Some(host) = &self.host else {
            let is_meant = self.from.is_some() || self.user.is_some() || self.port.is_some();
            return if is_meant { unsafe_setting("mail.host is missing: name the mail server") } else { Ok(()) };
        };
        let address = host.parse::<IpAddr>().ok();
        if address.is_none() && !is_host_name(host) {
            return unsafe_setting("mail.host must be a host name in lower case, or an address");
        }
        let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        if self.security == Security::None && !is_here {
            return unsafe_setting(
                "mail.security = \"none\" is for a mail server on this machine: codes would cross the network in the clear",
            );
        }
        if self.security == Security::None && self.ca_file.is_some() {
            return unsafe_setting("mail.ca_file has no use with mail.security = \"none\"");
        }
        if self.from.is_none() {
            return unsafe_setting("mail.from is missing: say which address mail comes from");
        }
        if self.user.is_some() != (self.password.is_some() || self.password_file.is_some()) {
            return unsafe_setting("mail.user goes together with mail.password_file or COUNTERSIGN_MAIL__PASSWORD");
        }
        if !(Duration::from_secs(1)..=Duration::from_mins(5)).contains(&self.timeout) {
            return unsafe_setting("mail.timeout must be between 1s and 5m");
        }
        Ok(())
    }

    /// Where the server listens.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        })
    }

    /// The password, wherever it is.
    pub fn password(&self) -> Result<Option<SecretText>, Failure> {
        secret_file::read("mail.password", self.password.as_ref(), self.password_file.as_deref())
    }
}

/// Without the password.
impl fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailConfig").field("host", &self.host).field("security", &self.security).finish_non_exhaustive()
    }
}
