//! The file of a SQLite database: is it still where it was opened?
//!
//! One that was deleted or replaced stays open and takes what is written with it, so nobody would find again what was acknowledged.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use sqlx::{AnyConnection, Row};

use crate::error::{Error, Result};

/// Which file that is.
pub(crate) struct DatabaseFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl DatabaseFile {
    /// The one that a connection has open.
    pub(crate) async fn of(conn: &mut AnyConnection) -> Result<Self> {
        let sql = "select file from pragma_database_list where name = 'main'";
        let path: String = sqlx::query(sql).fetch_one(conn).await?.try_get(0)?;
        let path = PathBuf::from(path);
        let identity = identity(&path).map_err(|problem| away(&path, &problem))?;
        Ok(Self { path, identity })
    }

    /// Fails unless it is there.
    pub(crate) fn check(&self) -> Result<()> {
        match identity(&self.path) {
            Ok(identity) if identity == self.identity => Ok(()),
            Ok(_) => {
                Err(away(&self.path, &"another file has taken its place; start the server again to work with that one"))
            }
            Err(problem) => Err(away(&self.path, &problem)),
        }
    }
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

fn away(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    Error::Unavailable(format!("the database file {} was taken away: {problem}", path.display()))
}
