//! From where users signed in.

use countersign_crypto::encoding;
use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, UserId},
    refresh::Mark,
    risk::{PLACES, Place, Seen},
};

use crate::{Conn, conn::statement, error::Result, row::Reader};

pub(crate) const LIST: &str = "select project_id, network, device from sign_in_places \
    where project_id = $1 and user_id = $2 order by last_seen_at desc, network, device limit $3";

pub(crate) const LIST_OF_SESSIONS: &str = "select project_id, rotated_network, rotated_agent from sessions \
    where project_id = $1 and user_id = $2 and ended_at is null order by session_id desc limit $3";

/// From where a user was seen: where they signed in, and from where their newest sessions were refreshed.
pub async fn seen(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Seen> {
    let mut seen = Seen::default();
    let ask = |sql| statement(sql).bind(project.as_str()).bind(user.to_string()).bind(i64::from(PLACES));
    for row in &conn.fetch_all(ask(LIST)).await? {
        let row = Reader::new(row, "sign_in_places", &[]);
        seen.networks.push(row.read("network", to_mark)?);
        seen.devices.push(row.read("device", to_mark)?);
    }
    for row in &conn.fetch_all(ask(LIST_OF_SESSIONS)).await? {
        let row = Reader::new(row, "sessions", &[]);
        seen.networks.extend(row.optional_read("rotated_network", to_mark)?);
        seen.devices.extend(row.optional_read("rotated_agent", to_mark)?);
    }
    Ok(seen)
}

/// A place as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPlace {
    /// The mark of the network.
    pub network: String,
    /// The mark of the device.
    pub device: String,
    /// When the user was first seen there.
    pub first_seen_at: Timestamp,
    /// When last.
    pub last_seen_at: Timestamp,
}

/// All places of a user, the newest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Vec<SeenPlace>> {
    let sql = "select * from sign_in_places where project_id = $1 and user_id = $2 \
               order by last_seen_at desc, network, device limit 1000";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str()).bind(user.to_string())).await?;
    let read = |row| {
        let row = Reader::new(row, "sign_in_places", &["user_id"]);
        Ok(SeenPlace {
            network: row.text("network")?,
            device: row.text("device")?,
            first_seen_at: row.time("first_seen_at")?,
            last_seen_at: row.time("last_seen_at")?,
        })
    };
    rows.iter().map(read).collect()
}

/// From how many places a user is known to have signed in.
pub async fn count(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<u32> {
    let sql = "select count(*) as places from sign_in_places where project_id = $1 and user_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(user.to_string())).await?;
    row.map_or(Ok(0), |row| Reader::new(&row, "sign_in_places", &[]).integer("places"))
}

/// A user has signed in from there.
pub async fn remember(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    place: &Place,
    now: Timestamp,
) -> Result<()> {
    let sql = "insert into sign_in_places (project_id, user_id, network, device, first_seen_at, last_seen_at) \
               values ($1, $2, $3, $4, $5, $5) on conflict (project_id, user_id, network, device) \
               do update set last_seen_at = excluded.last_seen_at";
    let insert = statement(sql)
        .bind(project.as_str())
        .bind(user.to_string())
        .bind(mark_text(place.network))
        .bind(mark_text(place.device))
        .bind(now.micros());
    conn.execute(insert).await?;
    Ok(())
}

/// Forgets a user's places beyond the newest few.
pub async fn forget_oldest(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<()> {
    let sql = "delete from sign_in_places where project_id = $1 and user_id = $2 and (network, device) in \
               (select network, device from sign_in_places where project_id = $1 and user_id = $2 \
               order by last_seen_at desc, network, device limit 1000 offset $3)";
    let forget = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(i64::from(PLACES));
    conn.execute(forget).await?;
    Ok(())
}

/// Forgets all places of a user.
pub(crate) const DELETE_OF_USER: &str = "delete from sign_in_places where project_id = $1 and user_id = $2";

/// The same, in whatever transaction ends the user.
pub async fn delete_of_user(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<()> {
    conn.execute(statement(DELETE_OF_USER).bind(project.as_str()).bind(user.to_string())).await?;
    Ok(())
}

pub(crate) const DELETE_UNSEEN: &str = "delete from sign_in_places where (project_id, user_id, network, device) in \
    (select project_id, user_id, network, device from sign_in_places where last_seen_at <= $1 \
    order by last_seen_at limit $2)";

/// Forgets places that nobody came from since, of whatever project, at most `limit`; says how many.
pub async fn delete_unseen(conn: &mut Conn<'_>, since: Timestamp, limit: u32) -> Result<u64> {
    conn.execute(statement(DELETE_UNSEEN).bind(since.micros()).bind(i64::from(limit))).await
}

fn to_mark(text: &str) -> Option<Mark> {
    encoding::decode_array(text).map(Mark)
}

fn mark_text(mark: Mark) -> String {
    encoding::encode(mark.0)
}
