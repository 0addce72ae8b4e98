//! `session`.

use clap::Subcommand;
use countersign_domain::{id::SessionId, session::Session};
use serde_json::{Value, json};

use super::{
    Desk,
    output::{optional_time, time},
    user::named,
};
use crate::error::Failure;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List the sessions of a user that haven't been ended one by one
    List {
        /// By id, e-mail address, telephone number or external id
        user: String,
    },
    /// End one session of a user
    Revoke {
        /// By id, e-mail address, telephone number or external id
        user: String,
        /// The session: ses_…
        session: SessionId,
    },
}

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let project = desk.project().await?;
        let shown = match self {
            Self::List { user } => {
                let id = named(desk, &project, &user).await?;
                desk.service.sessions_of(&project, id).await?.iter().map(summary).collect()
            }
            Self::Revoke { user, session } => {
                let id = named(desk, &project, &user).await?;
                desk.service.revoke_session(&project, id, session).await?;
                json!({ "id": session.to_string(), "revoked": true })
            }
        };
        desk.output.print(&shown)
    }
}

fn summary(session: &Session) -> Value {
    json!({
        "id": session.id.to_string(),
        "client": session.client.as_str(),
        "vouched_by": session.vouched_by.map(|key| key.to_string()),
        "device": session.device.as_ref().map(|device| device.as_str().to_owned()),
        "created_at": time(session.created_at),
        "last_used_at": time(session.rotation.rotated_at),
        "expires_at": time(session.expires_at.min(session.idle_expires_at)),
        "ended_at": optional_time(session.ended.map(|ended| ended.at)),
    })
}
