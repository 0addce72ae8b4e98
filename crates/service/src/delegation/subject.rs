//! Of whom a backend speaks: it names a user by e-mail address, else by our id or by its own.

use countersign_domain::{
    id::{ProjectId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord},
    user::User,
};
use countersign_storage::{Conn, error::Result as StorageResult, identities, users};

use crate::error::Outage;

/// No user's: users' have the time of their making in them.
pub(crate) const NOBODY: UserId = UserId::from_bytes([0; 16]);

/// The user that is meant.
pub(crate) struct Subject {
    pub(crate) user: User,
    /// What the user is known as, the newest first.
    pub(crate) known_as: Vec<IdentityRecord>,
}

/// Why nobody is meant.
#[derive(Debug, thiserror::Error)]
pub enum SubjectRefused {
    /// Nobody has that name.
    #[error("there is no such user")]
    NoSuchUser,
    /// It is the address of one user and an id of another.
    #[error("the name could mean two users")]
    Ambiguous,
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// What a text could mean. All of it is looked up, whatever is found first: who could be meant besides must be known.
pub(crate) struct NamedSubject {
    identities: Vec<Identity>,
    id: Option<UserId>,
}

impl NamedSubject {
    pub(crate) fn read(userid: &str) -> Self {
        let kinds = [IdentityKind::Email, IdentityKind::ExternalId];
        let identities = kinds.iter().filter_map(|kind| Identity::parse(*kind, userid).ok()).collect();
        Self { identities, id: userid.parse().ok() }
    }

    /// The one user that is meant.
    pub(crate) async fn find(
        &self,
        conn: &mut Conn<'_>,
        project: &ProjectId,
    ) -> StorageResult<Result<Subject, SubjectRefused>> {
        let mut meant: Vec<UserId> = Vec::new();
        for identity in &self.identities {
            meant.extend(identities::find(conn, project, identity).await?.map(|record| record.user));
        }
        if let Some(id) = self.id {
            meant.extend(users::find_record(conn, project, id).await?.map(|record| record.user.id));
        }
        meant.sort_unstable();
        meant.dedup();
        if meant.len() > 1 {
            return Ok(Err(SubjectRefused::Ambiguous));
        }
        // Nobody is looked for as well as somebody: it takes as long.
        let id = meant.first().copied().unwrap_or(NOBODY);
        let user = users::find(conn, project, id).await?;
        let known_as = identities::list(conn, project, id).await?;
        Ok(user.map(|user| Subject { user, known_as }).ok_or(SubjectRefused::NoSuchUser))
    }
}

impl Subject {
    /// The e-mail address that stands for the user, and whether it is proved: the newest that was proved, else the newest.
    pub(crate) fn email(&self) -> Option<(&str, bool)> {
        let emails = || self.known_as.iter().filter(|record| record.identity.kind() == IdentityKind::Email);
        let best = emails().find(|record| record.verified_at.is_some()).or_else(|| emails().next())?;
        Some((best.identity.value(), best.verified_at.is_some()))
    }
}
