//! The hot paths: a vouch and a refresh each look one thing up, decide, and write a row and its audit entry. Units that wait at the same
//! moment share one statement for each of these steps.
//!
//! What a unit decides it decides within the transaction, by a function that does nothing but compare: it may be asked twice.

use std::collections::HashSet;

use countersign_domain::{
    audit::AuditEntry,
    id::{ProjectId, SessionId},
    identity::IdentityRecord,
    user::User,
};

use crate::{
    Conn, audit,
    error::{Error, Result},
    identities::{self, Found, Wanted},
    sessions::{self, NewSession, RotationUpdate, StoredSession},
    users,
};

/// A session to be opened, for a user there is or for a newcomer.
#[derive(Debug)]
pub struct Opening {
    /// The user, where it comes to be.
    pub newcomer: Option<Newcomer>,
    /// The session.
    pub session: NewSession,
    /// What the audit trail says of it.
    pub audit: Vec<AuditEntry>,
}

/// A user who comes to be.
#[derive(Debug)]
pub struct Newcomer {
    /// The user.
    pub user: User,
    /// What the user is found by from now on.
    pub identities: Vec<IdentityRecord>,
}

/// A session to be moved on.
#[derive(Debug)]
pub struct Moving {
    /// Where to.
    pub update: RotationUpdate,
    /// What the audit trail says of it, if it comes to be.
    pub audit: AuditEntry,
}

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// What was decided is on disk.
    Done,
    /// Somebody else came first: the row had moved on, or the newcomer's identity was just taken. Nothing was written; look again.
    Lost,
    /// Nothing was to be written.
    Nothing,
}

type Decide<S, T> = Box<dyn Fn(&S) -> Option<T> + Send + Sync>;

/// A unit of the hot paths.
pub(crate) enum HotUnit {
    /// Opens a session for a user who is found, or who isn't and comes to be.
    Open { wanted: Wanted, decide: Decide<Vec<Found>, Opening> },
    /// Moves a session on.
    Move { session: (ProjectId, SessionId), decide: Decide<StoredSession, Moving> },
    /// Says something in the audit trail, and nothing else.
    Say(Vec<AuditEntry>),
}

/// What a unit saw, and what became of it.
pub(crate) enum HotAnswer {
    Opened(Vec<Found>, Written),
    Moved(Option<Box<StoredSession>>, Written),
    Said,
}

/// Runs units together; says of each what it saw and what became of it. What one row holds is no fault of the others.
pub(crate) async fn run(conn: &mut Conn<'_>, units: &[&HotUnit]) -> Result<Vec<Result<HotAnswer>>> {
    let seen = look_up(conn, units).await?;
    let mut decided: Vec<Decided> = units.iter().zip(&seen).map(|(unit, seen)| decide(unit, seen)).collect();
    first_come(&mut decided);
    let moved = write(conn, &decided).await?;
    Ok(answers(seen, &decided, moved))
}

enum Seen {
    Found(Vec<Found>),
    Session(Option<Box<StoredSession>>),
    Nothing,
}

async fn look_up(conn: &mut Conn<'_>, units: &[&HotUnit]) -> Result<Vec<Result<Seen>>> {
    let (mut wanted, mut sessions) = (Vec::new(), Vec::new());
    for unit in units {
        match unit {
            HotUnit::Open { wanted: set, .. } => wanted.push(set),
            HotUnit::Move { session, .. } => sessions.push(session),
            HotUnit::Say(_) => {}
        }
    }
    let mut found = identities::find_many(conn, &wanted).await?.into_iter();
    let mut stored = sessions::find_many(conn, &sessions).await?.into_iter();
    let missing = || Err(Error::Refused("a lookup was not answered".to_owned()));
    let seen = units.iter().map(|unit| match unit {
        HotUnit::Open { .. } => found.next().unwrap_or_else(missing).map(Seen::Found),
        HotUnit::Move { .. } => {
            let stored = stored.next().unwrap_or_else(|| Err(Error::Refused("a lookup was not answered".to_owned())));
            stored.map(|stored| Seen::Session(stored.map(Box::new)))
        }
        HotUnit::Say(_) => Ok(Seen::Nothing),
    });
    Ok(seen.collect())
}

