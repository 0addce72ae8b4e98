//! A delegated call: a customer's backend (the service provider, SP) sealed it to us and signed it. `docs/reference/delegation-envelope.md` is the
//! form; the arithmetic is `crypto`'s.
//!
//! A forged signature costs no statement of the database: keys are in memory. What is signed is taken once, by whichever node and at
//! whichever address it comes: the path isn't under the signature.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{
    delegation::{
        SIGNATURE, SUITE,
        envelope::{self, CannotOpen, UnverifiedEnvelope},
        signature::{self, BadHeader, Headers, NotTaken, SignedHeaders, UnverifiedSignature, Verified},
    },
    encoding,
};
use countersign_domain::{
    audit::{Act, Actor},
    id::{ClientId, KeyId, ProjectId},
};
use countersign_storage::spent::Spend;
use zeroize::Zeroizing;

use crate::{
    Service,
    address::{Address, Misaddressed},
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
    tally::Refusal,
    verdicts::{ACCEPTED, Proof as Verdict},
};

/// What clients without a name for their key send as one, and find in our answers. It names none.
const NO_KEY: &str = "hawcx";
/// Where neither client nor key are named, each key of the project is tried: of so many at most.
const MOST_TRIED: usize = 16;
const PURPOSE: &str = "delegation";
/// Longer than a signature is fresh: the same envelope, signed again by somebody else who saw it, isn't taken either.
const ENVELOPE_KEPT: Duration = Duration::from_hours(1);

/// A call as it came. Headers that stand there twice are whoever reads them's to refuse.
#[derive(Debug, Clone, Copy, Default)]
pub struct DelegatedCall<'a> {
    /// `X-SP-Id`: the client.
    pub sp_id: Option<&'a str>,
    /// `X-Config-Id`: the project, or a publishable key of it.
    pub config_id: Option<&'a str>,
    /// `apikey`: the same.
    pub api_key: Option<&'a str>,
    /// `X-Key-Id`: the key.
    pub key_id: Option<&'a str>,
    /// `X-Enc-Alg`.
    pub enc_alg: Option<&'a str>,
    /// `X-Timestamp`.
    pub timestamp: Option<&'a str>,
    /// `X-Signature-Alg`.
    pub signature_alg: Option<&'a str>,
    /// `X-Signature`.
    pub signature: Option<&'a str>,
    /// The body, as it came.
    pub body: &'a [u8],
}

/// A service provider whose signature was right.
#[derive(Clone)]
pub struct ServiceProvider {
    pub(crate) project: Arc<ProjectView>,
    pub(crate) client: ClientId,
    pub(crate) key: KeyId,
    /// What it called its key.
    said_key: Option<String>,
    /// The pair of ours that it was given.
    idp_key: KeyId,
}

/// A call that was proved and opened.
pub struct Delegation {
    /// Who calls.
    pub provider: ServiceProvider,
    text: Zeroizing<Vec<u8>>,
}

/// An answer that was sealed and signed, with what its headers say.
pub struct SealedAnswer {
    /// The body.
    pub body: Vec<u8>,
    /// `X-Enc-Alg`.
    pub enc_alg: &'static str,
    /// `X-Timestamp`.
    pub timestamp: String,
    /// `X-Signature-Alg`.
    pub signature_alg: &'static str,
    /// `X-Signature`.
    pub signature: String,
    /// `X-Key-Id`.
    pub key_id: String,
}

/// Why nobody was proved to have called. What is said of it isn't sealed: nobody knows to whom.
#[derive(Debug, thiserror::Error)]
pub enum NotDelegated {
    /// A header is missing, or isn't what it should be.
    #[error(transparent)]
    Header(BadHeader),
    /// It is sealed in another way than ours.
    #[error("`X-Enc-Alg` is not `x25519-aesgcm`")]
    Suite,
    /// There is no such project, client or key, or they don't belong together, or it is over.
    #[error("no service provider of that name")]
    Unknown,
    /// Neither client nor key are named, and the project has too many keys to try.
    #[error("the call doesn't say whose it is")]
    NotNamed,
    /// It was signed at another time.
    #[error("the call was signed at another time: compare the clocks")]
    Stale,
    /// None of the keys made the signature, or the body is another.
    #[error("none of the keys signed this")]
    NotSigned,
    /// Too many failed calls of this network.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// What is wrong with a call that is signed as it should be.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// It isn't sealed as it should be, or not to us.
    #[error(transparent)]
    Envelope(#[from] CannotOpen),
    /// It was made before, here or at another address.
    #[error("the envelope was used before")]
    Replayed,
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl<'a> DelegatedCall<'a> {
    fn headers(&self) -> Headers<'a> {
        Headers {
            enc_alg: self.enc_alg,
            timestamp: self.timestamp,
            signature_alg: self.signature_alg,
            signature: self.signature,
        }
    }
}

impl From<BadHeader> for NotDelegated {
    fn from(problem: BadHeader) -> Self {
        match problem {
            BadHeader::EncAlg => Self::Suite,
            problem => Self::Header(problem),
        }
    }
}

impl From<NotTaken> for NotDelegated {
    fn from(refused: NotTaken) -> Self {
        match refused {
            NotTaken::Stale => Self::Stale,
            NotTaken::NotSigned => Self::NotSigned,
        }
    }
}

impl ServiceProvider {
    /// The client that calls.
    pub fn client(&self) -> &ClientId {
        &self.client
    }

