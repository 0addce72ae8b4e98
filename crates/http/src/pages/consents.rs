//! What a user lets apps of others know and do, on their own page.

use axum::{extract::State, response::Response};
use countersign_service::browser::account::Allowed;

use super::{account::moment, form::OwnForm, refused::Refused, response::see_other, sign_in::of_scope, words::Words};
use crate::app::App;

/// `POST /account/consents`: takes back what an app may know and do.
pub(crate) async fn take_back(State(app): State<App>, OwnForm { visitor, form }: OwnForm) -> Result<Response, Refused> {
    let text = |name| form.text(name).unwrap_or_default();
    let (client, token, browser) = (text("client"), text("form"), visitor.browser());
    match app.service.take_back_from_app(&visitor.address, client, token, browser, &visitor.caller).await {
        Ok(()) => Ok(see_other(&format!("{}/account", visitor.at()))),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

/// An app, as people read it.
pub(super) struct Row {
    pub(super) client: String,
    pub(super) name: String,
    pub(super) since: String,
    pub(super) may: String,
}

impl Row {
    pub(super) fn of(words: Words, allowed: Allowed) -> Self {
        let scopes = allowed.scopes.iter().filter_map(|scope| of_scope(words, scope));
        let all: Vec<String> = [words.scope_openid()].into_iter().chain(scopes).collect();
        Self {
            client: allowed.client,
            name: allowed.name,
            since: words.since(&moment(allowed.since)),
            may: words.app_may(&all.join(", ")),
        }
    }
}
