//! Keys of delegated calls. A service provider's pair is made here and handed over once: only its public halves are kept. Our own pairs stay here,
//! sealed; the newest is given to whoever gets a key.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{
    delegation::{
        credential::{Credential, KeyName},
        keys::{IdpKeys, InvalidKey},
    },
    encoding,
    secret::SecretText,
};
use countersign_domain::{
    audit::{Act, Subject},
    clock::Timestamp,
    delegation_key::DelegationKey,
    id::{ClientId, KeyId, ProjectId},
};
use countersign_storage::{
    Conn, clients,
    delegation_keys::{self, StoredDelegationKey},
    error::Result as StorageResult,
    idp_keys::{self, StoredIdpKey},
    projects,
};

use crate::{
    Service,
    admin::{Decision, Deed, Refused},
    directory::delegation::{idp_opening_place, idp_signing_place, open_idp_key},
    error::Outage,
};

/// What a service provider is handed, once.
pub struct NewDelegationKey {
    /// The key.
    pub key: DelegationKey,
    /// All of it in one text: `hwx_sk_v1_…`.
    pub credential: SecretText,
    /// The same as PEM, for clients that take it apart.
    pub pem: DelegationPem,
}

/// The keys of a credential in PEM.
pub struct DelegationPem {
    /// Signs calls.
    pub sp_signing_key: SecretText,
    /// Opens answers.
    pub sp_encryption_key: SecretText,
    /// Checks answers.
    pub idp_verify_key: String,
    /// Calls are sealed to this.
    pub idp_encryption_key: String,
}

/// What is known of a pair of ours.
pub struct IdpKey {
    /// Its name: `hkid` of the credentials that were made with it.
    pub id: KeyId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is worthless.
    pub revoked_at: Option<Timestamp>,
    /// Checks what it signs, in PEM.
    pub verify_key: String,
    /// What is sealed for it is sealed to this, in PEM.
    pub encryption_key: String,
}

/// A provider's new key, and the pair of ours that goes with it.
struct Drawn {
    stored: StoredDelegationKey,
    /// Where the project had none.
    own: Option<StoredIdpKey>,
}

impl DelegationPem {
    /// Of a credential.
    pub fn of(credential: &Credential) -> Result<Self, InvalidKey> {
        Ok(Self {
            sp_signing_key: credential.signer.danger_to_pem()?,
            sp_encryption_key: credential.opener.danger_to_pem()?,
            idp_verify_key: credential.idp_verifier.to_pem(),
            idp_encryption_key: credential.idp_recipient.to_pem(),
        })
    }
}

impl Service {
    /// Makes a key for a client.
    pub async fn create_delegation_key(
        &self,
        project: &ProjectId,
        client: &ClientId,
        lives_for: Option<Duration>,
    ) -> Result<NewDelegationKey, Refused> {
        let now = self.now();
        let (drawn, new) = self.draw_delegation_key(project, client, lives_for.map(|span| now.plus(span)), now).await?;
        let id = new.key.id;
        self.administer(delegation_deed(project, Some(client), Act::KeyCreated, id), move |conn| {
            let drawn = Arc::clone(&drawn);
            Box::pin(async move { insert_with_own(conn, &drawn, now).await })
        })
        .await?;
        Ok(new)
    }

    /// Gives a client's key a successor, and lets it end after `overlap`: both work until then.
    pub async fn rotate_delegation_key(
        &self,
        project: &ProjectId,
        id: KeyId,
        overlap: Duration,
    ) -> Result<NewDelegationKey, Refused> {
        let now = self.now();
        let old = self.show_delegation_key(project, id).await?;
        let expires_at = old.expires_at.map(|end| now.plus(end.since(old.created_at)));
        let (drawn, new) = self.draw_delegation_key(project, &old.client, expires_at, now).await?;
        let mut deed = delegation_deed(project, Some(&old.client), Act::KeyRotated, id);
        deed.detail.push(("successor", new.key.id.to_string()));
        self.administer(deed, move |conn| {
            let drawn = Arc::clone(&drawn);
            Box::pin(async move {
                let successor = &drawn.stored.key;
                let Some(stored) = delegation_keys::find(conn, &successor.project, id).await? else {
                    return Ok(Err(Refused::not_found("key", id)));
                };
                let mut old = stored.key;
                if let Some(refused) = unfit(&old, now) {
                    return Ok(Err(refused));
                }
                let end = now.plus(overlap);
                old.expires_at = Some(old.expires_at.map_or(end, |earlier| earlier.min(end)));
                old.replaced_by = Some(successor.id);
                delegation_keys::update(conn, &old).await?;
                insert_with_own(conn, &drawn, now).await
            })
        })
        .await?;
        Ok(new)
    }

