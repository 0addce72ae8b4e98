//! An access token makes its caller the user that it names. The signature is checked once and remembered; everything that can change is
//! judged after it, every time. One that is bound to a key is worth something only together with a proof of that key, for this call.

use std::{net::IpAddr, sync::Arc};

use countersign_crypto::{
    digest::sha256,
    jose::{access_token::AccessToken, jws::UnverifiedJws},
};
use countersign_domain::{
    clock::Timestamp,
    generations::{Dimension, Generations},
    id::{ClientId, KeyId, ProjectId, SessionId, UserId},
    proof::Proof,
    thumbprint::Thumbprint,
};

use super::possession::{NoncePolicy, Possession, PossessionRefused, UnverifiedPossession};
use crate::{
    Service,
    address::Address,
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
    verdicts::{ACCEPTED, Proof as Verdict},
};

/// A user, or an app in the user's name: whoever holds a live access token.
pub struct Bearer {
    pub(crate) project: Arc<ProjectView>,
    pub(crate) token: Arc<Verified>,
    dpop_nonce: Option<String>,
}

/// How an access token is shown.
#[derive(Debug, Clone, Copy)]
pub enum ShownToken<'a> {
    /// As it is: `Authorization: Bearer` (RFC 6750).
    Bearer(&'a str),
    /// As one that is bound to a key: `Authorization: DPoP` (RFC 9449 §7.1), with the header that must come with it.
    Dpop(&'a str, Option<&'a UnverifiedPossession>),
}

/// What remains of an access token whose signature has been checked.
pub(crate) struct Verified {
    /// The key that signed it: once that is gone, so is the token.
    kid: String,
    /// Whose they are is compared again and again: settings may change.
    issuer: Arc<str>,
    audience: Arc<str>,
    project: ProjectId,
    pub(crate) user: UserId,
    pub(crate) client: ClientId,
    pub(crate) session: SessionId,
    pub(crate) scope: Box<str>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) proof: Proof,
    pub(crate) vouched_by: Option<KeyId>,
    generations: Generations,
    pub(crate) bound_to: Option<Thumbprint>,
}

/// What has ended a token before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its session was ended.
    Session,
    /// Its client is there no more, or disabled.
    Client,
    /// Somebody revoked everything that was there until then.
    By(Dimension),
}

/// Why an access token isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum TokenRefused {
    /// It isn't one of this server, of this project, or not an access token.
    #[error("not an access token of this project")]
    NotOurs,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
    /// Its session has ended, or its user, client, key or project has been revoked.
    #[error("the session of the access token has ended")]
    Revoked,
    /// It is bound to a key, and was shown as if it weren't: whoever copied it could do that.
    #[error("the access token is bound to a key")]
    Bound,
    /// It is bound to no key, and was shown as if it were.
    #[error("the access token is not bound to a key")]
    NotBound,
    /// It was shown with no proof of a key, or with more than one.
    #[error("the access token came without a proof of its key")]
    NoProof,
    /// It was shown with a proof of another key.
    #[error("the access token is bound to another key")]
    OtherKey,
    /// It was shown with a proof that won't do.
    #[error(transparent)]
    Possession(PossessionRefused),
    /// It isn't one of ours, and it comes from a network that has tried too often.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl From<PossessionRefused> for TokenRefused {
    fn from(refused: PossessionRefused) -> Self {
        Self::Possession(refused)
    }
}

impl Bearer {
    /// The user.
    pub fn user(&self) -> UserId {
        self.token.user
    }

    /// The session in which the token was issued.
    pub fn session(&self) -> SessionId {
        self.token.session
    }

    /// The nonce for the next proof, for who proved possession of a key.
    pub fn dpop_nonce(&self) -> Option<&str> {
        self.dpop_nonce.as_deref()
    }
}

impl<'a> ShownToken<'a> {
    /// Is it shown as one that is bound to a key?
    pub fn is_dpop(&self) -> bool {
        matches!(self, Self::Dpop(..))
    }

    pub(crate) fn unverified(&self) -> &'a str {
        let (Self::Bearer(unverified) | Self::Dpop(unverified, _)) = self;
        unverified
    }
}

impl Service {
    /// Who shows a live access token of the project that the call is addressed to is the user it names. Only what isn't ours counts against
    /// its network: a token that has expired says that an app must refresh, and a live one is served even when others there failed too often.
    pub fn prove_access_token(
        &self,
        address: &Address,
        shown: ShownToken<'_>,
        from: IpAddr,
    ) -> Result<Bearer, TokenRefused> {
        let proved = self.bearer(address, shown).map_err(|refused| match refused {
            TokenRefused::NotOurs => self.count_forgery(address, from),
            other => other,
        });
        let reason = proved.as_ref().map_or_else(TokenRefused::reason, |_| ACCEPTED);
        Verdict::AccessToken.count(reason);
        proved
    }

    fn bearer(&self, address: &Address, shown: ShownToken<'_>) -> Result<Bearer, TokenRefused> {
        let bearer = self.prove_token_without_key(address, shown.unverified())?;
        let possession = self.check_binding(&bearer.project, &bearer.token, shown)?;
        let dpop_nonce = possession.map(|_| self.dpop_nonce(&bearer.project));
        Ok(Bearer { dpop_nonce, ..bearer })
    }

