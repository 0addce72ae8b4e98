//! The requests that are measured, and what each can't cost less than.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Bench, process::program_on};

/// A request that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    Vouch,
    SignUp,
    Refresh,
    MeWarm,
    MeCold,
    Verify,
    Gateway,
}

impl Row {
    /// In the order of the table.
    pub(super) const ALL: [Self; 7] =
        [Self::Vouch, Self::SignUp, Self::Refresh, Self::MeWarm, Self::MeCold, Self::Verify, Self::Gateway];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Vouch => "vouch",
            Self::SignUp => "sign-up",
            Self::Refresh => "refresh",
            Self::MeWarm => "me-warm",
            Self::MeCold => "me-cold",
            Self::Verify => "verify",
            Self::Gateway => "gateway",
        }
    }

    /// What it needs.
    pub(super) fn needs(self) -> &'static str {
        match self {
            Self::Vouch | Self::SignUp => "POST + sign + insert",
            Self::Refresh => "POST + sign + update + 2 HMAC",
            Self::MeWarm | Self::Verify => "GET",
            Self::MeCold => "GET + verify",
            Self::Gateway => "GET, without us",
        }
    }

    /// The nanoseconds of that, beside HTTP: each part as it takes alone.
    pub(super) fn cost(self, of: &Primitives) -> f64 {
        match self {
            Self::Vouch | Self::SignUp => of.sign + of.insert,
            Self::Refresh => of.sign + of.update + 2.0 * of.hmac,
            Self::MeWarm | Self::Verify | Self::Gateway => 0.0,
            Self::MeCold => of.verify,
        }
    }

    /// The same with all cores at the signatures, and nothing else for them to do.
    pub(super) fn least_cost(self, of: &Primitives) -> f64 {
        match self {
            Self::Vouch | Self::SignUp => of.sign_all_cores + of.insert,
            Self::Refresh => of.sign_all_cores + of.update + 2.0 * of.hmac,
            Self::MeWarm | Self::Verify | Self::Gateway => 0.0,
            Self::MeCold => of.verify_all_cores,
        }
    }

    pub(super) fn target(self) -> &'static str {
        match self {
            // It writes a user and an identity beside, so nothing was promised.
            Self::SignUp => "",
            _ => "≥ 60 %",
        }
    }
}

/// What requests are made of, in nanoseconds: see `bench/baseline`.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Primitives {
    pub(super) sign: f64,
    pub(super) sign_all_cores: f64,
    pub(super) verify: f64,
    pub(super) verify_all_cores: f64,
    pub(super) sign_eddsa: f64,
    pub(super) verify_eddsa: f64,
    pub(super) hmac: f64,
    pub(super) insert: f64,
    pub(super) update: f64,
}

impl Primitives {
    pub(super) fn measure(bench: &Bench) -> Result<Self> {
        Self::measure_on(bench, None)
    }

    /// The same, on one core.
    pub(super) fn measure_on(bench: &Bench, core: Option<u32>) -> Result<Self> {
        let mut measure = program_on(core, "countersign-baseline");
        measure.args(["primitives", "--seconds", "0.2", "--data"]).arg(bench.home.join("rows"));
        let said = measure.output()?;
        if !said.status.success() {
            bail!("measuring primitives failed: {}", String::from_utf8_lossy(&said.stderr));
        }
        serde_json::from_slice(&said.stdout).context("what countersign-baseline printed")
    }
}
