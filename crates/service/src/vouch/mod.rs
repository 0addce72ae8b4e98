//! Vouching: a backend names a user, and the app it names gets a session.
//!
//! A vouch for a user who is found, has nothing to gain and nothing to lose is one read and one row among many. Everything else, a user
//! who comes to be, an identity gained, a device replaced, a cap reached, is one transaction that looks again at what it decides upon.

mod activation;
mod find;
mod open;
mod short_way;
mod transaction;

pub(crate) use self::activation::Activation;

use countersign_domain::{
    audit::Act,
    clock::Timestamp,
    identity::{Identity, IdentityKind},
    identity_join::{Asserted, Conflict},
    policy::{SignupExisting, VouchEmail},
    proof::{Level, Method, Proof},
    text::{DeviceId, EmailAddress, ExternalId, Name, PhoneNumber},
};

use crate::{
    Service,
    address::{Address, Misaddressed},
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::{Rate, TooMany},
    proof::secret_key::Backend,
    token::TokenPair,
    verdicts::{self, ACCEPTED},
};

/// What a backend says of a user.
#[derive(Debug, Clone)]
pub struct Vouch {
    /// The project that it means.
    pub project: String,
    /// The app that gets the tokens.
    pub client: String,
    /// The user's e-mail address.
    pub email: EmailAddress,
    /// Whether the backend has seen proof of the address; says nothing: it has.
    pub email_verified: Option<bool>,
    /// The user's identifier in the customer's own books.
    pub external_id: Option<ExternalId>,
    /// The user's telephone number.
    pub phone: Option<PhoneNumber>,
    /// The installation of the app.
    pub device: Option<DeviceId>,
    /// How the user authenticated there.
    pub authentication: Authentication,
}

/// How a user authenticated to the backend, as far as it passes that on.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// Methods (RFC 8176).
    pub methods: Vec<Method>,
    /// The level.
    pub level: Option<Level>,
    /// When.
    pub at: Option<Timestamp>,
}

/// A user's names, for one who comes to be.
#[derive(Debug, Clone)]
pub struct Names {
    /// Given name.
    pub given: Name,
    /// Family name.
    pub family: Name,
}

/// Somebody who may become a user.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Their names.
    pub names: Names,
    /// What is shown where the project asks for it.
    pub activation_code: Option<String>,
}

/// Why a vouch is refused.
#[derive(Debug, thiserror::Error)]
pub enum VouchRefused {
    /// Nobody has these identities.
    #[error("there is no such user")]
    NoSuchUser,
    /// The user exists, and the project refuses to sign up whoever exists.
    #[error("the user exists")]
    UserExists,
    /// The user is locked out.
    #[error("the user is disabled")]
    UserDisabled,
    /// The identities can't be joined.
    #[error("the identities can't be joined")]
    Conflict(Conflict),
    /// Path, host, body and key don't name one project.
    #[error("there is no such project")]
    UnknownProject,
    /// The project has no such client, or it is closed.
    #[error("there is no such client")]
    UnknownClient,
    /// The key may not vouch for users of this client.
    #[error("the key may not use this client")]
    ClientNotAllowed,
    /// The key may not create users.
    #[error("the key may not create users")]
    MayNotCreateUsers,
    /// The project asks newcomers for an activation code, and this isn't one.
    #[error("the activation code isn't right")]
    ActivationCode,
    /// The time of authentication lies ahead.
    #[error("the time of authentication lies in the future")]
    AuthTimeAhead,
    /// Too many vouches for one address.
    #[error("too many vouches for this address")]
    TooMany(TooMany),
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// What a vouch may do about users that there are, or that there aren't.
struct Intent {
    /// Whoever this is, if there is nobody.
    create: Option<Newcomer>,
    reject_existing: bool,
}

/// How far clocks of backends may be ahead of ours.
const CLOCK_SKEW: std::time::Duration = std::time::Duration::from_mins(1);

impl Service {
    /// Opens a session for a user there is; with `create_if_missing`, also for one there isn't yet.
    pub async fn sign_in(
        &self,
        backend: &Backend,
        address: &Address,
        vouch: Vouch,
        create_if_missing: bool,
        caller: &Caller,
    ) -> Result<TokenPair, VouchRefused> {
        let nobody_known =
            || Newcomer { names: Names { given: Name::empty(), family: Name::empty() }, activation_code: None };
        let intent = Intent { create: create_if_missing.then(nobody_known), reject_existing: false };
        self.vouch(backend, address, vouch, intent, caller).await
    }

    /// Opens a session for a user who comes to be, or, where the project says so, is there already.
    pub async fn sign_up(
        &self,
        backend: &Backend,
        address: &Address,
        vouch: Vouch,
        newcomer: Newcomer,
        caller: &Caller,
    ) -> Result<TokenPair, VouchRefused> {
        let reject_existing = backend.project.settings.signup_existing == SignupExisting::Reject;
        let intent = Intent { create: Some(newcomer), reject_existing };
        let may_create = backend.secret_key().is_some_and(|key| key.scope.may_create_users);
        if !may_create {
            return self.answered(backend, Err(VouchRefused::MayNotCreateUsers));
        }
        self.vouch(backend, address, vouch, intent, caller).await
    }

