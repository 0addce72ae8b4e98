//! What a large database changes: the start, and the slowest of a hundred vouches.

use anyhow::Result;

use super::{Bench, USERS, measured::vouch_options, median, process::Server, stock, table};

const MILLION: u32 = 1_000_000;

pub(super) struct Large {
    ready_after: f64,
    p99_few_users: f64,
    p99_many_users: f64,
}

/// Compares with a server that runs on the small database.
pub(super) fn measure(bench: &Bench, small: &Server) -> Result<Large> {
    let stock = stock::fill(bench, "large", MILLION, MILLION)?;
    stock.lift_limits(bench)?;
    let mut ready = Vec::new();
    for _ in 0..bench.rounds {
        let server = Server::start(&stock)?;
        ready.push(server.process.ready_after.as_secs_f64());
        server.stop()?;
    }
    let large = Server::start(&stock)?;
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        for (server, users, p99s) in [(small, USERS, &mut few), (&large, MILLION, &mut many)] {
            let seen = bench.load.run(bench, server.process.port, "vouch", &vouch_options(server, users))?;
            p99s.push(seen.p99());
        }
    }
    large.stop()?;
    Ok(Large { ready_after: median(ready), p99_few_users: median(few), p99_many_users: median(many) })
}

impl Large {
    pub(super) fn print(&self) {
        let ms = |milliseconds: f64| format!("{milliseconds:.1} ms");
        let ratio = self.p99_many_users / self.p99_few_users;
        table::print(
            &["large database", "measured", "target"],
            &[
                vec![
                    "ready on 1,000,000 sessions".to_owned(),
                    format!("{:.0} ms", self.ready_after * 1e3),
                    "< 1 s".to_owned(),
                ],
                vec!["vouch p99, 10,000 users".to_owned(), ms(self.p99_few_users), String::new()],
                vec![
                    "vouch p99, 1,000,000 users".to_owned(),
                    format!("{}, {ratio:.2} ×", ms(self.p99_many_users)),
                    "≤ 1.3 ×".to_owned(),
                ],
            ],
        );
    }
}
