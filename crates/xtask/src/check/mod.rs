//! `cargo xtask check`.

mod clippy;
mod dependencies;
mod docs;
mod exceptions;
mod floors;
mod formatting;
mod generated;
mod handlers;
mod house;
mod links;
mod lints;
mod machine_paths;
mod owned_crates;
mod sizes;
mod skipped_tests;
mod spelling;

use anyhow::{Result, bail};
use clap::Args as ClapArgs;
use xshell::Cmd;

use house::House;

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// First write the generated files anew and format the code
    #[arg(long)]
    fix: bool,
}

/// A rule of the house.
struct Rule {
    name: &'static str,
    /// What to do where it is broken.
    remedy: &'static str,
    /// Where it is broken, a line each.
    check: fn(&House) -> Result<Vec<String>>,
}

/// The quick ones first.
const RULES: &[Rule] = &[
    floors::RULE,
    owned_crates::RULE,
    sizes::RULE,
    handlers::RULE,
    lints::RULE,
    skipped_tests::RULE,
    machine_paths::RULE,
    links::RULE,
    formatting::RULE,
    spelling::RULE,
    dependencies::RULE,
    clippy::RULE,
    docs::RULE,
    generated::RULE,
];

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.fix {
        let house = House::read()?;
        generated::fix(&house)?;
        formatting::fix(&house)?;
    }
    let house = House::read()?;
    let mut broken = 0;
    for rule in RULES {
        broken += usize::from(!keeps(rule, &house));
    }
    if broken > 0 {
        bail!("{broken} of {} rules are broken", RULES.len());
    }
    Ok(())
}

/// A rule that can't be checked counts as broken, and the others are checked all the same.
fn keeps(rule: &Rule, house: &House) -> bool {
    let findings = (rule.check)(house).unwrap_or_else(|problem| vec![format!("can't be checked: {problem:#}")]);
    if findings.is_empty() {
        println!("ok      {}", rule.name);
        return true;
    }
    println!("failed  {}", rule.name);
    for finding in findings {
        println!("    {finding}");
    }
    println!("    What to do: {}.", rule.remedy);
    false
}

/// What a command says, if it fails.
fn complaints(command: Cmd) -> Result<Vec<String>> {
    let output = command.quiet().ignore_status().output()?;
    if output.status.success() {
        return Ok(Vec::new());
    }
    let said = [output.stdout, output.stderr].concat();
    let mut lines: Vec<String> = String::from_utf8_lossy(&said).lines().map(str::to_owned).collect();
    lines.push(format!("It ended with {}.", output.status));
    Ok(lines)
}
