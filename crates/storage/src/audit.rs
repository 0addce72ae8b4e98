//! The audit trail.

use std::collections::BTreeMap;

use countersign_domain::{
    audit::AuditEntry,
    id::{AuditId, ClientId, ProjectId, UserId},
};

use crate::{
    Conn,
    conn::statement,
    error::Result,
    row::{Reader, to_json},
    sql::{
        Column::{Integer, Text},
        ManyRows, runs,
    },
};

static INSERT: ManyRows = ManyRows::fixed(
    "insert into audit_entries (project_id, audit_id, at, act, actor_kind, actor_id, user_id, client_id, session_id, \
     key_id, request_id, detail) values",
    &[Text, Text, Integer, Text, Text, Text, Text, Text, Text, Text, Text, Text],
    "",
);

/// An entry as it is read back: texts, for people and scripts.
#[derive(Debug, Clone)]
pub struct ReadEntry {
    /// Its id, by which entries are ordered.
    pub id: AuditId,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What.
    pub act: String,
    /// Who: what kind of actor.
    pub actor_kind: String,
    /// Who: which one.
    pub actor_id: Option<String>,
    /// The user concerned.
    pub user_id: Option<String>,
    /// The client concerned.
    pub client_id: Option<String>,
    /// The session concerned.
    pub session_id: Option<String>,
    /// The key concerned.
    pub key_id: Option<String>,
    /// The request in which it happened.
    pub request_id: Option<String>,
    /// What else there is to say.
    pub detail: BTreeMap<String, String>,
}

/// Writes entries.
pub async fn insert_many(conn: &mut Conn<'_>, entries: &[&AuditEntry]) -> Result<()> {
    for run in runs(entries) {
        let mut insert = INSERT.statement(conn.engine, run.len());
        for entry in run {
            let detail: BTreeMap<&str, &str> = entry.detail.iter().map(|(name, value)| (*name, &**value)).collect();
            insert = insert
                .bind(entry.project.as_str())
                .bind(entry.id.to_string())
                .bind(entry.at.micros())
                .bind(entry.act.as_str())
                .bind(entry.actor.kind())
                .bind(entry.actor.id())
                .bind(entry.subject.user.map(|id| id.to_string()))
                .bind(entry.subject.client.as_ref().map(ClientId::as_str))
                .bind(entry.subject.session.map(|id| id.to_string()))
                .bind(entry.subject.key.as_deref())
                .bind(entry.request.as_deref())
                .bind(if detail.is_empty() { "{}".to_owned() } else { to_json(&detail) });
        }
        conn.execute(insert).await?;
    }
    Ok(())
}

/// Entries of a project in their order: those after `after`, or, without it, the newest.
pub async fn list(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    after: Option<AuditId>,
    limit: u32,
) -> Result<Vec<ReadEntry>> {
    let forward = "select * from audit_entries where project_id = $1 and audit_id > $2 order by audit_id limit $3";
    let newest = "select * from audit_entries where project_id = $1 and audit_id > $2 order by audit_id desc limit $3";
    let sql = if after.is_some() { forward } else { newest };
    let from = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = conn.fetch_all(statement(sql).bind(project.as_str()).bind(from).bind(i64::from(limit))).await?;
    let mut entries = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    entries.sort_by_key(|entry| entry.id);
    Ok(entries)
}

/// A step of looking through the trail, from the newest entry on.
#[derive(Debug)]
pub struct Step {
    /// Those about the user.
    pub entries: Vec<ReadEntry>,
    /// At how many it looked.
    pub looked_at: u32,
    /// The oldest of those.
    pub oldest: Option<AuditId>,
}

/// Looks at so many entries, those before `before` or, without it, the newest, for those about a user.
pub async fn about_user(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    before: Option<AuditId>,
    look_at: u32,
) -> Result<Step> {
    // No id begins with a letter beyond this one.
    let before = before.map_or_else(|| "v".to_owned(), |id| id.to_string());
    let ends = "select min(audit_id) as oldest, count(*) as looked_at from (select audit_id from audit_entries \
                where project_id = $1 and audit_id < $2 order by audit_id desc limit $3) newest";
    let select = statement(ends).bind(project.as_str()).bind(before.as_str()).bind(i64::from(look_at));
    let row = conn.fetch_one(select).await?;
    let row = Reader::new(&row, "audit_entries", &[]);
    let (oldest, looked_at) = (row.optional_parsed("oldest")?, row.integer("looked_at")?);
    let Some(from) = oldest else { return Ok(Step { entries: Vec::new(), looked_at, oldest }) };
    let sql = "select * from audit_entries where project_id = $1 and audit_id < $2 and audit_id >= $3 and user_id = $4";
    let select =
        statement(sql).bind(project.as_str()).bind(before).bind(AuditId::to_string(&from)).bind(user.to_string());
    let rows = conn.fetch_all(select).await?;
    Ok(Step { entries: rows.iter().map(read).collect::<Result<_>>()?, looked_at, oldest })
}

fn read(row: &sqlx::any::AnyRow) -> Result<ReadEntry> {
    let row = Reader::new(row, "audit_entries", &["audit_id"]);
    Ok(ReadEntry {
        id: row.parsed("audit_id")?,
        at: row.integer("at")?,
        act: row.text("act")?,
        actor_kind: row.text("actor_kind")?,
        actor_id: row.optional_text("actor_id")?,
        user_id: row.optional_text("user_id")?,
        client_id: row.optional_text("client_id")?,
        session_id: row.optional_text("session_id")?,
        key_id: row.optional_text("key_id")?,
        request_id: row.optional_text("request_id")?,
        detail: row.json("detail")?,
    })
}
