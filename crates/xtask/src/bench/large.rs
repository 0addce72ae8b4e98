//! What a large database changes: the start, and the slowest of a hundred vouches.

use anyhow::Result;

use super::{
    Bench,
    door_two::{self, Known},
    measured::vouch_options,
    median,
    process::Server,
    stock::{self, Stock},
    table,
};

const FEW: u32 = 10_000;
const MILLION: u32 = 1_000_000;

pub(super) struct Large {
    ready_after: f64,
    few_users: Vouches,
    many_users: Vouches,
    known: Known,
}

/// What was seen of them.
#[derive(Default)]
struct Vouches {
    /// In milliseconds.
    p99: Vec<f64>,
    /// The server's processor time for each, in microseconds.
    processor: Vec<f64>,
}

/// Compares a large database with a small one.
pub(super) fn measure(bench: &Bench) -> Result<Large> {
    let small_stock = without_limits(bench, "small", FEW)?;
    let stock = without_limits(bench, "large", MILLION)?;
    let mut ready = Vec::new();
    for _ in 0..bench.rounds {
        let server = Server::start(&stock)?;
        ready.push(server.process.ready_after.as_secs_f64());
        server.stop()?;
    }
    let (small, large) = (Server::start(&small_stock)?, Server::start(&stock)?);
    let (mut few_users, mut many_users) = (Vouches::default(), Vouches::default());
    for _ in 0..bench.rounds {
        few_users.add(bench, &small, FEW)?;
        many_users.add(bench, &large, MILLION)?;
    }
    small.stop()?;
    large.stop()?;
    let known = door_two::million(bench, &stock)?;
    Ok(Large { ready_after: median(ready), few_users, many_users, known })
}

fn without_limits(bench: &Bench, name: &str, users: u32) -> Result<Stock> {
    let stock = stock::fill(bench, name, users, users)?;
    stock.lift_limits(bench)?;
    Ok(stock)
}

impl Vouches {
    fn add(&mut self, bench: &Bench, server: &Server, users: u32) -> Result<()> {
        let before = server.process.processor_time()?;
        let seen = bench.load.run(bench, server.process.port, "vouch", &vouch_options(server, users))?;
        self.processor.push(seen.each(server.process.processor_time()? - before) * 1e6);
        self.p99.push(seen.p99());
        Ok(())
    }
}

impl Large {
    pub(super) fn print(&self) {
        let compared = |title: &str, unit: &str, of: fn(&Vouches) -> &Vec<f64>, target: &str| {
            let (few, many) = (median(of(&self.few_users).clone()), median(of(&self.many_users).clone()));
            let both = format!("{few:.0} {unit}, {many:.0} {unit}: {:.2} ×", many / few);
            vec![title.to_owned(), both, target.to_owned()]
        };
        let ready = format!("{:.0} ms", self.ready_after * 1e3);
        table::print(
            &["large database", "measured", "target"],
            &[
                vec!["ready on 1,000,000 sessions".to_owned(), ready, "< 1 s".to_owned()],
                compared("vouch p99, 10,000 and 1,000,000 users", "ms", |of| &of.p99, "≤ 1.3 ×"),
                compared("vouch CPU, 10,000 and 1,000,000 users", "µs", |of| &of.processor, ""),
            ],
        );
        self.known.print();
    }
}
