//! A connection, lent for the length of one unit of work.

use std::{borrow::Cow, sync::OnceLock};

use metrics::{Counter, counter};
use sqlx::{
    Any, AnyConnection, AssertSqlSafe,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::{engine::Engine, error::Result};

/// A connection inside a transaction, or one that only reads.
pub struct Conn<'c> {
    inner: &'c mut AnyConnection,
    pub(crate) engine: Engine,
}

/// A statement with its arguments.
pub(crate) type Statement<'q> = Query<'q, Any, AnyArguments>;

/// A statement, to which arguments are bound in the order of `$1`, `$2`, ….
pub(crate) fn statement(sql: &'static str) -> Statement<'static> {
    sqlx::query(sql)
}

/// A statement whose text was put together here; no part of it comes from a caller.
pub(crate) fn built_statement(sql: impl Into<Cow<'static, str>>) -> Statement<'static> {
    sqlx::query(AssertSqlSafe(sql.into()))
}

impl<'c> Conn<'c> {
    pub(crate) fn new(inner: &'c mut AnyConnection, engine: Engine) -> Self {
        Self { inner, engine }
    }

    /// Runs a statement; says how many rows it touched.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64> {
        count_statement();
        Ok(statement.execute(&mut *self.inner).await?.rows_affected())
    }

    /// The one row of a statement that gives at most one.
    pub(crate) async fn fetch_optional(&mut self, statement: Statement<'_>) -> Result<Option<AnyRow>> {
        count_statement();
        Ok(statement.fetch_optional(&mut *self.inner).await?)
    }

    /// The one row of a statement that always gives one.
    pub(crate) async fn fetch_one(&mut self, statement: Statement<'_>) -> Result<AnyRow> {
        count_statement();
        Ok(statement.fetch_one(&mut *self.inner).await?)
    }

    /// All rows of a statement.
    pub(crate) async fn fetch_all(&mut self, statement: Statement<'_>) -> Result<Vec<AnyRow>> {
        count_statement();
        Ok(statement.fetch_all(&mut *self.inner).await?)
    }
}

/// What a request costs in statements is a promise of some of them: none at all.
fn count_statement() {
    static STATEMENTS: OnceLock<Counter> = OnceLock::new();
    STATEMENTS.get_or_init(|| counter!("countersign_sql_statements_total")).increment(1);
}