    /// Makes a client's key worthless.
    pub async fn revoke_delegation_key(&self, project: &ProjectId, id: KeyId) -> Result<DelegationKey, Refused> {
        let now = self.now();
        let wanted = project.clone();
        self.administer(delegation_deed(project, None, Act::KeyRevoked, id), move |conn| {
            let project = wanted.clone();
            Box::pin(async move {
                let Some(stored) = delegation_keys::find(conn, &project, id).await? else {
                    return Ok(Err(Refused::not_found("key", id)));
                };
                let mut key = stored.key;
                key.revoked_at = key.revoked_at.or(Some(now));
                delegation_keys::update(conn, &key).await?;
                Ok(Ok((key, Self::project_news(&project, now))))
            })
        })
        .await
    }

    /// Makes a pair of our own, with which credentials are made from now on. Those made before go on working.
    pub async fn rotate_idp_key(&self, project: &ProjectId) -> Result<KeyId, Refused> {
        let now = self.now();
        let (_, own) = self.new_idp_key(project, now)?;
        let own = Arc::new(own);
        let id = own.id;
        self.administer(delegation_deed(project, None, Act::KeyRotated, id), move |conn| {
            let own = Arc::clone(&own);
            Box::pin(async move {
                if projects::find(conn, &own.project).await?.is_none() {
                    return Ok(Err(Refused::not_found("project", &own.project)));
                }
                idp_keys::insert(conn, &own).await?;
                Ok(Ok((id, Self::project_news(&own.project, now))))
            })
        })
        .await
    }

    /// Makes a pair of our own worthless, and with it every client's key that was handed over with it.
    pub async fn revoke_idp_key(&self, project: &ProjectId, id: KeyId) -> Result<(), Refused> {
        let now = self.now();
        let wanted = project.clone();
        self.administer(delegation_deed(project, None, Act::KeyRevoked, id), move |conn| {
            let project = wanted.clone();
            Box::pin(async move {
                if !idp_keys::revoke(conn, &project, id, now).await? {
                    return Ok(Err(Refused::not_found("live key", id)));
                }
                Ok(Ok(((), Self::project_news(&project, now))))
            })
        })
        .await
    }

    /// A client's key.
    pub async fn show_delegation_key(&self, project: &ProjectId, id: KeyId) -> Result<DelegationKey, Refused> {
        let found = delegation_keys::find(&mut self.db.reader().await?.conn(), project, id).await?;
        found.map(|stored| stored.key).ok_or_else(|| Refused::not_found("key", id))
    }

    /// Our own pairs, the oldest first.
    pub async fn list_idp_keys(&self, project: &ProjectId) -> Result<Vec<IdpKey>, Refused> {
        let stored = idp_keys::list(&mut self.db.reader().await?.conn(), project).await?;
        stored.iter().map(|stored| self.shown_idp_key(stored)).collect()
    }

    fn shown_idp_key(&self, stored: &StoredIdpKey) -> Result<IdpKey, Refused> {
        let keys = self.opened_idp_key(stored)?;
        Ok(IdpKey {
            id: stored.id,
            created_at: stored.created_at,
            revoked_at: stored.revoked_at,
            verify_key: keys.signer.verifier().map_err(no_key)?.to_pem(),
            encryption_key: keys.opener.recipient().to_pem(),
        })
    }

    /// Would the calls of whoever holds this be taken, as calls of that client?
    pub fn knows_live_credential(&self, project: &ProjectId, client: &ClientId, credential: &Credential) -> bool {
        let directory = self.directory.load();
        let Some(view) = directory.project(project.as_str()) else { return false };
        let Ok(public) = credential.public() else { return false };
        let mut live = view.delegation.live(Some(client), self.now());
        live.any(|(it, _)| it.key.id.to_string() == credential.name.as_str() && it.public == public)
    }

