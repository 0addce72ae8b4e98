//! Keys that authenticate a customer's backend, and what each may do.

use std::{collections::BTreeSet, net::IpAddr, num::NonZeroU32};

use ipnet::IpNet;

use crate::{
    clock::Timestamp,
    id::{ClientId, KeyId, ProjectId},
    proof::Level,
    text::Name,
};

/// What is known of a secret key; the secret itself is known to its holder alone.
#[derive(Debug, Clone)]
pub struct SecretKey {
    /// The project it opens.
    pub project: ProjectId,
    /// Its name in logs, tokens (`vby`) and the audit trail.
    pub id: KeyId,
    /// For people.
    pub name: Name,
    /// The first characters of the secret, by which its holder can tell which one it is.
    pub prefix: String,
    /// What it may do.
    pub scope: KeyScope,
    /// How often what it vouched for has been revoked.
    pub generation: u32,
    /// When the key was created.
    pub created_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// Since when it no longer works, because somebody said so.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// The key that took its place at a rotation.
    pub replaced_by: Option<KeyId>,
}

/// What a secret key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyScope {
    /// For which clients it may vouch.
    pub clients: ClientScope,
    /// May it create users?
    pub may_create_users: bool,
    /// From which networks it may be used; empty: from everywhere.
    pub networks: Vec<IpNet>,
    /// Requests per second, where they differ from the project's setting.
    pub rate: Option<NonZeroU32>,
    /// The highest authentication level that it may pass on.
    pub max_level: Level,
}

impl Default for KeyScope {
    fn default() -> Self {
        Self {
            clients: ClientScope::Every,
            may_create_users: true,
            networks: Vec::new(),
            rate: None,
            max_level: Level::Vouched,
        }
    }
}

/// What to change of a scope; what isn't given stays.
#[derive(Debug, Clone, Default)]
pub struct ScopeChanges {
    /// The clients it may vouch for.
    pub clients: Option<ClientScope>,
    /// May it create users?
    pub may_create_users: Option<bool>,
    /// The networks it may be used from; an empty list: every one.
    pub networks: Option<Vec<IpNet>>,
    /// Requests per second; `Some(None)`: as the project says.
    pub rate: Option<Option<NonZeroU32>>,
    /// The highest level that it may pass on.
    pub max_level: Option<Level>,
}

impl ScopeChanges {
    /// The scope that comes of it.
    #[must_use]
    pub fn apply(&self, before: &KeyScope) -> KeyScope {
        KeyScope {
            clients: self.clients.as_ref().unwrap_or(&before.clients).clone(),
            may_create_users: self.may_create_users.unwrap_or(before.may_create_users),
            networks: self.networks.as_ref().unwrap_or(&before.networks).clone(),
            rate: self.rate.unwrap_or(before.rate),
            max_level: self.max_level.unwrap_or(before.max_level),
        }
    }
}

/// The clients a key may vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientScope {
    /// All of the project, those included that are yet to be made.
    Every,
    /// Those named, and no other.
    Only(BTreeSet<ClientId>),
}

/// Why a key that exists can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefusal {
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
    /// The caller's network isn't among those it may be used from.
    ForeignNetwork,
}

impl SecretKey {
    /// May it be used now, from there?
    pub fn check(&self, now: Timestamp, caller: IpAddr) -> Result<(), KeyRefusal> {
        if self.revoked_at.is_some() {
            return Err(KeyRefusal::Revoked);
        }
        if self.expires_at.is_some_and(|end| end.is_past(now)) {
            return Err(KeyRefusal::Expired);
        }
        let networks = &self.scope.networks;
        if !networks.is_empty() && !networks.iter().any(|network| network.contains(&caller)) {
            return Err(KeyRefusal::ForeignNetwork);
        }
        Ok(())
    }

    /// Does it work now?
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.expires_at.is_some_and(|end| end.is_past(now))
    }

    /// May it vouch for users of this client?
    pub fn may_vouch_for(&self, client: &ClientId) -> bool {
        match &self.scope.clients {
            ClientScope::Every => true,
            ClientScope::Only(allowed) => allowed.contains(client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_of_a_scope_stays() {
        let narrow = KeyScope {
            clients: ClientScope::Only(["c1".parse().unwrap()].into()),
            may_create_users: false,
            networks: vec!["10.0.0.0/8".parse().unwrap()],
            rate: NonZeroU32::new(5),
            max_level: Level::OneFactor,
        };
        assert_eq!(ScopeChanges::default().apply(&narrow), narrow);
        let faster = ScopeChanges { rate: Some(NonZeroU32::new(50)), ..ScopeChanges::default() };
        assert_eq!(faster.apply(&narrow), KeyScope { rate: NonZeroU32::new(50), ..narrow.clone() });
        let wide = ScopeChanges {
            clients: Some(ClientScope::Every),
            may_create_users: Some(true),
            networks: Some(Vec::new()),
            rate: Some(None),
            max_level: Some(Level::Vouched),
        };
        assert_eq!(wide.apply(&narrow), KeyScope::default());
    }
}
