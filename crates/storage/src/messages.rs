//! Messages to users: the queue in which they wait until they have left.

use countersign_domain::{
    clock::Timestamp,
    id::{ChallengeId, MessageId, ProjectId},
    message::Channel,
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A message that was drawn up: what it says and to whom is sealed.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Its project.
    pub project: ProjectId,
    /// Its identifier.
    pub id: MessageId,
    /// How it travels.
    pub channel: Channel,
    /// What it says and to whom.
    pub sealed: String,
    /// When it was drawn up.
    pub created_at: Timestamp,
    /// From when on it is of no use to anybody.
    pub expires_at: Timestamp,
    /// Where it waits.
    pub place: Place,
}

/// Where a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the queue, to leave at once.
    Queue,
    /// In the outbox, where it stays.
    Outbox,
}

/// A message that somebody has taken on, for a while.
#[derive(Debug, Clone)]
pub struct ClaimedMessage {
    /// Its project.
    pub project: ProjectId,
    /// Its identifier.
    pub id: MessageId,
    /// What it says and to whom.
    pub sealed: String,
    /// When it was drawn up.
    pub created_at: Timestamp,
    /// From when on it is of no use to anybody.
    pub expires_at: Timestamp,
    /// How often it was taken on, this time included. Whoever took it on last may say what came of it.
    pub attempts: u32,
}

/// A message that stays where it was caught.
#[derive(Debug, Clone)]
pub struct CaughtMessage {
    /// Its project.
    pub project: ProjectId,
    /// Its identifier.
    pub id: MessageId,
    /// How it would have travelled.
    pub channel: Channel,
    /// What it says and to whom.
    pub sealed: String,
    /// When it was drawn up.
    pub created_at: Timestamp,
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has left.
    Sent,
    /// Whoever was to take it won't, now or later.
    Refused,
    /// Its time came first.
    Expired,
    /// Nobody needs it any more.
    Withdrawn,
    /// It was caught, in development.
    Caught,
}

impl Outcome {
    /// The name in the database and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Caught => "caught",
        }
    }
}

/// Writes a new message, in the transaction of whatever announces it.
pub async fn insert(conn: &mut Conn<'_>, message: &OutgoingMessage) -> Result<()> {
    let sql = "insert into messages (project_id, message_id, channel, sealed, created_at, expires_at, attempts, \
               next_attempt_at, ended_at, outcome) values ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9)";
    let is_caught = message.place == Place::Outbox;
    let insert = statement(sql)
        .bind(message.project.as_str())
        .bind(message.id.to_string())
        .bind(message.channel.as_str())
        .bind(message.sealed.as_str())
        .bind(message.created_at.micros())
        .bind(message.expires_at.micros())
        .bind((!is_caught).then(|| message.created_at.micros()))
        .bind(is_caught.then(|| message.created_at.micros()))
        .bind(is_caught.then(|| Outcome::Caught.as_str()));
    conn.execute(insert).await?;
    Ok(())
}

pub(crate) const IS_DUE: &str = "select message_id from messages where channel = $1 and next_attempt_at <= $2 limit 1";

/// Is there one to be taken on? Asking costs no transaction, taking on does.
pub async fn is_due(conn: &mut Conn<'_>, channel: Channel, now: Timestamp) -> Result<bool> {
    let row = conn.fetch_optional(statement(IS_DUE).bind(channel.as_str()).bind(now.micros())).await?;
    Ok(row.is_some())
}

/// The outer condition is asked again of a row that another node took on meanwhile: it no longer holds, and the row is left out.
pub(crate) const CLAIM: &str = "update messages set next_attempt_at = $3, attempts = attempts + 1 \
    where channel = $1 and next_attempt_at <= $2 and (project_id, message_id) in \
    (select project_id, message_id from messages where channel = $1 and next_attempt_at <= $2 order by next_attempt_at limit $4) \
    returning project_id, message_id, sealed, created_at, expires_at, attempts";

