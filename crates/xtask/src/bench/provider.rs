//! The OpenID provider on one core, and beside it, on the same core, the npm package `oidc-provider`. The load comes from another.

mod page;
mod row;
mod stage;

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Bench, load::Seen, median, rows::Primitives, stock::Stock, table};
use page::Page;
pub(super) use row::Row;
use stage::Stage;

/// One measurement, and right beside it what it is compared with.
struct Turn {
    ours: Seen,
    bare: Seen,
    /// The npm package's, where it has the same.
    peer: Option<Seen>,
    /// The server's processor time for each request, in microseconds.
    processor: f64,
    primitives: Primitives,
}

type Part = fn(&Primitives) -> f64;

/// All that was seen, by row, and the first page.
pub(super) struct Measured(BTreeMap<Row, Vec<Turn>>, Page);

/// Measures the rows in turns.
pub(super) fn measure(bench: &Bench, stock: &Stock, rows: &[Row]) -> Result<Measured> {
    let stage = Stage::set_up(bench, stock)?;
    let mut measured = BTreeMap::<Row, Vec<Turn>>::new();
    for round in 1..=bench.rounds {
        println!("round {round} of {} of the provider, on one core", bench.rounds);
        for row in rows {
            let turn = stage.measure(*row)?;
            let rates = [turn.ours, turn.bare].map(|seen| table::thousands(seen.rate()));
            println!("  {}: {} /s, bare {} /s, {}", row.name(), rates[0], rates[1], table::percent(turn.share(*row)));
            measured.entry(*row).or_default().push(turn);
        }
    }
    let page = stage.first_page()?;
    stage.tear_down()?;
    Ok(Measured(measured, page))
}

impl Turn {
    fn limit(&self, row: Row) -> f64 {
        1e9 / (1e9 / self.bare.rate() + row.cost(&self.primitives))
    }

    fn share(&self, row: Row) -> f64 {
        self.ours.rate() / self.limit(row)
    }
}

impl Measured {
    pub(super) fn print(&self) {
        let lines: [(&str, Part); 6] = [
            ("ES256 sign", |of| of.sign),
            ("ES256 verify", |of| of.verify),
            ("EdDSA sign", |of| of.sign_eddsa),
            ("EdDSA verify", |of| of.verify_eddsa),
            ("durable insert, 64 in a commit", |of| of.insert),
            ("durable update, 64 in a commit", |of| of.update),
        ];
        let lines = lines.map(|(title, of)| {
            let all = self.0.values().flatten().map(|turn| of(&turn.primitives));
            vec![title.to_owned(), format!("{:.1}", median(all.collect()) / 1e3)]
        });
        table::print(&["act on that core", "µs"], &lines);
        let lines: Vec<Vec<String>> = self.0.iter().map(|(row, turns)| line(*row, turns)).collect();
        let head = [
            "the provider, on one core",
            "/s",
            "p50 ms",
            "p99 ms",
            "CPU µs",
            "bare /s",
            "its limit is",
            "limit /s",
            "share",
            "target",
            "oidc-provider /s",
            "ours is",
        ];
        table::print(&head, &lines);
        self.1.print();
    }
}

fn line(row: Row, turns: &[Turn]) -> Vec<String> {
    let middle = |of: &dyn Fn(&Turn) -> f64| median(turns.iter().map(of).collect());
    let peers: Vec<f64> = turns.iter().filter_map(|turn| Some(turn.peer?.rate())).collect();
    let ours = middle(&|turn| turn.ours.rate());
    let (peer, times) = if peers.is_empty() {
        (String::new(), String::new())
    } else {
        let peer = median(peers);
        (table::thousands(peer), format!("{:.1} ×", ours / peer))
    };
    vec![
        row.name().to_owned(),
        table::thousands(ours),
        format!("{:.1}", middle(&|turn| turn.ours.p50())),
        format!("{:.1}", middle(&|turn| turn.ours.p99())),
        format!("{:.0}", middle(&|turn| turn.processor)),
        table::thousands(middle(&|turn| turn.bare.rate())),
        row.needs().to_owned(),
        table::thousands(middle(&|turn| turn.limit(row))),
        table::percent(middle(&|turn| turn.share(row))),
        row.target().to_owned(),
        peer,
        times,
    ]
}
