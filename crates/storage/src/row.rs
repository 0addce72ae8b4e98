//! Reading rows: whatever isn't what we wrote is named by table, column and row.

use std::str::FromStr;

use countersign_domain::clock::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Any, Decode, Row, Type, any::AnyRow};

use crate::error::{Corrupt, Error, Result};

/// A row of a table, read column by column.
pub(crate) struct Reader<'r> {
    row: &'r AnyRow,
    table: &'static str,
    key: &'static [&'static str],
}

impl<'r> Reader<'r> {
    /// Reads a row of `table` whose primary key, after the project, is `key`.
    pub(crate) fn new(row: &'r AnyRow, table: &'static str, key: &'static [&'static str]) -> Self {
        Self { row, table, key }
    }

    fn column<T>(&self, column: &'static str) -> Result<T>
    where
        T: Decode<'r, Any> + Type<Any>,
    {
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String> {
        self.column(column)
    }

    pub(crate) fn optional_text(&self, column: &'static str) -> Result<Option<String>> {
        self.column(column)
    }

    pub(crate) fn integer<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T> {
        T::try_from(self.column::<i64>(column)?).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp> {
        Ok(Timestamp::from_micros(self.column(column)?))
    }

    pub(crate) fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.column::<Option<i64>>(column)?.map(Timestamp::from_micros))
    }

    /// A text that means something.
    pub(crate) fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T> {
        self.text(column)?.parse().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn optional_parsed<T: FromStr>(&self, column: &'static str) -> Result<Option<T>> {
        let text = self.optional_text(column)?;
        text.map(|text| text.parse()).transpose().map_err(|_| self.corrupt(column))
    }

    /// A text that holds JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|_| self.corrupt(column))
    }

    /// A text that `read` understands.
    pub(crate) fn read<T>(&self, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        read(&self.text(column)?).ok_or_else(|| self.corrupt(column))
    }

    /// The same of a column that may be empty.
    pub(crate) fn optional_read<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.optional_text(column)? {
            None => Ok(None),
            Some(text) => read(&text).map(Some).ok_or_else(|| self.corrupt(column)),
        }
    }

    pub(crate) fn corrupt(&self, column: &'static str) -> Error {
        let part = |column: &&str| self.row.try_get::<String, _>(*column).unwrap_or_else(|_| "?".to_owned());
        let row = std::iter::once(&"project_id").chain(self.key).map(part).collect::<Vec<_>>().join("/");
        Error::Corrupt(Corrupt { table: self.table, column, row })
    }
}

/// Short plain data as JSON text.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    #[expect(clippy::expect_used, reason = "plain data of this floor, whose keys are texts")]
    serde_json::to_string(value).expect("plain data is JSON")
}
