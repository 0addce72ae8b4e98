//! A person who has just proved an address, and the user that this makes them: the one who has it, or a new one.

use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{AuditId, ProjectId, UserId},
    identity::{Identity, IdentityRecord, IdentitySource},
    user::User,
};
use countersign_storage::{
    Conn,
    changes::Change,
    error::{Error, Result},
    identities, passkeys, second_factors, users,
};

use super::state::revoke_all;
use crate::{Service, vouch::Names};

/// How often somebody else may change whose an address is before we give up.
pub(crate) const ATTEMPTS: usize = 16;

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
pub(crate) struct Arrival {
    pub(crate) project: ProjectId,
    /// What was proved.
    pub(crate) identity: Identity,
    /// Who may come to be.
    pub(crate) new_user: UserId,
    pub(crate) now: Timestamp,
    /// Until when an access token could live that somebody is being given just now.
    pub(crate) told_until: Timestamp,
    pub(crate) entropy: Entropy,
    pub(crate) request: String,
}

/// What is known of an address, by one reading of it.
enum Standing {
    /// Nobody has it.
    Free,
    /// A user who is known by other things merely said that it was theirs, too: it is somebody else's.
    Said(IdentityRecord),
    /// It is this user's.
    Owned(IdentityRecord, Box<User>),
}

/// Who it is.
pub(crate) enum Arrived {
    /// Nobody whose address it is known to be.
    Nobody,
    /// The user is locked out.
    Disabled,
    /// This user.
    User(Box<ArrivedUser>),
}

/// A user who has arrived, with what is to be said of it.
pub(crate) struct ArrivedUser {
    pub(crate) id: UserId,
    pub(crate) generation: u32,
    pub(crate) entries: Vec<AuditEntry>,
    pub(crate) news: Vec<Change>,
}

impl Arrival {
    /// Whether somebody is known whose address it is.
    pub(crate) async fn is_known(&self, conn: &mut Conn<'_>) -> Result<bool> {
        Ok(matches!(self.standing(conn).await?, Standing::Owned(..)))
    }

    /// What somebody merely said of the address before its owner came gives nobody a hold on the owner's account.
    async fn standing(&self, conn: &mut Conn<'_>) -> Result<Standing> {
        let Some(record) = identities::find(conn, &self.project, &self.identity).await? else {
            return Ok(Standing::Free);
        };
        if record.verified_at.is_none() && self.has_other_identities(conn, record.user).await? {
            return Ok(Standing::Said(record));
        }
        let user = users::find(conn, &self.project, record.user).await?;
        // PostgreSQL shows each statement what others have just committed, so a user who was there may be gone.
        let user = user.ok_or_else(|| changed("the user has gone"))?;
        Ok(Standing::Owned(record, Box::new(user)))
    }

    /// Finds the user, and makes sure that nobody else is signed in as them.
    pub(crate) async fn find(&self, conn: &mut Conn<'_>) -> Result<Arrived> {
        let Standing::Owned(record, user) = self.standing(conn).await? else {
            return Ok(Arrived::Nobody);
        };
        match (user.disabled_at, record.verified_at) {
            (Some(_), _) => Ok(Arrived::Disabled),
            (None, Some(_)) => self.greet(conn, &record, &user).await,
            (None, None) => self.adopt(conn, &user).await,
        }
    }

    async fn has_other_identities(&self, conn: &mut Conn<'_>, user: UserId) -> Result<bool> {
        let all = identities::list(conn, &self.project, user).await?;
        Ok(all.iter().any(|other| other.identity != self.identity))
    }

    /// The user whose address it is known to be.
    async fn greet(&self, conn: &mut Conn<'_>, record: &IdentityRecord, user: &User) -> Result<Arrived> {
        let mut news = Vec::new();
        if !record.is_proved_here() {
            self.prove(conn, user).await?;
            news.push(Service::user_news(&self.project, user.id, self.now));
        }
        Ok(arrived(ArrivedUser { id: user.id, generation: user.generation, entries: Vec::new(), news }))
    }

    /// Nothing but the address names this user, so it is its owner's; but whoever was let in before, and left a passkey or a second factor, didn't prove it.
    async fn adopt(&self, conn: &mut Conn<'_>, user: &User) -> Result<Arrived> {
        self.prove(conn, user).await?;
        let raised = revoke_all(conn, &self.project, user.id, self.told_until).await?;
        passkeys::delete_of_user(conn, &self.project, user.id).await?;
        second_factors::delete_of_user(conn, &self.project, user.id).await?;
        let news = raised.into_iter().chain([Service::user_news(&self.project, user.id, self.now)]).collect();
        let entry = self.entry(Act::UserRevoked, user.id, vec![("reason", "address_proved".to_owned())]);
        let generation = user.generation + 1;
        Ok(arrived(ArrivedUser { id: user.id, generation, entries: vec![entry], news }))
    }

    async fn prove(&self, conn: &mut Conn<'_>, user: &User) -> Result<()> {
        let is_theirs = identities::prove(conn, &self.project, user.id, &self.identity, self.now).await?;
        if is_theirs { Ok(()) } else { Err(changed("the address has gone to somebody else")) }
    }

    /// Makes a user whose address it is, after [`find`](Self::find) found nobody. Who merely said that it was theirs loses it.
    pub(crate) async fn create(&self, conn: &mut Conn<'_>, names: &Names) -> Result<ArrivedUser> {
        let (mut entries, mut news) = (Vec::new(), Vec::new());
        // One reading decides: between two, somebody whom the first doesn't see may come to own the address.
        match self.standing(conn).await? {
            Standing::Free => {}
            Standing::Owned(..) => return Err(changed("the address has an owner by now")),
            Standing::Said(said) => {
                if !identities::delete_unproved(conn, &self.project, said.user, &self.identity).await? {
                    return Err(changed("the address has been proved or given up"));
                }
                let reason = ("reason", "proved_by_another".to_owned());
                let detail = vec![("kind", self.identity.kind().to_string()), reason];
                entries.push(self.entry(Act::IdentityRemoved, said.user, detail));
                news.push(Service::user_news(&self.project, said.user, self.now));
            }
        }
        let user = User {
            project: self.project.clone(),
            id: self.new_user,
            given_name: names.given.clone(),
            family_name: names.family.clone(),
            generation: 0,
            created_at: self.now,
            updated_at: self.now,
            disabled_at: None,
            merged_into: None,
        };
        let record = IdentityRecord {
            identity: self.identity.clone(),
            user: user.id,
            source: IdentitySource::Proof,
            verified_at: Some(self.now),
            created_at: self.now,
        };
        users::insert_many(conn, &[&user]).await?;
        identities::insert_many(conn, &[(&self.project, &record)]).await?;
        entries.push(self.entry(Act::UserCreated, user.id, vec![("proof", self.identity.kind().to_string())]));
        Ok(ArrivedUser { id: user.id, generation: 0, entries, news })
    }

    fn entry(&self, act: Act, user: UserId, detail: Vec<(&'static str, String)>) -> AuditEntry {
        AuditEntry {
            project: self.project.clone(),
            id: AuditId::new(self.now, self.entropy.bytes()),
            at: self.now,
            act,
            actor: Actor::User(user),
            subject: Subject { user: Some(user), ..Subject::default() },
            request: Some(self.request.clone()),
            detail,
        }
    }
}

/// Somebody else came first: whoever asked begins again.
fn changed(what: &str) -> Error {
    Error::Taken(what.to_owned())
}

fn arrived(user: ArrivedUser) -> Arrived {
    Arrived::User(Box::new(user))
}
