//! Counting what `cargo test` prints.

use std::collections::BTreeMap;

use super::needs::Need;

/// What passed and what failed, by where it ran.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<String, Count>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
struct Count {
    passed: usize,
    failed: usize,
}

/// Tests in modules of these names are one function on two engines each, so both must count the same.
const ENGINES: [&str; 2] = ["sqlite", "postgres"];

impl Tally {
    /// Reads a line such as `test refresh::sqlite::a_lost_answer … ok`.
    pub(crate) fn read(&mut self, line: &str) {
        let Some((name, outcome)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) else {
            return;
        };
        let engine = ENGINES.iter().find(|engine| name.split("::").any(|part| part == **engine));
        let place = engine.copied().unwrap_or("elsewhere");
        match outcome.split(' ').next() {
            Some("ok") => self.add(place, 1, 0),
            Some("FAILED") => self.add(place, 0, 1),
            _ => {}
        }
    }

    pub(crate) fn add(&mut self, place: &str, passed: usize, failed: usize) {
        let count = self.counts.entry(place.to_owned()).or_default();
        count.passed += passed;
        count.failed += failed;
    }

    pub(crate) fn failed(&self) -> usize {
        self.counts.values().map(|count| count.failed).sum::<usize>() + usize::from(self.engines_differ())
    }

    fn passed(&self) -> usize {
        self.counts.values().map(|count| count.passed).sum()
    }

    fn on(&self, place: &str) -> Count {
        self.counts.get(place).copied().unwrap_or_default()
    }

    /// A storage function that was tried on one engine alone is a gap.
    fn engines_differ(&self) -> bool {
        let [sqlite, postgres] = ENGINES.map(|engine| self.on(engine));
        postgres != Count::default() && sqlite.passed + sqlite.failed != postgres.passed + postgres.failed
    }

    /// The last line reads `N passed, N failed`.
    pub(crate) fn print(&self, without: &[Need]) {
        println!();
        for (place, count) in &self.counts {
            println!("{place:>10}: {} passed, {} failed", count.passed, count.failed);
        }
        if self.engines_differ() {
            println!("    failed: the engines ran different numbers of tests");
        }
        let mut last = format!("{} passed, {} failed", self.passed(), self.failed());
        if !without.is_empty() {
            let names: Vec<&str> = without.iter().map(|need| need.name()).collect();
            last = format!("{last} (without {})", names.join(", "));
        }
        println!("{last}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for line in lines {
            tally.read(line);
        }
        tally
    }

    #[test]
    fn tests_are_counted_by_engine() {
        let tally = tally(&[
            "running 3 tests",
            "test refresh::sqlite::a_lost_answer ... ok",
            "test refresh::postgres::a_lost_answer ... FAILED",
            "test text::an_address ... ok",
            "test result: FAILED. 2 passed; 1 failed",
        ]);
        assert_eq!(tally.on("sqlite"), Count { passed: 1, failed: 0 });
        assert_eq!(tally.on("postgres"), Count { passed: 0, failed: 1 });
        assert_eq!((tally.passed(), tally.failed()), (2, 1));
    }

    #[test]
    fn a_test_on_one_engine_alone_is_a_failure() {
        let tally = tally(&["test a::sqlite::x ... ok", "test a::sqlite::y ... ok", "test a::postgres::x ... ok"]);
        assert_eq!((tally.passed(), tally.failed()), (3, 1));
    }
}
