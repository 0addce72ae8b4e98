//! The schema, forward only. Nodes that start at once take turns at one row; each finds done what another has done.

use futures_util::future::BoxFuture;

use crate::{
    Conn,
    conn::{built_statement, statement},
    db::Db,
    error::{Error, Result},
    row::Reader,
};

/// Every migration there is, in order; the number of one is its place in the list. None is ever changed once it has been published.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first_door.sql"),
    include_str!("../migrations/0002_second_door.sql"),
    include_str!("../migrations/0003_delivery.sql"),
    include_str!("../migrations/0004_provider.sql"),
    include_str!("../migrations/0005_codes.sql"),
    include_str!("../migrations/0006_sign_in.sql"),
    include_str!("../migrations/0007_hosted_pages.sql"),
    include_str!("../migrations/0008_passkeys.sql"),
    include_str!("../migrations/0009_sign_in_passkeys.sql"),
    include_str!("../migrations/0010_risk.sql"),
    include_str!("../migrations/0011_second_factors.sql"),
    include_str!("../migrations/0012_delegation.sql"),
    include_str!("../migrations/0013_step_ups.sql"),
    include_str!("../migrations/0014_account.sql"),
];

/// The version that this program knows.
#[expect(clippy::cast_possible_wrap, reason = "a handful")]
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Brings the schema up to date; says how many steps that took.
pub async fn migrate(db: &Db) -> Result<i64> {
    // Apart from the rest: two nodes that create the table at once would both fail on PostgreSQL, and only creating may be tried again.
    for attempt in 1.. {
        match db.write(|conn| Box::pin(prepare(conn))).await {
            Ok(()) => break,
            Err(Error::Taken(_) | Error::Refused(_)) if attempt < 5 => {}
            Err(error) => return Err(error),
        }
    }
    db.write(|conn| Box::pin(apply(conn))).await
}

/// The version of the schema, 0 where there is none. Fails where a newer program made it.
pub async fn version(db: &Db) -> Result<i64> {
    let found = current(db.reader().await?.conn()).await;
    match found {
        Ok(found) => known(found),
        Err(Error::Refused(_)) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Is the schema the one that this program knows?
pub async fn is_current(db: &Db) -> Result<bool> {
    Ok(version(db).await? == KNOWN)
}

fn known(found: i64) -> Result<i64> {
    if found > KNOWN { Err(Error::SchemaTooNew { found, known: KNOWN }) } else { Ok(found) }
}

async fn prepare(mut conn: Conn<'_>) -> Result<()> {
    let create = "create table if not exists schema_version \
                  (lease text not null, version bigint not null, primary key (lease))";
    conn.execute(statement(create)).await?;
    conn.execute(statement(conn.engine.before_migrations())).await?;
    let lease = "insert into schema_version (lease, version) values ('schema', 0) on conflict do nothing";
    conn.execute(statement(lease)).await?;
    Ok(())
}

/// The lease is the row's own lock: whoever comes second waits here until the first has committed.
async fn apply(mut conn: Conn<'_>) -> Result<i64> {
    let take = "update schema_version set version = version where lease = 'schema' returning version";
    let row = conn.fetch_one(statement(take)).await?;
    let found = known(Reader::new(&row, "schema_version", &[]).integer("version")?)?;
    let skip = usize::try_from(found).unwrap_or(0);
    for migration in &MIGRATIONS[skip..] {
        run(&mut conn, migration).await?;
    }
    if skip < MIGRATIONS.len() {
        let engine = conn.engine;
        run(&mut conn, engine.after_migrations()).await?;
    }
    let done = "update schema_version set version = $1 where lease = 'schema'";
    conn.execute(statement(done).bind(KNOWN)).await?;
    Ok(KNOWN - found)
}

/// Statement by statement: PostgreSQL prepares one at a time.
fn run<'c>(conn: &'c mut Conn<'_>, migration: &'static str) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        let without_comments: String =
            migration.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        for sql in without_comments.split(';').map(str::trim).filter(|sql| !sql.is_empty()) {
            conn.execute(built_statement(sql.replace("/* clustered */", conn.engine.clustered()))).await?;
        }
        Ok(())
    })
}

