//! Why an HMAC isn't right: how it is written, and then, whether a mistake that people make gives it.
//!
//! One mistake in the making is looked for at a time, whatever mistakes there are in the writing. All comparisons are of whole MACs, in
//! constant time.

mod algorithm;
mod expiring;
mod other_user;
mod secret;
mod spelling;
mod suspect;
mod user_id;

pub(super) use expiring::{is_bound_to_another_key, is_span};
use spelling::spellings;
use suspect::Suspect;

use super::{Case, Code, Findings, Reason, SeenFrom};
use crate::{
    Service,
    error::Outage,
    proof::client_call::{Shown, readings},
};

/// What people do wrong in the making, the likeliest first. Each is a question to the suspect.
const MISTAKES: &[fn(&Suspect<'_>) -> Option<Reason>] = &[
    secret::previous,
    secret::other_project,
    secret::without_prefix,
    secret::publishable_key,
    secret::secret_key,
    secret::whitespace,
    secret::quoted,
    secret::decoded,
    secret::cut_off,
    secret::missing,
    user_id::whitespace,
    user_id::other_case,
    user_id::other_encoding,
    user_id::not_normalized,
    user_id::quoted,
    user_id::percent_encoded,
    user_id::undefined,
    user_id::uid,
    algorithm::swapped,
    algorithm::sha1,
    algorithm::sha384,
    algorithm::sha512,
    algorithm::plain_hash,
    expiring::milliseconds,
    expiring::upper_case,
    expiring::from_v1,
    expiring::key_not_derived,
    expiring::key_swapped,
    expiring::other_project_id,
    expiring::not_bound,
    expiring::other_key,
];

impl Service {
    /// Notes why the HMAC isn't right, as far as that can be found out.
    pub(super) async fn explain_mac(&self, case: &Case<'_>, findings: &mut Findings) -> Result<(), Outage> {
        let call = &case.call.client;
        let (Shown::Once(id), Shown::Once(shown)) = (call.external_id, call.hmac) else { return Ok(()) };
        let (ids, spellings) = (readings(id), spellings(shown));
        let Some(first) = ids.first() else { return Ok(()) };
        let directory = self.directory.load_full();
        let user = self.look_for_user(&case.project.project.id, first).await?;
        let uid = user.map(|it| it.user.to_string());
        let suspect = |spelling| Suspect {
            project: &case.project,
            directory: &directory,
            now: self.now(),
            ids: &ids,
            uid: uid.as_deref(),
            secret_key: case.asked_with,
            dpop: case.call.dpop,
            spelling,
        };
        let suspects: Vec<Suspect<'_>> = spellings.iter().map(suspect).collect();
        findings.note_all(self.mistakes(case, &suspects).await);
        Ok(())
    }

    async fn mistakes(&self, case: &Case<'_>, suspects: &[Suspect<'_>]) -> Vec<Reason> {
        let Some(first) = suspects.first() else { return Vec::new() };
        if first.secrets().next().is_none() {
            return vec![Code::HmacNoSecret.into()];
        }
        if let Some(right) = suspects.iter().find(|it| it.is_right()) {
            return in_writing(right);
        }
        if let Some(made) = suspects.iter().map(in_making).find(|mistakes| !mistakes.is_empty()) {
            return made;
        }
        if self.is_of_another_user(suspects).await {
            return vec![Code::HmacOtherUser.into()];
        }
        // Of a MAC of the right length it is worth saying how it is written.
        let written = if first.is_long_enough() { first.mistakes_in_writing() } else { Vec::new() };
        let unknown = (case.seen_from == SeenFrom::Desk).then_some(Code::OtherUsersUnknown);
        let codes = written.into_iter().chain([Code::HmacUnexplained]).chain(unknown);
        codes.map(Reason::from).collect()
    }
}

/// What is wrong with the writing of a MAC that is right.
fn in_writing(right: &Suspect<'_>) -> Vec<Reason> {
    let written = right.mistakes_in_writing().into_iter().map(Reason::from);
    let reasons: Vec<Reason> = written.chain(expiring::milliseconds(right)).collect();
    if reasons.is_empty() { vec![Code::HmacOtherSpelling.into()] } else { reasons }
}

/// The mistakes that give this MAC, and what is wrong with its writing, too; empty: it is of unknown making.
fn in_making(suspect: &Suspect<'_>) -> Vec<Reason> {
    let made: Vec<Reason> = MISTAKES.iter().filter_map(|mistake| mistake(suspect)).collect();
    if made.is_empty() {
        return made;
    }
    suspect.mistakes_in_writing().into_iter().map(Reason::from).chain(made).collect()
}
