//! Clippy has nothing to say.

use anyhow::Result;
use xshell::cmd;

use super::{Rule, complaints, house::House};

pub(super) const RULE: Rule = Rule {
    name: "clippy",
    remedy: "do what Clippy says, or write `#[expect(lint, reason = \"…\")]` where it is wrong",
    check,
};

fn check(house: &House) -> Result<Vec<String>> {
    let sh = &house.sh;
    complaints(cmd!(sh, "cargo clippy --quiet --locked --workspace --all-targets -- -D warnings"))
}
