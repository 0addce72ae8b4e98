//! A test that doesn't run is no test.

use anyhow::Result;

use super::{Rule, house::House};

pub(super) const RULE: Rule =
    Rule { name: "skipped tests", remedy: "repair the test, or delete it together with what it promised", check };

/// How each language says it, and where.
const MARKERS: &[(&str, &[&str])] = &[
    (r"#\[(cfg_attr\(.*)?ignore[] =]", &["*.rs"]),
    (r"[^a-zA-Z]t\.Skip(f|Now)?\(", &["*.go"]),
    (r"\.(skip|todo)\(", &["*.ts", "*.js", "*.mjs"]),
    (r"pytest\.(mark\.)?(skip|xfail)|unittest\.skip", &["*.py"]),
];

fn check(house: &House) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (marker, files) in MARKERS {
        found.extend(house.lines_matching(marker, files)?);
    }
    Ok(found)
}
