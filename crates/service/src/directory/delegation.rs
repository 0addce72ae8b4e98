//! The keys of delegated calls, ready for use: those of the service providers, and our own.

use std::collections::HashMap;

use countersign_crypto::{
    delegation::keys::{IdpKeys, Opener, Recipient, Signer, SpKeys, Verifier},
    encoding,
    master_key::MasterKey,
    seal::Place,
};
use countersign_domain::{
    clock::Timestamp,
    delegation_key::DelegationKey,
    id::{ClientId, KeyId},
};
use countersign_storage::{delegation_keys::StoredDelegationKey, idp_keys::StoredIdpKey};

/// Those of a project.
#[derive(Default)]
pub(crate) struct DelegationKeys {
    /// The newest first: they are the likeliest to have signed.
    of_providers: Vec<ProviderKey>,
    /// Our own that weren't revoked.
    own: HashMap<KeyId, IdpKeys>,
}

/// A key of a service provider.
pub(crate) struct ProviderKey {
    pub(crate) key: DelegationKey,
    pub(crate) public: SpKeys,
}

/// Where our private Ed25519 keys are sealed.
pub(crate) fn idp_signing_place<'a>(row: &'a [&'a str; 2]) -> Place<'a> {
    Place { table: "idp_keys", column: "sealed_signing_key", row }
}

/// Where our private X25519 keys are sealed.
pub(crate) fn idp_opening_place<'a>(row: &'a [&'a str; 2]) -> Place<'a> {
    Place { table: "idp_keys", column: "sealed_opening_key", row }
}

/// Makes a pair of ours ready.
pub(crate) fn open_idp_key(stored: &StoredIdpKey, master_key: &MasterKey) -> Result<IdpKeys, String> {
    let row = [stored.project.to_string(), stored.id.to_string()];
    let row = [row[0].as_str(), row[1].as_str()];
    let broken = || format!("delegation key {} is no key", stored.id);
    let opened = |place, sealed: &str| {
        let opened = master_key.open(place, sealed);
        opened.map_err(|problem| format!("delegation key {}: {problem}", stored.id))
    };
    let signing = opened(idp_signing_place(&row), &stored.sealed_signing_key)?;
    let opening = opened(idp_opening_place(&row), &stored.sealed_opening_key)?;
    let signing: &[u8; 32] = signing[..].try_into().map_err(|_| broken())?;
    let opening: &[u8; 32] = opening[..].try_into().map_err(|_| broken())?;
    Ok(IdpKeys {
        signer: Signer::from_bytes(signing).map_err(|_| broken())?,
        opener: Opener::from_bytes(opening).map_err(|_| broken())?,
    })
}

impl DelegationKeys {
    pub(super) fn open(
        of_providers: &[StoredDelegationKey],
        own: &[StoredIdpKey],
        master_key: &MasterKey,
    ) -> Result<Self, String> {
        let mut keys = Self::default();
        for stored in own.iter().filter(|stored| stored.revoked_at.is_none()) {
            keys.own.insert(stored.id, open_idp_key(stored, master_key)?);
        }
        for stored in of_providers.iter().rev() {
            let public = public_of(stored).ok_or_else(|| format!("delegation key {} is no key", stored.key.id))?;
            keys.of_providers.push(ProviderKey { key: stored.key.clone(), public });
        }
        Ok(keys)
    }

    /// What the providers' keys are called, those that no longer work included.
    pub(super) fn names(&self) -> impl Iterator<Item = KeyId> {
        self.of_providers.iter().map(|it| it.key.id)
    }

    /// A provider's key, whether it works or not.
    pub(crate) fn find(&self, id: KeyId) -> Option<&ProviderKey> {
        self.of_providers.iter().find(|it| it.key.id == id)
    }

    /// The keys that work now, of one client or of all, with what was given to whoever holds them. One whose holder was given a pair of ours that is
    /// worthless is worthless, too: nobody could check what we answer.
    pub(crate) fn live(
        &self,
        client: Option<&ClientId>,
        now: Timestamp,
    ) -> impl Iterator<Item = (&ProviderKey, &IdpKeys)> {
        let of_client = move |it: &&ProviderKey| client.is_none_or(|client| it.key.client == *client);
        let live = self.of_providers.iter().filter(of_client).filter(move |it| it.key.is_live(now));
        live.filter_map(|it| Some((it, self.own.get(&it.key.idp_key)?)))
    }

    /// A pair of ours that works.
    pub(crate) fn own(&self, id: KeyId) -> Option<&IdpKeys> {
        self.own.get(&id)
    }

    /// What opens calls, the pair first that its caller was given.
    pub(crate) fn openers(&self, first: KeyId) -> impl Iterator<Item = &Opener> {
        let others = self.own.iter().filter(move |(id, _)| **id != first);
        self.own.get(&first).into_iter().chain(others.map(|(_, keys)| keys)).map(|keys| &keys.opener)
    }
}

fn public_of(stored: &StoredDelegationKey) -> Option<SpKeys> {
    Some(SpKeys {
        verifier: Verifier::from_bytes(encoding::decode_array(&stored.verifying_key)?).ok()?,
        recipient: Recipient::from_bytes(encoding::decode_array(&stored.sealing_key)?).ok()?,
    })
}
