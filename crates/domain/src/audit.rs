//! The audit trail: who did what to whom. Written in the act's own transaction, so an act without an entry, or an entry without an act,
//! can't be.

use crate::{
    clock::Timestamp,
    id::{AuditId, ClientId, KeyId, ProjectId, SessionId, UserId},
};

/// One entry.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Where it happened.
    pub project: ProjectId,
    /// The entry's own identifier.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: Act,
    /// Who did it.
    pub actor: Actor,
    /// To what.
    pub subject: Subject,
    /// The request in which it happened, as logs name it.
    pub request: Option<String>,
    /// What else there is to say: short, no secrets, no personal data.
    pub detail: Vec<(&'static str, String)>,
}

/// What an act was done to. Any part may be missing.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The user concerned.
    pub user: Option<UserId>,
    /// The client concerned.
    pub client: Option<ClientId>,
    /// The session concerned.
    pub session: Option<SessionId>,
    /// The key concerned.
    pub key: Option<String>,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A backend with a secret key.
    SecretKey(KeyId),
    /// A client that signs its calls by its own key: the entry's subject says which.
    Client,
    /// A backend that signs its calls with a delegation key.
    DelegationKey(KeyId),
    /// A user, or an app in the user's name.
    User(UserId),
    /// Somebody at the command line of the server.
    Operator,
    /// The server itself, keeping its rules.
    System,
    /// Somebody who proved nothing.
    Anonymous,
}

macro_rules! acts {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// What can be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Act {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Act {
            /// Every act there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name in the trail. Never changed once it has been published.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

acts! {
    /// A project was made.
    ProjectCreated = "project.created",
    /// A project's settings were changed.
    ProjectSet = "project.set",
    /// Everything in a project was revoked.
    ProjectRevoked = "project.revoked",
    /// A project was closed.
    ProjectDisabled = "project.disabled",
    /// A project was opened again.
    ProjectEnabled = "project.enabled",
    /// A client was made.
    ClientCreated = "client.created",
    /// A client's settings were changed.
    ClientSet = "client.set",
    /// All sessions of a client were ended.
    ClientRevoked = "client.revoked",
    /// A client was closed.
    ClientDisabled = "client.disabled",
    /// A client was opened again.
    ClientEnabled = "client.enabled",
    /// A key was made.
    KeyCreated = "key.created",
    /// A key was changed.
    KeySet = "key.set",
    /// A key was given a successor.
    KeyRotated = "key.rotated",
    /// A key was made worthless.
    KeyRevoked = "key.revoked",
    /// A code with which people may sign up was made.
    ActivationCodeCreated = "activation_code.created",
    /// A code with which people could sign up was ended.
    ActivationCodeRevoked = "activation_code.revoked",
    /// A client was given a secret.
    ClientSecretCreated = "client_secret.created",
    /// A client's secret was made worthless.
    ClientSecretRevoked = "client_secret.revoked",
    /// Delegated calls were refused; counted together.
    DelegationRefused = "delegation.refused",
    /// A client didn't prove that it is one.
    ClientRefused = "client.refused",
    /// A token request was refused whose client was right.
    GrantRefused = "grant.refused",
    /// A code came a second time; the session that it had opened was ended.
    CodeReplayed = "code.replayed",
    /// A user came to be.
    UserCreated = "user.created",
    /// A user's names were changed.
    UserSet = "user.set",
    /// A user was forgotten, with all identities, passkeys and sessions.
    UserDeleted = "user.deleted",
    /// All sessions of a user were ended.
    UserRevoked = "user.revoked",
    /// A user was locked out.
    UserDisabled = "user.disabled",
    /// A user was let in again.
    UserEnabled = "user.enabled",
    /// What is kept of a user was given out, to the user or an operator.
    UserExported = "user.exported",
    /// Two users became one.
    UserMerged = "user.merged",
    /// A backend asked for a change that its user is to prove.
    StepUpStarted = "step_up.started",
    /// A user proved a change that a backend asked for.
    StepUpPassed = "step_up.passed",
    /// A change was made that its user had proved.
    StepUpApplied = "step_up.applied",
    /// A backend said when a user is asked for a second factor.
    MfaEnforcementSet = "mfa.enforcement_set",
    /// A user gained an identity.
    IdentityAdded = "identity.added",
    /// A user lost an identity.
    IdentityRemoved = "identity.removed",
    /// A user gained a passkey.
    PasskeyAdded = "passkey.added",
    /// A passkey was given another name.
    PasskeyRenamed = "passkey.renamed",
    /// A user lost a passkey.
    PasskeyRemoved = "passkey.removed",
    /// A passkey was revoked: it signs nobody in, and what it opened was ended.
    DeviceRevoked = "device.revoked",
    /// A passkey that was revoked signs its user in again.
    DeviceUnrevoked = "device.unrevoked",
    /// A passkey was refused that two authenticators seem to hold.
    PasskeyCloned = "passkey.cloned",
    /// A user gained a second factor.
    FactorAdded = "factor.added",
    /// A user lost a second factor.
    FactorRemoved = "factor.removed",
    /// A user said when to be asked for a second factor.
    MfaPreferenceSet = "mfa_preference.set",
    /// A user was given recovery codes.
    RecoveryCodesMade = "recovery_codes.made",
    /// A recovery code was used.
    RecoveryCodeUsed = "recovery_code.used",
    /// Somebody signed in here, for a client.
    SignInPassed = "sign_in.passed",
    /// Somebody stays signed in, in a browser.
    BrowserSessionOpened = "browser_session.opened",
    /// Somebody is signed in no longer, in a browser.
    BrowserSessionEnded = "browser_session.ended",
    /// A user let a client know and do things.
    ConsentGiven = "consent.given",
    /// A user didn't let a client know and do things.
    ConsentRefused = "consent.refused",
    /// What a user let a client know and do was taken back.
    ConsentTakenBack = "consent.taken_back",
    /// A session was opened because a backend vouched.
    SessionVouched = "session.vouched",
    /// A session was opened for a user who was proved otherwise.
    SessionOpened = "session.opened",
    /// A session was refreshed.
    SessionRefreshed = "session.refreshed",
    /// An earlier refresh token came from another network or user agent.
    SessionForeignReplay = "session.foreign_replay",
    /// A refresh token was newer than the database.
    SessionCommitLost = "session.commit_lost",
    /// Two parties used one session, which therefore ended.
    SessionTheft = "session.theft",
    /// A session ended.
    SessionEnded = "session.ended",
    /// Vouches were refused; counted together.
    VouchRefused = "vouch.refused",
    /// Refreshes were refused; counted together.
    RefreshRefused = "refresh.refused",
    /// A secret key was used from a browser, so it is in an app; counted together.
    SecretInBrowser = "key.seen_in_browser",
}

impl Actor {
    /// What kind of actor this is, as the trail has it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::SecretKey(_) => "secret_key",
            Self::Client => "client",
            Self::DelegationKey(_) => "delegation_key",
            Self::User(_) => "user",
            Self::Operator => "operator",
            Self::System => "system",
            Self::Anonymous => "anonymous",
        }
    }

    /// Which one, where there is more than one.
    pub fn id(self) -> Option<String> {
        match self {
            Self::SecretKey(id) | Self::DelegationKey(id) => Some(id.to_string()),
            Self::User(id) => Some(id.to_string()),
            Self::Client | Self::Operator | Self::System | Self::Anonymous => None,
        }
    }
}
