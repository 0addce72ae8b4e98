//! Codes that were sent to an address.

use countersign_crypto::one_time_code::OneTimeCodeHash;
use countersign_domain::{
    challenge::{Challenge, Purpose},
    clock::Timestamp,
    id::{ChallengeId, ProjectId},
    identity::Identity,
};

use crate::{
    Conn,
    conn::{Statement, statement},
    error::Result,
    messages,
    row::Reader,
};

/// What a code is looked for by: whoever types one knows nothing of its challenge.
#[derive(Debug, Clone)]
pub struct Sought {
    /// Where.
    pub project: ProjectId,
    /// What the code is to be good for.
    pub purpose: Purpose,
    /// The address it was sent to.
    pub destination: Identity,
}

/// Writes a new one. Of those before it, so many of the newest stay good; of the others no message need arrive any more.
pub async fn insert(
    conn: &mut Conn<'_>,
    challenge: &Challenge,
    code_hash: &OneTimeCodeHash,
    others_stay: u32,
) -> Result<()> {
    let retire = "update challenges set spent_at = $5 \
                  where project_id = $1 and purpose = $2 and kind = $3 and destination = $4 and spent_at is null \
                  and challenge_id not in (select challenge_id from challenges where project_id = $1 and purpose = $2 \
                  and kind = $3 and destination = $4 and spent_at is null order by created_at desc, challenge_id desc limit $6) \
                  returning challenge_id";
    let retire = statement(retire)
        .bind(challenge.project.as_str())
        .bind(challenge.purpose.as_str())
        .bind(challenge.destination.kind().as_str())
        .bind(challenge.destination.value())
        .bind(challenge.created_at.micros())
        .bind(i64::from(others_stay));
    withdraw(conn, &challenge.project, retire, challenge.created_at).await?;
    let sql = "insert into challenges (project_id, challenge_id, purpose, kind, destination, code_hash, tries, created_at, \
               expires_at) values ($1, $2, $3, $4, $5, $6, 0, $7, $8)";
    let insert = statement(sql)
        .bind(challenge.project.as_str())
        .bind(challenge.id.to_string())
        .bind(challenge.purpose.as_str())
        .bind(challenge.destination.kind().as_str())
        .bind(challenge.destination.value())
        .bind(code_hash.as_str())
        .bind(challenge.created_at.micros())
        .bind(challenge.expires_at.micros());
    conn.execute(insert).await?;
    Ok(())
}

/// Counts a try of every code that is live, and gives what they are recognised by. They are held until the transaction ends, so that of two
/// who show the same code one comes after the other. After its last try a code is worth nothing, and no message that tells it need arrive.
pub async fn count_try(
    conn: &mut Conn<'_>,
    sought: &Sought,
    most_tries: u32,
    now: Timestamp,
) -> Result<Vec<(ChallengeId, OneTimeCodeHash)>> {
    let sql = "update challenges set tries = tries + 1 where project_id = $1 and purpose = $2 and kind = $3 \
               and destination = $4 and spent_at is null and expires_at > $5 and tries < $6 \
               returning challenge_id, code_hash, tries";
    let update = statement(sql)
        .bind(sought.project.as_str())
        .bind(sought.purpose.as_str())
        .bind(sought.destination.kind().as_str())
        .bind(sought.destination.value())
        .bind(now.micros())
        .bind(i64::from(most_tries));
    let read = |row| {
        let row = Reader::new(row, "challenges", &["challenge_id"]);
        let id: ChallengeId = row.parsed("challenge_id")?;
        Ok((id, OneTimeCodeHash::from_text(row.text("code_hash")?), row.integer::<u32>("tries")?))
    };
    let tried = conn.fetch_all(update).await?.iter().map(read).collect::<Result<Vec<_>>>()?;
    let tried_out = tried.iter().filter(|(.., tries)| *tries >= most_tries);
    let tried_out: Vec<ChallengeId> = tried_out.map(|(id, ..)| *id).collect();
    messages::withdraw_codes(conn, &sought.project, &tried_out, now).await?;
    Ok(tried.into_iter().map(|(id, hash, _)| (id, hash)).collect())
}

/// Spends all live codes of an address, says how many: whoever is in needs no other, and no message that tells one.
pub async fn spend(conn: &mut Conn<'_>, sought: &Sought, now: Timestamp) -> Result<usize> {
    let sql = "update challenges set spent_at = $5 where project_id = $1 and purpose = $2 and kind = $3 \
               and destination = $4 and spent_at is null returning challenge_id";
    let update = statement(sql)
        .bind(sought.project.as_str())
        .bind(sought.purpose.as_str())
        .bind(sought.destination.kind().as_str())
        .bind(sought.destination.value())
        .bind(now.micros());
    withdraw(conn, &sought.project, update, now).await
}

/// Makes codes worthless, and withdraws the messages that tell them; says how many.
async fn withdraw(conn: &mut Conn<'_>, project: &ProjectId, update: Statement<'_>, now: Timestamp) -> Result<usize> {
    let rows = conn.fetch_all(update).await?;
    let read = |row| Reader::new(row, "challenges", &["challenge_id"]).parsed("challenge_id");
    let worthless = rows.iter().map(read).collect::<Result<Vec<ChallengeId>>>()?;
    messages::withdraw_codes(conn, project, &worthless, now).await?;
    Ok(worthless.len())
}

/// Deletes what is over, at most `limit`; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, now: Timestamp, limit: u32) -> Result<u64> {
    let sql = "delete from challenges where (project_id, challenge_id) in \
               (select project_id, challenge_id from challenges where expires_at <= $1 order by expires_at limit $2)";
    conn.execute(statement(sql).bind(now.micros()).bind(i64::from(limit))).await
}
