//! What operators and backends do to what is on record, by whatever means: one transaction that changes something, tells every node, and says so in the trail.

use std::{fmt::Display, sync::Arc};

use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{ProjectId, UserId},
    policy::InvalidSetting,
};
use countersign_storage::{
    Conn, audit,
    changes::{self, Change, What},
    error::{Error as StorageError, Result as StorageResult},
};
use futures_util::future::BoxFuture;

use crate::{Service, caller::Caller, error::Outage};

/// Why an operator's wish isn't granted. Operators may know everything.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refused {
    /// There is nothing of that name.
    #[error("there is no {noun} `{id}`")]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// By what name.
        id: String,
    },
    /// There is something of that name.
    #[error("there is a {noun} `{id}` already")]
    Exists {
        /// What was to be made.
        noun: &'static str,
        /// By what name.
        id: String,
    },
    /// It can't be so.
    #[error("{0}")]
    Invalid(String),
    /// Nothing could be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl From<InvalidSetting> for Refused {
    fn from(problem: InvalidSetting) -> Self {
        Self::Invalid(problem.to_string())
    }
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        match error {
            // On PostgreSQL, of two who make the same at once one finds out only when it writes.
            StorageError::Taken(_) => Self::Invalid("somebody made the same at the same moment: look again".to_owned()),
            other => Self::Outage(other.into()),
        }
    }
}

impl Refused {
    pub(crate) fn not_found(noun: &'static str, id: impl Display) -> Self {
        Self::NotFound { noun, id: id.to_string() }
    }

    pub(crate) fn exists(noun: &'static str, id: impl Display) -> Self {
        Self::Exists { noun, id: id.to_string() }
    }
}

/// What a transaction comes to: something, with the news of it, or a refusal, with nothing changed.
pub(crate) type Decision<T> = Result<(T, Vec<Change>), Refused>;

/// One thing that somebody does.
pub(crate) struct Deed {
    pub(crate) project: ProjectId,
    pub(crate) act: Act,
    pub(crate) subject: Subject,
    pub(crate) detail: Vec<(&'static str, String)>,
}

/// News of what is read anew are told for this long; a node that was away for longer reads everything anew.
pub(crate) const NEWS: std::time::Duration = std::time::Duration::from_hours(1);

impl Service {
    /// Does an operator's deed.
    pub(crate) async fn administer<T, F>(&self, deed: Deed, work: F) -> Result<T, Refused>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Conn<'_>) -> BoxFuture<'t, StorageResult<Decision<T>>> + Send + Sync + 'static,
    {
        self.perform(deed, Actor::Operator, None, work).await
    }

    /// Does a deed: `work` decides and changes, the entry and the news follow in the same transaction, and this process knows at once.
    pub(crate) async fn perform<T, F>(
        &self,
        deed: Deed,
        actor: Actor,
        caller: Option<&Caller>,
        work: F,
    ) -> Result<T, Refused>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Conn<'_>) -> BoxFuture<'t, StorageResult<Decision<T>>> + Send + Sync + 'static,
    {
        let now = self.now();
        let entry = Arc::new(AuditEntry {
            project: deed.project,
            id: self.audit_id(now),
            at: now,
            act: deed.act,
            actor,
            subject: deed.subject,
            request: caller.map(|caller| caller.request_id.clone()),
            detail: deed.detail,
        });
        let work = Arc::new(work);
        let written = self.db.write(move |mut conn| {
            let (work, entry) = (Arc::clone(&work), Arc::clone(&entry));
            Box::pin(async move {
                let decided = work(&mut conn).await?;
                if let Ok((_, news)) = &decided {
                    for change in news {
                        changes::insert(&mut conn, change).await?;
                    }
                    audit::insert_many(&mut conn, &[&entry]).await?;
                }
                Ok(decided)
            })
        });
        let (result, news) = written.await??;
        for change in &news {
            self.apply(change).await;
        }
        Ok(result)
    }

    /// The news that a project, its clients or its keys have changed.
    pub(crate) fn project_news(project: &ProjectId, now: Timestamp) -> Vec<Change> {
        vec![Change { project: project.clone(), what: What::Project, expires_at: now.plus(NEWS) }]
    }

    /// The news that a user is known by other names.
    pub(crate) fn user_news(project: &ProjectId, user: UserId, now: Timestamp) -> Change {
        Change { project: project.clone(), what: What::UserChanged(user), expires_at: now.plus(NEWS) }
    }
}
