//! To which project a call is addressed. Path, host, body and key may each say it; those that speak must agree.

use std::sync::Arc;

use crate::{Service, directory::ProjectView};

/// What path and host say. Both are anybody's to write.
#[derive(Debug, Clone, Default)]
pub struct Address {
    /// The project that the path names, after `/p/`.
    pub path: Option<String>,
    /// The host that the call was made to, without its port.
    pub host: Option<String>,
}

/// Why a call is addressed to no one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misaddressed {
    /// One of those that spoke named a project that there isn't, or that is closed.
    NoSuchProject,
    /// They named different ones.
    Disagreement,
    /// None spoke, and the root serves no project.
    NoneNamed,
}

impl Service {
    /// The project that a call is addressed to, where its body or credential names `claimed`.
    pub(crate) fn addressed(&self, address: &Address, claimed: Option<&str>) -> Result<Arc<ProjectView>, Misaddressed> {
        let directory = self.directory.load();
        let by_host = address.host.as_deref().and_then(|host| directory.project_at(host));
        let mut named = by_host.cloned();
        for id in [address.path.as_deref(), claimed].into_iter().flatten() {
            let project = directory.project(id).ok_or(Misaddressed::NoSuchProject)?;
            match &named {
                Some(other) if other.project.id != project.project.id => return Err(Misaddressed::Disagreement),
                _ => named = Some(Arc::clone(project)),
            }
        }
        let default = || directory.project(self.config.default_project.as_ref()?.as_str()).cloned();
        let project = named.or_else(default).ok_or(Misaddressed::NoneNamed)?;
        if project.is_disabled() { Err(Misaddressed::NoSuchProject) } else { Ok(project) }
    }

    /// How a call may be addressed that came by this path: as the server is configured to be reached, never as `Host` has it. The project may stand
    /// in the path or not, whatever a proxy made of it. In development the machine has two names.
    pub(crate) fn urls_of_call(&self, project: &ProjectView, path: &str) -> Vec<String> {
        let prefix = format!("/p/{}", project.project.id);
        let plain = path.strip_prefix(&prefix).filter(|rest| rest.starts_with('/')).unwrap_or(path);
        let public = self.config.public_url.as_str();
        let origin = project.issuer.strip_suffix(&*prefix).unwrap_or(&project.issuer);
        let mut bases = vec![public.to_owned()];
        if origin != public {
            bases.push(origin.to_owned());
        }
        if self.config.delivery.is_outbox() {
            let aliases = [("//localhost", "//127.0.0.1"), ("//127.0.0.1", "//localhost")];
            let alias = aliases.into_iter().find(|(name, _)| public.contains(name));
            bases.extend(alias.map(|(name, other)| public.replacen(name, other, 1)));
        }
        bases.iter().flat_map(|base| [format!("{base}{plain}"), format!("{base}{prefix}{plain}")]).collect()
    }

    /// The project of a call that may name it beside path and host (`X-Config-Id`, `apikey`), by its id or a publishable key.
    pub(crate) fn project_named(
        &self,
        address: &Address,
        named: Option<&str>,
    ) -> Result<Arc<ProjectView>, Misaddressed> {
        let Some(named) = named.filter(|named| !named.is_empty()) else {
            return self.addressed(address, None);
        };
        let directory = self.directory.load();
        let by_key = directory.publishable_key(named).map(|(project, _)| project.project.id.to_string());
        self.addressed(address, Some(by_key.as_deref().unwrap_or(named)))
    }

    /// Is everything at this host name for the gateway?
    pub fn is_gateway_host(&self, host: &str) -> bool {
        self.directory.load().is_gateway_host(host)
    }

    /// Is there any such host name?
    pub fn has_gateway_hosts(&self) -> bool {
        self.directory.load().has_gateway_hosts()
    }

    /// Does any project have an API behind the gateway?
    pub fn has_gateway(&self) -> bool {
        self.directory.load().has_gateway()
    }

    /// The project whose metadata is asked for.
    pub fn project(&self, address: &Address) -> Result<Arc<ProjectView>, Misaddressed> {
        self.addressed(address, None)
    }
}
