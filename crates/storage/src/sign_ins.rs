//! Sign-ins that are under way.

mod second;

use countersign_crypto::{
    encoding, one_time_code::OneTimeCodeHash, sign_in_handle::HandleHash, sign_in_link::LinkHash,
};
use countersign_domain::{
    clock::Timestamp,
    id::{ChallengeId, ProjectId, SignInId},
    identity::{Identity, IdentityKind},
    sign_in::{Purpose, SentCode, SignIn, Step},
    thumbprint::Thumbprint,
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, messages, row::Reader};

/// A sign-in as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSignIn {
    /// The sign-in.
    pub sign_in: SignIn,
    /// The hash of the code that was sent.
    pub code_hash: Option<OneTimeCodeHash>,
    /// The hash of the link that was sent with it.
    pub link_hash: Option<LinkHash>,
    /// What is kept of the passkey's challenge that was asked for.
    pub passkey_state: Option<String>,
}

impl KeptSignIn {
    /// One that waits for nothing that was sent or asked for.
    pub const fn of(sign_in: SignIn) -> Self {
        Self { sign_in, code_hash: None, link_hash: None, passkey_state: None }
    }
}

/// Writes a new one, which is known by this handle.
pub async fn insert(conn: &mut Conn<'_>, sign_in: &SignIn, handle: &HandleHash) -> Result<()> {
    let sql = "insert into sign_ins (project_id, sign_in_id, handle_hash, client_id, request, kind, value, dpop_jkt, user_id, \
               risk, sends, tries, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, $11, $12)";
    let (client, request) = match &sign_in.purpose {
        Purpose::Client { client, request } => (Some(client.as_str()), Some(request.as_str())),
        Purpose::Account => (None, None),
    };
    let insert = statement(sql)
        .bind(sign_in.project.as_str())
        .bind(sign_in.id.to_string())
        .bind(handle.to_text())
        .bind(client)
        .bind(request)
        .bind(sign_in.identity.as_ref().map(|identity| identity.kind().as_str()))
        .bind(sign_in.identity.as_ref().map(|identity| identity.value().to_owned()))
        .bind(sign_in.dpop_jkt.map(|key| encoding::encode(key.0)))
        .bind(proved(sign_in))
        .bind(sign_in.risk.to_text())
        .bind(sign_in.created_at.micros())
        .bind(sign_in.expires_at.micros());
    conn.execute(insert).await?;
    Ok(())
}

/// A sign-in that is known by this handle and hasn't come to its end. It may have by the next statement.
pub async fn find(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: SignInId,
    handle: &HandleHash,
) -> Result<Option<KeptSignIn>> {
    let sql =
        "select * from sign_ins where project_id = $1 and sign_in_id = $2 and handle_hash = $3 and ended_at is null";
    let select = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(handle.to_text());
    conn.fetch_optional(select).await?.as_ref().map(read).transpose()
}

/// Takes a sign-in up again: from now on it is known by another handle. None: nobody knows it by this one, or it has come to its end. Of two
/// who show the same handle at once, one is too late.
pub async fn take_up(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: SignInId,
    handle: &HandleHash,
    next: &HandleHash,
) -> Result<Option<KeptSignIn>> {
    let sql = "update sign_ins set handle_hash = $4 where project_id = $1 and sign_in_id = $2 and handle_hash = $3 \
               and ended_at is null returning *";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(handle.to_text()).bind(next.to_text());
    conn.fetch_optional(update).await?.as_ref().map(read).transpose()
}

