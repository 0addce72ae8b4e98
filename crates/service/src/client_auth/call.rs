//! A client that signs an assertion for one call: it names the address of that call, and is good there and nowhere else.

use std::sync::Arc;

use countersign_crypto::{
    encoding,
    jose::client_assertion::{ClientAssertion, InvalidClientAssertion, UnverifiedClientAssertion},
};
use countersign_domain::{audit::Act, id::ClientId, oauth::registration::AuthMethod};
use countersign_storage::spent::Spend;

use super::assertion::PURPOSE;
use crate::{
    Service,
    address::Address,
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
    tally::Refusal,
};

/// What an assertion for one call must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// By which algorithm it is signed.
    pub(crate) algorithm: &'static str,
    /// Must it name its key?
    pub(crate) names_key: bool,
    /// May it be about somebody else than the client?
    pub(crate) about_another: bool,
}

/// Where and how a call is made.
#[derive(Debug, Clone, Copy)]
pub struct CallAt<'a> {
    /// To which project, as far as path and host say.
    pub address: &'a Address,
    /// What the call names its project by beside.
    pub config_id: Option<&'a str>,
    /// Its path, as it was sent.
    pub path: &'a str,
    /// Who calls.
    pub caller: &'a Caller,
}

/// A client that signed this call. Its assertion isn't spent yet.
pub(crate) struct CallingClient {
    pub(crate) project: Arc<ProjectView>,
    pub(crate) id: ClientId,
    pub(crate) assertion: ClientAssertion,
}

/// Why a call isn't the client's.
#[derive(Debug, thiserror::Error)]
pub enum CallNotSigned {
    /// There is no assertion.
    #[error("the call carries no assertion")]
    Missing,
    /// A browser sent it: then everybody who has the page has the key.
    #[error("a browser sent the call")]
    FromBrowser,
    /// There is no such project, or no such client in it that signs assertions.
    #[error("there is no such client")]
    Unknown,
    /// It proves nothing.
    #[error(transparent)]
    Assertion(#[from] InvalidClientAssertion),
    /// It is signed by another algorithm, or doesn't name its key.
    #[error("the assertion must be signed by {0} and name its key")]
    Algorithm(&'static str),
    /// It is for another address.
    #[error("aud of the assertion must be the address of this call")]
    OtherAudience,
    /// It is for another body.
    #[error("body_sha256 of the assertion is not that of the body")]
    OtherBody,
    /// It was used before.
    #[error("the assertion was used before")]
    Replayed,
    /// The client may not do this.
    #[error("the client may not manage users")]
    NotAllowed,
    /// The call is of another version of the protocol.
    #[error("X-Hawcx-Protocol-Version must be 2")]
    Version,
    /// The key that the assertion names isn't shown.
    #[error("cnf of the assertion must be the key of the DPoP proof")]
    OtherKey,
    /// The key isn't shown as it must be.
    #[error(transparent)]
    Possession(#[from] crate::proof::possession::PossessionRefused),
    /// Any of these, from a network that has tried too often.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl CallNotSigned {
    /// The reason as metrics and the audit trail have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::FromBrowser => "from_browser",
            Self::Unknown => "unknown",
            Self::Assertion(_) => "invalid_assertion",
            Self::Algorithm(_) => "other_algorithm",
            Self::OtherAudience => "other_audience",
            Self::OtherBody => "other_body",
            Self::Replayed => "replayed_assertion",
            Self::NotAllowed => "not_allowed",
            Self::Version => "other_version",
            Self::OtherKey => "other_key",
            Self::Possession(refused) => refused.reason(),
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}

impl CallingClient {
    /// The client, with its settings.
    pub(crate) fn view(&self) -> Result<&ClientView, CallNotSigned> {
        self.project.client(&self.id).ok_or(CallNotSigned::Unknown)
    }
}

impl Service {
    /// The visible list of what such an assertion must pass, but for what its call says beside. No database is asked: garbage costs nothing.
    pub(crate) fn client_that_signed(
        &self,
        at: CallAt<'_>,
        assertion: &str,
        form: Form,
    ) -> Result<CallingClient, CallNotSigned> {
        self.fresh()?;
        if at.caller.origin.is_some() {
            return Err(CallNotSigned::FromBrowser);
        }
        let project = self.project_named(at.address, at.config_id).map_err(|_| CallNotSigned::Unknown)?;
        let unverified = if form.about_another {
            UnverifiedClientAssertion::parse_about_another(assertion)?
        } else {
            UnverifiedClientAssertion::parse(assertion)?
        };
        let id: ClientId = unverified.unverified_client().parse().map_err(|_| CallNotSigned::Unknown)?;
        let client = project.client(&id).filter(|view| view.client.disabled_at.is_none());
        let client = client.ok_or(CallNotSigned::Unknown)?;
        if client.settings.oauth_auth_method != AuthMethod::PrivateKeyJwt {
            return Err(CallNotSigned::Unknown);
        }
        if unverified.unverified_algorithm() != form.algorithm || (form.names_key && !unverified.names_key()) {
            return Err(CallNotSigned::Algorithm(form.algorithm));
        }
        let assertion = unverified.verify(&client.keys, self.now())?;
        if !self.urls_of_call(&project, at.path).contains(&assertion.audience) {
            return Err(CallNotSigned::OtherAudience);
        }
        Ok(CallingClient { project: Arc::clone(&project), id, assertion })
    }

    /// Spends an assertion, once everything else about its call is right: one that is wrong in anything uses nothing up.
    pub(crate) async fn spend_assertion(&self, client: &CallingClient) -> Result<(), CallNotSigned> {
        let hash = encoding::encode(client.assertion.hash);
        let spend = Spend { purpose: PURPOSE, hash, expires_at: client.assertion.expires_at };
        let is_first = self.db.spend(&client.project.project.id, spend).await.map_err(Outage::from)?;
        if is_first { Ok(()) } else { Err(CallNotSigned::Replayed) }
    }

    /// Only what fails counts against its network.
    pub(crate) fn count_unsigned_call(&self, at: CallAt<'_>, refused: CallNotSigned) -> CallNotSigned {
        if let CallNotSigned::Outage(_) = refused {
            return refused;
        }
        let project = self.project_named(at.address, at.config_id).ok();
        if let Some(project) = &project {
            let (project, reason) = (project.project.id.clone(), refused.reason());
            self.tally.refused(Refusal { project, act: Act::ClientRefused, reason, key: None });
        }
        match self.take_failure(project.as_deref(), at.caller.address) {
            Ok(()) => refused,
            Err(too_many) => CallNotSigned::TooMany(too_many),
        }
    }
}