    async fn vouch(
        &self,
        backend: &Backend,
        address: &Address,
        vouch: Vouch,
        intent: Intent,
        caller: &Caller,
    ) -> Result<TokenPair, VouchRefused> {
        let opened = match self.check_vouch(backend, address, &vouch) {
            Ok(client) => self.open_vouched(backend, client, &vouch, intent, caller).await,
            Err(refused) => Err(refused),
        };
        self.answered(backend, opened)
    }

    /// The visible list of what a vouch must pass before any user is looked for.
    fn check_vouch<'b>(
        &self,
        backend: &'b Backend,
        address: &Address,
        vouch: &Vouch,
    ) -> Result<&'b ClientView, VouchRefused> {
        check_project(self, backend, address, vouch)?;
        let client = find_client(&backend.project, vouch)?;
        check_key(backend, client)?;
        check_auth_time(vouch, self.now())?;
        check_rate(self, &backend.project, vouch)?;
        Ok(client)
    }

    /// Counts what came of a vouch.
    fn answered<T>(&self, backend: &Backend, result: Result<T, VouchRefused>) -> Result<T, VouchRefused> {
        let reason = result.as_ref().map_or_else(VouchRefused::reason, |_| ACCEPTED);
        verdicts::Proof::Vouch.count(reason);
        result.inspect_err(|_| self.refused(backend, Act::VouchRefused, reason))
    }
}

fn check_project(service: &Service, backend: &Backend, address: &Address, vouch: &Vouch) -> Result<(), VouchRefused> {
    let own = &backend.project.project.id;
    match service.addressed(address, Some(&vouch.project)) {
        Ok(project) if project.project.id == *own => Ok(()),
        Ok(_) | Err(Misaddressed::NoSuchProject | Misaddressed::Disagreement | Misaddressed::NoneNamed) => {
            Err(VouchRefused::UnknownProject)
        }
    }
}

fn find_client<'p>(project: &'p ProjectView, vouch: &Vouch) -> Result<&'p ClientView, VouchRefused> {
    let id = vouch.client.parse().map_err(|_| VouchRefused::UnknownClient)?;
    let open = project.client(&id).filter(|view| view.client.disabled_at.is_none());
    open.ok_or(VouchRefused::UnknownClient)
}

fn check_key(backend: &Backend, client: &ClientView) -> Result<(), VouchRefused> {
    let may = backend.secret_key().is_some_and(|key| key.may_vouch_for(&client.client.id));
    if may { Ok(()) } else { Err(VouchRefused::ClientNotAllowed) }
}

fn check_auth_time(vouch: &Vouch, now: Timestamp) -> Result<(), VouchRefused> {
    let is_ahead = vouch.authentication.at.is_some_and(|at| at > now.plus(CLOCK_SKEW));
    if is_ahead { Err(VouchRefused::AuthTimeAhead) } else { Ok(()) }
}

/// One backend is one address, so vouches are counted by whom they are for.
fn check_rate(service: &Service, project: &ProjectView, vouch: &Vouch) -> Result<(), VouchRefused> {
    let who = ("email", project.project.id.as_str(), vouch.email.as_str());
    let rate = Rate::per_minute(project.settings.limit_email);
    service.limits.take(&who, rate, service.time.monotonic()).map_err(VouchRefused::TooMany)
}

/// The identities in a vouch, and whether each counts as proved.
fn asserted(vouch: &Vouch, trust: VouchEmail) -> Vec<Asserted> {
    let trusted = trust == VouchEmail::Trusted;
    let email = Asserted {
        identity: Identity::Email(vouch.email.clone()),
        is_verified: trusted && vouch.email_verified.unwrap_or(true),
    };
    let external = vouch.external_id.clone().map(Identity::ExternalId);
    let external = external.map(|identity| Asserted { identity, is_verified: true });
    let phone = vouch.phone.clone().map(Identity::Phone).map(|identity| Asserted { identity, is_verified: trusted });
    external.into_iter().chain([email]).chain(phone).collect()
}

/// How the user was proven: the vouch itself, and what the backend passes on, no higher than its key may.
fn proof(vouch: &Vouch, backend: &Backend, now: Timestamp) -> Proof {
    let passed_on = &vouch.authentication;
    let highest = backend.secret_key().map_or(Level::Vouched, |key| key.scope.max_level);
    let others = passed_on.methods.iter().filter(|method| **method != Method::vouch()).cloned();
    Proof {
        methods: std::iter::once(Method::vouch()).chain(others).collect(),
        level: passed_on.level.unwrap_or(Level::Vouched).min(highest),
        at: passed_on.at.unwrap_or(now).min(now),
    }
}

impl VouchRefused {
    /// The reason as metrics and the audit trail have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoSuchUser => "no_such_user",
            Self::UserExists => "user_exists",
            Self::UserDisabled => "user_disabled",
            Self::Conflict(Conflict::TwoUsers) => "two_users",
            Self::Conflict(Conflict::ProvedByAnother(IdentityKind::Phone)) => "phone_proved_by_another",
            Self::Conflict(Conflict::ProvedByAnother(_)) => "email_proved_by_another",
            Self::Conflict(Conflict::OtherExternalId) => "other_external_id",
            Self::UnknownProject => "unknown_project",
            Self::UnknownClient => "unknown_client",
            Self::ClientNotAllowed => "client_not_allowed",
            Self::MayNotCreateUsers => "may_not_create_users",
            Self::ActivationCode => "activation_code",
            Self::AuthTimeAhead => "auth_time_ahead",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}
