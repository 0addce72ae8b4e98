//! What a step wants, with everything drawn up that its transaction may need.

use countersign_crypto::{
    one_time_code::{OneTimeCode, OneTimeCodeHash, OneTimeCodeKey},
    sign_in_link::LinkHash,
};
use countersign_domain::{
    id::{AuditId, ChallengeId, PasskeyId, UserId},
    identity::Identity,
    mfa::FactorKind,
    proof::Proof,
    sign_in::Asked,
};
use countersign_storage::{messages::OutgoingMessage, sign_ins::KeptSignIn};

use super::{
    issue::Issue,
    prompt::Hint,
    risk::Attempt,
    second::{First, SecondShown, is_demanded},
};
use crate::{
    browser::session::BrowserDraft,
    directory::ProjectView,
    oauth::authorization::AuthorizationRequest,
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
    /// Something else is asked as a second factor, for which nothing is sent.
    AskSecond(Asked),
    SendSecond(Box<SendingSecond>),
    /// Something was shown as a second factor that isn't right.
    Mistake,
}

pub(super) struct SendingSecond {
    /// As what factor; none: to what is to become one.
    pub(super) kind: Option<FactorKind>,
    pub(super) to: Identity,
    pub(super) challenge: ChallengeId,
    pub(super) code_hash: OneTimeCodeHash,
    pub(super) message: OutgoingMessage,
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
    /// None: the first factor was proved before.
    pub(super) first: Option<First>,
    /// None: it is for the user's own account.
    pub(super) issue: Option<Issue>,
    /// Who it must be; none: whoever it is. Then it goes on when they are known.
    pub(super) only_user: Option<UserId>,
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
    /// By a first factor that was proved before, and this.
    Second(Box<SecondShown>),
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
    pub(super) fn method(&self) -> &str {
        match self {
            Self::Second(shown) => &shown.methods,
            Self::Address(_) | Self::Passkey { .. } => self.first_method(),
        }
    }

    /// The same of a first factor.
    pub(super) const fn first_method(&self) -> &'static str {
        match self {
            Self::Address(Claim { shown: Shown::Code(..), .. }) => "email_code",
            Self::Address(Claim { shown: Shown::Link(_), .. }) => "email_link",
            Self::Passkey { .. } => "passkey",
            Self::Second(_) => "",
        }
    }

    /// The passkey by which somebody was proved.
    pub(super) fn passkey(&self) -> Option<PasskeyId> {
        match self {
            Self::Address(_) | Self::Second(_) => None,
            Self::Passkey { proof, .. } => Some(proof.passkey.id),
        }
    }

    /// None: the first factor was proved before.
    pub(super) fn as_first(
        &self,
        proof: &Proof,
        project: &ProjectView,
        request: Option<&AuthorizationRequest>,
        is_step_up: bool,
    ) -> Option<First> {
        let by = match self {
            Self::Address(claim) => Some(claim.arrival.identity.kind()),
            Self::Passkey { .. } => None,
            Self::Second(_) => return None,
        };
        Some(First {
            proof: proof.clone(),
            by,
            method: self.first_method(),
            policy: project.settings.mfa_policy,
            is_demanded: is_demanded(request),
            is_step_up,
            is_account: request.is_none() && !is_step_up,
        })
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
