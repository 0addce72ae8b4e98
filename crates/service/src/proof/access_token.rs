//! An access token makes its caller the user that it names. The signature is checked once and remembered; everything that can change is
//! judged after it, every time.

use std::{net::IpAddr, sync::Arc};

use countersign_crypto::{
    digest::sha256,
    jose::{access_token::AccessToken, jws::UnverifiedJws},
};
use countersign_domain::{
    clock::Timestamp,
    generations::Generations,
    id::{ClientId, KeyId, ProjectId, SessionId, UserId},
    proof::Proof,
};

use crate::{
    Service,
    address::Address,
    directory::ProjectView,
    error::Outage,
    limits::TooMany,
    verdicts::{ACCEPTED, Proof as Verdict},
};

/// A user, or an app in the user's name: whoever holds a live access token.
pub struct Bearer {
    pub(crate) project: Arc<ProjectView>,
    pub(crate) token: Arc<Verified>,
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
    pub(crate) expires_at: Timestamp,
    pub(crate) proof: Proof,
    pub(crate) vouched_by: Option<KeyId>,
    generations: Generations,
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
    /// It isn't one of ours, and it comes from a network that has tried too often.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
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
}

impl Service {
    /// Who shows a live access token of the project that the call is addressed to is the user it names. Only what isn't ours counts against
    /// its network: a token that has expired says that an app must refresh, and a live one is served even when others there failed too often.
    pub fn prove_access_token(
        &self,
        address: &Address,
        unverified: &str,
        from: IpAddr,
    ) -> Result<Bearer, TokenRefused> {
        let proved = self.bearer(address, unverified).map_err(|refused| match refused {
            TokenRefused::NotOurs => self.count_forgery(address, from),
            other => other,
        });
        let reason = proved.as_ref().map_or_else(TokenRefused::reason, |_| ACCEPTED);
        Verdict::AccessToken.count(reason);
        proved
    }

    fn bearer(&self, address: &Address, unverified: &str) -> Result<Bearer, TokenRefused> {
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
        Ok(Bearer { project, token })
    }

    fn count_forgery(&self, address: &Address, from: IpAddr) -> TokenRefused {
        let project = self.addressed(address, None).ok();
        match self.take_failure(project.as_deref(), from) {
            Ok(()) => TokenRefused::NotOurs,
            Err(too_many) => TokenRefused::TooMany(too_many),
        }
    }

    fn verify(&self, unverified: &str) -> Result<Verified, TokenRefused> {
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
            expires_at: token.expires_at,
            proof: token.proof,
            vouched_by: token.vouched_by,
            generations: token.generations,
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
        let user = self.revocations.generation_of(token.user).unwrap_or(token.generations.user);
        let current = project.generations(user, &token.client, token.vouched_by);
        let is_closed = project.client(&token.client).is_none_or(|view| view.client.disabled_at.is_some());
        !is_closed && token.generations.overtaken_by(current).is_none() && !self.revocations.is_ended(token.session)
    }
}

impl TokenRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}
