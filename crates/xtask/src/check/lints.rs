//! The lints hold in every crate, and are silenced only with a reason.

use anyhow::Result;
use toml::{Table, Value};

use super::{Rule, house::House};

pub(super) const RULE: Rule = Rule {
    name: "lints",
    remedy: "keep `unsafe_code = \"forbid\"` and `[lints] workspace = true`, and write `#[expect(lint, reason = \"…\")]`",
    check,
};

/// Attributes that silence without an end: nothing says when they are no longer needed.
const ALLOW: &str = r"#!?\[(cfg_attr\(.*)?allow\(";

fn check(house: &House) -> Result<Vec<String>> {
    let mut problems = house.lines_matching(ALLOW, &["*.rs"])?;
    let root: Table = house.text("Cargo.toml")?.parse()?;
    if !forbids_unsafe(&root) {
        problems.push("Cargo.toml: `unsafe_code` is no longer forbidden".to_owned());
    }
    for package in house.metadata.workspace_packages() {
        let manifest: Table = house.sh.read_file(&package.manifest_path)?.parse()?;
        if !inherits_lints(&manifest) {
            problems.push(format!("{}: its manifest doesn't take the lints of the workspace", package.name));
        }
    }
    Ok(problems)
}

fn forbids_unsafe(root: &Table) -> bool {
    let lint = root.get("workspace").and_then(|it| it.get("lints")?.get("rust")?.get("unsafe_code"));
    lint.and_then(Value::as_str) == Some("forbid")
}

fn inherits_lints(manifest: &Table) -> bool {
    manifest.get("lints").and_then(|it| it.get("workspace")) == Some(&Value::Boolean(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_takes_the_lints_of_the_workspace_or_is_found() {
        assert!(inherits_lints(&"[lints]\nworkspace = true".parse().unwrap()));
        assert!(!inherits_lints(&"[lints]\nworkspace = false".parse().unwrap()));
        assert!(!inherits_lints(&"[package]\nname = \"a\"".parse().unwrap()));
    }

    #[test]
    fn unsafe_code_is_forbidden_not_denied() {
        assert!(forbids_unsafe(&"[workspace.lints.rust]\nunsafe_code = \"forbid\"".parse().unwrap()));
        assert!(!forbids_unsafe(&"[workspace.lints.rust]\nunsafe_code = \"deny\"".parse().unwrap()));
        assert!(!forbids_unsafe(&"[workspace]".parse().unwrap()));
    }
}
