//! Getting what a task needs onto the machine.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

/// A shell in the project's folder.
pub(crate) fn shell() -> Result<Shell> {
    let sh = Shell::new()?;
    sh.change_dir(root());
    Ok(sh)
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").components().collect()
}

/// Is there such a program on the path?
pub(crate) fn is_installed(sh: &Shell, program: &str) -> bool {
    cmd!(sh, "which {program}").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// Installs the Debian packages of those programs that aren't there.
pub(crate) fn install_programs(sh: &Shell, programs: &[(&str, &str)]) -> Result<()> {
    let missing = programs.iter().filter(|(program, _)| !is_installed(sh, program));
    install_packages(sh, &missing.map(|(_, package)| *package).collect::<Vec<_>>())
}

/// Installs what of these Debian packages isn't there. Only root of a Debian machine can.
pub(crate) fn install_packages(sh: &Shell, packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_package_there(sh, package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = cmd!(sh, "id -u").quiet().read()? == "0";
    if !is_root || !is_installed(sh, "apt-get") {
        bail!("install {}: on Debian as root this is done for you", missing.join(", "));
    }
    println!("installing {}", missing.join(", "));
    cmd!(sh, "apt-get update -qq").quiet().run()?;
    cmd!(sh, "apt-get install -qq -y --no-install-recommends {missing...}")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .quiet()
        .ignore_stdout()
        .run()?;
    Ok(())
}

fn is_package_there(sh: &Shell, package: &str) -> bool {
    let format = "${db:Status-Status}";
    let state = cmd!(sh, "dpkg-query --show --showformat={format} {package}");
    state.quiet().ignore_stderr().read().is_ok_and(|state| state == "installed")
}

/// A program from the crate registry, in `target/`, at exactly this version.
pub(crate) fn cargo_tool(sh: &Shell, name: &str, version: &str) -> Result<PathBuf> {
    let home = root().join("target/tools");
    let program = home.join("bin").join(name);
    let is_there = cmd!(sh, "{program} --version").quiet().ignore_stderr().read();
    if !is_there.is_ok_and(|line| line == format!("{name} {version}")) {
        println!("installing {name} {version}, once");
        let install = cmd!(sh, "cargo install {name} --version {version} --locked --profile dev --root {home} --force");
        install.arg("--quiet").quiet().run()?;
    }
    Ok(program)
}

/// A Python environment in `target/` with what is listed in a requirements file. Gives its folder of programs.
pub(crate) fn python(sh: &Shell, name: &str, requirements: &Path) -> Result<PathBuf> {
    let home = root().join("target/python").join(name);
    let programs = home.join("bin");
    if !programs.join("pip").exists() {
        if cmd!(sh, "python3 -c").arg("import ensurepip").quiet().ignore_stderr().run().is_err() {
            install_packages(sh, &["python3-venv"])?;
        }
        cmd!(sh, "python3 -m venv {home}").quiet().run()?;
    }
    // By the interpreter: the script `pip` names the folder in which it was made, and works on that wherever it was copied to.
    let python = programs.join("python");
    cmd!(sh, "{python} -m pip install --quiet --disable-pip-version-check --requirement {requirements}")
        .quiet()
        .run()?;
    Ok(programs)
}

/// The Go modules that a folder's `go.mod` names, in `target/`. Gives the environment in which Go uses them.
pub(crate) fn go(sh: &Shell, module: &Path) -> Result<[(&'static str, String); 3]> {
    let home = root().join("target/go");
    let environment = [
        ("GOMODCACHE", home.join("modules").display().to_string()),
        ("GOCACHE", home.join("build").display().to_string()),
        // Go writes its modules read-only: `target` couldn't be removed.
        ("GOFLAGS", "-modcacherw".to_owned()),
    ];
    let _there = sh.push_dir(module);
    let download = cmd!(sh, "go mod download").envs(environment.iter().map(|(name, value)| (name, value)));
    download.quiet().ignore_stdout().run()?;
    Ok(environment)
}

/// The packages that a folder's `package-lock.json` pins, in `target/`. Gives their folder.
pub(crate) fn node(sh: &Shell, name: &str, package: &Path) -> Result<PathBuf> {
    let home = root().join("target/node").join(name);
    let lock = "package-lock.json";
    let is_there = sh.read_file(home.join(lock)).ok() == Some(sh.read_file(package.join(lock))?);
    let modules = home.join("node_modules");
    if is_there && modules.exists() {
        return Ok(modules);
    }
    sh.create_dir(&home)?;
    for file in ["package.json", lock] {
        sh.copy_file(package.join(file), &home)?;
    }
    let _there = sh.push_dir(&home);
    cmd!(sh, "npm ci --silent --no-audit --no-fund --ignore-scripts").quiet().ignore_stdout().run()?;
    Ok(modules)
}
