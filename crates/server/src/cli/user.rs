//! `user`.

use clap::{Args, Subcommand};
use countersign_domain::{
    id::{ClientId, PasskeyId, ProjectId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord},
    passkey::Passkey,
    text::{EmailAddress, ExternalId, Name, PhoneNumber},
    user::User,
};
use countersign_service::{
    admin::Refused,
    passkeys::By,
    projects::state::StateChange,
    users::{export::Looking, list::KnownUser, set::UserChanges},
    vouch::Names,
};
use countersign_storage::consents::Consent;
use serde_json::{Value, json};

use super::{
    Desk, device,
    output::{Output, optional_time, time},
};
use crate::error::Failure;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a user
    Create {
        #[command(flatten)]
        identities: Identities,
        /// The identities are proved
        #[arg(long)]
        verified: bool,
        /// Given name
        #[arg(long, default_value = "")]
        given_name: Name,
        /// Family name
        #[arg(long, default_value = "")]
        family_name: Name,
    },
    /// List users in order of their making
    List {
        /// Only those after this one
        #[arg(long, value_name = "UID")]
        after: Option<UserId>,
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show a user
    Show {
        /// By id, e-mail address, telephone number or external id
        user: String,
    },
    /// Change a user's names, and add or take away identities
    Set {
        /// By id, e-mail address, telephone number or external id
        user: String,
        /// Given name
        #[arg(long)]
        given_name: Option<Name>,
        /// Family name
        #[arg(long)]
        family_name: Option<Name>,
        #[command(flatten)]
        add: Identities,
        #[command(flatten)]
        remove: Removed,
    },
    /// End all sessions of a user
    Revoke {
        /// By id, e-mail address, telephone number or external id
        user: String,
    },
    /// End all sessions, and open no new ones
    Disable {
        /// By id, e-mail address, telephone number or external id
        user: String,
    },
    /// Let the user in again; what was ended stays ended
    Enable {
        /// By id, e-mail address, telephone number or external id
        user: String,
    },
    /// Show a user's passkeys, or take some away
    Passkeys {
        /// By id, e-mail address, telephone number or external id
        user: String,
        /// Passkey to take away, by its id
        #[arg(long = "remove", value_name = "PASSKEY")]
        remove: Vec<PasskeyId>,
    },
    /// Show what a user signs in from: passkeys, by what they were used with
    Devices {
        /// By id, e-mail address, telephone number or external id
        user: String,
    },
    /// Lock a device out, let it in again, or forget it
    #[command(subcommand)]
    Device(device::Verb),
    /// Print all that is kept of a user, but what would let somebody in, as JSON
    Export {
        /// By id, e-mail address, telephone number or external id
        user: String,
    },
    /// Forget a user for good, with all identities, passkeys and sessions; entries of the audit trail stay, which know the user by id alone
    Delete {
        /// By id, e-mail address, telephone number or external id
        user: String,
        /// It can't be undone
        #[arg(long, required = true)]
        yes: bool,
    },
    /// Show what a user lets apps of others know and do, or take it back
    Consents {
        /// By id, e-mail address, telephone number or external id
        user: String,
        /// Client from which to take it back; its sessions of this user end
        #[arg(long = "revoke", value_name = "CLIENT")]
        revoke: Vec<ClientId>,
    },
    /// Make one user of two: the first keeps its id, but is disabled for good, loses its identities to the second, and its passkeys
    Merge {
        /// Who goes: by id, e-mail address, telephone number or external id
        from: String,
        /// Who stays
        #[arg(long, value_name = "USER")]
        into: String,
    },
}

/// What a user is found by.
#[derive(Args)]
pub(super) struct Identities {
    /// E-mail address
    #[arg(long)]
    email: Vec<EmailAddress>,
    /// Telephone number, in E.164 form
    #[arg(long)]
    phone: Vec<PhoneNumber>,
    /// The identifier in the customer's own books
    #[arg(long)]
    external_id: Vec<ExternalId>,
}

/// What a user is no longer found by.
#[derive(Args)]
pub(super) struct Removed {
    /// E-mail address to take away
    #[arg(long = "remove-email", value_name = "EMAIL", id = "remove_email")]
    email: Vec<EmailAddress>,
    /// Telephone number to take away
    #[arg(long = "remove-phone", value_name = "PHONE", id = "remove_phone")]
    phone: Vec<PhoneNumber>,
    /// External id to take away
    #[arg(long = "remove-external-id", value_name = "EXTERNAL_ID", id = "remove_external_id")]
    external_id: Vec<ExternalId>,
}

impl Identities {
    fn into_list(self) -> Vec<Identity> {
        let emails = self.email.into_iter().map(Identity::Email);
        let phones = self.phone.into_iter().map(Identity::Phone);
        let external_ids = self.external_id.into_iter().map(Identity::ExternalId);
        emails.chain(phones).chain(external_ids).collect()
    }
}

