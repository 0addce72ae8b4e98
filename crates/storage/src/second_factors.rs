//! Second factors of users.

use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, UserId},
    identity::{Identity, IdentityKind},
    mfa::{Factor, FactorKind},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, mfa_changes, mfa_preferences, recovery_codes, row::Reader};

/// A second factor, with what is needed to check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFactor {
    /// The factor.
    pub factor: Factor,
    /// What an authenticator app counts its codes from, sealed.
    pub sealed_seed: Option<String>,
    /// The last step whose code was taken.
    pub used_step: i64,
}

/// Gives a user a factor. One of its kind that the user had is no more.
pub async fn put(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, stored: &StoredFactor) -> Result<()> {
    let sql = "insert into second_factors (project_id, user_id, kind, contact, sealed_seed, used_step, created_at, last_used_at) \
               values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (project_id, user_id, kind) do update set \
               contact = excluded.contact, sealed_seed = excluded.sealed_seed, used_step = excluded.used_step, \
               created_at = excluded.created_at, last_used_at = excluded.last_used_at";
    let factor = &stored.factor;
    let insert = statement(sql)
        .bind(project.as_str())
        .bind(user.to_string())
        .bind(factor.kind.as_str())
        .bind(factor.contact.as_ref().map(|contact| contact.value().to_owned()))
        .bind(stored.sealed_seed.as_deref())
        .bind(stored.used_step)
        .bind(factor.created_at.micros())
        .bind(factor.last_used_at.map(Timestamp::micros));
    conn.execute(insert).await?;
    Ok(())
}

/// A user's factors: what was used last, or is newest, first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Vec<StoredFactor>> {
    let sql = "select * from second_factors where project_id = $1 and user_id = $2 \
               order by coalesce(last_used_at, created_at) desc, kind";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str()).bind(user.to_string())).await?;
    rows.iter().map(read).collect()
}

/// The code of a step is taken. `false`: that one, or a later one, was taken before, or the factor is gone, or another by now.
pub async fn use_step(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    sealed_seed: &str,
    step: i64,
    now: Timestamp,
) -> Result<bool> {
    let sql = "update second_factors set used_step = $4, last_used_at = $5 where project_id = $1 and user_id = $2 \
               and kind = 'totp' and sealed_seed = $3 and used_step < $4";
    let update =
        statement(sql).bind(project.as_str()).bind(user.to_string()).bind(sealed_seed).bind(step).bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

/// A factor whose codes are sent was used. `false`: it is gone, or its codes go elsewhere by now.
pub async fn record_use(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    kind: FactorKind,
    contact: &Identity,
    now: Timestamp,
) -> Result<bool> {
    let sql = "update second_factors set last_used_at = $5 where project_id = $1 and user_id = $2 and kind = $3 and contact = $4";
    let update = statement(sql)
        .bind(project.as_str())
        .bind(user.to_string())
        .bind(kind.as_str())
        .bind(contact.value())
        .bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

/// Takes a factor from a user; `false`: the user has none of this kind.
pub async fn delete(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, kind: FactorKind) -> Result<bool> {
    let sql = "delete from second_factors where project_id = $1 and user_id = $2 and kind = $3";
    let delete = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(kind.as_str());
    Ok(conn.execute(delete).await? == 1)
}

pub(crate) const DELETE_OF_USER: &str = "delete from second_factors where project_id = $1 and user_id = $2";

/// Takes all factors from a user, with the recovery codes, what the user wished, and what waits for a code.
pub async fn delete_of_user(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<()> {
    let others = [recovery_codes::DELETE_OF_USER, mfa_preferences::DELETE_OF_USER, mfa_changes::DELETE_OF_USER];
    for sql in [DELETE_OF_USER].into_iter().chain(others) {
        conn.execute(statement(sql).bind(project.as_str()).bind(user.to_string())).await?;
    }
    Ok(())
}

/// Takes all factors but those of one kind from a user; says which.
pub async fn delete_others(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    kept: FactorKind,
) -> Result<Vec<FactorKind>> {
    let sql = "delete from second_factors where project_id = $1 and user_id = $2 and kind <> $3 returning kind";
    let delete = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(kept.as_str());
    let rows = conn.fetch_all(delete).await?;
    rows.iter().map(|row| Reader::new(row, "second_factors", &["kind"]).parsed("kind")).collect()
}

fn read(row: &AnyRow) -> Result<StoredFactor> {
    let row = Reader::new(row, "second_factors", &["user_id", "kind"]);
    let kind: FactorKind = row.parsed("kind")?;
    let contact = |value: &str| match kind {
        FactorKind::Totp => None,
        FactorKind::Sms => Identity::parse(IdentityKind::Phone, value).ok(),
        FactorKind::Email => Identity::parse(IdentityKind::Email, value).ok(),
    };
    Ok(StoredFactor {
        factor: Factor {
            kind,
            contact: row.optional_read("contact", contact)?,
            created_at: row.time("created_at")?,
            last_used_at: row.optional_time("last_used_at")?,
        },
        sealed_seed: row.optional_text("sealed_seed")?,
        used_step: row.integer("used_step")?,
    })
}
