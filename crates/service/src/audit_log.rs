//! Looking at the audit trail.

use countersign_domain::id::{AuditId, ProjectId};
use countersign_storage::audit::{self, ReadEntry};

use crate::{Service, admin::Refused};

impl Service {
    /// Entries of a project in their order: those after `after`, or, without it, the newest.
    pub async fn audit_entries(
        &self,
        project: &ProjectId,
        after: Option<AuditId>,
        limit: u32,
    ) -> Result<Vec<ReadEntry>, Refused> {
        Ok(audit::list(&mut self.db.reader().await?.conn(), project, after, limit).await?)
    }
}