enum Decided<'u> {
    Open(Box<Opening>),
    Move(Box<Moving>),
    Say(&'u [AuditEntry]),
    Lost,
    Nothing,
}

fn decide<'u>(unit: &'u HotUnit, seen: &Result<Seen>) -> Decided<'u> {
    match (unit, seen) {
        (HotUnit::Open { decide, .. }, Ok(Seen::Found(found))) => {
            decide(found).map_or(Decided::Nothing, |opening| Decided::Open(Box::new(opening)))
        }
        (HotUnit::Move { decide, .. }, Ok(Seen::Session(Some(stored)))) => {
            decide(stored).map_or(Decided::Nothing, |moving| Decided::Move(Box::new(moving)))
        }
        (HotUnit::Say(entries), _) => Decided::Say(entries),
        _ => Decided::Nothing,
    }
}

/// Of several newcomers with the same identity in one batch the first comes to be; the others look again and find it.
fn first_come(decided: &mut [Decided<'_>]) {
    let mut taken = HashSet::new();
    for decided in decided {
        let Decided::Open(opening) = decided else { continue };
        let Some(newcomer) = &opening.newcomer else { continue };
        let names = newcomer.identities.iter().map(|it| (newcomer.user.project.clone(), it.identity.clone()));
        let names: Vec<_> = names.collect();
        if names.iter().any(|name| taken.contains(name)) {
            *decided = Decided::Lost;
        } else {
            taken.extend(names);
        }
    }
}

/// Writes what was decided; says of each rotation, in their order, whether the row still stood where it was seen.
async fn write(conn: &mut Conn<'_>, decided: &[Decided<'_>]) -> Result<Vec<bool>> {
    let mut rows = Rows::default();
    for decided in decided {
        match decided {
            Decided::Open(opening) => rows.open(opening),
            Decided::Move(moving) => rows.moving.push(moving),
            Decided::Say(said) => rows.entries.extend(said.iter()),
            Decided::Lost | Decided::Nothing => {}
        }
    }
    users::insert_many(conn, &rows.users).await?;
    identities::insert_many(conn, &rows.identities).await?;
    sessions::insert_many(conn, &rows.sessions).await?;
    let updates: Vec<&RotationUpdate> = rows.moving.iter().map(|moving| &moving.update).collect();
    let moved = sessions::rotate_many(conn, &updates).await?;
    let came_to_be = rows.moving.iter().zip(&moved).filter(|(_, moved)| **moved).map(|(moving, _)| &moving.audit);
    rows.entries.extend(came_to_be);
    audit::insert_many(conn, &rows.entries).await?;
    Ok(moved)
}

/// What is to be written, by table.
#[derive(Default)]
struct Rows<'d> {
    users: Vec<&'d User>,
    identities: Vec<(&'d ProjectId, &'d IdentityRecord)>,
    sessions: Vec<&'d NewSession>,
    moving: Vec<&'d Moving>,
    entries: Vec<&'d AuditEntry>,
}

impl<'d> Rows<'d> {
    fn open(&mut self, opening: &'d Opening) {
        if let Some(newcomer) = &opening.newcomer {
            self.users.push(&newcomer.user);
            self.identities.extend(newcomer.identities.iter().map(|record| (&newcomer.user.project, record)));
        }
        self.sessions.push(&opening.session);
        self.entries.extend(&opening.audit);
    }
}

fn answers(seen: Vec<Result<Seen>>, decided: &[Decided<'_>], moved: Vec<bool>) -> Vec<Result<HotAnswer>> {
    let mut moved = moved.into_iter();
    let answer = |(seen, decided): (Result<Seen>, &Decided<'_>)| {
        let written = match decided {
            Decided::Move(_) if !moved.next().unwrap_or(false) => Written::Lost,
            Decided::Lost => Written::Lost,
            Decided::Nothing => Written::Nothing,
            _ => Written::Done,
        };
        Ok(match seen? {
            Seen::Found(found) => HotAnswer::Opened(found, written),
            Seen::Session(stored) => HotAnswer::Moved(stored, written),
            Seen::Nothing => HotAnswer::Said,
        })
    };
    seen.into_iter().zip(decided).map(answer).collect()
}
