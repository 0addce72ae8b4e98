//! What the browser says of a ceremony (WebAuthn §5.8.1). The library looks at most of it, too; but not, when a passkey is used, at whether the
//! page stood within another, and it compares origins by their parts. Here they are compared as browsers spell them.

use serde::Deserialize;

use super::{Flaw, kept_challenge::KeptChallenge};

/// The kind of a ceremony, as browsers name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ceremony {
    Registration,
    Assertion,
}

impl Ceremony {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "webauthn.create",
            Self::Assertion => "webauthn.get",
        }
    }
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin")]
    cross_origin: Option<bool>,
    #[serde(rename = "topOrigin")]
    top_origin: Option<String>,
}

/// Checks what the browser says against what was asked.
pub(super) fn check(client_data: &[u8], asked: &KeptChallenge, ceremony: Ceremony, origin: &str) -> Result<(), Flaw> {
    let said: ClientData = serde_json::from_slice(client_data).map_err(|_| Flaw::Unreadable)?;
    if said.ceremony != ceremony.as_str() {
        Err(Flaw::OtherCeremony)
    } else if said.challenge != asked.challenge {
        Err(Flaw::OtherChallenge)
    } else if said.origin != origin {
        Err(Flaw::OtherOrigin)
    } else if said.cross_origin == Some(true) || said.top_origin.is_some() {
        Err(Flaw::CrossOrigin)
    } else {
        Ok(())
    }
}
