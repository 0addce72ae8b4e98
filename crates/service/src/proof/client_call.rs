//! A call of the client API: it names its project by a publishable key and its user by the customer's own id, and shows a MAC by which the
//! customer's backend proves that user.
//!
//! Everything that isn't right is one refusal to the caller. What was wrong is for the customer to learn, by metrics and by Explain.

use std::sync::Arc;

use countersign_crypto::user_mac::UnverifiedUserMac;
use countersign_domain::{
    client_api_key::ClientApiKey,
    clock::Timestamp,
    id::{KeyId, UserId},
    policy::{HmacEnforcement, ProofVersions},
    text::ExternalId,
};

use crate::{
    Service,
    address::{Address, Misaddressed},
    caller::Caller,
    directory::{ProjectView, UserKey},
    error::Outage,
    known_users::KnownUser,
    limits::TooMany,
    project_counts::Event,
    verdicts::{ACCEPTED, Proof as Verdict},
};

/// A header as it came: its bytes are whatever somebody sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// It isn't there.
    Absent,
    /// It is there once.
    Once(&'a [u8]),
    /// It is there more than once: who knows which one was meant?
    Repeated,
}

/// What an app says of itself and its user.
#[derive(Debug, Clone, Copy)]
pub struct ClientCall<'a> {
    /// The key that names the project.
    pub publishable_key: Shown<'a>,
    /// The customer's id of the user.
    pub external_id: Shown<'a>,
    /// The proof.
    pub hmac: Shown<'a>,
}

/// A user whom an app named, and how well that was proved.
pub struct ClientUser {
    pub(crate) project: Arc<ProjectView>,
    pub(crate) publishable_key: KeyId,
    pub(crate) external_id: ExternalId,
    pub(crate) known: KnownUser,
    pub(crate) proof: UserProof,
}

/// Whom a call names, and how well that was proved.
pub(crate) struct Weighed {
    pub(crate) external_id: ExternalId,
    pub(crate) proof: UserProof,
    /// What is wrong with the proof, where the project requires none.
    pub(crate) overlooked: Option<Flaw>,
}

/// How a user was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserProof {
    /// By a MAC under this key.
    Mac {
        /// The key.
        key: KeyId,
        /// The MAC.
        mac: UnverifiedUserMac,
    },
    /// Not at all: the project doesn't require it.
    Unproved,
}

/// Why a call isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum CallRefused {
    /// A header is missing, repeated, or not what it must be; or the proof isn't one.
    #[error("the call is not proved: {}", .0.as_str())]
    NotProved(Flaw),
    /// The page comes from an origin that the project doesn't allow.
    #[error("the project doesn't allow this origin")]
    ForeignOrigin,
    /// The caller's network has failed too often.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

macro_rules! flaws {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// What is wrong with a call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Flaw {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Flaw {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As metrics, counters and Explain have it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

flaws! {
    /// There is no publishable key.
    KeyMissing = "key_missing",
    /// A header stands there twice.
    HeaderRepeated = "header_repeated",
    /// The publishable key isn't known.
    KeyUnknown = "key_unknown",
    /// The publishable key was revoked, or its time is over.
    KeyEnded = "key_ended",
    /// Path or host name another project than the key.
    OtherProject = "other_project",
    /// There is no user id, or an empty one.
    IdMissing = "id_missing",
    /// The user id is too long, or has control characters, or isn't ASCII and no HMAC says how to read it.
    IdUnreadable = "id_unreadable",
    /// There is no HMAC, and the project requires one.
    HmacMissing = "hmac_missing",
    /// The HMAC isn't spelt as one.
    HmacMalformed = "hmac_malformed",
    /// The HMAC isn't right.
    HmacWrong = "hmac_wrong",
    /// The project doesn't take proofs of this version.
    HmacVersion = "hmac_version",
    /// The proof's time is over.
    HmacExpired = "hmac_expired",
    /// The proof ends further ahead than the project allows.
    HmacTooFarAhead = "hmac_too_far_ahead",
    /// There is no such user, and the project doesn't let first calls make any.
    NoSuchUser = "no_such_user",
    /// As many users were made as may be.
    TooManyUsers = "too_many_users",
    /// The user is locked out.
    UserDisabled = "user_disabled",
    /// The ticket isn't one of ours.
    TicketUnknown = "ticket_unknown",
    /// The ticket's time is over.
    TicketExpired = "ticket_expired",
    /// The ticket was used before.
    TicketSpent = "ticket_spent",
    /// The call shows more than one credential.
    MixedCredentials = "mixed_credentials",
}

impl From<Flaw> for CallRefused {
    fn from(flaw: Flaw) -> Self {
        Self::NotProved(flaw)
    }
}

impl ClientCall<'_> {
    /// Does it say nothing at all?
    pub fn is_empty(&self) -> bool {
        [self.publishable_key, self.external_id, self.hmac].iter().all(|shown| *shown == Shown::Absent)
    }

    /// Does the call say anything about a user?
    pub fn names_a_user(&self) -> bool {
        self.external_id != Shown::Absent || self.hmac != Shown::Absent
    }
}

