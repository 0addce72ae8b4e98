//! Giving a token back by nothing but itself: who holds it could use it, so who holds it may make it worthless.

use countersign_domain::{
    audit::{Act, Actor},
    session::EndReason,
};
use countersign_storage::sessions;

use super::revocation;
use crate::{
    Service, address::Address, caller::Caller, error::Outage, proof::possession::UnverifiedPossession,
    session::end::Ending,
};

impl Service {
    /// Makes a token worthless, and with an access or refresh token its session. One that isn't good, or is bound to a key that isn't shown, changes
    /// nothing: nobody learns which.
    pub async fn revoke_held_token(
        &self,
        address: &Address,
        config_id: Option<&str>,
        token: &str,
        possession: Option<&UnverifiedPossession>,
        caller: &Caller,
    ) -> Result<(), Outage> {
        self.fresh()?;
        let Ok(project) = self.project_named(address, config_id) else { return Ok(()) };
        if let Some(bootstrap) = self.live_bootstrap_token(&project, token).await? {
            let spend = revocation(token, &bootstrap);
            self.db.spend(&project.project.id, spend).await?;
            return Ok(());
        }
        let at = Address { path: Some(project.project.id.to_string()), ..address.clone() };
        let Some(found) = self.session_of_token(&at, token)? else { return Ok(()) };
        let mut reader = self.db.reader().await?;
        let stored = sessions::find(&mut reader.conn(), &project.project.id, found.session).await?;
        drop(reader);
        let is_theirs = |stored: &sessions::StoredSession| {
            let is_secret = found.secret.as_ref().is_none_or(|secret| stored.secret_hash.matches(secret));
            is_secret && stored.session.ended.is_none() && self.check_key(&project, &stored.session, possession).is_ok()
        };
        let Some(stored) = stored.filter(is_theirs) else { return Ok(()) };
        let ending = Ending {
            reason: EndReason::SignedOut,
            actor: Actor::User(stored.session.user),
            act: Act::SessionEnded,
            request: Some(caller.request_id.clone()),
        };
        self.end_session(&stored.session, ending).await
    }
}
