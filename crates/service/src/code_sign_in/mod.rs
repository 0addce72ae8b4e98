//! Signing in and up on an app's own screens: a code goes to the user's address, and whoever shows it holds that address.

mod attributes;
mod open;
mod send;

use std::sync::Arc;

use countersign_domain::{challenge::Purpose, identity::Identity, message::Destination};
use countersign_storage::challenges::Sought;

pub use self::attributes::{Attributes, AttributesOf, AttributesRefused};
use crate::{
    Service,
    address::{Address, Misaddressed},
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
};

/// Who wants to be known, where.
#[derive(Debug, Clone)]
pub struct CodeFor {
    /// The project that is meant.
    pub project: String,
    /// The app that gets the tokens.
    pub client: String,
    /// The address.
    pub destination: Destination,
}

/// Why there is no code, or none is taken.
#[derive(Debug, thiserror::Error)]
pub enum CodeRefused {
    /// Path, host and body don't name one project.
    #[error("there is no such project")]
    UnknownProject,
    /// The project has no such client, or it is closed.
    #[error("there is no such client")]
    UnknownClient,
    /// It isn't the code, or it is over, or was tried too often.
    #[error("the code isn't right")]
    WrongCode,
    /// The address is proved, and nobody has it.
    #[error("there is no such user")]
    NoSuchUser,
    /// The address is proved, and the project refuses to sign up whoever exists.
    #[error("the user exists")]
    UserExists,
    /// The user is locked out.
    #[error("the user is disabled")]
    UserDisabled,
    /// The project lets nobody sign up by an address of their own.
    #[error("the project is closed to newcomers")]
    Closed,
    /// The project asks for an activation code, and this isn't one.
    #[error("the activation code isn't right")]
    ActivationCode,
    /// The server has no way to send such messages.
    #[error("this server sends no such messages: see its configuration")]
    NoChannel,
    /// Too many messages to this address, or too many tries.
    #[error("too many messages or tries")]
    TooMany(TooMany),
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl CodeRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownProject => "unknown_project",
            Self::UnknownClient => "unknown_client",
            Self::WrongCode => "wrong_code",
            Self::NoSuchUser => "no_such_user",
            Self::UserExists => "user_exists",
            Self::UserDisabled => "user_disabled",
            Self::Closed => "closed",
            Self::ActivationCode => "activation_code",
            Self::NoChannel => "no_channel",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}

impl Service {
    /// The project that is meant.
    fn project_of_code(&self, address: &Address, project: &str) -> Result<Arc<ProjectView>, CodeRefused> {
        let addressed = self.addressed(address, Some(project));
        addressed.map_err(|problem| match problem {
            Misaddressed::NoSuchProject | Misaddressed::Disagreement | Misaddressed::NoneNamed => {
                CodeRefused::UnknownProject
            }
        })
    }
}

/// The open client of that id.
fn client_of_code<'p>(project: &'p ProjectView, client: &str) -> Result<&'p ClientView, CodeRefused> {
    let id = client.parse().map_err(|_| CodeRefused::UnknownClient)?;
    let open = project.client(&id).filter(|view| view.client.disabled_at.is_none());
    open.ok_or(CodeRefused::UnknownClient)
}

/// Where messages about an identity go; none: an id takes no messages.
pub(crate) fn destination_of(identity: &Identity) -> Option<Destination> {
    match identity {
        Identity::Email(address) => Some(Destination::Email(address.clone())),
        Identity::Phone(number) => Some(Destination::Phone(number.clone())),
        Identity::ExternalId(_) => None,
    }
}

fn identity_of(destination: &Destination) -> Identity {
    match destination {
        Destination::Email(address) => Identity::Email(address.clone()),
        Destination::Phone(number) => Identity::Phone(number.clone()),
    }
}

fn sought(project: &ProjectView, destination: &Destination) -> Sought {
    let project = project.project.id.clone();
    Sought { project, purpose: Purpose::AppSignIn, destination: identity_of(destination) }
}
