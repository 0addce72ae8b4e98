//! What the program can say about itself is written by the program, and kept for those who read without running it.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::cmd;

use super::{Rule, house::House};

pub(super) const RULE: Rule =
    Rule { name: "generated files", remedy: "run `cargo xtask check --fix` and commit", check };

type Generate = fn(&Program) -> Result<String>;

const FILES: &[(&str, Generate)] =
    &[("docs/reference/openapi.json", openapi), ("docs/reference/settings.md", settings)];

fn check(house: &House) -> Result<Vec<String>> {
    let program = Program::build(house)?;
    let mut stale = Vec::new();
    for (file, generate) in FILES {
        let is_current = house.files.contains(*file) && house.text(file)? == generate(&program)?;
        if !is_current {
            stale.push(format!("{file} isn't what the program says"));
        }
    }
    Ok(stale)
}

pub(super) fn fix(house: &House) -> Result<()> {
    let program = Program::build(house)?;
    for (file, generate) in FILES {
        house.sh.write_file(file, generate(&program)?)?;
    }
    Ok(())
}

/// `countersign`, as it stands here.
struct Program<'a> {
    house: &'a House,
    path: PathBuf,
}

impl<'a> Program<'a> {
    fn build(house: &'a House) -> Result<Self> {
        let sh = &house.sh;
        cmd!(sh, "cargo build --quiet --locked --package countersign-server --bin countersign").quiet().run()?;
        Ok(Self { house, path: house.metadata.target_directory.join("debug/countersign").into() })
    }

    /// What it prints. The environment is empty, lest it name somebody's database.
    fn says(&self, args: &[&str]) -> Result<String> {
        let (sh, path) = (&self.house.sh, &self.path);
        let output = cmd!(sh, "{path} {args...}").env_clear().quiet().output()?;
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn openapi(program: &Program<'_>) -> Result<String> {
    program.says(&["openapi"])
}

/// The settings of a project and a client that have just been made, which are the defaults.
fn settings(program: &Program<'_>) -> Result<String> {
    let data = program.house.sh.create_temp_dir()?;
    let data = data.path().to_str().context("the folder for temporary files has an odd name")?;
    let says = |args: &[&str]| program.says(&[&["--data", data, "--json"], args].concat());
    says(&["project", "create", "example"])?;
    says(&["client", "create", "app", "--kind", "web"])?;
    let of_project = settings_in(&says(&["project", "show"])?)?;
    let of_client = settings_in(&says(&["client", "show", "app"])?)?;
    settings_table(&of_project, &of_client)
}

fn settings_in(shown: &str) -> Result<BTreeMap<String, Value>> {
    let mut shown: Value = serde_json::from_str(shown)?;
    Ok(serde_json::from_value(shown["settings"].take())?)
}

fn settings_table(of_project: &BTreeMap<String, Value>, of_client: &BTreeMap<String, Value>) -> Result<String> {
    let mut text = "# Settings\n\n\
        Written by `cargo xtask check --fix` from what the program says.\n\n\
        `countersign project set PROJECT NAME=VALUE` sets one for a project, `countersign client set CLIENT NAME=VALUE` for one of \
        its clients, where a client can differ. An empty value is the default again.\n\n\
        | name | default | a client can differ | meaning |\n\
        |---|---|---|---|\n"
        .to_owned();
    for (name, setting) in of_project {
        let part = |part: &str| setting[part].as_str().with_context(|| format!("`{name}` has no {part}"));
        let default = match part("value")? {
            "" => "–".to_owned(),
            value => format!("`{value}`"),
        };
        let differs = if of_client.contains_key(name) { "yes" } else { "–" };
        let meaning = part("meaning")?.replace('|', "\\|");
        writeln!(text, "| `{name}` | {default} | {differs} | {meaning} |")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_row() {
        let shown = r#"{"settings": {
            "b.c": {"value": "15m", "meaning": "One | two.", "set_by": "default"},
            "a": {"value": "", "meaning": "Three.", "set_by": "default"}
        }}"#;
        let of_project = settings_in(shown).unwrap();
        let of_client = settings_in(r#"{"settings": {"b.c": {}}}"#).unwrap();
        let table = settings_table(&of_project, &of_client).unwrap();
        assert!(
            table.ends_with("|---|---|---|---|\n| `a` | – | – | Three. |\n| `b.c` | `15m` | yes | One \\| two. |\n")
        );
    }

    #[test]
    fn an_answer_of_another_shape_is_an_error() {
        assert!(settings_in("{}").is_err());
        assert!(settings_table(&BTreeMap::from([("a".to_owned(), Value::Null)]), &BTreeMap::new()).is_err());
    }
}
