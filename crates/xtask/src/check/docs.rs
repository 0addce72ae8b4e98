//! The documentation of the code builds, and its links lead somewhere.

use anyhow::Result;
use xshell::cmd;

use super::{Rule, complaints, house::House};

pub(super) const RULE: Rule = Rule { name: "docs", remedy: "repair the doc comments that rustdoc names", check };

fn check(house: &House) -> Result<Vec<String>> {
    let sh = &house.sh;
    complaints(cmd!(sh, "cargo doc --quiet --locked --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
}
