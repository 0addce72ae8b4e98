//! Signing out: any authentic token of the session may, however old; where the session is bound to a key, together with a proof of that key.
//! A copied token must not be able to do harm either, and a session whose key is lost is worth nothing to anybody.

use countersign_domain::{
    audit::{Act, Actor},
    id::{SessionId, UserId},
    session::{EndReason, Session},
};

use countersign_storage::sessions;

use super::end::Ending;
use crate::{
    Service,
    address::Address,
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
    proof::{
        possession::{NoncePolicy, PossessionRefused, UnverifiedPossession},
        refresh_token::{AuthenticToken, NotAuthentic},
    },
};

/// Why a sign-out is refused.
#[derive(Debug, thiserror::Error)]
pub enum SignOutRefused {
    /// Not a refresh token of this project.
    #[error("not a refresh token of this project")]
    NotOurs,
    /// The session is another user's than the one named.
    #[error("the session is another user's")]
    OtherUser,
    /// The session is bound to a key, and whoever calls showed no proof of it.
    #[error("the session is bound to a key that was not shown")]
    OtherKey,
    /// The key of the session was shown, by a proof that won't do.
    #[error(transparent)]
    Possession(#[from] PossessionRefused),
    /// Too many failed calls from this network.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl Service {
    /// Ends the session of a refresh token; says which. One that is over stays over, and that is no error: the app wanted nothing else.
    pub async fn sign_out(
        &self,
        address: &Address,
        user: &str,
        unverified: &str,
        possession: Option<&UnverifiedPossession>,
        caller: &Caller,
    ) -> Result<SessionId, SignOutRefused> {
        self.fresh()?;
        let proved = self.prove_refresh_token(address, unverified, caller);
        let AuthenticToken { project, token } = proved.map_err(|refused| match refused {
            NotAuthentic::NotOurs => SignOutRefused::NotOurs,
            NotAuthentic::TooMany(too_many) => SignOutRefused::TooMany(too_many),
        })?;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = sessions::find(&mut reader.conn(), &project.project.id, token.session).await;
        drop(reader);
        let Some(stored) = found.map_err(Outage::from)? else {
            return Ok(token.session);
        };
        if !stored.secret_hash.matches(&token.secret) {
            return Err(SignOutRefused::NotOurs);
        }
        self.check_key(&project, &stored.session, possession)?;
        if user.parse::<UserId>() != Ok(stored.session.user) {
            return Err(SignOutRefused::OtherUser);
        }
        if stored.session.ended.is_none() {
            let ending = Ending {
                reason: EndReason::SignedOut,
                actor: Actor::User(stored.session.user),
                act: Act::SessionEnded,
                request: Some(caller.request_id.clone()),
            };
            self.end_session(&stored.session, ending).await?;
        }
        Ok(token.session)
    }

    pub(crate) fn check_key(
        &self,
        project: &ProjectView,
        session: &Session,
        possession: Option<&UnverifiedPossession>,
    ) -> Result<(), SignOutRefused> {
        let Some(key) = session.dpop_jkt else {
            return Ok(());
        };
        let shown = possession.and_then(|shown| self.shown_key(project, shown, None).ok());
        let shown = shown.filter(|shown| shown.key() == key).ok_or(SignOutRefused::OtherKey)?;
        let nonces = project.client(&session.client).map_or(NoncePolicy::Required, ClientView::nonce_policy);
        shown.require(nonces)?;
        Ok(())
    }
}
