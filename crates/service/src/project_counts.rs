//! What happens in a project how often: counted in memory at line rate, written down by the hour every few seconds.

use std::{
    collections::HashMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use countersign_domain::id::ProjectId;
use metrics::{Counter, counter};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A call with an HMAC that is good for ever.
    ProvedV1,
    /// A call with an HMAC that expires.
    ProvedV2,
    /// A call without proof, in a project that doesn't require it.
    Unproved,
    /// A call with a wrong proof that was accepted, because the project requires none.
    WrongProof,
    /// A call that was refused.
    Refused,
    /// A call proved by a secret that has a successor.
    OldSecret,
    /// A user made by a first call that was proved.
    UserCreated,
    /// A user made by a first call without proof.
    UserCreatedUnproved,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ProvedV1,
        Self::ProvedV2,
        Self::Unproved,
        Self::WrongProof,
        Self::Refused,
        Self::OldSecret,
        Self::UserCreated,
        Self::UserCreatedUnproved,
    ];

    /// The name in the database, in metrics and in `project show`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProvedV1 => "proved_v1",
            Self::ProvedV2 => "proved_v2",
            Self::Unproved => "unproved",
            Self::WrongProof => "wrong_proof",
            Self::Refused => "refused",
            Self::OldSecret => "old_secret",
            Self::UserCreated => "user_created",
            Self::UserCreatedUnproved => "user_created_unproved",
        }
    }
}

/// The counts of all projects.
#[derive(Default)]
pub(crate) struct ProjectCounts(RwLock<HashMap<ProjectId, Arc<Counts>>>);

/// The counts of one project, each with its metric.
struct Counts([(AtomicU64, Counter); Event::ALL.len()]);

impl ProjectCounts {
    pub(crate) fn add(&self, project: &ProjectId, event: Event) {
        let counts = self.of(project);
        if let Some((count, metric)) = counts.as_ref().and_then(|counts| counts.0.get(event as usize)) {
            count.fetch_add(1, Ordering::Relaxed);
            metric.increment(1);
        }
    }

    fn of(&self, project: &ProjectId) -> Option<Arc<Counts>> {
        let known = self.0.read().ok()?.get(project).cloned();
        known.or_else(|| {
            let mut all = self.0.write().ok()?;
            Some(Arc::clone(all.entry(project.clone()).or_insert_with(|| Arc::new(Counts::new(project)))))
        })
    }

    /// What was counted since it was last taken.
    pub(crate) fn take(&self) -> Vec<(ProjectId, Event, u64)> {
        let all: Vec<(ProjectId, Arc<Counts>)> = self
            .0
            .read()
            .map(|all| all.iter().map(|(id, it)| (id.clone(), Arc::clone(it))).collect())
            .unwrap_or_default();
        let taken = all.iter().flat_map(|(id, counts)| {
            let events = Event::ALL.iter().zip(&counts.0);
            events.map(|(event, (count, _))| (id.clone(), *event, count.swap(0, Ordering::Relaxed)))
        });
        taken.filter(|(_, _, count)| *count > 0).collect()
    }
}

impl Counts {
    fn new(project: &ProjectId) -> Self {
        let metric = |event: Event| {
            let labels = [("project", project.to_string()), ("event", event.as_str().to_owned())];
            counter!("countersign_client_api_events_total", &labels)
        };
        Self(Event::ALL.map(|event| (AtomicU64::new(0), metric(event))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_counted_once() {
        let counts = ProjectCounts::default();
        let p1: ProjectId = "p1".parse().unwrap();
        counts.add(&p1, Event::Unproved);
        counts.add(&p1, Event::Unproved);
        counts.add(&p1, Event::ProvedV1);
        assert_eq!(counts.take(), [(p1.clone(), Event::ProvedV1, 1), (p1.clone(), Event::Unproved, 2)]);
        assert_eq!(counts.take(), []);
    }

    #[test]
    fn the_list_of_events_is_in_their_order() {
        for (place, event) in Event::ALL.into_iter().enumerate() {
            assert_eq!(event as usize, place);
        }
    }
}
