//! Whom a call is about.

use countersign_domain::id::ProjectId;

use super::{ManagedUser, ManagementRefused};
use crate::{
    Service,
    delegation::subject::{NamedSubject, SubjectRefused},
};

impl Service {
    /// A user by e-mail address, uid or the customer's own id. A text that means one user in one way and another in another means nobody.
    pub(crate) async fn managed_user(
        &self,
        project: &ProjectId,
        userid: &str,
    ) -> Result<ManagedUser, ManagementRefused> {
        let mut reader = self.db.reader().await?;
        let found = NamedSubject::read(userid).find(&mut reader.conn(), project).await?;
        match found {
            Ok(subject) => Ok(ManagedUser { id: subject.user.id, is_disabled: subject.user.disabled_at.is_some() }),
            Err(SubjectRefused::NoSuchUser) => Err(ManagementRefused::NoSuchUser),
            Err(SubjectRefused::Ambiguous) => Err(ManagementRefused::Ambiguous),
            Err(SubjectRefused::Outage(outage)) => Err(outage.into()),
        }
    }
}
