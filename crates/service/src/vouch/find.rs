//! Whom a vouch means.

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, ProjectId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord},
    identity_join::{Asserted, Conflict, Join, join},
};
use countersign_storage::{Conn, error::Result, identities};

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

/// Finds the user, in one read unless an external id would be gained.
pub(super) async fn find(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    client: &ClientId,
    asserted: &[Asserted],
) -> Result<Meant> {
    let wanted: Vec<&Identity> = asserted.iter().map(|claim| &claim.identity).collect();
    let found = identities::find_many(conn, project, client, &wanted).await?;
    let records: Vec<IdentityRecord> = found.iter().map(|found| found.record.clone()).collect();
    let external_ids = match found.first() {
        Some(first) if gains_external_id(asserted, &records) => {
            let theirs = identities::list(conn, project, first.record.user).await?;
            theirs
                .into_iter()
                .filter(|record| record.identity.kind() == IdentityKind::ExternalId)
                .collect()
        }
        _ => Vec::new(),
    };
    Ok(match (join(asserted, &records, &external_ids), found.first()) {
        (Join::Conflict(conflict), _) => Meant::Conflict(conflict),
        (Join::User { id, missing }, Some(first)) => Meant::User(FoundUser {
            id,
            generation: first.generation,
            disabled_at: first.disabled_at,
            sessions: first.sessions,
            missing,
        }),
        (Join::Nobody | Join::User { .. }, _) => Meant::Nobody,
    })
}

fn gains_external_id(asserted: &[Asserted], records: &[IdentityRecord]) -> bool {
    let is_external = |kind| kind == IdentityKind::ExternalId;
    asserted.iter().any(|claim| is_external(claim.identity.kind()))
        && !records.iter().any(|record| is_external(record.identity.kind()))
}
