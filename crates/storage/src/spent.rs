//! What works once, and was used.

use std::collections::HashSet;

use countersign_domain::{clock::Timestamp, id::ProjectId};

use crate::{
    Conn,
    conn::statement,
    error::{Error, Result},
    packed::{PackedLookup, column},
    row::Reader,
    sql::{
        Column::{Integer, Text},
        ManyRows, runs,
    },
};

/// Something that works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// What for: hashes of different purposes are told apart.
    pub purpose: &'static str,
    /// What it is known by: a hash, in base64url.
    pub hash: String,
    /// From when on it wouldn't be taken anyway.
    pub expires_at: Timestamp,
}

static SPEND: ManyRows = ManyRows::fixed(
    "insert into spent (project_id, purpose, value_hash, expires_at) values",
    &[Text, Text, Text, Integer],
    "on conflict do nothing",
);

static FIND: PackedLookup = PackedLookup::new(
    "with wanted (number, project_id, purpose, value_hash) as (values",
    &[Integer, Text, Text, Text],
    &[column("number", "w.number")],
    "from wanted w cross join spent s \
     where s.project_id = w.project_id and s.purpose = w.purpose and s.value_hash = w.value_hash",
);

/// Says of each of several things whether it was spent. Only to know it early: whoever sells something spends.
pub async fn find_many(conn: &mut Conn<'_>, wanted: &[(&ProjectId, &Spend)]) -> Result<Vec<bool>> {
    let numbered: Vec<_> = wanted.iter().copied().enumerate().collect();
    let mut found = vec![false; wanted.len()];
    for run in runs(&numbered) {
        let mut select = FIND.statement(conn.engine, run.len());
        for (number, (project, it)) in run {
            select = select
                .bind(i64::try_from(*number).unwrap_or(i64::MAX))
                .bind(project.as_str())
                .bind(it.purpose)
                .bind(it.hash.as_str());
        }
        let packed = FIND.fetch(conn, select, "spent").await?;
        for row in packed.rows() {
            let row = row?;
            if let Some(of_this) = found.get_mut(Reader::packed(&row, "spent", &[]).integer::<usize>("number")?) {
                *of_this = true;
            }
        }
    }
    Ok(found)
}

/// Spends several things, as [`spend`] does one; says of each whether it was this that spent it. Where one comes several times, the first
/// does. Where some of many were spent before, none says which, and they must be tried one by one.
pub async fn spend_many(conn: &mut Conn<'_>, spends: &[(&ProjectId, &Spend)]) -> Result<Vec<bool>> {
    let mut seen = HashSet::with_capacity(spends.len());
    let is_first: Vec<bool> =
        spends.iter().map(|(project, it)| seen.insert((*project, it.purpose, it.hash.as_str()))).collect();
    let firsts: Vec<(&ProjectId, &Spend)> =
        spends.iter().zip(&is_first).filter(|(_, first)| **first).map(|(spend, _)| *spend).collect();
    let mut spent = 0;
    for run in runs(&firsts) {
        let mut insert = SPEND.statement(conn.engine, run.len());
        for (project, it) in run {
            insert = insert.bind(project.as_str()).bind(it.purpose).bind(it.hash.as_str()).bind(it.expires_at.micros());
        }
        spent += conn.execute(insert).await?;
    }
    match (spent, firsts.len()) {
        (0, _) => Ok(spends.iter().map(|_| false).collect()),
        (spent, wanted) if spent == wanted as u64 => Ok(is_first),
        _ => Err(Error::TryAgain("some were spent before".to_owned())),
    }
}

/// Spends something that works once, known by its hash, in the transaction of what it buys. `false`: it was spent already. It must be kept
/// for as long as it would be taken: until `expires_at`.
pub async fn spend(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    purpose: &str,
    hash: &str,
    expires_at: Timestamp,
) -> Result<bool> {
    let sql = "insert into spent (project_id, purpose, value_hash, expires_at) values ($1, $2, $3, $4) \
               on conflict do nothing";
    let insert = statement(sql).bind(project.as_str()).bind(purpose).bind(hash).bind(expires_at.micros());
    Ok(conn.execute(insert).await? == 1)
}

/// Is it spent? Only for who wants to know: whoever sells something spends.
pub async fn is_spent(conn: &mut Conn<'_>, project: &ProjectId, purpose: &str, hash: &str) -> Result<bool> {
    let sql = "select expires_at from spent where project_id = $1 and purpose = $2 and value_hash = $3";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(purpose).bind(hash)).await?;
    Ok(row.is_some())
}

pub(crate) const DELETE_EXPIRED: &str = "delete from spent where (project_id, purpose, value_hash) in \
    (select project_id, purpose, value_hash from spent where expires_at <= $1 order by expires_at limit $2)";

/// Forgets what can't come again, of whatever project, at most `limit`; says how much.
pub async fn delete_expired(conn: &mut Conn<'_>, now: Timestamp, limit: u32) -> Result<u64> {
    conn.execute(statement(DELETE_EXPIRED).bind(now.micros()).bind(i64::from(limit))).await
}
