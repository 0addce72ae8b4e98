//! The hot paths: a vouch, a refresh and a redemption each look one thing up, decide, and write a row and its audit entry. Units that wait at the same
//! moment share one statement for each of these steps.
//!
//! What a unit decides it decides within the transaction, by a function that does nothing but compare: it may be asked twice.

use std::collections::HashSet;

use countersign_crypto::authorization_code::CodeHash;
use countersign_domain::{
    audit::AuditEntry,
    id::{ProjectId, SessionId},
    identity::IdentityRecord,
    user::User,
};

use crate::{
    Conn, audit,
    authorization_codes::{self, FoundCode},
    error::{Error, Result},
    identities::{self, Found, Wanted},
    sessions::{self, NewSession, RotationUpdate, StoredSession},
    spent::{self, Spend},
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

/// A session to be opened with a code.
#[derive(Debug)]
pub struct Redemption {
    /// That the code is used by this.
    pub spend: Spend,
    /// The session, if this is the first use.
    pub session: NewSession,
    /// What the audit trail says of it, if it comes to be.
    pub audit: AuditEntry,
}

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// What was decided is on disk.
    Done,
    /// Somebody else came first: the row had moved on, the newcomer's identity was just taken, or the code just used. Nothing was written; look
    /// again.
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
    /// Opens a session with a code that wasn't used.
    Redeem { code: (ProjectId, CodeHash), decide: Decide<FoundCode, Redemption> },
    /// Uses up something that works once, and nothing else.
    Spend(ProjectId, Spend),
    /// Says something in the audit trail, and nothing else.
    Say(Vec<AuditEntry>),
}

/// What a unit saw, and what became of it.
pub(crate) enum HotAnswer {
    Opened(Vec<Found>, Written),
    Moved(Option<Box<StoredSession>>, Written),
    Redeemed(Option<Box<FoundCode>>, Written),
    Spent(Written),
    Said,
}

/// Runs units together; says of each what it saw and what became of it. What one row holds is no fault of the others.
pub(crate) async fn run(conn: &mut Conn<'_>, units: &[&HotUnit]) -> Result<Vec<Result<HotAnswer>>> {
    let seen = look_up(conn, units).await?;
    let mut decided: Vec<Decided> = units.iter().zip(&seen).map(|(unit, seen)| decide(unit, seen)).collect();
    first_come(&mut decided);
    let came = write(conn, &decided).await?;
    Ok(answers(seen, &decided, came))
}

enum Seen {
    Found(Vec<Found>),
    Session(Option<Box<StoredSession>>),
    Code(Option<Box<FoundCode>>),
    /// Was it spent before?
    Spent(bool),
    Nothing,
}

