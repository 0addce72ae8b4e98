//! What a backend of the published guides needs of its own: secrets under which it keeps its users' sessions. Countersign doesn't use them.

use countersign_crypto::{encoding, entropy::Entropy};

/// Kept from start to start, so that who is signed in at the backend stays so.
#[derive(Clone)]
pub(super) struct BackendSecrets {
    /// Signs its session tokens.
    pub(super) session: String,
    /// Flask's own.
    pub(super) flask: String,
}

impl BackendSecrets {
    pub(super) fn generate(entropy: &Entropy) -> Self {
        let secret = || encoding::encode(entropy.bytes::<32>());
        Self { session: secret(), flask: secret() }
    }
}