    /// What the caller called its key, if anything: a body that says it again must say the same.
    pub fn said_key(&self) -> Option<&str> {
        self.said_key.as_deref()
    }

    /// The client that calls, with its settings.
    pub(crate) fn client_view(&self) -> Option<&ClientView> {
        self.project.client(&self.client)
    }

    /// As the trail has it.
    pub(crate) fn actor(&self) -> Actor {
        Actor::DelegationKey(self.key)
    }

    /// Whoever was given a name for our pair with a credential finds that name. The others know `hawcx`.
    fn answering_key(&self) -> String {
        match &self.said_key {
            Some(said) if said != NO_KEY => self.idp_key.to_string(),
            _ => NO_KEY.to_owned(),
        }
    }
}

impl Delegation {
    /// What was sealed.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

impl Service {
    /// Whose call is it? No body is looked into, and no database asked.
    pub fn prove_delegation(
        &self,
        address: &Address,
        call: &DelegatedCall<'_>,
        caller: &Caller,
    ) -> Result<(ServiceProvider, Verified), NotDelegated> {
        self.fresh()?;
        let project = self.delegating_project(address, call);
        let proved = project.as_ref().map_err(|()| NotDelegated::Unknown).and_then(|it| self.provider(it, call));
        if let Err(refused) = &proved {
            Verdict::Delegation.count(refused.reason());
        }
        proved.map_err(|refused| self.count_not_delegated(project.ok().as_deref(), refused, caller))
    }

    /// Opens a call whose signature was right, and uses it up.
    pub async fn open_delegation(
        &self,
        provider: &ServiceProvider,
        verified: &Verified,
        body: &[u8],
    ) -> Result<Delegation, NotOpened> {
        let opened = self.opened(provider, verified, body).await;
        Verdict::Delegation.count(opened.as_ref().map_or_else(NotOpened::reason, |_| ACCEPTED));
        if let Err(refused) = &opened {
            let (project, reason) = (provider.project.project.id.clone(), refused.reason());
            self.tally.refused(Refusal { project, act: Act::DelegationRefused, reason, key: None });
        }
        opened.map(|text| Delegation { provider: provider.clone(), text })
    }

    /// Seals an answer to whoever called, and signs it by the pair that the caller was given.
    pub fn seal_answer(&self, to: &ServiceProvider, text: Vec<u8>) -> Result<SealedAnswer, Outage> {
        let text = Zeroizing::new(text);
        let keys = &to.project.delegation;
        let fault = || Outage::Fault("an answer can't be sealed".to_owned());
        let recipient = &keys.find(to.key).ok_or_else(fault)?.public.recipient;
        let own = keys.own(to.idp_key).ok_or_else(fault)?;
        let body = envelope::seal(recipient, &text, &self.entropy).map_err(|_| fault())?;
        let SignedHeaders { timestamp, signature } = signature::sign(&own.signer, &body, self.now());
        let (enc_alg, signature_alg, key_id) = (SUITE, SIGNATURE, to.answering_key());
        Ok(SealedAnswer { body, enc_alg, timestamp, signature_alg, signature, key_id })
    }

    /// All that speak must agree: path, host, `X-Config-Id`, `apikey`, and the project of a key that is named.
    fn delegating_project(&self, address: &Address, call: &DelegatedCall<'_>) -> Result<Arc<ProjectView>, ()> {
        let of_key = match call.key_id.filter(|id| *id != NO_KEY) {
            Some(id) => {
                let id = id.parse().map_err(|_| ())?;
                Some(self.directory.load().delegation_key(id).ok_or(())?.project.id.clone())
            }
            None => None,
        };
        let tenants = [call.config_id, call.api_key].into_iter().flatten();
        let tenants = tenants.map(|said| self.tenant(said)).collect::<Result<Vec<_>, ()>>()?;
        let claims: Vec<ProjectId> = of_key.into_iter().chain(tenants).collect();
        if claims.iter().any(|claim| *claim != claims[0]) {
            return Err(());
        }
        let claimed = claims.first().map(ProjectId::as_str);
        self.addressed(address, claimed).map_err(|_: Misaddressed| ())
    }

    /// A project, or a live publishable key of one.
    fn tenant(&self, said: &str) -> Result<ProjectId, ()> {
        let directory = self.directory.load();
        let Some((project, id)) = directory.publishable_key(said) else {
            return Ok(directory.project(said).ok_or(())?.project.id.clone());
        };
        let is_live = project.publishable_key(id).is_some_and(|key| key.is_live(self.now()));
        if is_live { Ok(project.project.id.clone()) } else { Err(()) }
    }

