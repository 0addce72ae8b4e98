//! Sessions: a hot noun. New rows and rotations are plain data, of which the writer makes one statement for many.

use std::collections::HashSet;

use countersign_crypto::{encoding, refresh_token::RefreshSecretHash};
use countersign_domain::{
    clock::Timestamp,
    generations::Generations,
    id::{ClientId, MacKeyId, ProjectId, SessionId, UserId},
    proof::Method,
    refresh::{CallerMarks, Mark, Rotation},
    session::{EndReason, Ended, Session},
    text::DeviceId,
    thumbprint::Thumbprint,
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::statement,
    error::{Error, Result},
    packed::{PackedLookup, column, nullable},
    row::{Reader, to_json},
    sql::{
        Column::{Integer, Text},
        ManyRows, runs,
    },
};

/// A session that begins.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// The hash of the secret that its refresh tokens carry.
    pub secret_hash: RefreshSecretHash,
}

/// A session that moves on, if nobody has touched its row since it was read.
#[derive(Debug, Clone)]
pub struct RotationUpdate {
    /// Where it lives.
    pub project: ProjectId,
    /// The session.
    pub session: SessionId,
    /// The row's revision when it was read.
    pub revision: i64,
    /// Where its refresh token stands from now on.
    pub rotation: Rotation,
    /// When it ends if it isn't refreshed again.
    pub idle_expires_at: Timestamp,
    /// When the access token expires that goes with it.
    pub access_expires_at: Timestamp,
}

/// A session as it was read, with what must be known to refresh it.
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// The session.
    pub session: Session,
    /// The hash of the secret that its refresh tokens carry.
    pub secret_hash: RefreshSecretHash,
    /// Counts the changes of the row: an update names the one that it was made from.
    pub revision: i64,
    /// The user's revocation counter now.
    pub user_generation: u32,
    /// Since when nobody may be signed in as the user.
    pub user_disabled_at: Option<Timestamp>,
}

static INSERT: ManyRows = ManyRows::fixed(
    "insert into sessions (project_id, session_id, user_id, client_id, vouched_by, device_id, amr, acr, auth_time, \
     scope, user_generation, client_generation, key_generation, project_generation, secret_hash, generation, \
     rotated_at, mac_key_id, replays, foreign_run, foreign_generation, revision, created_at, idle_expires_at, \
     expires_at, access_expires_at, dpop_jkt) values",
    &[
        Text, Text, Text, Text, Text, Text, Text, Text, Integer, Text, Integer, Integer, Integer, Integer, Text,
        Integer, Integer, Integer, Integer, Integer, Integer, Integer, Integer, Integer, Integer, Integer, Text,
    ],
    "",
);

static ROTATE: ManyRows = ManyRows::fixed(
    "with moved (project_id, session_id, revision, generation, rotated_at, network, agent, mac_key_id, replays, \
     foreign_run, foreign_generation, behind_since, idle_expires_at, access_expires_at) as (values",
    &[Text, Text, Integer, Integer, Integer, Text, Text, Integer, Integer, Integer, Integer, Integer, Integer, Integer],
    ") update sessions set generation = moved.generation, rotated_at = moved.rotated_at, \
     rotated_network = moved.network, rotated_agent = moved.agent, mac_key_id = moved.mac_key_id, \
     replays = moved.replays, foreign_run = moved.foreign_run, foreign_generation = moved.foreign_generation, \
     behind_since = moved.behind_since, idle_expires_at = moved.idle_expires_at, \
     access_expires_at = moved.access_expires_at, revision = sessions.revision + 1 \
     from moved where sessions.project_id = moved.project_id and sessions.session_id = moved.session_id \
     and sessions.revision = moved.revision and sessions.ended_at is null",
);

