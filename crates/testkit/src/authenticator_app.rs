//! An authenticator app, by a library of others: it reads a QR code's address and counts codes out.

use countersign_domain::clock::Timestamp;
use totp_rs::Totp;

/// One that was given a seed.
pub struct AuthenticatorApp(Totp);

impl AuthenticatorApp {
    /// Reads what stands in a QR code.
    #[track_caller]
    pub fn reading(otpauth_uri: &str) -> Self {
        Self(Totp::from_url(otpauth_uri).unwrap_or_else(|problem| panic!("{otpauth_uri}: {problem}")))
    }

    /// What it shows at this time.
    pub fn code_at(&self, now: Timestamp) -> String {
        self.0.generate(u64::try_from(now.seconds()).expect("it is later than 1970")).to_string()
    }

    /// What it shows a step of thirty seconds later: another code, and good already.
    pub fn next_code(&self, now: Timestamp) -> String {
        self.code_at(now.plus(std::time::Duration::from_secs(30)))
    }

    /// For whom it shows codes, as its screen has it.
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer()
    }
}