impl From<Removed> for Identities {
    fn from(it: Removed) -> Self {
        Self { email: it.email, phone: it.phone, external_id: it.external_id }
    }
}

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let service = &desk.service;
        let project = desk.project().await?;
        let shown = match self {
            Self::Create { identities, verified, given_name, family_name } => {
                let names = Names { given: given_name, family: family_name };
                let made = service.create_user(&project, names, identities.into_list(), verified).await?;
                show(desk, &project, &made).await?
            }
            Self::List { after, limit } => {
                let shape = if desk.output.json { known } else { row };
                service.list_users(&project, after, limit).await?.iter().map(shape).collect()
            }
            Self::Show { user } => known(&service.show_user(&project, &user).await?),
            Self::Set { user, given_name, family_name, add, remove } => {
                let remove = Identities::from(remove).into_list();
                let changes = UserChanges { given_name, family_name, add: add.into_list(), remove };
                let id = named(desk, &project, &user).await?;
                show(desk, &project, &service.set_user(&project, id, changes).await?).await?
            }
            Self::Revoke { user } => change(desk, &project, &user, StateChange::Revoke).await?,
            Self::Disable { user } => change(desk, &project, &user, StateChange::Disable).await?,
            Self::Enable { user } => change(desk, &project, &user, StateChange::Enable).await?,
            Self::Passkeys { user, remove } => {
                let id = named(desk, &project, &user).await?;
                for passkey in remove {
                    let done = service.delete_device(&project, id, passkey, By::Operator).await;
                    done.map_err(|refused| device::missing(refused, passkey))?;
                }
                service.list_passkeys(&project, id).await.map_err(Refused::from)?.iter().map(passkey).collect()
            }
            Self::Devices { user } => device::list(desk, &project, named(desk, &project, &user).await?).await?,
            Self::Device(verb) => verb.run(desk, &project).await?,
            Self::Export { user } => {
                let id = named(desk, &project, &user).await?;
                let copy = service.export_user(&project, id, Looking::Everywhere, None).await?;
                return Output { json: true }.print(&copy);
            }
            Self::Delete { user, yes: _ } => {
                let id = named(desk, &project, &user).await?;
                json!({ "id": service.delete_user(&project, id).await?.to_string() })
            }
            Self::Consents { user, revoke } => {
                let id = named(desk, &project, &user).await?;
                for client in revoke {
                    service.take_consent_back(&project, id, &client, None).await?;
                }
                service.list_consents(&project, id).await.map_err(Refused::from)?.iter().map(consent).collect()
            }
            Self::Merge { from, into } => {
                let (from, into) = (named(desk, &project, &from).await?, named(desk, &project, &into).await?);
                show(desk, &project, &service.merge_users(&project, from, into).await?).await?
            }
        };
        desk.output.print(&shown)
    }
}

pub(super) async fn named(desk: &Desk, project: &ProjectId, user: &str) -> Result<UserId, Failure> {
    Ok(desk.service.show_user(project, user).await?.user.id)
}

async fn change(desk: &Desk, project: &ProjectId, user: &str, change: StateChange) -> Result<Value, Failure> {
    let id = named(desk, project, user).await?;
    show(desk, project, &desk.service.change_user_state(project, id, change).await?).await
}

async fn show(desk: &Desk, project: &ProjectId, user: &User) -> Result<Value, Failure> {
    Ok(known(&desk.service.show_user(project, &user.id.to_string()).await?))
}

fn known(it: &KnownUser) -> Value {
    let KnownUser { user, identities } = it;
    json!({
        "id": user.id.to_string(),
        "given_name": user.given_name.as_str(),
        "family_name": user.family_name.as_str(),
        "identities": identities.iter().map(identity).collect::<Vec<_>>(),
        "created_at": time(user.created_at),
        "disabled_at": optional_time(user.disabled_at),
        "merged_into": user.merged_into.map(|id| id.to_string()),
    })
}

/// One line of a list.
fn row(it: &KnownUser) -> Value {
    let of = |kind| it.identities.iter().map(move |record| &record.identity).filter(move |it| it.kind() == kind);
    let values = |kind| of(kind).map(Identity::value).collect::<Vec<_>>();
    let user = &it.user;
    json!({
        "id": user.id.to_string(),
        "emails": values(IdentityKind::Email),
        "phones": values(IdentityKind::Phone),
        "external_ids": values(IdentityKind::ExternalId),
        "given_name": user.given_name.as_str(),
        "family_name": user.family_name.as_str(),
        "created_at": time(user.created_at),
        "disabled_at": optional_time(user.disabled_at),
        "merged_into": user.merged_into.map(|id| id.to_string()),
    })
}

fn passkey(it: &Passkey) -> Value {
    json!({
        "id": it.id.to_string(),
        "name": it.name.as_str(),
        "kept": it.kept.as_str(),
        "created_at": time(it.created_at),
        "last_used_at": optional_time(it.last_used_at),
    })
}

fn consent(it: &Consent) -> Value {
    json!({ "client": it.client.as_str(), "scope": it.scope.to_string(), "given_at": time(it.given_at) })
}

fn identity(record: &IdentityRecord) -> Value {
    json!({
        "kind": record.identity.kind().as_str(),
        "value": record.identity.value(),
        "source": record.source.as_str(),
        "verified_at": optional_time(record.verified_at),
        "created_at": time(record.created_at),
    })
}