/// Takes on at most `limit` messages, those first that have waited longest, until `until`: before that nobody else does.
pub async fn claim(
    conn: &mut Conn<'_>,
    channel: Channel,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<ClaimedMessage>> {
    let claim = statement(CLAIM).bind(channel.as_str()).bind(now.micros()).bind(until.micros()).bind(i64::from(limit));
    let rows = conn.fetch_all(claim).await?;
    rows.iter().map(read_claimed).collect()
}

/// Ends a message that was taken on; what it said goes. `false`: somebody else has taken it on since, or it has ended. One that was withdrawn
/// while it was leaving has ended as whoever had it says.
pub async fn end(conn: &mut Conn<'_>, claimed: &ClaimedMessage, outcome: Outcome, now: Timestamp) -> Result<bool> {
    let sql = "update messages set next_attempt_at = null, ended_at = $4, outcome = $5, sealed = null \
               where project_id = $1 and message_id = $2 and attempts = $3 \
               and (next_attempt_at is not null or outcome = 'withdrawn')";
    let end = statement(sql)
        .bind(claimed.project.as_str())
        .bind(claimed.id.to_string())
        .bind(i64::from(claimed.attempts))
        .bind(now.micros())
        .bind(outcome.as_str());
    Ok(conn.execute(end).await? == 1)
}

/// Puts a message back that couldn't leave, to be tried again at `at`. `false` as of [`end`].
pub async fn put_back(conn: &mut Conn<'_>, claimed: &ClaimedMessage, at: Timestamp) -> Result<bool> {
    let sql = "update messages set next_attempt_at = $4 \
               where project_id = $1 and message_id = $2 and attempts = $3 and next_attempt_at is not null";
    let put_back = statement(sql)
        .bind(claimed.project.as_str())
        .bind(claimed.id.to_string())
        .bind(i64::from(claimed.attempts))
        .bind(at.micros());
    Ok(conn.execute(put_back).await? == 1)
}

/// Takes back a message that nobody needs any more: what it announces was used, or has a successor. `false`: it has ended, most likely
/// because it has left. One that is just leaving can't be held, but won't be tried again.
pub async fn withdraw(conn: &mut Conn<'_>, project: &ProjectId, id: MessageId, now: Timestamp) -> Result<bool> {
    let sql = "update messages set next_attempt_at = null, ended_at = $3, outcome = 'withdrawn', sealed = null \
               where project_id = $1 and message_id = $2 and next_attempt_at is not null";
    let withdraw = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros());
    Ok(conn.execute(withdraw).await? == 1)
}

/// Takes back the messages that tell codes which are worth nothing any more.
pub async fn withdraw_codes(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    challenges: &[ChallengeId],
    now: Timestamp,
) -> Result<()> {
    for challenge in challenges {
        withdraw(conn, project, MessageId::that_tells(*challenge), now).await?;
    }
    Ok(())
}

/// How a message ended; none: it hasn't, or isn't known.
pub async fn outcome(conn: &mut Conn<'_>, project: &ProjectId, id: MessageId) -> Result<Option<String>> {
    let sql = "select project_id, message_id, outcome from messages where project_id = $1 and message_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    match row {
        Some(row) => Reader::new(&row, "messages", &["message_id"]).optional_text("outcome"),
        None => Ok(None),
    }
}

/// How many messages of a channel wait.
pub async fn count_waiting(conn: &mut Conn<'_>, channel: Channel) -> Result<i64> {
    let sql = "select count(*) as waiting from messages where channel = $1 and next_attempt_at is not null";
    let row = conn.fetch_one(statement(sql).bind(channel.as_str())).await?;
    Reader::new(&row, "messages", &[]).integer("waiting")
}

pub(crate) const EXPIRE: &str = "update messages set next_attempt_at = null, ended_at = $1, outcome = 'expired', sealed = null \
    where next_attempt_at is not null and (project_id, message_id) in \
    (select project_id, message_id from messages where channel = $2 and next_attempt_at <= $1 and expires_at <= $1 limit $3)";

/// Ends messages whose time is over and that nobody is just sending, of whatever project, at most `limit`; says how many.
pub async fn expire(conn: &mut Conn<'_>, channel: Channel, now: Timestamp, limit: u32) -> Result<u64> {
    conn.execute(statement(EXPIRE).bind(now.micros()).bind(channel.as_str()).bind(i64::from(limit))).await
}

pub(crate) const DELETE_ENDED: &str = "delete from messages where (project_id, message_id) in \
    (select project_id, message_id from messages where ended_at < $1 order by ended_at limit $2)";

/// Deletes messages that ended before `ended_before`, of whatever project, at most `limit`; says how many.
pub async fn delete_ended(conn: &mut Conn<'_>, ended_before: Timestamp, limit: u32) -> Result<u64> {
    conn.execute(statement(DELETE_ENDED).bind(ended_before.micros()).bind(i64::from(limit))).await
}

/// Messages that were caught, of whatever project, the newest first.
pub async fn list_caught(conn: &mut Conn<'_>, limit: u32) -> Result<Vec<CaughtMessage>> {
    let sql = "select project_id, message_id, channel, sealed, created_at from messages \
               where ended_at is not null and outcome = 'caught' order by ended_at desc, message_id desc limit $1";
    let rows = conn.fetch_all(statement(sql).bind(i64::from(limit))).await?;
    rows.iter().map(read_caught).collect()
}

fn read_claimed(row: &AnyRow) -> Result<ClaimedMessage> {
    let row = Reader::new(row, "messages", &["message_id"]);
    Ok(ClaimedMessage {
        project: row.parsed("project_id")?,
        id: row.parsed("message_id")?,
        sealed: row.text("sealed")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        attempts: row.integer("attempts")?,
    })
}

fn read_caught(row: &AnyRow) -> Result<CaughtMessage> {
    let row = Reader::new(row, "messages", &["message_id"]);
    Ok(CaughtMessage {
        project: row.parsed("project_id")?,
        id: row.parsed("message_id")?,
        channel: row.parsed("channel")?,
        sealed: row.text("sealed")?,
        created_at: row.time("created_at")?,
    })
}
