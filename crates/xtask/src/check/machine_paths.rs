//! Nothing that is kept names a folder of the machine on which it was written.

use anyhow::Result;

use super::{Rule, house::House};

pub(super) const RULE: Rule =
    Rule { name: "machine paths", remedy: "write the path from the project's folder, or make it an argument", check };

const PATHS: &str = r"(^|[^a-zA-Z0-9_.-])/(work|farm|root)/";

fn check(house: &House) -> Result<Vec<String>> {
    house.lines_matching(PATHS, &[])
}
