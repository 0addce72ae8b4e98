//! `cargo xtask check`.

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

#[derive(ClapArgs)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<()> {
    bail!("isn't there yet")
}
