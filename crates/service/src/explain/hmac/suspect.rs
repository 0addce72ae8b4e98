//! An HMAC that isn't right, and all that it may have been made of.

use countersign_crypto::{
    mac_recipe::{Hash, Key, Recipe},
    secret::SecretText,
};
use countersign_domain::{clock::Timestamp, text::ExternalId};

use super::spelling::{Frame, SHA256_LENGTH, Spelling};
use crate::{
    directory::{Directory, ProjectView, UserKey},
    explain::Code,
};

pub(super) struct Suspect<'a> {
    pub(super) project: &'a ProjectView,
    pub(super) directory: &'a Directory,
    pub(super) now: Timestamp,
    /// How the user id may be meant.
    pub(super) ids: &'a [ExternalId],
    /// What we call the user.
    pub(super) uid: Option<&'a str>,
    /// The secret key of the backend that asks.
    pub(super) secret_key: Option<&'a SecretText>,
    pub(super) dpop: Option<&'a [u8]>,
    pub(super) spelling: &'a Spelling,
}

/// More live secrets than anybody needs; what was made under one beyond stays unexplained.
const MOST_SECRETS: usize = 16;

impl Suspect<'_> {
    pub(super) fn mistakes_in_writing(&self) -> Vec<Code> {
        self.spelling.mistakes.clone()
    }

    pub(super) fn is_long_enough(&self) -> bool {
        self.spelling.mac.len() == SHA256_LENGTH
    }

    /// Is there nothing wrong with how it was made?
    pub(super) fn is_right(&self) -> bool {
        self.is_of_some_secret(|secret| self.is_of_user(secret))
    }

    /// The secrets that work.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &UserKey> {
        self.project.user_keys().iter().filter(|it| it.key.is_live(self.now)).take(MOST_SECRETS)
    }

    pub(super) fn is_of_some_secret(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.secrets().any(|it| is_it(it.secret.text().danger_expose()))
    }

    /// Is it so of any secret that works, and any reading of the id?
    pub(super) fn is_of_some_pair(&self, is_it: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        self.is_of_some_secret(|secret| self.ids.iter().any(|id| is_it(secret.as_bytes(), id.as_str().as_bytes())))
    }

    /// Would this secret and the user's id, used as they should be, have given it?
    pub(super) fn is_of_user(&self, secret: impl AsRef<[u8]>) -> bool {
        self.ids.iter().any(|id| self.is_of(secret.as_ref(), id.as_str().as_bytes()))
    }

    /// Would a secret that works and what becomes of the user's id have given it?
    pub(super) fn is_of_altered_id<T: AsRef<[u8]>>(&self, alter: impl Fn(&str) -> Vec<T>) -> bool {
        self.is_of_some_secret(|secret| {
            let is_it = |altered: T| self.is_of(secret.as_bytes(), altered.as_ref());
            self.ids.iter().any(|id| alter(id.as_str()).into_iter().any(is_it))
        })
    }

    /// Would this secret and this id, used as they should be, have given it?
    pub(super) fn is_of(&self, secret: &[u8], id: &[u8]) -> bool {
        self.is_made(Hash::Sha256, self.usual_key(secret), self.project.project.id.as_str(), id)
    }

    pub(super) fn is_made(&self, hash: Hash, key: Key<'_>, project: &str, id: &[u8]) -> bool {
        self.is_made_over(hash, key, &self.spelling.frame.head(project), id)
    }

    pub(super) fn is_made_over(&self, hash: Hash, key: Key<'_>, head: &str, id: &[u8]) -> bool {
        Recipe { hash, key, message: &[head.as_bytes(), id] }.gives(&self.spelling.mac)
    }

    /// The key that a secret gives, as it should.
    pub(super) fn usual_key<'s>(&self, secret: &'s [u8]) -> Key<'s> {
        match self.spelling.frame {
            Frame::V1 => Key::Plain(secret),
            Frame::V2 { .. } => Key::Derived(secret),
        }
    }
}
