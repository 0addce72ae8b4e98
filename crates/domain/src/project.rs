//! Projects: islands with an issuer, keys, clients and users of their own.

use crate::{clock::Timestamp, id::ProjectId, policy::Overrides, text::Name};

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its identifier, which stands in paths.
    pub id: ProjectId,
    /// For people.
    pub name: Name,
    /// Settings that differ from the defaults.
    pub overrides: Overrides,
    /// How often everything in the project has been revoked.
    pub generation: u32,
    /// When the project was created.
    pub created_at: Timestamp,
    /// When the project last changed.
    pub updated_at: Timestamp,
    /// Since when none of its doors opens.
    pub disabled_at: Option<Timestamp>,
}
