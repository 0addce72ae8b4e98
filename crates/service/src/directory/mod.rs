//! Settings, clients and keys of all projects, in memory: what every call needs and no call should have to read.

pub(crate) mod delegation;
mod load;
mod view;

use std::{collections::HashMap, sync::Arc};

use countersign_crypto::api_key::SecretKeyHash;
use countersign_domain::id::{KeyId, ProjectId};

pub(crate) use load::{LoadError, hmac_secret_place, load_project, signing_key_place};
pub(crate) use view::UserKey;
pub use view::{ClientView, ProjectView};

/// All projects at one moment; replaced as a whole when any of them changes.
#[derive(Default, Clone)]
pub(crate) struct Directory {
    projects: HashMap<ProjectId, Arc<ProjectView>>,
    secret_keys: HashMap<SecretKeyHash, (ProjectId, KeyId)>,
    publishable_keys: HashMap<Box<str>, (ProjectId, KeyId)>,
    signing_keys: HashMap<String, ProjectId>,
    /// Those of service providers.
    delegation_keys: HashMap<KeyId, ProjectId>,
    hosts: HashMap<String, ProjectId>,
    /// Those of them that are the gateway's alone.
    gateway_hosts: HashMap<String, ProjectId>,
    has_gateway: bool,
}

impl Directory {
    /// A project by its id.
    pub(crate) fn project(&self, id: &str) -> Option<&Arc<ProjectView>> {
        self.projects.get(id)
    }

    /// The project that is served at a host name of its own.
    pub(crate) fn project_at(&self, host: &str) -> Option<&Arc<ProjectView>> {
        self.projects.get(self.hosts.get(host)?)
    }

    /// Is everything at this host name for the gateway?
    pub(crate) fn is_gateway_host(&self, host: &str) -> bool {
        self.gateway_hosts.contains_key(host)
    }

    pub(crate) fn has_gateway_hosts(&self) -> bool {
        !self.gateway_hosts.is_empty()
    }

    /// Does any project have an API behind the gateway?
    pub(crate) fn has_gateway(&self) -> bool {
        self.has_gateway
    }

    /// The project and key that a secret belongs to.
    pub(crate) fn secret_key(&self, hash: &SecretKeyHash) -> Option<(&Arc<ProjectView>, KeyId)> {
        let (project, key) = self.secret_keys.get(hash)?;
        Some((self.projects.get(project)?, *key))
    }

    /// The project and key that a publishable key names.
    pub(crate) fn publishable_key(&self, text: &str) -> Option<(&Arc<ProjectView>, KeyId)> {
        let (project, key) = self.publishable_keys.get(text)?;
        Some((self.projects.get(project)?, *key))
    }

    /// The project in which a signing key signs.
    pub(crate) fn signer(&self, kid: &str) -> Option<&Arc<ProjectView>> {
        self.projects.get(self.signing_keys.get(kid)?)
    }

    /// The project of a service provider's key.
    pub(crate) fn delegation_key(&self, id: KeyId) -> Option<&Arc<ProjectView>> {
        self.projects.get(self.delegation_keys.get(&id)?)
    }

    /// All projects.
    pub(crate) fn projects(&self) -> impl Iterator<Item = &Arc<ProjectView>> {
        self.projects.values()
    }

    /// The directory with a project as it is now, or without it.
    pub(crate) fn with(&self, id: &ProjectId, view: Option<Arc<ProjectView>>) -> Self {
        let mut next = self.clone();
        next.secret_keys.retain(|_, (project, _)| project != id);
        next.publishable_keys.retain(|_, (project, _)| project != id);
        next.signing_keys.retain(|_, project| project != id);
        next.delegation_keys.retain(|_, project| project != id);
        next.hosts.retain(|_, project| project != id);
        next.gateway_hosts.retain(|_, project| project != id);
        next.projects.remove(id);
        if let Some(view) = view {
            next.secret_keys.extend(view.key_hashes().map(|(hash, key)| (hash, (id.clone(), key))));
            next.publishable_keys.extend(view.publishable_keys().map(|(text, key)| (text, (id.clone(), key))));
            next.signing_keys.extend(view.key_ids().map(|kid| (kid, id.clone())));
            next.delegation_keys.extend(view.delegation.names().map(|key| (key, id.clone())));
            if let Some(host) = &view.settings.host {
                next.hosts.insert(host.clone(), id.clone());
            }
            let of_routes: Vec<String> = view.gateway_hosts().map(str::to_owned).collect();
            next.hosts.extend(of_routes.iter().map(|host| (host.clone(), id.clone())));
            next.gateway_hosts.extend(of_routes.into_iter().map(|host| (host, id.clone())));
            next.projects.insert(id.clone(), view);
        }
        next.has_gateway = next.projects.values().any(|project| project.has_gateway());
        next
    }
}
