//! `activation-code`.

use std::{num::NonZeroU32, time::Duration};

use clap::Subcommand;
use countersign_domain::{activation::ActivationCode, id::ActivationCodeId, text::Name};
use serde_json::{Value, json};

use super::{
    Desk,
    output::{optional_time, time},
};
use crate::error::Failure;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a code with which people may sign up; it is shown once
    Create {
        /// For people: whom it is for
        #[arg(long, default_value = "")]
        name: Name,
        /// How many may sign up with it
        #[arg(long, default_value = "1")]
        uses: NonZeroU32,
        /// How long it is good, like 30days [default: for ever]
        #[arg(long, value_parser = humantime::parse_duration)]
        expires: Option<Duration>,
    },
    /// List codes
    List,
    /// End a code; who signed up with it stays
    Revoke {
        /// The code: act_…
        id: ActivationCodeId,
    },
}

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let project = desk.project().await?;
        let printed = match self {
            Self::Create { name, uses, expires } => {
                let made = desk.service.create_activation_code(&project, name, uses, expires).await?;
                let mut made_shown = shown(&made.code);
                made_shown["code"] = json!(made.text.danger_expose());
                made_shown
            }
            Self::List => desk.service.list_activation_codes(&project).await?.iter().map(shown).collect(),
            Self::Revoke { id } => {
                desk.service.revoke_activation_code(&project, id).await?;
                json!({ "id": id.to_string(), "revoked": true })
            }
        };
        desk.output.print(&printed)
    }
}

fn shown(code: &ActivationCode) -> Value {
    json!({
        "id": code.id.to_string(),
        "name": code.name.as_str(),
        "prefix": code.prefix,
        "uses": code.uses,
        "used": code.used,
        "created_at": time(code.created_at),
        "expires_at": optional_time(code.expires_at),
        "revoked_at": optional_time(code.revoked_at),
    })
}