impl ClientUser {
    /// The user.
    pub fn user(&self) -> UserId {
        self.known.user
    }

    /// Was anything proved?
    pub fn is_proved(&self) -> bool {
        self.proof != UserProof::Unproved
    }

    /// What the user was proved by, as `amr` has it.
    pub fn method(&self) -> &'static str {
        match &self.proof {
            UserProof::Mac { mac: UnverifiedUserMac::V1(_), .. } => "hmac",
            UserProof::Mac { mac: UnverifiedUserMac::V2 { .. }, .. } => "hmac_v2",
            UserProof::Unproved => "unproved",
        }
    }
}

impl Service {
    /// Whom an app calls for, if that is proved as well as the project requires. A user who calls for the first time comes to be.
    pub async fn prove_client_call(
        &self,
        address: &Address,
        call: &ClientCall<'_>,
        caller: &Caller,
    ) -> Result<ClientUser, CallRefused> {
        let proved = self.client_user(address, call, caller).await;
        let reason = proved
            .as_ref()
            .map_or_else(CallRefused::reason, |user| if user.is_proved() { ACCEPTED } else { "unproved" });
        Verdict::ClientCall.count(reason);
        proved.map_err(|refused| match refused {
            CallRefused::NotProved(flaw) => self.count_unproved(address, flaw, caller),
            other => other,
        })
    }

    async fn client_user(
        &self,
        address: &Address,
        call: &ClientCall<'_>,
        caller: &Caller,
    ) -> Result<ClientUser, CallRefused> {
        self.fresh()?;
        let (project, publishable_key) = self.client_project(address, call.publishable_key)?;
        check_origin(&project, caller)?;
        let weighed = self.weigh(&project, call);
        let Weighed { external_id, proof, overlooked } = weighed.inspect_err(|_| {
            self.counts.add(&project.project.id, Event::Refused);
        })?;
        if overlooked.is_some_and(|flaw| flaw != Flaw::HmacMissing) {
            self.counts.add(&project.project.id, Event::WrongProof);
        }
        let known = self.user_of(&project, &external_id, &proof, caller).await?;
        if known.is_disabled {
            return Err(Flaw::UserDisabled.into());
        }
        self.note_use(&project, publishable_key, &proof);
        Ok(ClientUser { project, publishable_key, external_id, known, proof })
    }

    /// The project that a publishable key names.
    pub(crate) fn client_project(
        &self,
        address: &Address,
        shown: Shown<'_>,
    ) -> Result<(Arc<ProjectView>, KeyId), Flaw> {
        let text = match shown {
            Shown::Absent => return Err(Flaw::KeyMissing),
            Shown::Repeated => return Err(Flaw::HeaderRepeated),
            Shown::Once(bytes) => std::str::from_utf8(bytes).map_err(|_| Flaw::KeyUnknown)?,
        };
        let directory = self.directory.load();
        let (project, id) = directory.publishable_key(text).ok_or(Flaw::KeyUnknown)?;
        let is_live = |key: &ClientApiKey| key.is_live(self.now());
        if !project.publishable_key(id).is_some_and(is_live) {
            return Err(Flaw::KeyEnded);
        }
        match self.addressed(address, Some(project.project.id.as_str())) {
            Ok(project) => Ok((project, id)),
            Err(Misaddressed::NoSuchProject | Misaddressed::Disagreement | Misaddressed::NoneNamed) => {
                Err(Flaw::OtherProject)
            }
        }
    }

    /// Reads the id and judges the proof, as the project has it. Counts nothing: Explain asks here, too.
    pub(crate) fn weigh(&self, project: &ProjectView, call: &ClientCall<'_>) -> Result<Weighed, Flaw> {
        let readings = match call.external_id {
            Shown::Absent | Shown::Once(b"") => return Err(Flaw::IdMissing),
            Shown::Repeated => return Err(Flaw::HeaderRepeated),
            Shown::Once(bytes) => readings(bytes),
        };
        let proved = match call.hmac {
            Shown::Absent => Err(Flaw::HmacMissing),
            Shown::Repeated => return Err(Flaw::HeaderRepeated),
            Shown::Once(bytes) => self.weigh_mac(project, &readings, bytes),
        };
        let flaw = match proved {
            Ok((external_id, proof)) => return Ok(Weighed { external_id, proof, overlooked: None }),
            Err(flaw) => flaw,
        };
        if project.settings.hmac == HmacEnforcement::Required {
            return Err(flaw);
        }
        // Without a proof nobody can say which reading was meant.
        match <[ExternalId; 1]>::try_from(readings) {
            Ok([external_id]) if external_id.as_str().is_ascii() => {
                Ok(Weighed { external_id, proof: UserProof::Unproved, overlooked: Some(flaw) })
            }
            _ => Err(Flaw::IdUnreadable),
        }
    }

