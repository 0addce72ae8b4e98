//! Activation codes: whoever has one may sign up, where a project asks for them.

use crate::{
    clock::Timestamp,
    id::{ActivationCodeId, ProjectId},
    text::Name,
};

/// A code that lets so many people sign up.
#[derive(Debug, Clone)]
pub struct ActivationCode {
    /// Where.
    pub project: ProjectId,
    /// Its own identifier.
    pub id: ActivationCodeId,
    /// For people: whom it was made for.
    pub name: Name,
    /// Its beginning, by which people tell codes apart.
    pub prefix: String,
    /// How many may sign up with it.
    pub uses: u32,
    /// How many did.
    pub used: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on nobody can sign up with it.
    pub expires_at: Option<Timestamp>,
    /// Since when nobody can, because an operator says so.
    pub revoked_at: Option<Timestamp>,
}
