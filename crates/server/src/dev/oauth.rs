//! The clients of the OpenID provider in development.

use countersign_domain::id::{ClientId, ProjectId};
use countersign_service::{Service, projects::set::SettingChanges};

use crate::error::Failure;

/// The web app: public, so that its codes are proved by PKCE, and the project's own.
pub(super) const WEB: &str = "c3";
/// Where it is in the published guides.
pub(super) const REDIRECT_URI: &str = "http://localhost:5000/callback";

const SETTINGS: [(&str, &[(&str, &str)]); 2] = [
    (WEB, &[("oauth.redirect_uris", REDIRECT_URI), ("oauth.first_party", "on")]),
    // As old clients of the guides do it. `management.rs` gives it keys.
    (
        "c4",
        &[
            ("oauth.auth_method", "private_key_jwt"),
            ("oauth.legacy", "on"),
            ("oauth.first_party", "on"),
            ("dpop.nonce", "off"),
        ],
    ),
];

/// Registers them. What was registered otherwise since stays as it is.
pub(super) async fn prepare(service: &Service, project: &ProjectId) -> Result<(), Failure> {
    for (id, settings) in SETTINGS {
        let id: ClientId = id.parse().map_err(|problem| Failure::failed("client", problem))?;
        let client = service.show_client(project, &id).await?;
        if client.overrides.keys().any(|name| name.starts_with("oauth.")) {
            continue;
        }
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        service.set_client(project, &id, SettingChanges { name: None, settings }).await?;
    }
    Ok(())
}
