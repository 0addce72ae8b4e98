//! What the engines do differently in what is said to them.

use crate::error::{Error, Result};

/// Which database stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, in the process.
    Sqlite,
    /// PostgreSQL, or what speaks like it.
    Postgres,
}

impl Engine {
    /// Tells by the scheme of the URL.
    pub fn of_url(url: &str) -> Result<Self> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => Err(Error::Unsuitable(
                "the database URL must be `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`".to_owned(),
            )),
        }
    }

    /// SQLite looks each numbered parameter up in a list, so a statement of a thousand takes a million steps; PostgreSQL knows no other kind.
    pub(crate) fn placeholder(self, number: usize) -> String {
        match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        }
    }

    /// The next number of the change feed. On SQLite writers wait for each other, so numbers become visible in their order; on PostgreSQL
    /// they don't, and readers allow for it.
    pub(crate) fn next_change(self) -> &'static str {
        match self {
            Self::Sqlite => "(select coalesce(max(seq), 0) + 1 from changes)",
            Self::Postgres => "nextval('changes_seq')",
        }
    }

    /// What the migrations need and can't say in one text for both.
    pub(crate) fn before_migrations(self) -> &'static str {
        match self {
            Self::Sqlite => "select 1",
            Self::Postgres => "create sequence if not exists changes_seq",
        }
    }

    /// What the planner must know once the tables are there.
    ///
    /// SQLite, left to guess, takes the first column of any index for selective. Here it is the project, the same in all rows: it walked
    /// whole tables to find the identities or sessions of one user. Told once how many rows share a value (of each index: all its rows,
    /// then those that share its first column, its first two, …), it chooses the same way in every deployment. PostgreSQL counts for itself.
    pub(crate) fn after_migrations(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "analyze; \
                 delete from sqlite_stat1; \
                 insert into sqlite_stat1 (tbl, idx, stat) values \
                 ('identities', 'identities', '1000000 1000000 500000 1'), \
                 ('identities', 'identities_of_user', '1000000 1000000 2'), \
                 ('passkeys', 'sqlite_autoindex_passkeys_1', '1000000 1000000 1'), \
                 ('passkeys', 'passkeys_by_credential', '1000000 1000000 1'), \
                 ('passkeys', 'passkeys_of_user', '1000000 1000000 2'), \
                 ('sessions', 'sqlite_autoindex_sessions_1', '1000000 1000000 1'), \
                 ('sessions', 'sessions_live', '1000000 1000000 4 2 1'), \
                 ('sessions', 'sessions_by_end', '100000 100000 1'), \
                 ('sessions', 'sessions_by_expiry', '1000000 1000000 1'), \
                 ('spent', 'spent', '100000 100000 50000 1'), \
                 ('spent', 'spent_by_expiry', '100000 1'), \
                 ('messages', 'sqlite_autoindex_messages_1', '100000 100000 1'), \
                 ('messages', 'messages_due', '100 50 1'), \
                 ('messages', 'messages_ended', '100000 1'); \
                 analyze sqlite_schema"
            }
            Self::Postgres => "",
        }
    }

    /// Keeps the rows of a table in its primary key.
    pub(crate) fn clustered(self) -> &'static str {
        match self {
            Self::Sqlite => "without rowid",
            Self::Postgres => "",
        }
    }

    /// The clock that all nodes share, in microseconds; none on SQLite, whose one machine has one clock.
    pub(crate) fn clock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint) as now"),
        }
    }

    /// Whoever writes is alone from the beginning of the transaction: see [`begin`](Self::begin).
    pub(crate) fn writers_are_alone(self) -> bool {
        matches!(self, Self::Sqlite)
    }

    /// At the end of a `select`: nobody changes or deletes the rows that it finds until the transaction ends.
    pub(crate) fn holding(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "for share",
        }
    }

    /// Makes transactions take the write lock at their beginning: one that begins by reading would find the lock taken, and no waiting helps.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }
}
