//! How somebody who has passed goes back to the app, with the receipt.

use countersign_domain::oauth::form::Form;
use serde::{Deserialize, Serialize};

use crate::{
    directory::{ClientView, ProjectView},
    oauth::{
        authorization::ResponseMode,
        response::{Redirect, way_back},
    },
};

/// The longest `state` that is kept.
const LONGEST_STATE: usize = 1024;

/// Where they go.
#[derive(Serialize, Deserialize)]
pub(crate) struct Back {
    redirect_uri: String,
    state: Option<String>,
    by_form: bool,
    issuer: String,
}

impl Back {
    /// Where the app asks them back: one of the addresses that it has registered, byte for byte; the only one need not be named. None: it is another.
    pub(super) fn of(project: &ProjectView, client: &ClientView, parameters: &Form) -> Option<Self> {
        let registered = &client.settings.oauth_redirect_uris;
        let redirect_uri = match (parameters.text("redirect_uri"), registered.as_slice()) {
            (Some(named), all) => all.iter().any(|uri| uri.matches(named)).then(|| named.to_owned())?,
            (None, [only]) => only.as_str().to_owned(),
            (None, _) => return None,
        };
        let state = parameters.text("state").filter(|state| state.len() <= LONGEST_STATE).map(str::to_owned);
        let by_form = parameters.text("response_mode") == Some("form_post");
        Some(Self { redirect_uri, state, by_form, issuer: project.issuer.to_string() })
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As it was kept.
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Where a form of ours leads in the end.
    pub(crate) fn address(&self) -> &str {
        &self.redirect_uri
    }

    /// With the receipt.
    pub(crate) fn with_receipt(&self, receipt: &str) -> Redirect {
        self.way(("step_up_receipt", receipt.to_owned()))
    }

    /// Without: the user said no, or may not pass.
    pub(crate) fn denied(&self) -> Redirect {
        self.way(("error", "access_denied".to_owned()))
    }

    fn way(&self, said: (&'static str, String)) -> Redirect {
        let mode = if self.by_form { ResponseMode::FormPost } else { ResponseMode::Query };
        way_back(&self.redirect_uri, mode, vec![said], self.state.as_deref(), &self.issuer)
    }
}
