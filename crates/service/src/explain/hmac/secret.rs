//! The right function over the right id, under the wrong secret.

use countersign_crypto::{api_key::KeyText, encoding};

use super::suspect::Suspect;
use crate::{
    directory::UserKey,
    explain::{Code, Reason},
};

/// Secrets of other projects that are tried at most, and old ones of this.
const MOST_OTHERS: usize = 1_000;
const MOST_OLD: usize = 100;

/// A secret of this project that no longer works.
pub(super) fn previous(suspect: &Suspect<'_>) -> Option<Reason> {
    let mut old = suspect.project.user_keys().iter().filter(|it| !it.key.is_live(suspect.now)).take(MOST_OLD);
    let key = &old.find(|it| suspect.is_of_user(it.secret.text().danger_expose()))?.key;
    let how = if key.revoked_at.is_some() { "was revoked" } else { "is past its time" };
    Some(Code::HmacPreviousSecret.adding(format!("It is {}, which {how}.", key.id)))
}

/// A live secret of another project. Of the other project nothing more is told.
pub(super) fn other_project(suspect: &Suspect<'_>) -> Option<Reason> {
    let others = suspect.directory.projects().filter(|it| it.project.id != suspect.project.project.id);
    let is_live = |it: &&UserKey| it.key.is_live(suspect.now);
    let mut secrets = others.flat_map(|it| it.user_keys()).filter(is_live).take(MOST_OTHERS);
    let is_it = secrets.any(|it| suspect.is_of_user(it.secret.text().danger_expose()));
    is_it.then(|| Code::HmacOtherProject.into())
}

pub(super) fn without_prefix(suspect: &Suspect<'_>) -> Option<Reason> {
    altered(suspect, Code::HmacSecretWithoutPrefix, |secret| vec![bare(secret).to_owned()])
}

pub(super) fn publishable_key(suspect: &Suspect<'_>) -> Option<Reason> {
    let mut keys = suspect.project.publishable_keys().take(MOST_OLD);
    keys.any(|(key, _)| suspect.is_of_user(key.as_bytes())).then(|| Code::HmacPublishableKeyUsed.into())
}

/// The secret key that the asking backend shows: of all others only hashes are known.
pub(super) fn secret_key(suspect: &Suspect<'_>) -> Option<Reason> {
    let key = suspect.secret_key?.danger_expose();
    suspect.is_of_user(key).then(|| Code::HmacSecretKeyUsed.into())
}

pub(super) fn whitespace(suspect: &Suspect<'_>) -> Option<Reason> {
    altered(suspect, Code::HmacSecretWhitespace, around)
}

pub(super) fn quoted(suspect: &Suspect<'_>) -> Option<Reason> {
    altered(suspect, Code::HmacSecretQuoted, |secret| vec![format!("\"{secret}\""), format!("'{secret}'")])
}

/// What comes of it when it is taken for base64, in which case some readers stop at the prefix and some read over it.
pub(super) fn decoded(suspect: &Suspect<'_>) -> Option<Reason> {
    let decoded = |secret: &str| {
        let texts = [secret, bare(secret)].map(|text| text.get(..text.len() / 4 * 4).unwrap_or(text).to_owned());
        let texts = texts.into_iter().chain([secret.to_owned(), bare(secret).to_owned(), secret.replace('_', "")]);
        texts.filter_map(|text| encoding::decode_loosely(&text)).collect()
    };
    altered(suspect, Code::HmacSecretDecoded, decoded)
}

/// The part that is shown of it, with the prefix or without.
pub(super) fn cut_off(suspect: &Suspect<'_>) -> Option<Reason> {
    let mut keys = suspect.secrets();
    let is_it = keys.any(|it| suspect.is_of_user(&it.key.prefix) || suspect.is_of_user(bare(&it.key.prefix)));
    is_it.then(|| Code::HmacSecretCutOff.into())
}

/// What variables hold that nobody has set.
pub(super) fn missing(suspect: &Suspect<'_>) -> Option<Reason> {
    let nothing = ["", "undefined", "null", "None", "nil"];
    nothing.iter().any(|text| suspect.is_of_user(text)).then(|| Code::HmacSecretMissing.into())
}

/// A text with white space around it.
pub(super) fn around(text: &str) -> Vec<String> {
    ["{}\n", "{}\r\n", "{}\r", "{} ", "{}\t", " {}", "\n{}", "\t{}", " {} "]
        .map(|form| form.replace("{}", text))
        .to_vec()
}

fn bare(secret: &str) -> &str {
    secret.strip_prefix(KeyText::Hmac.prefix()).unwrap_or(secret)
}

fn altered<T: AsRef<[u8]>>(suspect: &Suspect<'_>, code: Code, alter: impl Fn(&str) -> Vec<T>) -> Option<Reason> {
    let is_it = suspect.is_of_some_secret(|secret| alter(secret).iter().any(|altered| suspect.is_of_user(altered)));
    is_it.then(|| code.into())
}