    fn provider(
        &self,
        project: &Arc<ProjectView>,
        call: &DelegatedCall<'_>,
    ) -> Result<(ServiceProvider, Verified), NotDelegated> {
        if call.enc_alg.is_none() {
            return Err(NotDelegated::Header(BadHeader::EncAlg));
        }
        let signature = UnverifiedSignature::read(&call.headers())?;
        let now = self.now();
        let client = claimed_client(project, call)?;
        let live: Vec<_> = project.delegation.live(client.as_ref(), now).collect();
        if client.is_none() && live.len() > MOST_TRIED {
            return Err(NotDelegated::NotNamed);
        }
        let keys = live.iter().map(|(it, _)| &it.public.verifier);
        let verified = signature.verify(keys, call.body, now)?;
        let (signed_by, _) = live.get(verified.by).ok_or(NotDelegated::NotSigned)?;
        let provider = ServiceProvider {
            project: Arc::clone(project),
            client: signed_by.key.client.clone(),
            key: signed_by.key.id,
            said_key: call.key_id.map(str::to_owned),
            idp_key: signed_by.key.idp_key,
        };
        let is_open = provider.client_view().is_some_and(|view| view.client.disabled_at.is_none());
        if is_open { Ok((provider, verified)) } else { Err(NotDelegated::Unknown) }
    }

    async fn opened(
        &self,
        provider: &ServiceProvider,
        verified: &Verified,
        body: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let envelope = UnverifiedEnvelope::parse(body)?;
        let opened = envelope.open(provider.project.delegation.openers(provider.idp_key))?;
        // The envelope and not what was signed: it is the same under another signature and in another spelling.
        let hash = encoding::encode(envelope.fingerprint());
        let expires_at = verified.stale_at.max(self.now().plus(ENVELOPE_KEPT));
        let spend = Spend { purpose: PURPOSE, hash, expires_at };
        let is_first = self.db.spend(&provider.project.project.id, spend).await.map_err(Outage::from)?;
        if is_first { Ok(opened.text) } else { Err(NotOpened::Replayed) }
    }

    fn count_not_delegated(
        &self,
        project: Option<&ProjectView>,
        refused: NotDelegated,
        caller: &Caller,
    ) -> NotDelegated {
        if matches!(refused, NotDelegated::Outage(_)) {
            return refused;
        }
        if let Some(project) = project {
            let (project, reason) = (project.project.id.clone(), refused.reason());
            self.tally.refused(Refusal { project, act: Act::DelegationRefused, reason, key: None });
        }
        match self.take_failure(project, caller.address) {
            Ok(()) => refused,
            Err(too_many) => NotDelegated::TooMany(too_many),
        }
    }
}

/// Whose call it claims to be. A key that is named must be one of the client that is named.
fn claimed_client(project: &ProjectView, call: &DelegatedCall<'_>) -> Result<Option<ClientId>, NotDelegated> {
    let of_key = match call.key_id.filter(|id| *id != NO_KEY) {
        Some(id) => {
            let key = id.parse().ok().and_then(|id| project.delegation.find(id));
            Some(key.ok_or(NotDelegated::Unknown)?.key.client.clone())
        }
        None => None,
    };
    let said = call.sp_id.map(str::parse::<ClientId>).transpose().map_err(|_| NotDelegated::Unknown)?;
    match (said, of_key) {
        (Some(said), Some(of_key)) if said != of_key => Err(NotDelegated::Unknown),
        (Some(said), _) if project.client(&said).is_none() => Err(NotDelegated::Unknown),
        (said, of_key) => Ok(said.or(of_key)),
    }
}

impl NotDelegated {
    /// The reason as metrics and the audit trail have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Header(BadHeader::EncAlg) | Self::Suite => "enc_alg",
            Self::Header(BadHeader::Timestamp) => "timestamp",
            Self::Header(BadHeader::SignatureAlg) => "signature_alg",
            Self::Header(BadHeader::Signature) => "signature",
            Self::Unknown => "unknown",
            Self::NotNamed => "not_named",
            Self::Stale => "stale",
            Self::NotSigned => "not_signed",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}

impl NotOpened {
    /// The reason as metrics and the audit trail have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Envelope(CannotOpen::NotAnEnvelope) => "not_an_envelope",
            Self::Envelope(CannotOpen::Suite) => "suite",
            Self::Envelope(CannotOpen::EphemeralKey) => "ephemeral_key",
            Self::Envelope(CannotOpen::Nonce) => "nonce",
            Self::Envelope(CannotOpen::Ciphertext) => "ciphertext",
            Self::Envelope(CannotOpen::Refused) => "not_for_us",
            Self::Replayed => "replayed",
            Self::Outage(_) => "outage",
        }
    }
}
