//! Measuring in turns, so that noise hits all alike, and the tables of it.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    Bench, USERS, door_two,
    load::{Seen, mint},
    median,
    process::{Baseline, Server},
    rows::{Primitives, Row},
    table,
};

/// As many users as tokens are shown in `me-warm`.
pub(super) const KNOWN: u32 = 15_000;

type Part = fn(&Primitives) -> f64;

/// All that was seen, by row.
#[derive(Default)]
pub(super) struct Measured {
    rows: BTreeMap<Row, Vec<Turn>>,
}

/// One measurement, and right beside it what it is compared with.
struct Turn {
    ours: Seen,
    bare: Seen,
    /// The server's processor time for each request, in microseconds.
    processor: f64,
    primitives: Primitives,
}

impl Measured {
    /// Measures each row once more.
    pub(super) fn add_round(
        &mut self,
        bench: &Bench,
        rows: &[Row],
        server: &Server,
        baseline: &Baseline,
        round: u32,
    ) -> Result<()> {
        for row in rows {
            let turn = measure(bench, *row, server, baseline, round)?;
            let (ours, bare) = (table::thousands(turn.ours.rate()), table::thousands(turn.bare.rate()));
            println!("  {}: {ours} /s, bare {bare} /s, {}", row.name(), table::percent(turn.share(*row)));
            self.rows.entry(*row).or_default().push(turn);
        }
        Ok(())
    }
}

/// The same load on the bare server and on ours.
fn measure(bench: &Bench, row: Row, server: &Server, baseline: &Baseline, round: u32) -> Result<Turn> {
    let (load, script) = match row {
        Row::Vouch => (bench.load, "vouch"),
        Row::SignUp => (bench.load, "sign_up"),
        Row::Refresh => (bench.load, "refresh"),
        Row::MeWarm => (bench.load, "me"),
        Row::MeCold => (bench.load.short(), "me"),
        Row::Verify | Row::Gateway => (bench.load, "verify"),
    };
    let mut options = match row {
        Row::Vouch => vouch_options(server, USERS).to_vec(),
        Row::SignUp => vec![format!("key={}", server.key), format!("run={round:03}")],
        Row::Refresh | Row::MeCold => vec![format!("tokens={}", mint(bench, server, bench.load.long())?.display())],
        Row::MeWarm => vec![format!("tokens={}", mint(bench, server, bench.load.short())?.display())],
        Row::Verify => door_two::options(bench, server, "/verify", KNOWN),
        Row::Gateway => door_two::options(bench, server, "/interactions", KNOWN),
    };
    let primitives = Primitives::measure(bench)?;
    let bare = load.run(bench, baseline.process.port, script, &options)?;
    match row {
        Row::MeCold => options.push("once=yes".to_owned()),
        // Each of them is seen once before.
        Row::MeWarm => drop(bench.load.long().run(bench, server.process.port, script, &options)?),
        Row::Verify | Row::Gateway => drop(load.run(bench, server.process.port, script, &options)?),
        Row::Vouch | Row::SignUp | Row::Refresh => {}
    }
    let before = server.process.processor_time()?;
    let ours = load.run(bench, server.process.port, script, &options)?;
    let processor = ours.each(server.process.processor_time()? - before) * 1e6;
    Ok(Turn { ours, bare, processor, primitives })
}

pub(super) fn vouch_options(server: &Server, users: u32) -> [String; 2] {
    [format!("key={}", server.key), format!("users={users}")]
}

impl Turn {
    /// Requests a second, if nothing had to be done but what can't be left out.
    fn limit(&self, row: Row) -> f64 {
        self.within(row.cost(&self.primitives))
    }

    fn share(&self, row: Row) -> f64 {
        self.ours.rate() / self.limit(row)
    }

    fn strict_share(&self, row: Row) -> f64 {
        self.ours.rate() / self.within(row.least_cost(&self.primitives))
    }

    fn within(&self, cost: f64) -> f64 {
        1e9 / (1e9 / self.bare.rate() + cost)
    }
}

impl Measured {
    pub(super) fn print(&self) {
        self.print_primitives();
        let lines: Vec<Vec<String>> = self.rows.iter().map(|(row, turns)| line(*row, turns)).collect();
        let head = [
            "request",
            "/s",
            "p50 ms",
            "p99 ms",
            "CPU µs",
            "bare /s",
            "its limit is",
            "limit /s",
            "share",
            "of all cores",
            "target",
        ];
        table::print(&head, &lines);
    }

    fn print_primitives(&self) {
        let lines: [(&str, Part); 7] = [
            ("ES256 sign, one core", |of| of.sign),
            ("ES256 sign, all cores at once", |of| of.sign_all_cores),
            ("ES256 verify, one core", |of| of.verify),
            ("ES256 verify, all cores at once", |of| of.verify_all_cores),
            ("HMAC-SHA256", |of| of.hmac),
            ("durable insert, 64 in a commit", |of| of.insert),
            ("durable update, 64 in a commit", |of| of.update),
        ];
        let lines = lines.map(|(title, of)| {
            let all = self.rows.values().flatten().map(|turn| of(&turn.primitives));
            vec![title.to_owned(), format!("{:.1}", median(all.collect()) / 1e3)]
        });
        table::print(&["act", "µs"], &lines);
    }
}

fn line(row: Row, turns: &[Turn]) -> Vec<String> {
    let middle = |of: &dyn Fn(&Turn) -> f64| median(turns.iter().map(of).collect());
    vec![
        row.name().to_owned(),
        table::thousands(middle(&|turn| turn.ours.rate())),
        format!("{:.1}", middle(&|turn| turn.ours.p50())),
        format!("{:.1}", middle(&|turn| turn.ours.p99())),
        format!("{:.0}", middle(&|turn| turn.processor)),
        table::thousands(middle(&|turn| turn.bare.rate())),
        row.needs().to_owned(),
        table::thousands(middle(&|turn| turn.limit(row))),
        table::percent(middle(&|turn| turn.share(row))),
        table::percent(middle(&|turn| turn.strict_share(row))),
        row.target().to_owned(),
    ]
}
