//! The short way: what a vouch decides within the transaction that it shares with others.

use std::{num::NonZeroU32, sync::Arc};

use countersign_domain::{
    audit::{AuditEntry, Subject},
    clock::Timestamp,
    id::UserId,
    identity::{IdentityRecord, IdentitySource},
    identity_join::Asserted,
    session::Session,
    user::User,
};
use countersign_storage::{
    hot::{Newcomer, Opening},
    identities::Found,
    sessions::NewSession,
};

use super::{
    Activation, Names, VouchRefused,
    find::{FoundUser, Meant, meant},
};
use crate::session::{draft::Draft, room::has_room};

/// What the short way needs to decide, within the transaction that it shares with others: for a user who is found, who has nothing to gain and
/// no session to lose, or for one who comes to be.
pub(super) struct ShortWay {
    pub(super) asserted: Arc<[Asserted]>,
    pub(super) draft: Draft,
    /// The names of one who may come to be.
    pub(super) create: Option<Names>,
    pub(super) may_create: bool,
    /// Where it is asked for, who comes to be does so the long way: it is used up there.
    pub(super) activation: Activation,
    pub(super) new_user: UserId,
    pub(super) vouched: AuditEntry,
    pub(super) created: AuditEntry,
    /// May the user be there already?
    pub(super) may_find: bool,
    pub(super) cap: NonZeroU32,
}

impl ShortWay {
    /// What a vouch for nobody is told.
    pub(super) fn nobody(&self) -> VouchRefused {
        if self.create.is_some() && !self.may_create {
            VouchRefused::MayNotCreateUsers
        } else {
            VouchRefused::NoSuchUser
        }
    }

    /// The session, if this way leads to one.
    pub(super) fn session(&self, found: &[Found]) -> Option<Session> {
        match meant(&self.asserted, found, Vec::new()) {
            Meant::User(user) => self.fits(&user).then(|| self.draft.of(user.id, user.generation)),
            Meant::Nobody => {
                let creates = self.may_create_now() && !self.activation.is_asked();
                creates.then(|| self.draft.of(self.new_user, 0))
            }
            Meant::Conflict(_) => None,
        }
    }

    fn may_create_now(&self) -> bool {
        self.create.is_some() && self.may_create
    }

    pub(super) fn creates_the_long_way(&self) -> bool {
        self.may_create_now() && self.activation.is_asked()
    }

    /// Is a new row all there is to do?
    fn fits(&self, user: &FoundUser) -> bool {
        let nothing_to_gain = user.missing.is_empty() && user.disabled_at.is_none();
        self.may_find && nothing_to_gain && has_room(user.sessions, self.cap) && self.draft.session.device.is_none()
    }

    pub(super) fn decide(&self, found: &[Found]) -> Option<Opening> {
        let session = self.session(found)?;
        let subject = Subject {
            user: Some(session.user),
            client: Some(session.client.clone()),
            session: Some(session.id),
            key: None,
        };
        let newcomer = found.is_empty().then(|| self.newcomer()).flatten();
        let created = newcomer
            .is_some()
            .then(|| AuditEntry { subject: Subject { session: None, ..subject.clone() }, ..self.created.clone() });
        let vouched = AuditEntry { subject, ..self.vouched.clone() };
        let session = NewSession { session, secret_hash: self.draft.secret.hash() };
        Some(Opening { newcomer, session, audit: created.into_iter().chain([vouched]).collect() })
    }

    pub(super) fn newcomer(&self) -> Option<Newcomer> {
        let names = self.create.as_ref()?;
        let now = self.draft.session.created_at;
        let user = User {
            project: self.draft.session.project.clone(),
            id: self.new_user,
            given_name: names.given.clone(),
            family_name: names.family.clone(),
            generation: 0,
            created_at: now,
            updated_at: now,
            disabled_at: None,
            merged_into: None,
        };
        let identities = self.asserted.iter().map(|claim| record(claim, self.new_user, now)).collect();
        Some(Newcomer { user, identities })
    }
}

/// An identity that a backend asserts, for this user.
pub(super) fn record(claim: &Asserted, user: UserId, now: Timestamp) -> IdentityRecord {
    IdentityRecord {
        identity: claim.identity.clone(),
        user,
        source: IdentitySource::Vouch,
        verified_at: claim.is_verified.then_some(now),
        created_at: now,
    }
}
