//! Facts about the deployment as a whole.

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A fact, by its name.
pub async fn find(conn: &mut Conn<'_>, name: &str) -> Result<Option<String>> {
    let row = conn.fetch_optional(statement("select value from deployment where name = $1").bind(name)).await?;
    row.map(|row| Reader::new(&row, "deployment", &["name"]).text("value")).transpose()
}

/// Writes a fact down unless there is one of that name; returns the one that holds.
pub async fn find_or_insert(conn: &mut Conn<'_>, name: &str, value: &str) -> Result<String> {
    let insert = "insert into deployment (name, value) values ($1, $2) on conflict do nothing";
    conn.execute(statement(insert).bind(name).bind(value)).await?;
    Ok(find(conn, name).await?.unwrap_or_else(|| value.to_owned()))
}
