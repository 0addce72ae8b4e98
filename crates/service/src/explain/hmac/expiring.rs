//! What goes wrong with proofs that expire.

use countersign_crypto::{
    dpop::SignedProof,
    encoding,
    mac_recipe::{Hash, Key},
    user_mac::UnverifiedUserMac,
};
use countersign_domain::clock::Timestamp;

use super::{spelling::Frame, suspect::Suspect};
use crate::explain::{Code, Reason};

/// Names of other projects that are tried at most.
const MOST_PROJECTS: usize = 1_000;
/// Seconds since 1970 have had ten digits for long, and milliseconds thirteen.
const LONGEST_SECONDS: usize = 11;
/// Nobody issues proofs that ended in 1973; a day has 86,400 seconds.
const LONGEST_SPAN: Timestamp = Timestamp::from_seconds(100_000_000);

/// The moment that a proof gives as its end is more likely a span.
pub(in crate::explain) fn is_span(end: Timestamp) -> bool {
    end < LONGEST_SPAN
}

/// A time that is too long, and a MAC over it or over the seconds.
pub(super) fn milliseconds(suspect: &Suspect<'_>) -> Option<Reason> {
    let Frame::V2 { expires, jkt } = &suspect.spelling.frame else { return None };
    if expires.len() <= LONGEST_SECONDS {
        return None;
    }
    let seconds = Frame::V2 { expires: expires[..expires.len() - 3].to_owned(), jkt: jkt.clone() };
    let project = suspect.project.project.id.as_str();
    let is_it = suspect.is_right() || is_under(suspect, &seconds.head(project));
    is_it.then(|| Code::V2ExpiresMilliseconds.into())
}

/// The version in upper case under the MAC, too.
pub(super) fn upper_case(suspect: &Suspect<'_>) -> Option<Reason> {
    let head = suspect.spelling.frame.head(suspect.project.project.id.as_str());
    let (version, rest) = head.split_once('.')?;
    is_under(suspect, &format!("{}.{rest}", version.to_uppercase())).then(|| Code::V2UpperCase.into())
}

/// A frame around the MAC that the id has in v1.
pub(super) fn from_v1(suspect: &Suspect<'_>) -> Option<Reason> {
    expiring(suspect, Code::V2FromV1, |secret, id| suspect.is_made_over(Hash::Sha256, Key::Plain(secret), "", id))
}

pub(super) fn key_not_derived(suspect: &Suspect<'_>) -> Option<Reason> {
    let project = suspect.project.project.id.as_str();
    expiring(suspect, Code::V2KeyNotDerived, |secret, id| {
        suspect.is_made(Hash::Sha256, Key::Plain(secret), project, id)
    })
}

pub(super) fn key_swapped(suspect: &Suspect<'_>) -> Option<Reason> {
    let project = suspect.project.project.id.as_str();
    expiring(suspect, Code::V2KeySwapped, |secret, id| {
        suspect.is_made(Hash::Sha256, Key::DerivedBackwards(secret), project, id)
    })
}

/// Another project's id, the publishable key, or nothing, where the project's id belongs.
pub(super) fn other_project_id(suspect: &Suspect<'_>) -> Option<Reason> {
    let own = &suspect.project.project.id;
    let others = suspect.directory.projects().map(|it| it.project.id.to_string()).take(MOST_PROJECTS);
    let keys = suspect.project.publishable_keys().map(|(key, _)| key.into());
    let name = suspect.project.project.name.as_str().to_owned();
    let named: Vec<String> = others.chain(keys).chain([name, String::new()]).filter(|it| it != own.as_str()).collect();
    expiring(suspect, Code::V2OtherProjectId, |secret, id| {
        named.iter().any(|project| suspect.is_made(Hash::Sha256, Key::Derived(secret), project, id))
    })
}

/// A thumbprint in the header that isn't under the MAC.
pub(super) fn not_bound(suspect: &Suspect<'_>) -> Option<Reason> {
    let Frame::V2 { expires, jkt: Some(jkt) } = &suspect.spelling.frame else { return None };
    let project = suspect.project.project.id.as_str();
    let heads = [
        format!("v2.{expires}.{project}."),
        format!("v2k.{expires}.{project}."),
        format!("v2.{expires}.{jkt}.{project}."),
    ];
    let is_it = heads.iter().any(|head| is_under(suspect, head));
    is_it.then(|| Code::V2kNotBound.into())
}

/// The MAC is for the key of the `DPoP` header, and the proof names another.
pub(super) fn other_key(suspect: &Suspect<'_>) -> Option<Reason> {
    let Frame::V2 { expires, jkt: Some(jkt) } = &suspect.spelling.frame else { return None };
    let shown = thumbprint_of(suspect.dpop?).filter(|shown| shown != jkt)?;
    let frame = Frame::V2 { expires: expires.clone(), jkt: Some(shown) };
    let project = suspect.project.project.id.as_str();
    is_under(suspect, &frame.head(project)).then(|| Code::V2kOtherKey.into())
}

/// A right proof for a key that isn't the one of the `DPoP` header.
pub(in crate::explain) fn is_bound_to_another_key(mac: &UnverifiedUserMac, dpop: Option<&[u8]>) -> bool {
    match (mac, dpop.and_then(thumbprint_of)) {
        (UnverifiedUserMac::V2 { jkt: Some(jkt), .. }, Some(shown)) => *jkt != shown,
        _ => false,
    }
}

/// The thumbprint (RFC 7638) of the key that signed a `DPoP` header.
fn thumbprint_of(dpop: &[u8]) -> Option<String> {
    Some(encoding::encode(SignedProof::read(dpop).ok()?.thumbprint().0))
}

/// Is it so of any secret that works and any reading of the id, if this is a proof that expires?
fn expiring(suspect: &Suspect<'_>, code: Code, is_it: impl Fn(&[u8], &[u8]) -> bool) -> Option<Reason> {
    let is_expiring = suspect.spelling.frame != Frame::V1;
    (is_expiring && suspect.is_of_some_pair(is_it)).then(|| code.into())
}

/// Is it over this, and then the user's id, under the right key?
fn is_under(suspect: &Suspect<'_>, head: &str) -> bool {
    let is_it = |secret: &[u8], id: &[u8]| suspect.is_made_over(Hash::Sha256, Key::Derived(secret), head, id);
    suspect.is_of_some_pair(is_it)
}
