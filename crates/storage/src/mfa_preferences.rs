//! When users want to be asked for a second factor.

use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, UserId},
    mfa::Preference,
};

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// What a user wishes; none: they never said.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Option<Preference>> {
    let sql = "select user_id, preference from mfa_preferences where project_id = $1 and user_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(user.to_string())).await?;
    row.map(|row| Reader::new(&row, "mfa_preferences", &["user_id"]).parsed("preference")).transpose()
}

/// Writes what a user wishes.
pub async fn put(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    preference: Preference,
    now: Timestamp,
) -> Result<()> {
    let sql = "insert into mfa_preferences (project_id, user_id, preference, set_at) values ($1, $2, $3, $4) \
               on conflict (project_id, user_id) do update set preference = excluded.preference, set_at = excluded.set_at";
    let insert =
        statement(sql).bind(project.as_str()).bind(user.to_string()).bind(preference.as_str()).bind(now.micros());
    conn.execute(insert).await?;
    Ok(())
}

pub(crate) const DELETE_OF_USER: &str = "delete from mfa_preferences where project_id = $1 and user_id = $2";
