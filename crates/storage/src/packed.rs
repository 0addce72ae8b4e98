//! Reading many rows as one text. The driver hands rows over one at a time, from thread to thread, and for short rows that costs more than
//! finding them; so the engine joins them, with the two control characters that Unicode has for records and units. None of our texts can
//! contain one: control characters are refused where texts come in.

use std::sync::{Arc, OnceLock};

use sqlx::any::AnyRow;

use crate::{
    Conn,
    engine::Engine,
    error::{Corrupt, Error, Result},
    row::Reader,
    sql::{Column, ManyRows},
};

/// U+001E.
const BETWEEN_RECORDS: char = '\u{1e}';
/// U+001F.
const BETWEEN_UNITS: char = '\u{1f}';
/// U+001D, for what is null.
const NULL: &str = "\u{1d}";

/// A column of the result.
#[derive(Clone, Copy)]
pub(crate) struct PackedColumn {
    /// What readers call it.
    pub(crate) name: &'static str,
    /// Where it comes from.
    pub(crate) from: &'static str,
    /// May it be null?
    pub(crate) is_nullable: bool,
}

/// A column that is never null.
pub(crate) const fn column(name: &'static str, from: &'static str) -> PackedColumn {
    PackedColumn { name, from, is_nullable: false }
}

/// A column that may be null.
pub(crate) const fn nullable(name: &'static str, from: &'static str) -> PackedColumn {
    PackedColumn { name, from, is_nullable: true }
}

/// A lookup of many rows at once, by a list of wanted values.
pub(crate) struct PackedLookup {
    /// Up to `values`.
    head: &'static str,
    wanted: &'static [Column],
    columns: &'static [PackedColumn],
    /// From `from` on.
    tail: &'static str,
    statement: OnceLock<ManyRows>,
}

impl PackedLookup {
    pub(crate) const fn new(
        head: &'static str,
        wanted: &'static [Column],
        columns: &'static [PackedColumn],
        tail: &'static str,
    ) -> Self {
        Self { head, wanted, columns, tail, statement: OnceLock::new() }
    }

    /// The statement, to which the wanted values are to be bound.
    pub(crate) fn statement(&self, engine: Engine, rows: usize) -> crate::conn::Statement<'static> {
        let many = self.statement.get_or_init(|| ManyRows::new(self.head, self.wanted, self.build_tail()));
        many.statement(engine, rows)
    }

    fn build_tail(&self) -> Arc<str> {
        let unit = |column: &PackedColumn| {
            if column.is_nullable {
                format!("coalesce(cast({} as text), '{NULL}')", column.from)
            } else {
                column.from.to_owned()
            }
        };
        let units = self.columns.iter().map(unit).collect::<Vec<_>>().join(", ");
        let tail = self.tail;
        format!(") select string_agg(concat_ws('{BETWEEN_UNITS}', {units}), '{BETWEEN_RECORDS}') as packed {tail}")
            .into()
    }

    /// Runs a statement of this lookup and takes its result apart.
    pub(crate) async fn fetch(
        &self,
        conn: &mut Conn<'_>,
        statement: crate::conn::Statement<'_>,
        table: &'static str,
    ) -> Result<Packed> {
        let row: AnyRow = conn.fetch_one(statement).await?;
        let text = Reader::new(&row, table, &[]).optional_text("packed")?;
        Ok(Packed { text: text.unwrap_or_default(), columns: self.columns, table })
    }
}

/// The rows of a lookup.
pub(crate) struct Packed {
    text: String,
    columns: &'static [PackedColumn],
    table: &'static str,
}

impl Packed {
    /// The rows, one after the other.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Result<PackedRow<'_>>> {
        let records = self.text.split(BETWEEN_RECORDS).filter(|record| !record.is_empty());
        records.map(|record| {
            let units: Vec<&str> = record.split(BETWEEN_UNITS).collect();
            if units.len() == self.columns.len() {
                Ok(PackedRow { units, columns: self.columns })
            } else {
                Err(Error::Corrupt(Corrupt { table: self.table, column: "packed", row: "?".to_owned() }))
            }
        })
    }
}

/// A row of a lookup.
pub(crate) struct PackedRow<'p> {
    units: Vec<&'p str>,
    columns: &'static [PackedColumn],
}

impl PackedRow<'_> {
    /// A column's text; none: null. `Err`: there is no such column.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, ()> {
        let index = self.columns.iter().position(|column| column.name == name).ok_or(())?;
        let unit = self.units[index];
        Ok((unit != NULL).then_some(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LOOKUP: PackedLookup = PackedLookup::new(
        "with w (n) as (values",
        &[Column::Integer],
        &[column("n", "w.n"), nullable("at", "t.at")],
        "from w cross join t where t.n = w.n",
    );

    #[test]
    fn nulls_and_texts_come_apart_again() {
        let packed = Packed { text: "1\u{1f}\u{1d}\u{1e}2\u{1f}".to_owned(), columns: LOOKUP.columns, table: "t" };
        let rows: Vec<PackedRow<'_>> = packed.rows().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].text("n"), rows[0].text("at")), (Ok(Some("1")), Ok(None)));
        assert_eq!((rows[1].text("n"), rows[1].text("at")), (Ok(Some("2")), Ok(Some(""))));
        assert_eq!(rows[0].text("other"), Err(()));
    }

    #[test]
    fn a_record_of_another_shape_is_corrupt() {
        let packed = Packed { text: "1\u{1f}2\u{1f}3".to_owned(), columns: LOOKUP.columns, table: "t" };
        assert!(packed.rows().next().unwrap().is_err());
        let nothing = Packed { text: String::new(), columns: LOOKUP.columns, table: "t" };
        assert_eq!(nothing.rows().count(), 0);
    }
}
