//! Whom a vouch means.

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, ProjectId, UserId},
    identity::{IdentityKind, IdentityRecord},
    identity_join::{Asserted, Conflict, Join, join},
};
use countersign_storage::{
    Conn,
    error::Result,
    identities::{self, Found, Wanted},
};

/// Whom the identities mean, and what stands in the way of signing that user in.
pub(super) enum Meant {
    Nobody,
    Conflict(Conflict),
    User(FoundUser),
}

pub(super) struct FoundUser {
    pub(super) id: UserId,
    pub(super) generation: u32,
    pub(super) disabled_at: Option<Timestamp>,
    /// Sessions in the client that haven't been ended.
    pub(super) sessions: u32,
    /// Identities that the user would gain.
    pub(super) missing: Vec<Asserted>,
}

/// Finds the user within a transaction.
pub(super) async fn find(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    client: &ClientId,
    asserted: &[Asserted],
) -> Result<Meant> {
    loop {
        let found = identities::find_many(conn, &[&wanted(project, client, asserted)]).await?;
        let found = found.into_iter().next().unwrap_or_else(|| Ok(Vec::new()))?;
        let Some(first) = found.first().filter(|_| gains_external_id(asserted, &found)) else {
            return Ok(meant(asserted, &found, Vec::new()));
        };
        let theirs = identities::list(conn, project, first.record.user).await?;
        if !came_meanwhile(asserted, &theirs) {
            return Ok(meant(asserted, &found, theirs));
        }
    }
}

/// PostgreSQL shows each statement what others have just committed: the external id that the user was to gain may have come between two.
fn came_meanwhile(asserted: &[Asserted], theirs: &[IdentityRecord]) -> bool {
    let mut external_ids = asserted.iter().filter(|claim| claim.identity.kind() == IdentityKind::ExternalId);
    external_ids.any(|claim| theirs.iter().any(|record| record.identity == claim.identity))
}

/// What is to be looked up.
pub(super) fn wanted(project: &ProjectId, client: &ClientId, asserted: &[Asserted]) -> Wanted {
    let identities = asserted.iter().map(|claim| claim.identity.clone()).collect();
    Wanted { project: project.clone(), client: client.clone(), identities }
}

/// Joins what is asserted with what was found. `identities_of_user` matters only where an external id would be gained; without them it
/// comes out as missing.
pub(super) fn meant(asserted: &[Asserted], found: &[Found], mut identities_of_user: Vec<IdentityRecord>) -> Meant {
    identities_of_user.retain(|record| record.identity.kind() == IdentityKind::ExternalId);
    let records: Vec<IdentityRecord> = found.iter().map(|found| found.record.clone()).collect();
    match (join(asserted, &records, &identities_of_user), found.first()) {
        (Join::Conflict(conflict), _) => Meant::Conflict(conflict),
        (Join::User { id, missing }, Some(first)) => Meant::User(FoundUser {
            id,
            generation: first.generation,
            disabled_at: first.disabled_at,
            sessions: first.sessions,
            missing,
        }),
        (Join::Nobody | Join::User { .. }, _) => Meant::Nobody,
    }
}

fn gains_external_id(asserted: &[Asserted], found: &[Found]) -> bool {
    let is_external = |kind| kind == IdentityKind::ExternalId;
    asserted.iter().any(|claim| is_external(claim.identity.kind()))
        && !found.iter().any(|found| is_external(found.record.identity.kind()))
}
