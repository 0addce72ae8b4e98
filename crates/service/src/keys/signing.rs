//! Signing keys: `next`, `active`, `retired`. Clients cache a JWK Set for an hour and may not look again, so the next key is published a
//! day before it signs.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{encoding, jose::signing_key::SigningKey};
use countersign_domain::{
    audit::{Act, Subject},
    clock::Timestamp,
    id::{ProjectId, SigningKeyId},
    signing_algorithm::SigningAlgorithm,
};
use countersign_storage::{
    Conn,
    error::Result as StorageResult,
    projects,
    signing_keys::{self, StoredSigningKey},
};

use crate::{
    Service,
    admin::{Deed, Refused},
    directory::signing_key_place,
    error::Outage,
};

/// What a new key begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Next,
    Active,
}

/// How long a key is published before it signs.
pub const PUBLISHED_BEFORE_USE: Duration = Duration::from_hours(24);

/// Longer than any access token lives.
const NOTHING_IT_SIGNED_IS_ALIVE: Duration = Duration::from_hours(25);

impl Service {
    pub(crate) fn new_signing_key(
        &self,
        project: &ProjectId,
        algorithm: SigningAlgorithm,
        role: Role,
        now: Timestamp,
    ) -> Result<StoredSigningKey, Refused> {
        let fault = |_| Refused::Outage(Outage::Fault("no signing key could be made".to_owned()));
        let id = SigningKeyId::new(now, self.entropy.bytes());
        let key = SigningKey::generate_for(algorithm, id).map_err(fault)?;
        let row = [project.to_string(), id.to_string()];
        let place = [row[0].as_str(), row[1].as_str()];
        let private = key.danger_to_pkcs8().map_err(fault)?;
        Ok(StoredSigningKey {
            project: project.clone(),
            id,
            algorithm,
            public_key: encoding::encode(key.verifying_key().map_err(fault)?.public()),
            sealed_private_key: self.master_key.seal(signing_key_place(&place), &private),
            created_at: now,
            activated_at: (role == Role::Active).then_some(now),
            retired_at: None,
            expires_at: None,
        })
    }

    /// A key that signs and one that comes after it.
    pub(crate) fn new_signing_keys(
        &self,
        project: &ProjectId,
        algorithm: SigningAlgorithm,
        now: Timestamp,
    ) -> Result<[StoredSigningKey; 2], Refused> {
        let key = |role| self.new_signing_key(project, algorithm, role, now);
        Ok([key(Role::Active)?, key(Role::Next)?])
    }

    /// Gives a project keys of an algorithm, where it has none: one that signs, and the next. Gives the one that signs.
    pub async fn create_signing_key(
        &self,
        project: &ProjectId,
        algorithm: SigningAlgorithm,
    ) -> Result<SigningKeyId, Refused> {
        let now = self.now();
        let made = Arc::new(self.new_signing_keys(project, algorithm, now)?);
        let (project, id) = (project.clone(), made[0].id);
        self.administer(signing_deed(&project.clone(), Act::KeyCreated, id.to_string()), move |conn| {
            let (made, project) = (Arc::clone(&made), project.clone());
            Box::pin(async move {
                if projects::find(conn, &project).await?.is_none() {
                    return Ok(Err(Refused::not_found("project", &project)));
                }
                if !insert_missing(conn, &made).await? {
                    return Ok(Err(Refused::exists("signing key for", algorithm)));
                }
                Ok(Ok((id, Self::project_news(&project, now))))
            })
        })
        .await
    }

    /// Lets the next key sign, retires the one that did, and publishes a new next. Refused while the next hasn't been published long enough,
    /// unless it must be `now`: then clients that don't look at the JWK Set again will refuse our tokens for an hour.
    pub async fn rotate_signing_key(&self, project: &ProjectId, at_once: bool) -> Result<SigningKeyId, Refused> {
        self.rotate_signing_key_for(project, SigningAlgorithm::Es256, at_once).await
    }