    /// Every key that is live is tried on every reading, whatever came of the ones before: how long it takes says nothing.
    fn weigh_mac(
        &self,
        project: &ProjectView,
        readings: &[ExternalId],
        shown: &[u8],
    ) -> Result<(ExternalId, UserProof), Flaw> {
        if readings.is_empty() {
            return Err(Flaw::IdUnreadable);
        }
        let mac = UnverifiedUserMac::parse(shown).ok_or(Flaw::HmacMalformed)?;
        let now = self.now();
        let mut found = None;
        for key in project.user_keys().iter().filter(|it| it.key.is_live(now)) {
            for reading in readings {
                if key.secret.proves(&project.project.id, reading.as_str(), &mac) && found.is_none() {
                    found = Some((reading, key));
                }
            }
        }
        let (reading, key) = found.ok_or(Flaw::HmacWrong)?;
        check_time(project, &mac, now)?;
        Ok((reading.clone(), UserProof::Mac { key: key.key.id, mac }))
    }

    /// Counts a proof, and notes when a key was last used.
    fn note_use(&self, project: &ProjectView, publishable_key: KeyId, proof: &UserProof) {
        let (id, now) = (&project.project.id, self.now());
        let event = match proof {
            UserProof::Mac { mac: UnverifiedUserMac::V1(_), .. } => Event::ProvedV1,
            UserProof::Mac { mac: UnverifiedUserMac::V2 { .. }, .. } => Event::ProvedV2,
            UserProof::Unproved => Event::Unproved,
        };
        self.counts.add(id, event);
        self.tally.used_client_api_key(id, publishable_key, now);
        if let UserProof::Mac { key, .. } = proof {
            self.tally.used_client_api_key(id, *key, now);
            if is_replaced(project.user_keys(), *key) {
                self.counts.add(id, Event::OldSecret);
            }
        }
    }

    pub(crate) fn count_unproved(&self, address: &Address, flaw: Flaw, caller: &Caller) -> CallRefused {
        let project = self.addressed(address, None).ok();
        match self.take_failure(project.as_deref(), caller.address) {
            Ok(()) => flaw.into(),
            Err(too_many) => CallRefused::TooMany(too_many),
        }
    }
}

pub(crate) fn is_replaced(keys: &[UserKey], id: KeyId) -> bool {
    keys.iter().any(|it| it.key.id == id && it.key.replaced_by.is_some())
}

/// Which version, and until when. After the MAC: whoever can't make one learns nothing of it.
fn check_time(project: &ProjectView, mac: &UnverifiedUserMac, now: Timestamp) -> Result<(), Flaw> {
    let is_taken = match mac {
        UnverifiedUserMac::V1(_) => project.settings.hmac_versions != ProofVersions::V2,
        UnverifiedUserMac::V2 { .. } => project.settings.hmac_versions != ProofVersions::V1,
    };
    if !is_taken {
        return Err(Flaw::HmacVersion);
    }
    if mac.expires_at().is_some_and(|end| end.is_past(now)) {
        return Err(Flaw::HmacExpired);
    }
    if mac.is_timely(now, project.settings.hmac_lifetime) { Ok(()) } else { Err(Flaw::HmacTooFarAhead) }
}

/// May a page of that origin call? Calls that come from no page say no origin.
pub(crate) fn check_origin(project: &ProjectView, caller: &Caller) -> Result<(), CallRefused> {
    let allowed = &project.settings.origins;
    match &caller.origin {
        Some(origin) if !allowed.is_empty() && !allowed.iter().any(|it| **it == **origin) => {
            Err(CallRefused::ForeignOrigin)
        }
        _ => Ok(()),
    }
}

/// How an id may be meant. A JavaScript client sends letters outside ASCII as Latin-1, while the backend took the MAC of UTF-8.
pub(crate) fn readings(bytes: &[u8]) -> Vec<ExternalId> {
    let utf8 = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
    let latin1 = || bytes.iter().copied().map(char::from).collect::<String>().parse().ok();
    let latin1 = if bytes.is_ascii() { None } else { latin1() };
    utf8.into_iter().chain(latin1).collect()
}

impl CallRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotProved(flaw) => flaw.as_str(),
            Self::ForeignOrigin => "foreign_origin",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        readings(bytes).iter().map(|id| id.as_str().to_owned()).collect()
    }

    #[test]
    fn an_id_of_ascii_has_one_reading() {
        assert_eq!(read(b"user-7"), ["user-7"]);
    }

    #[test]
    fn letters_beyond_ascii_may_be_utf8_or_latin1() {
        assert_eq!(read("Zoë".as_bytes()), ["Zoë", "ZoÃ«"]);
        assert_eq!(read(b"Zo\xeb"), ["Zoë"], "what a JavaScript client sends");
    }

    #[test]
    fn what_no_id_can_be_has_no_reading() {
        for bytes in [&b""[..], b"a\nb", b"a\x00", &[b'a'; 256]] {
            assert!(read(bytes).is_empty(), "{bytes:?}");
        }
    }
}
