//! What the rules look at.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};
use xshell::{Shell, cmd};

use crate::tools::{root, shell};

/// The project: its files and its crates.
pub(super) struct House {
    pub(super) sh: Shell,
    pub(super) metadata: Metadata,
    /// What is in Git or could be added, from the project's folder.
    pub(super) files: BTreeSet<String>,
}

impl House {
    pub(super) fn read() -> Result<Self> {
        let sh = shell()?;
        let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec()?;
        let listed = cmd!(sh, "git ls-files -z --cached --others --exclude-standard").quiet().read();
        let listed = listed.context("the rules are checked on what Git would keep")?;
        let files = listed.split_terminator('\0').filter(|file| sh.path_exists(file)).map(str::to_owned).collect();
        Ok(Self { sh, metadata, files })
    }

    pub(super) fn text(&self, file: &str) -> Result<String> {
        Ok(self.sh.read_file(file)?)
    }

    /// Rust that isn't a test. A file is one by its name or its folder's.
    pub(super) fn rust_files(&self) -> impl Iterator<Item = &str> {
        let is_test = |file: &str| file.split('/').any(|part| part == "tests" || part == "tests.rs");
        self.files.iter().map(String::as_str).filter(move |file| has_extension(file, "rs") && !is_test(file))
    }

    /// Lines that match, as `file:line:text`. `pattern` is an extended regular expression; without `among`, every file is searched.
    pub(super) fn lines_matching(&self, pattern: &str, among: &[&str]) -> Result<Vec<String>> {
        let sh = &self.sh;
        let search = cmd!(sh, "git grep --untracked --line-number -I --extended-regexp -e {pattern} -- {among...}");
        let output = search.quiet().ignore_status().output()?;
        match output.status.code() {
            Some(0 | 1) => Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()),
            _ => anyhow::bail!("git grep: {}", String::from_utf8_lossy(&output.stderr).trim()),
        }
    }
}

pub(super) fn has_extension(file: &str, extension: &str) -> bool {
    std::path::Path::new(file).extension().is_some_and(|it| it == extension)
}
