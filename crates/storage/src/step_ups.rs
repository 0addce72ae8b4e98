//! Step-ups.

use countersign_crypto::one_time_code::OneTimeCodeHash;
use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, StepUpId},
    sign_in::SentCode,
    step_up::{Change, Purpose, StepUp},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A step-up as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStepUp {
    /// The step-up.
    pub step_up: StepUp,
    /// What the authenticator app counts its codes from, sealed.
    pub sealed_seed: Option<String>,
    /// The step whose code was shown.
    pub used_step: i64,
    /// The code that was sent to the new number.
    pub sent: Option<SentCode>,
    /// Its hash.
    pub code_hash: Option<OneTimeCodeHash>,
    /// How many codes were sent.
    pub sends: u32,
    /// When the user began.
    pub begun_at: Option<Timestamp>,
    /// When the user had proved everything.
    pub passed_at: Option<Timestamp>,
    /// When it was done.
    pub applied_at: Option<Timestamp>,
}

impl StoredStepUp {
    /// One that was just asked for.
    pub const fn of(step_up: StepUp) -> Self {
        Self {
            step_up,
            sealed_seed: None,
            used_step: 0,
            sent: None,
            code_hash: None,
            sends: 0,
            begun_at: None,
            passed_at: None,
            applied_at: None,
        }
    }
}

/// Writes a new one.
pub async fn insert(conn: &mut Conn<'_>, step_up: &StepUp) -> Result<()> {
    let sql = "insert into step_ups (project_id, step_up_id, client_id, user_id, user_generation, purpose, change, value, \
               used_step, tries, sends, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, $9, $10)";
    let change = step_up.change.as_ref();
    let insert = statement(sql)
        .bind(step_up.project.as_str())
        .bind(step_up.id.to_string())
        .bind(step_up.client.as_str())
        .bind(step_up.user.to_string())
        .bind(i64::from(step_up.user_generation))
        .bind(step_up.purpose.as_str())
        .bind(change.map(Change::kind))
        .bind(change.and_then(Change::value).map(str::to_owned))
        .bind(step_up.created_at.micros())
        .bind(step_up.ends().micros());
    conn.execute(insert).await?;
    Ok(())
}

/// A step-up, by its id.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, id: StepUpId) -> Result<Option<StoredStepUp>> {
    let sql = "select * from step_ups where project_id = $1 and step_up_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    row.as_ref().map(read).transpose()
}

/// The user begins. `false`: somebody did before.
pub async fn begin(conn: &mut Conn<'_>, project: &ProjectId, id: StepUpId, now: Timestamp) -> Result<bool> {
    let sql = "update step_ups set begun_at = $3 where project_id = $1 and step_up_id = $2 and begun_at is null";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

/// Writes how far the user has got in proving what is new.
pub async fn update(conn: &mut Conn<'_>, stored: &StoredStepUp) -> Result<()> {
    let sql = "update step_ups set sealed_seed = $3, used_step = $4, challenge_id = $5, code_hash = $6, sent_at = $7, tries = $8, \
               sends = $9 where project_id = $1 and step_up_id = $2 and passed_at is null";
    let sent = stored.sent;
    let update = statement(sql)
        .bind(stored.step_up.project.as_str())
        .bind(stored.step_up.id.to_string())
        .bind(stored.sealed_seed.as_deref())
        .bind(stored.used_step)
        .bind(sent.map(|sent| sent.challenge.to_string()))
        .bind(stored.code_hash.as_ref().map(|hash| hash.as_str().to_owned()))
        .bind(sent.map(|sent| sent.sent_at.micros()))
        .bind(sent.map_or(0, |sent| i64::from(sent.tries)))
        .bind(i64::from(stored.sends));
    conn.execute(update).await?;
    Ok(())
}

/// The user has proved everything. `false`: had before, or has never begun.
pub async fn pass(conn: &mut Conn<'_>, project: &ProjectId, id: StepUpId, now: Timestamp) -> Result<bool> {
    let sql = "update step_ups set passed_at = $3 where project_id = $1 and step_up_id = $2 and begun_at is not null \
               and passed_at is null";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

/// It is being done. None: it was before, or hasn't been passed.
pub async fn apply(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: StepUpId,
    now: Timestamp,
) -> Result<Option<StoredStepUp>> {
    let sql = "update step_ups set applied_at = $3 where project_id = $1 and step_up_id = $2 and passed_at is not null \
               and applied_at is null returning *";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros());
    conn.fetch_optional(update).await?.as_ref().map(read).transpose()
}

/// Deletes what is over, of whatever project, at most `limit`; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, now: Timestamp, limit: u32) -> Result<u64> {
    let sql = "delete from step_ups where (project_id, step_up_id) in \
               (select project_id, step_up_id from step_ups where expires_at <= $1 order by expires_at limit $2)";
    conn.execute(statement(sql).bind(now.micros()).bind(i64::from(limit))).await
}

pub(crate) const DELETE_OF_USER: &str = "delete from step_ups where project_id = $1 and user_id = $2";

fn read(row: &AnyRow) -> Result<StoredStepUp> {
    let row = Reader::new(row, "step_ups", &["step_up_id"]);
    let value = row.optional_text("value")?;
    let change = row.optional_read("change", |kind| Change::from_parts(kind, value.as_deref()))?;
    let sent = match (row.optional_parsed("challenge_id")?, row.optional_time("sent_at")?) {
        (Some(challenge), Some(sent_at)) => Some(SentCode { challenge, tries: row.integer("tries")?, sent_at }),
        _ => None,
    };
    Ok(StoredStepUp {
        step_up: StepUp {
            project: row.parsed("project_id")?,
            id: row.parsed("step_up_id")?,
            client: row.parsed("client_id")?,
            user: row.parsed("user_id")?,
            user_generation: row.integer("user_generation")?,
            purpose: row.parsed::<Purpose>("purpose")?,
            change,
            created_at: row.time("created_at")?,
        },
        sealed_seed: row.optional_text("sealed_seed")?,
        used_step: row.integer("used_step")?,
        sent,
        code_hash: row.optional_text("code_hash")?.map(OneTimeCodeHash::from_text),
        sends: row.integer("sends")?,
        begun_at: row.optional_time("begun_at")?,
        passed_at: row.optional_time("passed_at")?,
        applied_at: row.optional_time("applied_at")?,
    })
}
