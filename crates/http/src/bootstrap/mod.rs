//! Bootstrap: the old way in of customers' backends.

pub(crate) mod challenge;
pub(crate) mod exchange;
pub(crate) mod revoke;
pub(crate) mod token;

use countersign_service::{
    bootstrap::{BootstrapCall, BootstrapGrant},
    client_auth::call::CallAt,
};
use countersign_wire::bootstrap::Exchange;

use crate::{app::App, error::oauth::Failure, extract::signed_call::SignedCall};

async fn bootstrapped(
    app: &App,
    call: &SignedCall,
    asked: &Exchange,
    needs_nonce: bool,
) -> Result<BootstrapGrant, Failure> {
    let at =
        CallAt { address: &call.address, config_id: call.config_id.as_deref(), path: &call.path, caller: &call.caller };
    let call = BootstrapCall {
        at,
        client: asked.client_id.as_deref(),
        assertion: &asked.client_assertion,
        origin: asked.origin.as_deref(),
        dpop_jwk: asked.dpop_jwk.as_deref(),
        scope: asked.scope.as_deref(),
        needs_nonce,
    };
    Ok(app.service.bootstrap(call).await?)
}
