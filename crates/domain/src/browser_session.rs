//! A browser in which somebody is signed in: what apps that send it here needn't ask again.

use crate::{
    clock::Timestamp,
    generations::Generations,
    id::{BrowserSessionId, PasskeyId, ProjectId, UserId},
    proof::Proof,
};

/// A browser session as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserSession {
    /// Where.
    pub project: ProjectId,
    /// Its own identifier.
    pub id: BrowserSessionId,
    /// Who is signed in.
    pub user: UserId,
    /// How they were proved.
    pub proof: Proof,
    /// By which passkey, where it was by one.
    pub passkey: Option<PasskeyId>,
    /// The revocation counters of the moment it was opened; a browser belongs to no client and no key.
    pub generations: Generations,
    /// What the browser says it is.
    pub user_agent: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was ended before.
    pub ended_at: Option<Timestamp>,
}

/// What an authorization request says of the proof that is there already (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Freshness {
    /// How many seconds ago the user may have been proved at most.
    pub max_age: Option<u32>,
    /// The moment before which no proof counts: the user is to prove who they are again.
    pub not_before: Option<Timestamp>,
}

impl BrowserSession {
    /// Is it alive, where the counters stand at `current`?
    pub fn is_live(&self, current: Generations, now: Timestamp) -> bool {
        let is_over = self.ended_at.is_some() || self.expires_at.is_past(now);
        !is_over && self.generations.overtaken_by(current).is_none()
    }

    /// Was the user proved lately enough?
    pub fn is_fresh(&self, wanted: Freshness, now: Timestamp) -> bool {
        let is_young = |seconds: u32| now.since(self.proof.at).as_secs() <= u64::from(seconds);
        wanted.max_age.is_none_or(is_young) && wanted.not_before.is_none_or(|moment| self.proof.at >= moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::Level;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + second)
    }

    fn session() -> BrowserSession {
        BrowserSession {
            project: "p1".parse().unwrap(),
            id: BrowserSessionId::from_bytes([1; 16]),
            user: UserId::from_bytes([2; 16]),
            proof: Proof { methods: Vec::new(), level: Level::OneFactor, at: at(0) },
            passkey: None,
            generations: Generations { user: 1, ..Generations::default() },
            user_agent: String::new(),
            created_at: at(0),
            expires_at: at(100),
            ended_at: None,
        }
    }

    #[test]
    fn a_session_lives_until_it_ends_or_is_revoked() {
        let now = Generations { user: 1, ..Generations::default() };
        assert!(session().is_live(now, at(99)) && !session().is_live(now, at(100)));
        assert!(!session().is_live(Generations { user: 2, ..now }, at(1)));
        assert!(!session().is_live(Generations { project: 1, ..now }, at(1)));
        assert!(!BrowserSession { ended_at: Some(at(1)), ..session() }.is_live(now, at(2)));
    }

    #[test]
    fn a_proof_ages_and_one_that_is_asked_for_again_must_be_new() {
        let max_age = |seconds| Freshness { max_age: Some(seconds), not_before: None };
        assert!(session().is_fresh(max_age(50), at(50)) && !session().is_fresh(max_age(50), at(51)));
        assert!(session().is_fresh(Freshness::default(), at(99)));
        let again = |second| Freshness { max_age: None, not_before: Some(at(second)) };
        assert!(session().is_fresh(again(0), at(5)) && !session().is_fresh(again(1), at(5)));
    }
}
