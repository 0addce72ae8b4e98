//! What can go wrong with the database, by whose fault it is.

use std::fmt;

/// A result of this floor.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database can't be reached, or can't write. Nothing was acknowledged; the same call may succeed in a while.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Another transaction came between; the unit runs again by itself, so callers see this only after many attempts.
    #[error("the database asks to try again: {0}")]
    TryAgain(String),
    /// A row of that key exists.
    #[error("a row of that key exists: {0}")]
    Taken(String),
    /// A row holds what this program never wrote there.
    #[error("corrupt data in {0}")]
    Corrupt(Corrupt),
    /// A newer program has changed the schema.
    #[error(
        "the database has schema {found}, and this program knows up to {known}: it was made by a newer program. \
         Start that one, or restore a backup. Nothing was changed"
    )]
    SchemaTooNew {
        /// Of the database.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// The database isn't set up as it must be.
    #[error("{0}")]
    Unsuitable(String),
    /// A statement that this program got wrong.
    #[error("the database refused a statement: {0}")]
    Refused(String),
}

/// Where the corrupt data is.
#[derive(Debug)]
pub struct Corrupt {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's key.
    pub row: String,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {}, column {}, row {}", self.table, self.column, self.row)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        match error {
            sqlx::Error::Database(refusal) if refusal.is_unique_violation() => Self::Taken(text),
            sqlx::Error::Database(refusal) => match refusal.code() {
                Some(code) if is_conflict(&code) => Self::TryAgain(text),
                Some(code) if is_outage(&code) => Self::Unavailable(text),
                _ => Self::Refused(text),
            },
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_)
            | sqlx::Error::RowNotFound
            | sqlx::Error::InvalidSavePointStatement => Self::Refused(text),
            // Io, Tls, Protocol, Pool…, WorkerCrashed, Configuration, and whatever comes to be: no connection, no answer.
            _ => Self::Unavailable(text),
        }
    }
}

/// SQLSTATE of a serialisation failure or a deadlock: the transaction was rolled back and may simply be run again.
fn is_conflict(code: &str) -> bool {
    matches!(code, "40001" | "40P01")
}

/// PostgreSQL has five characters, SQLite an extended result code in digits whose low byte is the primary one.
fn is_outage(code: &str) -> bool {
    if code.len() == 5 {
        // Connection, resources, operator intervention, system, read-only.
        return ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) || code == "25006";
    }
    // BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB.
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 8 | 10 | 11 | 13 | 14 | 26))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_are_told_from_mistakes() {
        for outage in ["08006", "53300", "57P01", "58030", "25006", "5", "8", "10", "13", "778", "1544", "14"] {
            assert!(is_outage(outage), "{outage}");
        }
        for mistake in ["42601", "23505", "22P05", "1", "19", "2067", "20"] {
            assert!(!is_outage(mistake), "{mistake}");
        }
    }
}
