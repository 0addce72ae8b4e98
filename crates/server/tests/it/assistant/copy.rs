//! A copy of a folder of Node programs with its packages, which the test run keeps in `target/`: Node looks for them beside the programs.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::guides::tools::told;

/// The copy. It goes when this is dropped.
pub(super) struct Copy {
    home: TempDir,
}

/// What somebody who works in the folder has made there stays there.
const LEFT_OUT: [&str; 2] = ["node_modules", ".countersign"];

impl Copy {
    /// Of `examples/assistant`.
    pub(super) fn of_the_example() -> Self {
        Self::of("../../examples/assistant", "COUNTERSIGN_TEST_ASSISTANT_MODULES")
    }

    /// Of what drives the browser.
    pub(super) fn of_the_visitors() -> Self {
        Self::of("tests/it/assistant/in_browser", "COUNTERSIGN_TEST_BROWSER_MODULES")
    }

    /// Of a folder, seen from this crate, that uses the packages that a variable names.
    fn of(folder: &str, modules: &str) -> Self {
        let copy = Self { home: tempfile::tempdir().unwrap() };
        copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &copy.programs());
        symlink(told(modules), copy.programs().join("node_modules")).unwrap();
        copy
    }

    /// A folder that goes with the copy.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the programs are.
    pub(super) fn programs(&self) -> PathBuf {
        self.home().join("programs")
    }

    /// `npm`, with one of the scripts that `package.json` names.
    pub(super) fn npm(&self, script: &str) -> Command {
        let mut npm = Command::new("npm");
        npm.current_dir(self.programs()).env("npm_config_update_notifier", "false").args(["--silent", script]);
        npm
    }

    /// Node, with one of the programs.
    pub(super) fn node(&self, program: &str) -> Command {
        let mut node = Command::new("node");
        // Colours in what is printed are for people.
        node.current_dir(self.programs()).env("FORCE_COLOR", "0").arg(program);
        node
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
