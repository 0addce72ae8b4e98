//! Authorization codes. A row is written once, in the transaction of whoever proved the user, and never changed: that a code was used stands in
//! [`spent`](crate::spent), in the transaction that opens the session.

use countersign_crypto::{authorization_code::CodeHash, encoding};
use countersign_domain::{
    clock::Timestamp,
    generations::Generations,
    id::{ClientId, ProjectId, UserId},
    oauth::code::AuthorizationCode,
    proof::Method,
    thumbprint::Thumbprint,
};

use crate::{
    Conn,
    conn::statement,
    error::Result,
    identities::{BEST_EMAIL, Best, read_best},
    packed::{PackedLookup, column, nullable},
    row::{Reader, to_json},
    sql::{
        Column::{Integer, Text},
        runs,
    },
};

/// A code that is issued.
#[derive(Debug, Clone)]
pub struct NewAuthorizationCode {
    /// Where.
    pub project: ProjectId,
    /// What it is known by.
    pub hash: CodeHash,
    /// What it was issued for. The user's revocation counter is read by [`insert`], in the transaction.
    pub code: AuthorizationCode,
    /// Where that counter stood when the user was proved, where that was a while ago: whoever was revoked since gets a code that buys nothing.
    pub as_of: Option<u32>,
}

/// Writes a new code, with the user's revocation counter as it stands. `false`: there is no such user, or nobody may be signed in as this one.
pub async fn insert(conn: &mut Conn<'_>, new: &NewAuthorizationCode) -> Result<bool> {
    let sql = "insert into authorization_codes (project_id, code_hash, client_id, user_id, session_id, redirect_uri, \
               redirect_uri_asked_at, scope, nonce, code_challenge, dpop_jkt, amr, acr, auth_time, user_generation, \
               client_generation, project_generation, created_at, expires_at) \
               select u.project_id, $2, $3, u.user_id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
               case when u.generation < $19 then u.generation else $19 end, $15, $16, $17, $18 from users u \
               where u.project_id = $1 and u.user_id = $4 and u.disabled_at is null and u.merged_into is null";
    let NewAuthorizationCode { project, hash, code, as_of } = new;
    let amr: Vec<&str> = code.proof.methods.iter().map(Method::as_str).collect();
    let insert = statement(sql)
        .bind(project.as_str())
        .bind(hash.to_text())
        .bind(code.client.as_str())
        .bind(code.user.to_string())
        .bind(code.session.to_string())
        .bind(code.redirect_uri.as_str())
        .bind(code.has_redirect_uri_param.then_some(code.created_at.micros()))
        .bind(code.scope.as_str())
        .bind(code.nonce.as_deref())
        .bind(code.code_challenge.as_deref())
        .bind(code.dpop_jkt.map(|key| encoding::encode(key.0)))
        .bind(to_json(&amr))
        .bind(code.proof.level.as_str())
        .bind(code.proof.at.micros())
        .bind(i64::from(code.generations.client))
        .bind(i64::from(code.generations.project))
        .bind(code.created_at.micros())
        .bind(code.expires_at.micros())
        .bind(i64::from(as_of.unwrap_or(u32::MAX)));
    Ok(conn.execute(insert).await? == 1)
}

/// As what a used code stands in [`spent`](crate::spent).
pub const SPENT_AS: &str = "authorization_code";

/// A code as it was read, with what must be known to redeem it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCode {
    /// The code.
    pub code: AuthorizationCode,
    /// Was it used? Only to know it early: whoever opens a session with it spends it.
    pub is_used: bool,
    /// The user's revocation counter; none: there is no such user any more, or nobody may be signed in as this one.
    pub user_generation: Option<u32>,
    /// Sessions of the user in the client that haven't been ended.
    pub sessions: u32,
    /// The user's e-mail address.
    pub email: Option<Best>,
}

