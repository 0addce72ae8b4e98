//! Users.

use crate::{
    clock::Timestamp,
    id::{ProjectId, UserId},
    text::Name,
};

/// A person, or whatever else signs in, within one project. Found through [identities](crate::identity).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Where the user lives.
    pub project: ProjectId,
    /// The user's `sub` and `uid`, for ever.
    pub id: UserId,
    /// As sent; never interpreted.
    pub given_name: Name,
    /// As sent; never interpreted.
    pub family_name: Name,
    /// How often all sessions of this user have been revoked.
    pub generation: u32,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user last changed.
    pub updated_at: Timestamp,
    /// Since when nobody may be signed in as this user.
    pub disabled_at: Option<Timestamp>,
    /// The user that this one was merged into; then it is disabled for good.
    pub merged_into: Option<UserId>,
}