/// Writes sessions that begin.
pub async fn insert_many(conn: &mut Conn<'_>, rows: &[&NewSession]) -> Result<()> {
    for run in runs(rows) {
        let mut insert = INSERT.statement(conn.engine, run.len());
        for NewSession { session, secret_hash } in run {
            let amr: Vec<&str> = session.proof.methods.iter().map(Method::as_str).collect();
            insert = insert
                .bind(session.project.as_str())
                .bind(session.id.to_string())
                .bind(session.user.to_string())
                .bind(session.client.as_str())
                .bind(session.vouched_by.map(|id| id.to_string()))
                .bind(session.device.as_ref().map(DeviceId::as_str))
                .bind(to_json(&amr))
                .bind(session.proof.level.as_str())
                .bind(session.proof.at.micros())
                .bind(session.scope.as_str())
                .bind(i64::from(session.generations.user))
                .bind(i64::from(session.generations.client))
                .bind(i64::from(session.generations.key))
                .bind(i64::from(session.generations.project))
                .bind(secret_hash.to_text())
                .bind(i64::from(session.rotation.generation))
                .bind(session.rotation.rotated_at.micros())
                .bind(i64::from(session.rotation.mac_key.0))
                .bind(i64::from(session.rotation.replays))
                .bind(i64::from(session.rotation.foreign_run))
                .bind(i64::from(session.rotation.foreign_generation))
                .bind(1_i64)
                .bind(session.created_at.micros())
                .bind(session.idle_expires_at.micros())
                .bind(session.expires_at.micros())
                .bind(session.access_expires_at.micros())
                .bind(session.dpop_jkt.map(|key| encoding::encode(key.0)));
        }
        conn.execute(insert).await?;
    }
    Ok(())
}

/// Moves sessions on; says of each whether it did. Of several updates of one session the first wins: the others were made from a row that
/// is no more. Where some of many couldn't be moved, none says which, and they must be tried one by one.
pub async fn rotate_many(conn: &mut Conn<'_>, updates: &[&RotationUpdate]) -> Result<Vec<bool>> {
    let mut seen = HashSet::with_capacity(updates.len());
    let is_first: Vec<bool> = updates.iter().map(|update| seen.insert((&update.project, update.session))).collect();
    let firsts: Vec<&RotationUpdate> =
        updates.iter().zip(&is_first).filter(|(_, first)| **first).map(|(update, _)| *update).collect();
    let mut moved = 0;
    for run in runs(&firsts) {
        let mut rotate = ROTATE.statement(conn.engine, run.len());
        for update in run {
            let rotation = &update.rotation;
            rotate = rotate
                .bind(update.project.as_str())
                .bind(update.session.to_string())
                .bind(update.revision)
                .bind(i64::from(rotation.generation))
                .bind(rotation.rotated_at.micros())
                .bind(rotation.rotated_by.map(|by| encoding::encode(by.network.0)))
                .bind(rotation.rotated_by.map(|by| encoding::encode(by.agent.0)))
                .bind(i64::from(rotation.mac_key.0))
                .bind(i64::from(rotation.replays))
                .bind(i64::from(rotation.foreign_run))
                .bind(i64::from(rotation.foreign_generation))
                .bind(rotation.behind_since.map(Timestamp::micros))
                .bind(update.idle_expires_at.micros())
                .bind(update.access_expires_at.micros());
        }
        moved += conn.execute(rotate).await?;
    }
    match (moved, firsts.len()) {
        (0, _) => Ok(updates.iter().map(|_| false).collect()),
        (moved, wanted) if moved == wanted as u64 => Ok(is_first),
        _ => Err(Error::TryAgain("some sessions had moved on".to_owned())),
    }
}

