//! One way to lay out code.

use anyhow::Result;
use xshell::cmd;

use super::{Rule, complaints, house::House};

pub(super) const RULE: Rule = Rule { name: "formatting", remedy: "run `cargo xtask check --fix`", check };

fn check(house: &House) -> Result<Vec<String>> {
    let sh = &house.sh;
    complaints(cmd!(sh, "cargo fmt --all --check -- --color never"))
}

pub(super) fn fix(house: &House) -> Result<()> {
    let sh = &house.sh;
    Ok(cmd!(sh, "cargo fmt --all").quiet().run()?)
}
