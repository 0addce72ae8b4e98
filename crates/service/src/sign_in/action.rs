//! What a step wants, with everything drawn up that its transaction may need.

use countersign_crypto::{
    one_time_code::{OneTimeCode, OneTimeCodeHash, OneTimeCodeKey},
    sign_in_link::LinkHash,
};
use countersign_domain::{
    id::{AuditId, ChallengeId, PasskeyId},
    identity::Identity,
};
use countersign_storage::{messages::OutgoingMessage, sign_ins::KeptSignIn};

use super::{issue::Issue, prompt::Hint, risk::Attempt};
use crate::{
    browser::session::BrowserDraft,
    passkeys::{PasskeyChallenge, PasskeyProof},
    users::arrival::Arrival,
    vouch::Names,
};

/// What a step wants.
pub(super) enum Action {
    /// The question is asked again.
    Nothing(Option<Hint>),
    Send(Box<Sending>),
    /// A passkey is to be shown.
    Ask(Box<PasskeyChallenge>),
    /// A passkey was shown that won't do. Its challenge is used up.
    Fail(Hint),
    Show(Box<Showing>),
}

pub(super) struct Sending {
    pub(super) identity: Identity,
    pub(super) challenge: ChallengeId,
    pub(super) code_hash: OneTimeCodeHash,
    pub(super) link_hash: Option<LinkHash>,
    pub(super) message: OutgoingMessage,
}

pub(super) struct Showing {
    pub(super) who: Who,
    /// None: it is for the user's own account.
    pub(super) issue: Option<Issue>,
    pub(super) browser: Option<BrowserDraft>,
    pub(super) attempt: Attempt,
    pub(super) passed: AuditId,
    pub(super) request: String,
}

/// By what somebody is known.
pub(super) enum Who {
    /// By an address, to which a code and a link were sent.
    Address(Claim),
    /// By a passkey, that answered this challenge.
    Passkey { proof: Box<PasskeyProof>, state: String },
}

/// Somebody says that an address is theirs.
pub(super) struct Claim {
    pub(super) shown: Shown,
    pub(super) arrival: Arrival,
    pub(super) create: Option<Names>,
}

pub(super) enum Shown {
    Code(OneTimeCode, Box<OneTimeCodeKey>),
    Link(LinkHash),
}

impl Who {
    /// As the trail has it.
    pub(super) const fn method(&self) -> &'static str {
        match self {
            Self::Address(Claim { shown: Shown::Code(..), .. }) => "email_code",
            Self::Address(Claim { shown: Shown::Link(_), .. }) => "email_link",
            Self::Passkey { .. } => "passkey",
        }
    }

    /// The passkey by which somebody was proved.
    pub(super) const fn passkey(&self) -> Option<PasskeyId> {
        match self {
            Self::Address(_) => None,
            Self::Passkey { proof, .. } => Some(proof.passkey.id),
        }
    }

    /// The key by which somebody was proved, as the trail has it.
    pub(super) fn key(&self) -> Option<String> {
        self.passkey().map(|id| id.to_string())
    }
}

impl Shown {
    pub(super) fn is_right(&self, challenge: ChallengeId, kept: &KeptSignIn) -> bool {
        match self {
            Self::Code(code, key) => kept.code_hash.as_ref().is_some_and(|hash| key.matches(challenge, code, hash)),
            Self::Link(shown) => kept.link_hash == Some(*shown),
        }
    }
}
