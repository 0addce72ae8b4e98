//! What the gateway and forward-auth say of a caller, signed: an API that trusts only this needs to trust no network.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use countersign_crypto::jose::assertion::Assertion;
use countersign_domain::{clock::Timestamp, id::SigningKeyId};
use quick_cache::{Equivalent, sync::Cache};

use crate::{
    Service,
    proof::actor::{Actor, Identification},
};

/// How long an assertion lives.
const LIFETIME: Duration = Duration::from_mins(1);
/// One that was made is used again for so long: a signature costs more than everything else of a verdict.
const USED_AGAIN: Duration = Duration::from_secs(30);

/// Assertions made lately.
pub(crate) struct Assertions {
    made: Cache<(Identification, Box<str>), Made>,
}

#[derive(Clone)]
struct Made {
    text: Arc<str>,
    /// The key that signed it: once that has been replaced, so is this.
    kid: SigningKeyId,
    at: Timestamp,
}

impl Assertions {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { made: Cache::new(capacity) }
    }
}

impl Service {
    /// An assertion of who the actor is, for the API that is called `audience`.
    pub fn assert(&self, actor: &Actor, identification: &Identification, audience: &str) -> Arc<str> {
        let now = self.now();
        let project = actor.project();
        let kid = project.signing_key().id();
        let is_good = |made: &Made| made.kid == kid && now >= made.at && now.since(made.at) < USED_AGAIN;
        if let Some(made) = self.assertions.made.get(&Name(identification, audience)).filter(is_good) {
            return made.text;
        }
        let user = identification.user.map(|user| user.to_string());
        let key = identification.key.map(|key| key.to_string());
        let session = identification.session.map(|session| session.to_string());
        let methods: Vec<&str> = identification.methods.split(' ').collect();
        let assertion = Assertion {
            issuer: &project.issuer,
            audience,
            subject: user.as_deref().or(key.as_deref()).unwrap_or_default(),
            project: &project.project.id,
            external_id: identification.external_id.as_deref(),
            methods: &methods,
            session: session.as_deref(),
            issued_at: now,
            expires_at: now.plus(LIFETIME),
        };
        let text: Arc<str> = assertion.sign(project.signing_key()).into();
        let name = (identification.clone(), Box::from(audience));
        self.assertions.made.insert(name, Made { text: Arc::clone(&text), kid, at: now });
        text
    }
}

/// What to look for, without making a copy of it.
struct Name<'a>(&'a Identification, &'a str);

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0, self.1).hash(state);
    }
}

impl Equivalent<(Identification, Box<str>)> for Name<'_> {
    fn equivalent(&self, key: &(Identification, Box<str>)) -> bool {
        *self.0 == key.0 && *self.1 == *key.1
    }
}
