//! Who may look: somebody at this machine, and no page of somebody else's that their browser has open.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};

use crate::{
    app::App,
    error::client_api::Failure,
    extract::{address::host, caller::single},
};

/// Somebody at this machine.
pub(crate) struct Developer;

impl FromRequestParts<App> for Developer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if !app.service.has_outbox() {
            return Err(Failure::no_such_path());
        }
        if is_asked_by_its_name(parts, app) && is_from_no_other_page(parts, app) {
            Ok(Self)
        } else {
            Err(Failure::for_this_machine())
        }
    }
}

/// By another name a page could reach us that made its own name lead here (DNS rebinding).
fn is_asked_by_its_name(parts: &Parts, app: &App) -> bool {
    let asked = host(parts, app).unwrap_or_default();
    let own = app.service.public_url().split_once("://").map_or("", |(_, authority)| authority);
    let own = own.rsplit_once(':').map_or(own, |(name, _)| name);
    matches!(asked.as_str(), "localhost" | "127.0.0.1" | "[::1]") || asked == own
}

/// A browser says from where it asks (Fetch Metadata, `Sec-Fetch-Site`; Fetch standard, `Origin`). Whoever types the address or follows a link
/// of ours may look; whoever follows a link of another site of this machine too, because that site can't.
fn is_from_no_other_page(parts: &Parts, app: &App) -> bool {
    let said = |name: &str| parts.headers.contains_key(name).then(|| single(&parts.headers, name).unwrap_or_default());
    let is_ours = |origin: &str| origin == app.service.public_url();
    let is_look = || said("sec-fetch-mode") == Some("navigate") && said("sec-fetch-dest") == Some("document");
    let site_is_fine = match said("sec-fetch-site") {
        None | Some("none" | "same-origin") => true,
        Some("same-site") => is_look(),
        Some(_) => false,
    };
    site_is_fine && said(header::ORIGIN.as_str()).is_none_or(is_ours)
}
