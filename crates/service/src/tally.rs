//! What happens at line rate is counted here and written down together: refusals, and the last use of each key.

use std::{collections::HashMap, sync::Mutex};

use countersign_domain::{
    audit::Act,
    clock::Timestamp,
    id::{KeyId, ProjectId},
};

/// One kind of refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Refusal {
    /// Where.
    pub(crate) project: ProjectId,
    /// What was refused.
    pub(crate) act: Act,
    /// Why.
    pub(crate) reason: &'static str,
    /// Whose key it was, where one was proved.
    pub(crate) key: Option<KeyId>,
}

/// Counts since they were last written down.
#[derive(Default)]
pub(crate) struct Tally {
    refusals: Mutex<HashMap<Refusal, u64>>,
    uses: Mutex<Uses>,
    client_api_uses: Mutex<Uses>,
}

/// When each key was last used, and of which project it is.
pub(crate) type Uses = HashMap<KeyId, (ProjectId, Timestamp)>;

impl Tally {
    /// Projects, acts, reasons and keys are ours to name, so there are few of them, whoever calls and however often.
    pub(crate) fn refused(&self, refusal: Refusal) {
        if let Ok(mut refusals) = self.refusals.lock() {
            *refusals.entry(refusal).or_default() += 1;
        }
    }

    pub(crate) fn used(&self, project: &ProjectId, key: KeyId, now: Timestamp) {
        note(&self.uses, project, key, now);
    }

    pub(crate) fn used_client_api_key(&self, project: &ProjectId, key: KeyId, now: Timestamp) {
        note(&self.client_api_uses, project, key, now);
    }

    pub(crate) fn take_refusals(&self) -> HashMap<Refusal, u64> {
        self.refusals.lock().map(|mut it| std::mem::take(&mut *it)).unwrap_or_default()
    }

    pub(crate) fn take_client_api_uses(&self) -> Uses {
        self.client_api_uses.lock().map(|mut it| std::mem::take(&mut *it)).unwrap_or_default()
    }

    pub(crate) fn take_uses(&self) -> Uses {
        self.uses.lock().map(|mut it| std::mem::take(&mut *it)).unwrap_or_default()
    }
}

/// Each verdict comes by here, so only a key's first use makes an entry.
fn note(uses: &Mutex<Uses>, project: &ProjectId, key: KeyId, now: Timestamp) {
    let Ok(mut uses) = uses.lock() else { return };
    match uses.get_mut(&key) {
        Some((_, at)) => *at = now,
        None => drop(uses.insert(key, (project.clone(), now))),
    }
}
