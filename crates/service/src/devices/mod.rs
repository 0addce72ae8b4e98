//! Devices: what users sign in from. A device is a passkey, seen by whoever wants to know where somebody can sign in, and to end that.

mod delete;
mod ending;
mod list;
mod revoke;
mod unrevoke;

use countersign_domain::{
    audit::{Act, Subject},
    id::{PasskeyId, ProjectId, UserId},
};

use crate::{
    admin::{Deed, Refused},
    error::Outage,
    passkeys::By,
};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is so from now on.
    Done,
    /// It was so before. Nothing was written.
    Already,
}

/// Why it doesn't become so.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeviceRefused {
    /// The user has no such device.
    #[error("the user has no such device")]
    NotFound,
    /// Nothing could be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// What was found in the transaction.
#[derive(Clone, Copy)]
enum Found {
    Nothing,
    Already,
}

impl Found {
    /// Nothing is changed, so nothing is said in the trail either.
    fn refused(self, id: PasskeyId) -> Refused {
        match self {
            Self::Nothing => Refused::not_found("device", id),
            Self::Already => Refused::exists("state of this device", id),
        }
    }
}

fn outcome(done: Result<(), Refused>) -> Result<Changed, DeviceRefused> {
    match done {
        Ok(()) => Ok(Changed::Done),
        Err(Refused::Exists { .. }) => Ok(Changed::Already),
        Err(Refused::NotFound { .. }) => Err(DeviceRefused::NotFound),
        Err(Refused::Invalid(why)) => Err(Outage::Unavailable(why).into()),
        Err(Refused::Outage(outage)) => Err(outage.into()),
    }
}

fn deed(project: &ProjectId, user: UserId, id: PasskeyId, act: Act, by: By<'_>) -> Deed {
    let subject = Subject { user: Some(user), client: by.client(), key: Some(id.to_string()), ..Subject::default() };
    Deed { project: project.clone(), act, subject, detail: by.detail() }
}