    async fn draw_delegation_key(
        &self,
        project: &ProjectId,
        client: &ClientId,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(Arc<Drawn>, NewDelegationKey), Refused> {
        let known = idp_keys::list(&mut self.db.reader().await?.conn(), project).await?;
        let newest = known.into_iter().rfind(|stored| stored.revoked_at.is_none());
        let (idp, idp_key, own) = if let Some(stored) = newest {
            (self.opened_idp_key(&stored)?, stored.id, None)
        } else {
            let (keys, stored) = self.new_idp_key(project, now)?;
            (keys, stored.id, Some(stored))
        };
        let id = KeyId::new(now, self.entropy.bytes());
        let credential =
            Credential::generate(key_name(id)?, &idp, key_name(idp_key)?, &self.entropy).map_err(no_key)?;
        let public = credential.public().map_err(no_key)?;
        let key = DelegationKey {
            project: project.clone(),
            id,
            client: client.clone(),
            idp_key,
            created_at: now,
            expires_at,
            revoked_at: None,
            replaced_by: None,
        };
        let stored = StoredDelegationKey {
            key: key.clone(),
            verifying_key: encoding::encode(public.verifier.to_bytes()),
            sealing_key: encoding::encode(public.recipient.to_bytes()),
        };
        let pem = DelegationPem::of(&credential).map_err(no_key)?;
        let text = credential.danger_to_text().map_err(no_key)?;
        Ok((Arc::new(Drawn { stored, own }), NewDelegationKey { key, credential: text, pem }))
    }

    fn new_idp_key(&self, project: &ProjectId, now: Timestamp) -> Result<(IdpKeys, StoredIdpKey), Refused> {
        let keys = IdpKeys::generate(&self.entropy).map_err(no_key)?;
        let id = KeyId::new(now, self.entropy.bytes());
        let row = [project.to_string(), id.to_string()];
        let row = [row[0].as_str(), row[1].as_str()];
        let signing = keys.signer.danger_to_bytes().map_err(no_key)?;
        let opening = keys.opener.danger_to_bytes().map_err(no_key)?;
        let stored = StoredIdpKey {
            project: project.clone(),
            id,
            sealed_signing_key: self.master_key.seal(idp_signing_place(&row), &*signing),
            sealed_opening_key: self.master_key.seal(idp_opening_place(&row), &*opening),
            created_at: now,
            revoked_at: None,
        };
        Ok((keys, stored))
    }

    fn opened_idp_key(&self, stored: &StoredIdpKey) -> Result<IdpKeys, Refused> {
        open_idp_key(stored, &self.master_key).map_err(|problem| Refused::Outage(Outage::Fault(problem)))
    }
}

/// A key, with the pair of ours that it was made with. Where somebody made or revoked one meanwhile nothing is written.
async fn insert_with_own(conn: &mut Conn<'_>, drawn: &Drawn, now: Timestamp) -> StorageResult<Decision<()>> {
    let key = &drawn.stored.key;
    if clients::find(conn, &key.project, &key.client).await?.is_none() {
        return Ok(Err(Refused::not_found("client", &key.client)));
    }
    let known = idp_keys::list(conn, &key.project).await?;
    let newest = known.iter().rfind(|stored| stored.revoked_at.is_none()).map(|stored| stored.id);
    let expected = if drawn.own.is_some() { None } else { Some(key.idp_key) };
    if newest != expected {
        return Ok(Err(Refused::Invalid("the server's own keys changed at the same moment: try again".to_owned())));
    }
    if let Some(own) = &drawn.own {
        idp_keys::insert(conn, own).await?;
    }
    delegation_keys::insert(conn, &drawn.stored).await?;
    Ok(Ok(((), Service::project_news(&key.project, now))))
}

fn unfit(key: &DelegationKey, now: Timestamp) -> Option<Refused> {
    if !key.is_live(now) {
        return Some(Refused::Invalid(format!("key `{}` no longer works: create a new one", key.id)));
    }
    let successor = key.replaced_by?;
    Some(Refused::Invalid(format!("key `{}` has a successor already: `{successor}`", key.id)))
}

fn delegation_deed(project: &ProjectId, client: Option<&ClientId>, act: Act, key: KeyId) -> Deed {
    let subject = Subject { client: client.cloned(), key: Some(key.to_string()), ..Subject::default() };
    Deed { project: project.clone(), act, subject, detail: vec![("kind", "delegation".to_owned())] }
}

fn key_name(id: KeyId) -> Result<KeyName, Refused> {
    let fault = |_| Refused::Outage(Outage::Fault("a key's id doesn't name a key".to_owned()));
    KeyName::parse(&id.to_string()).map_err(fault)
}

fn no_key(_: InvalidKey) -> Refused {
    Refused::Outage(Outage::Fault("no delegation key could be made".to_owned()))
}