static FIND: PackedLookup = PackedLookup::new(
    "with wanted (number, project_id, code_hash) as (values",
    &[Integer, Text, Text],
    &[
        column("number", "w.number"),
        column("project_id", "c.project_id"),
        column("code_hash", "c.code_hash"),
        column("client_id", "c.client_id"),
        column("user_id", "c.user_id"),
        column("session_id", "c.session_id"),
        column("redirect_uri", "c.redirect_uri"),
        nullable("redirect_uri_asked_at", "c.redirect_uri_asked_at"),
        column("scope", "c.scope"),
        nullable("nonce", "c.nonce"),
        nullable("code_challenge", "c.code_challenge"),
        nullable("dpop_jkt", "c.dpop_jkt"),
        column("amr", "c.amr"),
        column("acr", "c.acr"),
        column("auth_time", "c.auth_time"),
        column("user_generation", "c.user_generation"),
        column("client_generation", "c.client_generation"),
        column("project_generation", "c.project_generation"),
        column("created_at", "c.created_at"),
        column("expires_at", "c.expires_at"),
        nullable(
            "used_until",
            "(select s.expires_at from spent s where s.project_id = c.project_id and s.purpose = 'authorization_code' \
             and s.value_hash = c.code_hash)",
        ),
        nullable("current_user_generation", "u.generation"),
        column(
            "sessions",
            "(select count(*) from sessions s where s.project_id = c.project_id and s.user_id = c.user_id \
             and s.client_id = c.client_id and s.ended_at is null)",
        ),
        nullable("best", BEST_EMAIL),
    ],
    // A cross join: SQLite keeps the order, so that it goes from each wanted code to its row by the key.
    "from wanted w cross join authorization_codes c \
     left join users u on u.project_id = c.project_id and u.user_id = c.user_id and u.disabled_at is null \
     and u.merged_into is null \
     where c.project_id = w.project_id and c.code_hash = w.code_hash",
);

/// Several codes, used or not.
pub async fn find_many(
    conn: &mut Conn<'_>,
    wanted: &[&(ProjectId, CodeHash)],
) -> Result<Vec<Result<Option<FoundCode>>>> {
    let numbered: Vec<(usize, &(ProjectId, CodeHash))> = wanted.iter().copied().enumerate().collect();
    let mut found: Vec<Result<Option<FoundCode>>> = wanted.iter().map(|_| Ok(None)).collect();
    for run in runs(&numbered) {
        let mut select = FIND.statement(conn.engine, run.len());
        for (number, (project, hash)) in run {
            select =
                select.bind(i64::try_from(*number).unwrap_or(i64::MAX)).bind(project.as_str()).bind(hash.to_text());
        }
        let packed = FIND.fetch(conn, select, "authorization_codes").await?;
        for row in packed.rows() {
            let row = row?;
            let row = Reader::packed(&row, "authorization_codes", &["code_hash"]);
            if let Some(of_this) = found.get_mut(row.integer::<usize>("number")?) {
                *of_this = read(&row).map(Some);
            }
        }
    }
    Ok(found)
}

/// A code, used or not.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, hash: CodeHash) -> Result<Option<FoundCode>> {
    let found = find_many(conn, &[&(project.clone(), hash)]).await?;
    found.into_iter().next().unwrap_or(Ok(None))
}

/// Live codes are few, and found first: left to choose, SQLite walks all codes of the project.
pub(crate) const SPEND_ALL: &str = "insert into spent (project_id, purpose, value_hash, expires_at) \
    select live.project_id, $5, live.code_hash, live.expires_at from \
    (select * from authorization_codes where expires_at > $4 order by expires_at limit 1000000) live \
    where live.project_id = $1 and live.user_id = $2 and live.client_id = $3 on conflict do nothing";

/// Spends all live codes that a client has of a user.
pub async fn spend_all(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    client: &ClientId,
    now: Timestamp,
) -> Result<u64> {
    let insert = statement(SPEND_ALL)
        .bind(project.as_str())
        .bind(user.to_string())
        .bind(client.as_str())
        .bind(now.micros())
        .bind(SPENT_AS);
    conn.execute(insert).await
}

pub(crate) const DELETE_EXPIRED: &str = "delete from authorization_codes where (project_id, code_hash) in \
    (select project_id, code_hash from authorization_codes where expires_at <= $1 order by expires_at limit $2)";

/// Forgets codes whose time was over before, of whatever project, at most `limit`; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    conn.execute(statement(DELETE_EXPIRED).bind(before.micros()).bind(i64::from(limit))).await
}

fn read(row: &Reader<'_>) -> Result<FoundCode> {
    let code = AuthorizationCode {
        client: row.parsed("client_id")?,
        user: row.parsed("user_id")?,
        session: row.parsed("session_id")?,
        redirect_uri: row.text("redirect_uri")?,
        has_redirect_uri_param: row.optional_time("redirect_uri_asked_at")?.is_some(),
        scope: row.text("scope")?,
        nonce: row.optional_text("nonce")?,
        code_challenge: row.optional_text("code_challenge")?,
        dpop_jkt: row.optional_read("dpop_jkt", |text| encoding::decode_array(text).map(Thumbprint))?,
        proof: row.proof()?,
        generations: Generations {
            user: row.integer("user_generation")?,
            client: row.integer("client_generation")?,
            key: 0,
            project: row.integer("project_generation")?,
        },
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    };
    Ok(FoundCode {
        code,
        is_used: row.optional_time("used_until")?.is_some(),
        user_generation: row.optional_parsed("current_user_generation")?,
        sessions: row.integer("sessions")?,
        email: read_best(row)?,
    })
}
