//! A customer's backend: whoever shows a secret key of the project in `verification-token`.

use axum::{extract::FromRequestParts, http::request::Parts};
use countersign_service::proof::secret_key::Backend;

use super::caller::{CallerOf, single};
use crate::{app::App, error::vouch::Failure};

/// The header that door 1 has it in.
pub(crate) const VERIFICATION_TOKEN: &str = "verification-token";

/// A proved backend. Checked before anything else of the call is looked at.
pub(crate) struct VouchingBackend(pub(crate) Backend);

impl FromRequestParts<App> for VouchingBackend {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Ok(CallerOf(caller)) = CallerOf::from_request_parts(parts, app).await;
        let unverified = single(&parts.headers, VERIFICATION_TOKEN);
        Ok(Self(app.service.prove_secret_key(unverified, &caller)?))
    }
}
