//! Step-ups: a backend asks for a change of a user's, the user signs in again and proves what is new, and the backend has it done, once.

mod apply;
pub(crate) mod back;
mod begin;
pub(crate) mod confirm;
mod start;

pub use self::start::{Asked, Started};

use countersign_crypto::jose::{
    jws::UnverifiedJws,
    step_up_token::{StepUpToken, StepUpTokenKind},
};
use countersign_domain::clock::Timestamp;

use crate::directory::ProjectView;

/// What a token of a step-up says, if it is one of this project's and of this kind, and its time isn't over.
fn token_of(project: &ProjectView, kind: StepUpTokenKind, unverified: &str, now: Timestamp) -> Option<StepUpToken> {
    let jws = UnverifiedJws::parse(unverified).ok()?;
    let key = project.verifying_key(&jws.unverified_header.kid)?;
    let token = StepUpToken::verify(kind, &project.issuer, &jws, key).ok()?;
    (!token.expires_at.is_past(now)).then_some(token)
}
