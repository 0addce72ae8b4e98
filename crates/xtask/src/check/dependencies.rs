//! Licences, sources and doubles of the crates we build on. The advisory database is fetched from the network at each use, so a check that
//! must work without one leaves it out.

use anyhow::Result;
use xshell::cmd;

use super::{Rule, complaints, house::House};
use crate::tools::cargo_tool;

pub(super) const RULE: Rule = Rule {
    name: "dependencies",
    remedy: "choose another crate or version; change deny.toml only with a reason, and take out what is no longer needed",
    check,
};

fn check(house: &House) -> Result<Vec<String>> {
    let sh = &house.sh;
    let cargo_deny = cargo_tool(sh, "cargo-deny", "0.20.2")?;
    complaints(cmd!(sh, "{cargo_deny} --locked check --deny warnings --hide-inclusion-graph bans licenses sources"))
}