static FIND: PackedLookup = PackedLookup::new(
    "with wanted (number, project_id, session_id) as (values",
    &[Integer, Text, Text],
    &[
        column("number", "w.number"),
        column("project_id", "s.project_id"),
        column("session_id", "s.session_id"),
        column("user_id", "s.user_id"),
        column("client_id", "s.client_id"),
        nullable("vouched_by", "s.vouched_by"),
        nullable("device_id", "s.device_id"),
        column("amr", "s.amr"),
        column("acr", "s.acr"),
        column("auth_time", "s.auth_time"),
        column("scope", "s.scope"),
        column("user_generation", "s.user_generation"),
        column("client_generation", "s.client_generation"),
        column("key_generation", "s.key_generation"),
        column("project_generation", "s.project_generation"),
        column("secret_hash", "s.secret_hash"),
        column("generation", "s.generation"),
        column("rotated_at", "s.rotated_at"),
        nullable("rotated_network", "s.rotated_network"),
        nullable("rotated_agent", "s.rotated_agent"),
        column("mac_key_id", "s.mac_key_id"),
        column("replays", "s.replays"),
        column("foreign_run", "s.foreign_run"),
        column("foreign_generation", "s.foreign_generation"),
        nullable("behind_since", "s.behind_since"),
        column("revision", "s.revision"),
        column("created_at", "s.created_at"),
        column("idle_expires_at", "s.idle_expires_at"),
        column("expires_at", "s.expires_at"),
        column("access_expires_at", "s.access_expires_at"),
        nullable("ended_at", "s.ended_at"),
        nullable("end_reason", "s.end_reason"),
        nullable("dpop_jkt", "s.dpop_jkt"),
        column("current_user_generation", "u.generation"),
        nullable("user_disabled_at", "u.disabled_at"),
    ],
    // A cross join: SQLite keeps the order, so that it goes from each wanted session to its row by the key.
    "from wanted w cross join sessions s cross join users u \
     where s.project_id = w.project_id and s.session_id = w.session_id \
     and u.project_id = s.project_id and u.user_id = s.user_id",
);

/// Several sessions, each with what must be known of its user to refresh it.
pub async fn find_many(
    conn: &mut Conn<'_>,
    wanted: &[&(ProjectId, SessionId)],
) -> Result<Vec<Result<Option<StoredSession>>>> {
    let numbered: Vec<(usize, &(ProjectId, SessionId))> = wanted.iter().copied().enumerate().collect();
    let mut found: Vec<Result<Option<StoredSession>>> = wanted.iter().map(|_| Ok(None)).collect();
    for run in runs(&numbered) {
        let mut select = FIND.statement(conn.engine, run.len());
        for (number, (project, id)) in run {
            select =
                select.bind(i64::try_from(*number).unwrap_or(i64::MAX)).bind(project.as_str()).bind(id.to_string());
        }
        let packed = FIND.fetch(conn, select, "sessions").await?;
        for row in packed.rows() {
            let row = row?;
            let row = Reader::packed(&row, "sessions", KEY);
            if let Some(of_this) = found.get_mut(row.integer::<usize>("number")?) {
                *of_this = read_stored(&row).map(Some);
            }
        }
    }
    Ok(found)
}

/// A session, and what must be known of its user to refresh it.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, id: SessionId) -> Result<Option<StoredSession>> {
    let found = find_many(conn, &[&(project.clone(), id)]).await?;
    found.into_iter().next().unwrap_or(Ok(None))
}

pub(crate) const LIST_LIVE: &str = "select * from sessions where project_id = $1 and user_id = $2 \
    and ended_at is null order by session_id desc limit $3";

/// Sessions of a user that haven't been ended, the newest first, at most `limit`.
pub async fn list_live(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, limit: u32) -> Result<Vec<Session>> {
    let select = statement(LIST_LIVE).bind(project.as_str()).bind(user.to_string()).bind(i64::from(limit));
    conn.fetch_all(select).await?.iter().map(read_row).collect()
}

/// The session of one installation that hasn't been ended.
pub async fn find_live_of_device(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    client: &ClientId,
    device: &DeviceId,
) -> Result<Vec<SessionId>> {
    let sql = "select project_id, session_id from sessions where project_id = $1 and user_id = $2 and client_id = $3 \
               and device_id = $4 and ended_at is null";
    let select =
        statement(sql).bind(project.as_str()).bind(user.to_string()).bind(client.as_str()).bind(device.as_str());
    ids(&conn.fetch_all(select).await?)
}

/// All but the newest `keep` of a user's sessions in a client that haven't been ended.
pub async fn list_beyond(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    client: &ClientId,
    keep: u32,
) -> Result<Vec<SessionId>> {
    let sql = "select project_id, session_id from sessions where project_id = $1 and user_id = $2 and client_id = $3 \
               and ended_at is null order by session_id desc limit 1000 offset $4";
    let select =
        statement(sql).bind(project.as_str()).bind(user.to_string()).bind(client.as_str()).bind(i64::from(keep));
    ids(&conn.fetch_all(select).await?)
}

