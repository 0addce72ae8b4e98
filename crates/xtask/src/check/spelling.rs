//! Words are spelt right.

use anyhow::Result;
use xshell::cmd;

use super::{Rule, complaints, house::House};
use crate::tools::{python, root};

pub(super) const RULE: Rule =
    Rule { name: "spelling", remedy: "correct the word, or teach it to typos.toml if it is one", check };

fn check(house: &House) -> Result<Vec<String>> {
    let sh = &house.sh;
    let typos = python(sh, "check", &root().join("crates/xtask/requirements-check.txt"))?.join("typos");
    complaints(cmd!(sh, "{typos} --format brief"))
}