async fn current(mut conn: Conn<'_>) -> Result<i64> {
    let row = conn.fetch_one(statement("select version from schema_version where lease = 'schema'")).await?;
    Reader::new(&row, "schema_version", &[]).integer("version")
}

#[cfg(test)]
mod tests {
    use crate::{
        authorization_codes,
        db::{Db, Options},
        identities, messages, sessions, sign_in_places, spent,
    };

    use super::*;

    #[tokio::test]
    async fn what_belongs_to_one_user_is_found_by_an_index_of_users() {
        let database = Migrated::called("users").await;
        for (sql, index) in [
            (identities::LIST, "identities_of_user"),
            (sessions::LIST_LIVE, "sessions_live"),
            (sign_in_places::LIST_OF_SESSIONS, "sessions_live"),
        ] {
            let plan = database.plan(sql).await;
            assert!(plan.contains(&format!("USING INDEX {index} (project_id=? AND user_id=?)")), "{sql}\n{plan}");
        }
        database.gone().await;
    }

    #[tokio::test]
    async fn from_where_a_user_signed_in_is_found_without_walking_the_rest() {
        let database = Migrated::called("places").await;
        for (sql, index) in [
            (sign_in_places::LIST, "USING PRIMARY KEY (project_id=? AND user_id=?)"),
            (sign_in_places::DELETE_UNSEEN, "sign_in_places_by_age (last_seen_at<?)"),
        ] {
            let plan = database.plan(sql).await;
            assert!(plan.contains(index) && !plan.contains("SCAN sign_in_places\n"), "{sql}\n{plan}");
        }
        database.gone().await;
    }

    #[tokio::test]
    async fn what_was_spent_and_is_over_is_found_without_walking_the_rest() {
        let database = Migrated::called("spent").await;
        let plan = database.plan(spent::DELETE_EXPIRED).await;
        assert!(plan.contains("spent_by_expiry (expires_at<?)"), "{plan}");
        assert!(!plan.contains("SCAN spent"), "{plan}");
        let plan = database.plan(authorization_codes::SPEND_ALL).await;
        assert!(plan.contains("authorization_codes_by_expiry (expires_at>?)"), "{plan}");
        assert!(!plan.contains("SCAN authorization_codes"), "{plan}");
        database.gone().await;
    }

    #[tokio::test]
    async fn messages_that_are_due_or_over_are_found_without_walking_the_rest() {
        let database = Migrated::called("messages").await;
        for (sql, index) in [
            (messages::IS_DUE, "messages_due (channel=? AND next_attempt_at<?)"),
            (messages::CLAIM, "messages_due (channel=? AND next_attempt_at<?)"),
            (messages::DELETE_ENDED, "messages_ended (ended_at<?)"),
            (messages::EXPIRE, "messages_due (channel=? AND next_attempt_at<?)"),
        ] {
            let plan = database.plan(sql).await;
            assert!(plan.contains(index) && !plan.contains("SCAN messages\n"), "{sql}\n{plan}");
        }
        database.gone().await;
    }

    struct Migrated {
        db: Db,
        file: std::path::PathBuf,
    }

    impl Migrated {
        async fn called(name: &str) -> Self {
            let file = std::env::temp_dir().join(format!("countersign-plans-{name}-{}.sqlite", std::process::id()));
            let url = format!("sqlite:{}", file.display());
            let db = Db::open(&Options { url, max_connections: 1, create: true }).await.unwrap();
            migrate(&db).await.unwrap();
            Self { db, file }
        }

        async fn plan(&self, sql: &str) -> String {
            let explain = built_statement(format!("explain query plan {sql}"));
            let mut reading = self.db.reader().await.unwrap();
            let steps = reading.conn().fetch_all(explain).await.unwrap();
            steps.iter().map(|step| Reader::new(step, "plan", &[]).text("detail").unwrap() + "\n").collect()
        }

        async fn gone(self) {
            self.db.close().await;
            std::fs::remove_file(self.file).unwrap();
        }
    }
}
