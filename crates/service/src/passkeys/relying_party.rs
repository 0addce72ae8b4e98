//! For whom passkeys are made: the host name at which the project is found.

use countersign_domain::passkey::CHALLENGE_LIFETIME;
use webauthn_rs::{Webauthn, WebauthnBuilder, prelude::Url};

use super::PasskeyRefused;
use crate::{directory::ProjectView, error::Outage};

/// A project, as authenticators know it.
pub(super) struct RelyingParty {
    pub(super) webauthn: Webauthn,
    /// The origin of the pages that may ask for its passkeys, as browsers spell it.
    pub(super) origin: String,
}

impl RelyingParty {
    /// A project is found at its issuer: at its own host name, where it has one, else at the server's. Projects that share the server's host
    /// share its passkeys as far as browsers go; whose they are is for the database to say.
    pub(super) fn of(project: &ProjectView) -> Result<Self, PasskeyRefused> {
        let url = Url::parse(&project.issuer).map_err(|_| PasskeyRefused::Unavailable)?;
        let host = url.domain().ok_or(PasskeyRefused::Unavailable)?;
        let is_local = host == "localhost" || host.ends_with(".localhost");
        // What browsers call a secure context (W3C Secure Contexts §3.1); elsewhere they have no passkeys.
        if url.scheme() != "https" && !is_local {
            return Err(PasskeyRefused::Unavailable);
        }
        let name = project.project.name.as_str();
        let webauthn = WebauthnBuilder::new(host, &url).and_then(|builder| {
            let name = if name.is_empty() { project.project.id.as_str() } else { name };
            builder.rp_name(name).timeout(CHALLENGE_LIFETIME).build()
        });
        let webauthn = webauthn.map_err(|error| Outage::Fault(error.to_string()))?;
        Ok(Self { webauthn, origin: url.origin().ascii_serialization() })
    }
}
