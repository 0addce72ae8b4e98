//! Reading rows: whatever isn't what we wrote is named by table, column and row.

use std::str::FromStr;

use countersign_domain::{
    clock::Timestamp,
    proof::{Method, Proof},
};
use serde::de::DeserializeOwned;
use sqlx::{Row, any::AnyRow};

use crate::{
    error::{Corrupt, Error, Result},
    packed::PackedRow,
};

/// A row of a table, read column by column.
pub(crate) struct Reader<'r> {
    row: Source<'r>,
    table: &'static str,
    key: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Source<'r> {
    Row(&'r AnyRow),
    Packed(&'r PackedRow<'r>),
}

impl<'r> Reader<'r> {
    /// Reads a row of `table` whose primary key, after the project, is `key`.
    pub(crate) fn new(row: &'r AnyRow, table: &'static str, key: &'static [&'static str]) -> Self {
        Self { row: Source::Row(row), table, key }
    }

    /// The same of a row that came with others as one text.
    pub(crate) fn packed(row: &'r PackedRow<'r>, table: &'static str, key: &'static [&'static str]) -> Self {
        Self { row: Source::Packed(row), table, key }
    }

    fn optional_str(&self, column: &'static str) -> Result<Option<&'r str>> {
        match self.row {
            Source::Row(row) => row.try_get(column).map_err(|_| self.corrupt(column)),
            Source::Packed(row) => row.text(column).map_err(|()| self.corrupt(column)),
        }
    }

    fn str(&self, column: &'static str) -> Result<&'r str> {
        self.optional_str(column)?.ok_or_else(|| self.corrupt(column))
    }

    fn optional_i64(&self, column: &'static str) -> Result<Option<i64>> {
        match self.row {
            Source::Row(row) => row.try_get(column).map_err(|_| self.corrupt(column)),
            Source::Packed(_) => {
                let text = self.optional_str(column)?;
                text.map(|text| text.parse().map_err(|_| self.corrupt(column))).transpose()
            }
        }
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String> {
        self.str(column).map(str::to_owned)
    }

    pub(crate) fn optional_text(&self, column: &'static str) -> Result<Option<String>> {
        Ok(self.optional_str(column)?.map(str::to_owned))
    }

    pub(crate) fn integer<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T> {
        let value = self.optional_i64(column)?.and_then(|value| T::try_from(value).ok());
        value.ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp> {
        self.optional_time(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.optional_i64(column)?.map(Timestamp::from_micros))
    }

    /// A text that means something.
    pub(crate) fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T> {
        self.str(column)?.parse().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn optional_parsed<T: FromStr>(&self, column: &'static str) -> Result<Option<T>> {
        let text = self.optional_str(column)?;
        text.map(str::parse).transpose().map_err(|_| self.corrupt(column))
    }

    /// A text that holds JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(self.str(column)?).map_err(|_| self.corrupt(column))
    }

    /// A text that `read` understands.
    pub(crate) fn read<T>(&self, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        read(self.str(column)?).ok_or_else(|| self.corrupt(column))
    }

    /// The same of a column that may be empty.
    pub(crate) fn optional_read<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.optional_str(column)? {
            None => Ok(None),
            Some(text) => read(text).map(Some).ok_or_else(|| self.corrupt(column)),
        }
    }

    /// How somebody was proved: every table that says so says it in these three columns.
    pub(crate) fn proof(&self) -> Result<Proof> {
        Ok(Proof { methods: self.read("amr", read_methods)?, level: self.parsed("acr")?, at: self.time("auth_time")? })
    }

    pub(crate) fn corrupt(&self, column: &'static str) -> Error {
        let part = |column: &&str| match self.row {
            Source::Row(row) => row.try_get::<String, _>(*column).unwrap_or_else(|_| "?".to_owned()),
            Source::Packed(row) => row.text(column).ok().flatten().unwrap_or("?").to_owned(),
        };
        let row = std::iter::once(&"project_id").chain(self.key).map(part).collect::<Vec<_>>().join("/");
        Error::Corrupt(Corrupt { table: self.table, column, row })
    }
}

fn read_methods(json: &str) -> Option<Vec<Method>> {
    let texts: Vec<String> = serde_json::from_str(json).ok()?;
    texts.iter().map(|text| text.parse().ok()).collect()
}

/// Short plain data as JSON text.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    #[expect(clippy::expect_used, reason = "plain data of this floor, whose keys are texts")]
    serde_json::to_string(value).expect("plain data is JSON")
}