    /// Who a live access token names, whoever shows it: only for who has asked for the key to which it may be bound.
    pub(crate) fn prove_token_without_key(&self, address: &Address, unverified: &str) -> Result<Bearer, TokenRefused> {
        self.fresh()?;
        let key = sha256(unverified);
        let token = if let Some(known) = self.verified.get(&key) {
            known
        } else {
            let token = Arc::new(self.verify(unverified)?);
            self.verified.insert(key, Arc::clone(&token));
            token
        };
        let addressed = self.addressed(address, Some(token.project.as_str()));
        let project = addressed.map_err(|_| TokenRefused::NotOurs)?;
        self.judge(&project, &token)?;
        Ok(Bearer { project, token, dpop_nonce: None })
    }

    /// A token must be shown as what it is: one that is bound to a key only with a proof of that key, one that isn't only without.
    fn check_binding(
        &self,
        project: &ProjectView,
        token: &Verified,
        shown: ShownToken<'_>,
    ) -> Result<Option<Possession>, TokenRefused> {
        let (bound_to, unverified, proof) = match (token.bound_to, shown) {
            (None, ShownToken::Bearer(_)) => return Ok(None),
            (Some(_), ShownToken::Bearer(_)) => return Err(TokenRefused::Bound),
            (None, ShownToken::Dpop(..)) => return Err(TokenRefused::NotBound),
            (Some(_), ShownToken::Dpop(_, None)) => return Err(TokenRefused::NoProof),
            (Some(bound_to), ShownToken::Dpop(unverified, Some(proof))) => (bound_to, unverified, proof),
        };
        let key = self.shown_key(project, proof, Some(unverified)).map_err(PossessionRefused::from)?;
        if key.key() != bound_to {
            return Err(TokenRefused::OtherKey);
        }
        let nonces = project.client(&token.client).map_or(NoncePolicy::Required, ClientView::nonce_policy);
        Ok(Some(key.require(nonces)?))
    }

    fn count_forgery(&self, address: &Address, from: IpAddr) -> TokenRefused {
        let project = self.addressed(address, None).ok();
        match self.take_failure(project.as_deref(), from) {
            Ok(()) => TokenRefused::NotOurs,
            Err(too_many) => TokenRefused::TooMany(too_many),
        }
    }

    pub(crate) fn verify(&self, unverified: &str) -> Result<Verified, TokenRefused> {
        let jws = UnverifiedJws::parse(unverified).map_err(|_| TokenRefused::NotOurs)?;
        let kid = jws.unverified_header.kid.clone();
        let directory = self.directory.load();
        let project = directory.signer(&kid).ok_or(TokenRefused::NotOurs)?;
        let key = project.verifying_key(&kid).ok_or(TokenRefused::NotOurs)?;
        let token = AccessToken::verify(&jws, key).map_err(|_| TokenRefused::NotOurs)?;
        if token.issuer != *project.issuer || token.audience != *project.audience {
            return Err(TokenRefused::NotOurs);
        }
        Ok(Verified {
            kid,
            issuer: Arc::clone(&project.issuer),
            audience: Arc::clone(&project.audience),
            project: project.project.id.clone(),
            user: token.user,
            client: token.client,
            session: token.session,
            scope: token.scope.into(),
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            proof: token.proof,
            vouched_by: token.vouched_by,
            generations: token.generations,
            bound_to: token.bound_to,
        })
    }

    /// What may have changed since the signature was checked.
    fn judge(&self, project: &ProjectView, token: &Verified) -> Result<(), TokenRefused> {
        let is_for_us = token.issuer == project.issuer && token.audience == project.audience;
        if !is_for_us || project.verifying_key(&token.kid).is_none() {
            return Err(TokenRefused::NotOurs);
        }
        if token.expires_at.is_past(self.now()) {
            return Err(TokenRefused::Expired);
        }
        if self.is_unrevoked(project, token) { Ok(()) } else { Err(TokenRefused::Revoked) }
    }

    /// Do its session, user, client, key and project still stand as they did?
    pub(crate) fn is_unrevoked(&self, project: &ProjectView, token: &Verified) -> bool {
        self.ended(project, token).is_none()
    }

    /// What has ended a token, if anything has.
    pub(crate) fn ended(&self, project: &ProjectView, token: &Verified) -> Option<Ended> {
        let user = self.revocations.generation_of(token.user).unwrap_or(token.generations.user);
        let current = project.generations(user, &token.client, token.vouched_by);
        let is_closed = project.client(&token.client).is_none_or(|view| view.client.disabled_at.is_some());
        if is_closed {
            return Some(Ended::Client);
        }
        let by = token.generations.overtaken_by(current).map(Ended::By);
        by.or_else(|| self.revocations.is_ended(token.session).then_some(Ended::Session))
    }
}

impl TokenRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Bound => "bound",
            Self::NotBound => "not_bound",
            Self::NoProof => "no_dpop_proof",
            Self::OtherKey => "other_key",
            Self::Possession(refused) => refused.reason(),
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}
