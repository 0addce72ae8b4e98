//! The right secret and the right id, in another function.

use countersign_crypto::mac_recipe::{Hash, is_plain_sha256};

use super::suspect::Suspect;
use crate::explain::{Code, Reason};

pub(super) fn sha1(suspect: &Suspect<'_>) -> Option<Reason> {
    by(suspect, Hash::Sha1, Code::HmacSha1)
}

pub(super) fn sha384(suspect: &Suspect<'_>) -> Option<Reason> {
    by(suspect, Hash::Sha384, Code::HmacSha384)
}

pub(super) fn sha512(suspect: &Suspect<'_>) -> Option<Reason> {
    by(suspect, Hash::Sha512, Code::HmacSha512)
}

/// The id as key, the secret as message.
pub(super) fn swapped(suspect: &Suspect<'_>) -> Option<Reason> {
    suspect.is_of_some_pair(|secret, id| suspect.is_of(id, secret)).then(|| Code::HmacSwapped.into())
}

/// A hash is no MAC. What people put between the two, if anything, is a colon or a dot.
pub(super) fn plain_hash(suspect: &Suspect<'_>) -> Option<Reason> {
    let is = |parts: &[&[u8]]| is_plain_sha256(parts, &suspect.spelling.mac);
    let is_it = |secret: &[u8], id: &[u8]| {
        let between = [&b""[..], b":", b"."];
        is(&[id]) || between.iter().any(|between| is(&[secret, between, id]) || is(&[id, between, secret]))
    };
    suspect.is_of_some_pair(is_it).then(|| Code::HmacPlainHash.into())
}

fn by(suspect: &Suspect<'_>, hash: Hash, code: Code) -> Option<Reason> {
    let project = suspect.project.project.id.as_str();
    let is_it = |secret: &[u8], id: &[u8]| suspect.is_made(hash, suspect.usual_key(secret), project, id);
    suspect.is_of_some_pair(is_it).then(|| code.into())
}
