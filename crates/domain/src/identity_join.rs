//! Which user a set of asserted identities means.
//!
//! A user who is found by one identity may gain the others. Two existing users never become one by themselves: that would hand one
//! person's account to another because of a typing error, or an attack.

use crate::{
    id::UserId,
    identity::{Identity, IdentityKind, IdentityRecord},
};

/// An identity as a caller asserts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asserted {
    /// What is asserted.
    pub identity: Identity,
    /// Does the assertion count as proof of it?
    pub is_verified: bool,
}

/// Whom the asserted identities mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// Nobody has any of them.
    Nobody,
    /// One user, who lacks these.
    User {
        /// The user.
        id: UserId,
        /// Asserted identities that nobody has yet, to be added to the user.
        missing: Vec<Asserted>,
    },
    /// They can't be joined; nothing may change.
    Conflict(Conflict),
}

/// Why asserted identities can't be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// They belong to different users.
    TwoUsers,
    /// The address is asserted without proof, and its owner proved it here.
    ProvedByAnother(IdentityKind),
    /// The user who has the address has another external id: to the customer, that is another person.
    OtherExternalId,
}

/// Joins what is asserted with what is on record: `found` holds the records of the asserted identities, `external_ids_of_user` says
/// which external ids the one user found already has.
pub fn join(asserted: &[Asserted], found: &[IdentityRecord], external_ids_of_user: &[IdentityRecord]) -> Join {
    let Some(first) = found.first() else {
        return Join::Nobody;
    };
    if found.iter().any(|record| record.user != first.user) {
        return Join::Conflict(Conflict::TwoUsers);
    }
    // An address that is merely said doesn't find the user who proved it here; something else must.
    let merely_said = |record: &&IdentityRecord| {
        let is_said = |claim: &&Asserted| claim.identity == record.identity && !claim.is_verified;
        record.is_proved_here()
            && record.identity.kind() != IdentityKind::ExternalId
            && asserted.iter().any(|claim| is_said(&claim))
    };
    if found.iter().all(|record| merely_said(&record)) {
        return Join::Conflict(Conflict::ProvedByAnother(first.identity.kind()));
    }
    let is_missing = |claim: &&Asserted| found.iter().all(|record| record.identity != claim.identity);
    let missing: Vec<Asserted> = asserted.iter().filter(is_missing).cloned().collect();
    let gains_external_id = missing.iter().any(|claim| claim.identity.kind() == IdentityKind::ExternalId);
    if gains_external_id && !external_ids_of_user.is_empty() {
        return Join::Conflict(Conflict::OtherExternalId);
    }
    Join::User { id: first.user, missing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Timestamp, identity::IdentitySource};

    fn user(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    fn email(verified: bool) -> Asserted {
        Asserted { identity: Identity::parse(IdentityKind::Email, "a@example.com").unwrap(), is_verified: verified }
    }

    fn external(id: &str) -> Asserted {
        Asserted { identity: Identity::parse(IdentityKind::ExternalId, id).unwrap(), is_verified: true }
    }

    fn record(claim: &Asserted, owner: u8, source: IdentitySource, verified: bool) -> IdentityRecord {
        IdentityRecord {
            identity: claim.identity.clone(),
            user: user(owner),
            source,
            verified_at: verified.then_some(Timestamp::EPOCH),
            created_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn nobody_has_them() {
        assert_eq!(join(&[email(true), external("7")], &[], &[]), Join::Nobody);
    }

    #[test]
    fn a_user_found_by_one_identity_gains_the_other() {
        let found = [record(&email(true), 1, IdentitySource::Vouch, true)];
        let joined = join(&[email(true), external("7")], &found, &[]);
        assert_eq!(joined, Join::User { id: user(1), missing: vec![external("7")] });
    }

    #[test]
    fn two_users_are_never_merged() {
        let found = [
            record(&email(true), 1, IdentitySource::Vouch, true),
            record(&external("7"), 2, IdentitySource::Vouch, true),
        ];
        assert_eq!(join(&[email(true), external("7")], &found, &[]), Join::Conflict(Conflict::TwoUsers));
    }

    #[test]
    fn an_address_passed_on_to_another_person_doesnt_hand_over_the_account() {
        let found = [record(&email(true), 1, IdentitySource::Vouch, true)];
        let theirs = [record(&external("7"), 1, IdentitySource::Vouch, true)];
        assert_eq!(join(&[email(true), external("8")], &found, &theirs), Join::Conflict(Conflict::OtherExternalId));
    }

    #[test]
    fn an_unverified_address_doesnt_find_who_proved_it_here() {
        for source in [IdentitySource::Proof, IdentitySource::Operator] {
            let found = [record(&email(false), 1, source, true)];
            let refused = Join::Conflict(Conflict::ProvedByAnother(IdentityKind::Email));
            assert_eq!(join(&[email(false)], &found, &[]), refused);
            assert!(matches!(join(&[email(true)], &found, &[]), Join::User { .. }));
        }
    }

    #[test]
    fn who_is_found_by_something_else_may_have_proved_the_address() {
        let known = record(&external("7"), 1, IdentitySource::Vouch, true);
        let proved = record(&email(false), 1, IdentitySource::Proof, true);
        let joined = join(&[email(false), external("7")], &[proved.clone(), known], &[]);
        assert_eq!(joined, Join::User { id: user(1), missing: vec![] });
        let another = record(&external("7"), 2, IdentitySource::Vouch, true);
        let refused = join(&[email(false), external("7")], &[proved, another], &[]);
        assert_eq!(refused, Join::Conflict(Conflict::TwoUsers));
    }

    #[test]
    fn an_unverified_address_finds_who_was_vouched_for_by_it() {
        let found = [record(&email(false), 1, IdentitySource::Vouch, false)];
        assert_eq!(join(&[email(false)], &found, &[]), Join::User { id: user(1), missing: vec![] });
    }
}