/// Ends a session; says until when its access tokens could live. None: it was over already, or never was.
pub async fn end(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: SessionId,
    reason: EndReason,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let sql = "update sessions set ended_at = $3, end_reason = $4, revision = revision + 1 \
               where project_id = $1 and session_id = $2 and ended_at is null \
               returning project_id, session_id, access_expires_at";
    let end = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros()).bind(reason.as_str());
    let row = conn.fetch_optional(end).await?;
    row.map(|row| Reader::new(&row, "sessions", &["session_id"]).time("access_expires_at")).transpose()
}

/// When the last access token expires that was issued to a user.
pub async fn last_access_expiry(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Option<Timestamp>> {
    let sql = "select max(access_expires_at) as access_expires_at from sessions \
               where project_id = $1 and user_id = $2 and ended_at is null";
    let row = conn.fetch_one(statement(sql).bind(project.as_str()).bind(user.to_string())).await?;
    Reader::new(&row, "sessions", &[]).optional_time("access_expires_at")
}

/// How many sessions a project has, ended ones that haven't been thrown away included.
pub async fn count(conn: &mut Conn<'_>, project: &ProjectId) -> Result<u64> {
    let sql = "select count(*) as sessions from sessions where project_id = $1";
    let row = conn.fetch_one(statement(sql).bind(project.as_str())).await?;
    Reader::new(&row, "sessions", &[]).integer("sessions")
}

fn ids(rows: &[AnyRow]) -> Result<Vec<SessionId>> {
    rows.iter().map(|row| Reader::new(row, "sessions", &["session_id"]).parsed("session_id")).collect()
}

const KEY: &[&str] = &["session_id"];

fn read_stored(row: &Reader<'_>) -> Result<StoredSession> {
    Ok(StoredSession {
        session: read(row)?,
        secret_hash: row.read("secret_hash", RefreshSecretHash::from_text)?,
        revision: row.integer("revision")?,
        user_generation: row.integer("current_user_generation")?,
        user_disabled_at: row.optional_time("user_disabled_at")?,
    })
}

fn read_row(row: &AnyRow) -> Result<Session> {
    read(&Reader::new(row, "sessions", KEY))
}

fn read(row: &Reader<'_>) -> Result<Session> {
    Ok(Session {
        project: row.parsed("project_id")?,
        id: row.parsed("session_id")?,
        user: row.parsed("user_id")?,
        client: row.parsed("client_id")?,
        vouched_by: row.optional_parsed("vouched_by")?,
        device: row.optional_parsed("device_id")?,
        dpop_jkt: row.optional_read("dpop_jkt", |text| encoding::decode_array(text).map(Thumbprint))?,
        proof: row.proof()?,
        scope: row.text("scope")?,
        generations: Generations {
            user: row.integer("user_generation")?,
            client: row.integer("client_generation")?,
            key: row.integer("key_generation")?,
            project: row.integer("project_generation")?,
        },
        rotation: read_rotation(row)?,
        created_at: row.time("created_at")?,
        idle_expires_at: row.time("idle_expires_at")?,
        expires_at: row.time("expires_at")?,
        access_expires_at: row.time("access_expires_at")?,
        ended: match (row.optional_time("ended_at")?, row.optional_parsed::<EndReason>("end_reason")?) {
            (None, _) => None,
            (Some(at), Some(reason)) => Some(Ended { at, reason }),
            (Some(_), None) => return Err(row.corrupt("end_reason")),
        },
    })
}

fn read_rotation(row: &Reader<'_>) -> Result<Rotation> {
    let mark = |text: &str| encoding::decode_array(text).map(Mark);
    let network = row.optional_read("rotated_network", mark)?;
    let agent = row.optional_read("rotated_agent", mark)?;
    Ok(Rotation {
        generation: row.integer("generation")?,
        rotated_at: row.time("rotated_at")?,
        rotated_by: network.zip(agent).map(|(network, agent)| CallerMarks { network, agent }),
        mac_key: MacKeyId(row.integer("mac_key_id")?),
        replays: row.integer("replays")?,
        foreign_run: row.integer("foreign_run")?,
        foreign_generation: row.integer("foreign_generation")?,
        behind_since: row.optional_time("behind_since")?,
    })
}