/// Writes where it has got to.
pub async fn update(conn: &mut Conn<'_>, kept: &KeptSignIn) -> Result<()> {
    let sql = "update sign_ins set challenge_id = $3, code_hash = $4, link_hash = $5, sent_at = $6, tries = $7, sends = $8, \
               kind = $9, value = $10, user_id = $11, passkey_state = $12, risk = $13, second = $14 where project_id = $1 and sign_in_id = $2";
    let sent = sent_code(&kept.sign_in);
    let identity = kept.sign_in.identity.as_ref();
    let update = statement(sql)
        .bind(kept.sign_in.project.as_str())
        .bind(kept.sign_in.id.to_string())
        .bind(sent.map(|sent| sent.challenge.to_string()))
        .bind(kept.code_hash.as_ref().map(|hash| hash.as_str().to_owned()))
        .bind(kept.link_hash.map(LinkHash::to_text))
        .bind(sent.map(|sent| sent.sent_at.micros()))
        .bind(sent.map_or(0, |sent| i64::from(sent.tries)))
        .bind(i64::from(kept.sign_in.sends))
        .bind(identity.map(|identity| identity.kind().as_str()))
        .bind(identity.map(|identity| identity.value().to_owned()))
        .bind(proved(&kept.sign_in))
        .bind(kept.passkey_state.as_deref())
        .bind(kept.sign_in.risk.to_text())
        .bind(kept.sign_in.second().map(second::to_text));
    conn.execute(update).await?;
    Ok(())
}

/// It has come to its end: nobody takes it up any more, and no message with a code for it need arrive.
pub async fn end(conn: &mut Conn<'_>, project: &ProjectId, id: SignInId, now: Timestamp) -> Result<()> {
    let sql = "update sign_ins set ended_at = $3 where project_id = $1 and sign_in_id = $2 returning sign_in_id, challenge_id";
    let end = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros());
    let ended = conn.fetch_optional(end).await?;
    let read = |row| Reader::new(row, "sign_ins", &["sign_in_id"]).optional_parsed("challenge_id");
    let sent: Option<ChallengeId> = ended.as_ref().map(read).transpose()?.flatten();
    messages::withdraw_codes(conn, project, sent.as_slice(), now).await
}

/// Deletes what is over, of whatever project, at most `limit`; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "delete from sign_ins where (project_id, sign_in_id) in \
               (select project_id, sign_in_id from sign_ins where expires_at <= $1 order by expires_at limit $2)";
    conn.execute(statement(sql).bind(before.micros()).bind(i64::from(limit))).await
}

fn proved(sign_in: &SignIn) -> Option<String> {
    match sign_in.step {
        Step::Proved(user) => Some(user.to_string()),
        Step::Choosing | Step::Sent(_) | Step::Second(_) => None,
    }
}

/// The code that is to be shown, of whichever factor.
pub fn sent_code(sign_in: &SignIn) -> Option<SentCode> {
    match &sign_in.step {
        Step::Choosing | Step::Proved(_) => None,
        Step::Sent(sent) => Some(*sent),
        Step::Second(second) => second.asked.sent().copied(),
    }
}

fn read(row: &AnyRow) -> Result<KeptSignIn> {
    let row = Reader::new(row, "sign_ins", &["sign_in_id"]);
    let purpose = match row.optional_parsed("client_id")? {
        Some(client) => Purpose::Client { client, request: row.text("request")? },
        None => Purpose::Account,
    };
    let identity = match row.optional_parsed::<IdentityKind>("kind")? {
        Some(kind) => Some(row.read("value", |value| Identity::parse(kind, value).ok())?),
        None => None,
    };
    let sent = match (row.optional_parsed("challenge_id")?, row.optional_time("sent_at")?) {
        (Some(challenge), Some(sent_at)) => Some(SentCode { challenge, tries: row.integer("tries")?, sent_at }),
        _ => None,
    };
    let second = row.optional_read("second", |text| second::from_text(text, sent))?;
    let step = match (row.optional_parsed("user_id")?, second) {
        (Some(user), _) => Step::Proved(user),
        (None, Some(second)) => Step::Second(Box::new(second)),
        (None, None) => sent.map_or(Step::Choosing, Step::Sent),
    };
    Ok(KeptSignIn {
        sign_in: SignIn {
            project: row.parsed("project_id")?,
            id: row.parsed("sign_in_id")?,
            purpose,
            identity,
            dpop_jkt: row.optional_read("dpop_jkt", |text| encoding::decode_array(text).map(Thumbprint))?,
            step,
            sends: row.integer("sends")?,
            risk: row.optional_parsed("risk")?.unwrap_or_default(),
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
        },
        code_hash: row.optional_text("code_hash")?.map(OneTimeCodeHash::from_text),
        link_hash: row.optional_read("link_hash", LinkHash::from_text)?,
        passkey_state: row.optional_text("passkey_state")?,
    })
}