async fn look_up(conn: &mut Conn<'_>, units: &[&HotUnit]) -> Result<Vec<Result<Seen>>> {
    let (mut wanted, mut sessions, mut codes, mut spends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for unit in units {
        match unit {
            HotUnit::Open { wanted: set, .. } => wanted.push(set),
            HotUnit::Move { session, .. } => sessions.push(session),
            HotUnit::Redeem { code, .. } => codes.push(code),
            HotUnit::Spend(project, spend) => spends.push((project, spend)),
            HotUnit::Say(_) => {}
        }
    }
    let mut found = identities::find_many(conn, &wanted).await?.into_iter();
    let mut stored = sessions::find_many(conn, &sessions).await?.into_iter();
    let mut issued = authorization_codes::find_many(conn, &codes).await?.into_iter();
    // One alone is told apart by spending it; of many, those that come again must not hold the others up.
    let spent = if spends.len() > 1 { spent::find_many(conn, &spends).await? } else { vec![false; spends.len()] };
    let mut spent = spent.into_iter();
    let seen = units.iter().map(|unit| match unit {
        HotUnit::Open { .. } => found.next().unwrap_or_else(unanswered).map(Seen::Found),
        HotUnit::Move { .. } => {
            stored.next().unwrap_or_else(unanswered).map(|stored| Seen::Session(stored.map(Box::new)))
        }
        HotUnit::Redeem { .. } => issued.next().unwrap_or_else(unanswered).map(|code| Seen::Code(code.map(Box::new))),
        HotUnit::Spend(..) => spent.next().map_or_else(unanswered, |spent| Ok(Seen::Spent(spent))),
        HotUnit::Say(_) => Ok(Seen::Nothing),
    });
    Ok(seen.collect())
}

fn unanswered<T>() -> Result<T> {
    Err(Error::Refused("a lookup was not answered".to_owned()))
}

enum Decided<'u> {
    Open(Box<Opening>),
    Move(Box<Moving>),
    Redeem(Box<Redemption>),
    Spend(&'u ProjectId, &'u Spend),
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
        (HotUnit::Redeem { decide, .. }, Ok(Seen::Code(Some(found)))) => {
            decide(found).map_or(Decided::Nothing, |redemption| Decided::Redeem(Box::new(redemption)))
        }
        (HotUnit::Spend(project, spend), Ok(Seen::Spent(false))) => Decided::Spend(project, spend),
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

/// Whose turn it was: of rotations, redemptions and other spends, each in their order, whether the row still stood, or it was this that spent.
struct Came {
    moved: Vec<bool>,
    redeemed: Vec<bool>,
    spent: Vec<bool>,
}

/// Writes what was decided. Codes come first: what one buys is written only if it is this that uses it up.
async fn write(conn: &mut Conn<'_>, decided: &[Decided<'_>]) -> Result<Came> {
    let mut rows = Rows::default();
    for decided in decided {
        match decided {
            Decided::Open(opening) => rows.open(opening),
            Decided::Move(moving) => rows.moving.push(moving),
            Decided::Redeem(redemption) => rows.redeeming.push(redemption),
            Decided::Spend(project, spend) => rows.spends.push((project, spend)),
            Decided::Say(said) => rows.entries.extend(said.iter()),
            Decided::Lost | Decided::Nothing => {}
        }
    }
    let of_codes = rows.redeeming.iter().map(|it| (&it.session.session.project, &it.spend));
    let spends: Vec<_> = of_codes.chain(rows.spends.iter().copied()).collect();
    let mut redeemed = spent::spend_many(conn, &spends).await?;
    let spent = redeemed.split_off(rows.redeeming.len());
    for redemption in came_to_be(&rows.redeeming, &redeemed) {
        rows.sessions.push(&redemption.session);
        rows.entries.push(&redemption.audit);
    }
    users::insert_many(conn, &rows.users).await?;
    identities::insert_many(conn, &rows.identities).await?;
    sessions::insert_many(conn, &rows.sessions).await?;
    let updates: Vec<&RotationUpdate> = rows.moving.iter().map(|moving| &moving.update).collect();
    let moved = sessions::rotate_many(conn, &updates).await?;
    rows.entries.extend(came_to_be(&rows.moving, &moved).map(|moving| &moving.audit));
    audit::insert_many(conn, &rows.entries).await?;
    Ok(Came { moved, redeemed, spent })
}

fn came_to_be<'d, T>(of: &[&'d T], came: &[bool]) -> impl Iterator<Item = &'d T> {
    of.iter().zip(came).filter(|(_, came)| **came).map(|(one, _)| *one)
}

/// What is to be written, by table.
#[derive(Default)]
struct Rows<'d> {
    users: Vec<&'d User>,
    identities: Vec<(&'d ProjectId, &'d IdentityRecord)>,
    sessions: Vec<&'d NewSession>,
    moving: Vec<&'d Moving>,
    redeeming: Vec<&'d Redemption>,
    spends: Vec<(&'d ProjectId, &'d Spend)>,
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

fn answers(seen: Vec<Result<Seen>>, decided: &[Decided<'_>], came: Came) -> Vec<Result<HotAnswer>> {
    let Came { moved, redeemed, spent } = came;
    let (mut moved, mut redeemed, mut spent) = (moved.into_iter(), redeemed.into_iter(), spent.into_iter());
    let answer = |(seen, decided): (Result<Seen>, &Decided<'_>)| {
        let done = |came: Option<bool>| if came == Some(true) { Written::Done } else { Written::Lost };
        let written = match decided {
            Decided::Move(_) => done(moved.next()),
            Decided::Redeem(_) => done(redeemed.next()),
            Decided::Spend(..) => done(spent.next()),
            Decided::Open(_) | Decided::Say(_) => Written::Done,
            Decided::Lost => Written::Lost,
            Decided::Nothing => Written::Nothing,
        };
        Ok(match seen? {
            Seen::Found(found) => HotAnswer::Opened(found, written),
            Seen::Session(stored) => HotAnswer::Moved(stored, written),
            Seen::Code(found) => HotAnswer::Redeemed(found, written),
            Seen::Spent(_) => HotAnswer::Spent(written),
            Seen::Nothing => HotAnswer::Said,
        })
    };
    seen.into_iter().zip(decided).map(answer).collect()
}
