//! Giving a secret key a successor: both work until the overlap ends, so that a backend can change over without a gap.

use std::{sync::Arc, time::Duration};

use countersign_domain::{
    audit::{Act, Subject},
    clock::Timestamp,
    id::{KeyId, ProjectId},
};
use countersign_storage::secret_keys;

use super::create::NewKey;
use crate::{
    Service,
    admin::{Deed, Refused},
};

impl Service {
    /// Makes a key with the same name and scope, and lets the old one end after `overlap`.
    pub async fn rotate_secret_key(
        &self,
        project: &ProjectId,
        id: KeyId,
        overlap: Duration,
    ) -> Result<NewKey, Refused> {
        let now = self.now();
        let old = self.show_secret_key(project, id).await?;
        let lifetime = old.expires_at.map(|end| end.since(old.created_at));
        let expires_at = lifetime.map(|span| now.plus(span));
        let (successor, secret) = self.new_secret_key(project, old.name, old.scope, expires_at, now);
        let deed = Deed {
            project: project.clone(),
            act: Act::KeyRotated,
            subject: Subject { key: Some(id.to_string()), ..Subject::default() },
            detail: vec![("successor", successor.key.id.to_string())],
        };
        let new = NewKey { key: successor.key.clone(), secret };
        let successor = Arc::new(successor);
        self.administer(deed, move |conn| {
            let successor = Arc::clone(&successor);
            Box::pin(async move {
                let project = &successor.key.project;
                let Some(stored) = secret_keys::find(conn, project, id).await? else {
                    return Ok(Err(Refused::not_found("key", id)));
                };
                let mut old = stored.key;
                if let Some(refused) = unfit(&old, now) {
                    return Ok(Err(refused));
                }
                let end = now.plus(overlap);
                old.expires_at = Some(old.expires_at.map_or(end, |earlier| earlier.min(end)));
                old.replaced_by = Some(successor.key.id);
                secret_keys::update(conn, &old).await?;
                secret_keys::insert(conn, &successor).await?;
                Ok(Ok(((), Self::project_news(project, now))))
            })
        })
        .await?;
        Ok(new)
    }
}

fn unfit(key: &countersign_domain::key::SecretKey, now: Timestamp) -> Option<Refused> {
    let invalid = |problem: String| Some(Refused::Invalid(problem));
    if key.revoked_at.is_some() || key.expires_at.is_some_and(|end| end.is_past(now)) {
        return invalid(format!("key `{}` no longer works: create a new one", key.id));
    }
    match key.replaced_by {
        Some(successor) => invalid(format!("key `{}` has a successor already: `{successor}`", key.id)),
        None => None,
    }
}
