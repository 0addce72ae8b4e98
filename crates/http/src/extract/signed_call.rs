//! A call whose body carries what proves its client, for the address at which it is made.

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use countersign_service::{address::Address, caller::Caller, proof::possession::UnverifiedPossession};

use super::{address::AddressOf, body::read_in_time, caller::CallerOf, manager::config_id, possession::possession_of};
use crate::{app::App, error::oauth::Failure};

/// Nothing of it is proved.
pub(crate) struct SignedCall {
    pub(crate) address: Address,
    pub(crate) config_id: Option<String>,
    pub(crate) path: String,
    pub(crate) caller: Caller,
    pub(crate) possession: Option<UnverifiedPossession>,
    pub(crate) body: Bytes,
}

impl FromRequest<App> for SignedCall {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let (Ok(AddressOf(address)), Ok(CallerOf(caller))) =
            (AddressOf::from_request_parts(&mut parts, app).await, CallerOf::from_request_parts(&mut parts, app).await);
        let config_id = config_id(&parts.headers).map(str::to_owned);
        let (path, possession) = (parts.uri.path().to_owned(), possession_of(&parts, app));
        let body = read_in_time(Request::from_parts(parts, body), app).await?;
        Ok(Self { address, config_id, path, caller, possession, body })
    }
}