    /// The same for the keys of some algorithm.
    pub async fn rotate_signing_key_for(
        &self,
        project: &ProjectId,
        algorithm: SigningAlgorithm,
        at_once: bool,
    ) -> Result<SigningKeyId, Refused> {
        let now = self.now();
        let successor = Arc::new(self.new_signing_key(project, algorithm, Role::Next, now)?);
        self.administer(signing_deed(project, Act::KeyRotated, "signing".to_owned()), move |conn| {
            let successor = Arc::clone(&successor);
            Box::pin(async move {
                let project = &successor.project;
                let keys = of_algorithm(signing_keys::list(conn, project).await?, algorithm);
                let Some(next) = keys.iter().find(|key| key.is_next()) else {
                    return Ok(Err(Refused::not_found("signing key for", algorithm)));
                };
                let published_for = now.since(next.created_at);
                let missing = PUBLISHED_BEFORE_USE.saturating_sub(published_for);
                if !missing.is_zero() && !at_once {
                    return Ok(Err(too_early(missing)));
                }
                promote(conn, &keys, next, &successor, now).await?;
                Ok(Ok((next.id, Self::project_news(project, now))))
            })
        })
        .await
    }

    /// Makes everything worthless that a key has signed, at once. The active one is replaced first.
    pub async fn revoke_signing_key(&self, project: &ProjectId, id: SigningKeyId) -> Result<(), Refused> {
        let now = self.now();
        let found = signing_keys::list(&mut self.db.reader().await?.conn(), project).await?;
        let algorithm = found.iter().find(|key| key.id == id).map(|key| key.algorithm);
        let algorithm = algorithm.ok_or_else(|| Refused::not_found("signing key", id))?;
        let successor = Arc::new(self.new_signing_key(project, algorithm, Role::Next, now)?);
        self.administer(signing_deed(project, Act::KeyRevoked, id.to_string()), move |conn| {
            let successor = Arc::clone(&successor);
            Box::pin(async move {
                let project = &successor.project;
                let keys = of_algorithm(signing_keys::list(conn, project).await?, algorithm);
                let Some(revoked) = keys.iter().find(|key| key.id == id) else {
                    return Ok(Err(Refused::not_found("signing key", id)));
                };
                let next = keys.iter().find(|key| key.is_next());
                match next {
                    Some(next) if revoked.is_active() => promote(conn, &keys, next, &successor, now).await?,
                    Some(next) if next.id == id => signing_keys::insert(conn, &successor).await?,
                    _ => {}
                }
                signing_keys::delete(conn, project, id).await?;
                Ok(Ok(((), Self::project_news(project, now))))
            })
        })
        .await
    }
}

/// Writes keys of an algorithm where there are none; `false` where there are.
pub(crate) async fn insert_missing(conn: &mut Conn<'_>, made: &[StoredSigningKey; 2]) -> StorageResult<bool> {
    let known = signing_keys::list(conn, &made[0].project).await?;
    if known.iter().any(|key| key.algorithm == made[0].algorithm) {
        return Ok(false);
    }
    for key in made {
        signing_keys::insert(conn, key).await?;
    }
    Ok(true)
}

fn of_algorithm(keys: Vec<StoredSigningKey>, algorithm: SigningAlgorithm) -> Vec<StoredSigningKey> {
    keys.into_iter().filter(|key| key.algorithm == algorithm).collect()
}

async fn promote(
    conn: &mut Conn<'_>,
    keys: &[StoredSigningKey],
    next: &StoredSigningKey,
    successor: &StoredSigningKey,
    now: Timestamp,
) -> StorageResult<()> {
    for active in keys.iter().filter(|key| key.is_active()) {
        let expires_at = now.plus(NOTHING_IT_SIGNED_IS_ALIVE);
        signing_keys::retire(conn, &active.project, active.id, now, expires_at).await?;
    }
    signing_keys::activate(conn, &next.project, next.id, now).await?;
    signing_keys::insert(conn, successor).await
}

fn signing_deed(project: &ProjectId, act: Act, key: String) -> Deed {
    Deed {
        project: project.clone(),
        act,
        subject: Subject { key: Some(key), ..Subject::default() },
        detail: Vec::new(),
    }
}

fn too_early(wait: Duration) -> Refused {
    let hours = wait.as_secs().div_ceil(3_600);
    Refused::Invalid(format!(
        "the next signing key was published less than a day ago, and clients may not have seen it: \
         wait {hours} h, or say --now and accept that some refuse tokens for an hour"
    ))
}
