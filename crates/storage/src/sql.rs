//! Statements over many rows at once. Their texts are built once for each number of rows and kept, so that the engine finds them prepared.

use std::{
    fmt::Write,
    sync::{Arc, OnceLock},
};

use sqlx::AssertSqlSafe;

use crate::{conn::Statement, engine::Engine};

/// The most rows one statement takes. Larger batches use several.
const MOST: usize = 64;
/// 1, 2, 4, … 64.
const SIZES: usize = 7;

/// A statement with a `values` list of any length between a head and a tail.
pub(crate) struct ManyRows {
    head: &'static str,
    /// The type of each column, so that PostgreSQL knows it where nothing else says it.
    columns: &'static [Column],
    tail: Tail,
    /// By engine: tests use both in one process.
    texts: [[OnceLock<Arc<str>>; SIZES]; 2],
}

enum Tail {
    Fixed(&'static str),
    Built(Arc<str>),
}

/// The type of a bound value.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Text,
    Integer,
}

impl ManyRows {
    pub(crate) const fn fixed(head: &'static str, columns: &'static [Column], tail: &'static str) -> Self {
        Self { head, columns, tail: Tail::Fixed(tail), texts: [const { [const { OnceLock::new() }; SIZES] }; 2] }
    }

    /// With a tail that was put together here.
    pub(crate) fn new(head: &'static str, columns: &'static [Column], tail: Arc<str>) -> Self {
        Self { tail: Tail::Built(tail), ..Self::fixed(head, columns, "") }
    }

    /// The statement for a run, to which the values of its rows are to be bound.
    pub(crate) fn statement(&self, engine: Engine, rows: usize) -> Statement<'static> {
        sqlx::query(AssertSqlSafe(self.text(engine, rows)))
    }

    fn text(&self, engine: Engine, rows: usize) -> Arc<str> {
        debug_assert!(rows.is_power_of_two() && rows <= MOST, "a run has 1, 2, 4, … 64 rows");
        let texts = match engine {
            Engine::Sqlite => &self.texts[0],
            Engine::Postgres => &self.texts[1],
        };
        texts[rows.ilog2() as usize].get_or_init(|| self.build(engine, rows).into()).clone()
    }

    fn build(&self, engine: Engine, rows: usize) -> String {
        let mut text = self.head.to_owned();
        let mut number = 0;
        for row in 0..rows {
            text.push_str(if row == 0 { " (" } else { ", (" });
            for (index, column) in self.columns.iter().enumerate() {
                number += 1;
                let comma = if index == 0 { "" } else { ", " };
                let name = match column {
                    Column::Text => "text",
                    Column::Integer => "bigint",
                };
                let placeholder = engine.placeholder(number);
                let _ = write!(text, "{comma}cast({placeholder} as {name})");
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(match &self.tail {
            Tail::Fixed(tail) => tail,
            Tail::Built(tail) => tail,
        });
        text
    }
}

/// Cuts `rows` into runs for each of which there is a text: powers of two, so that there are few texts.
pub(crate) fn runs<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = (rest.len().checked_ilog2()? as usize).min(SIZES - 1);
        let (run, remaining) = rest.split_at(1 << size);
        rest = remaining;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    static PAIRS: ManyRows =
        ManyRows::fixed("insert into t (a, b) values", &[Column::Text, Column::Integer], "returning a");

    #[test]
    fn any_number_of_rows_is_cut_into_powers_of_two() {
        let rows: Vec<u32> = (0..171).collect();
        let lengths: Vec<usize> = runs(&rows).map(<[u32]>::len).collect();
        assert_eq!(lengths, [64, 64, 32, 8, 2, 1]);
        assert_eq!(runs(&rows).flatten().count(), 171);
        assert_eq!(runs(&[] as &[u32]).count(), 0);
    }

    #[test]
    fn each_engine_has_its_placeholders() {
        let expected = "insert into t (a, b) values (cast($1 as text), cast($2 as bigint)), \
                        (cast($3 as text), cast($4 as bigint)) returning a";
        assert_eq!(PAIRS.build(Engine::Postgres, 2), expected);
        let expected = "insert into t (a, b) values (cast(? as text), cast(? as bigint)) returning a";
        assert_eq!(PAIRS.build(Engine::Sqlite, 1), expected);
    }
}
