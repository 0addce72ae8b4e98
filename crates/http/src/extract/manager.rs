//! Whoever manages the users of a project: a client, by its own key, call by call.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use countersign_service::{
    client_auth::call::CallAt,
    proof::manager::{AskedInAssertion, ManagementCall, Manager},
};
use serde::Serialize;

use super::{
    address::AddressOf,
    bearer::bearer_token,
    body::read_in_time,
    caller::{CallerOf, single},
    client::CONFIG_ID,
    possession::possession_of,
};
use crate::{app::App, error::management::Failure};

/// What old clients name their project by.
const API_KEY: &str = "apikey";
const VERSION: &str = "x-hawcx-protocol-version";
/// Where the first clients have their assertion.
const ASSERTION: &str = "x-client-assertion";
/// What says of an answer that it is ours.
const SIGNATURE: HeaderName = HeaderName::from_static("x-response-signature");

/// A proved manager, and what it asks.
pub(crate) struct Managed {
    pub(crate) manager: Manager,
    pub(crate) body: Bytes,
}

/// The same, also from the first clients, which say everything in an assertion and are answered without a signature.
pub(crate) enum ManagedStepUp {
    ByBody(Managed),
    ByAssertion(Box<AskedInAssertion>),
}

impl FromRequest<App> for Managed {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let (Ok(AddressOf(address)), Ok(CallerOf(caller))) =
            (AddressOf::from_request_parts(&mut parts, app).await, CallerOf::from_request_parts(&mut parts, app).await);
        let (headers, uri) = (parts.headers.clone(), parts.uri.clone());
        let body = read_in_time(Request::from_parts(parts, body), app).await?;
        let call = ManagementCall {
            at: CallAt { address: &address, config_id: config_id(&headers), path: uri.path(), caller: &caller },
            assertion: bearer_token(&headers),
            version: headers.contains_key(VERSION).then(|| single(&headers, VERSION).unwrap_or_default()),
            body: &body,
        };
        let manager = app.service.prove_manager(call).await?;
        Ok(Self { manager, body })
    }
}

impl FromRequest<App> for ManagedStepUp {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        if !request.headers().contains_key(ASSERTION) {
            return Ok(Self::ByBody(Managed::from_request(request, app).await?));
        }
        let (mut parts, _) = request.into_parts();
        let (Ok(AddressOf(address)), Ok(CallerOf(caller))) =
            (AddressOf::from_request_parts(&mut parts, app).await, CallerOf::from_request_parts(&mut parts, app).await);
        let possession = possession_of(&parts, app);
        let at =
            CallAt { address: &address, config_id: config_id(&parts.headers), path: parts.uri.path(), caller: &caller };
        let assertion = single(&parts.headers, ASSERTION).unwrap_or_default();
        let asked = app.service.prove_manager_by_header(at, assertion, possession.as_ref()).await?;
        Ok(Self::ByAssertion(Box::new(asked)))
    }
}

impl Managed {
    /// An answer, signed over the bytes that it is sent in.
    pub(crate) fn answer(&self, app: &App, said: &impl Serialize) -> Result<Response, Failure> {
        let body = serde_json::to_vec(said).map_err(|problem| Failure::broken(&problem.to_string()))?;
        let signature = app.service.sign_response(&self.manager, &body);
        let signature = HeaderValue::try_from(signature).map_err(|problem| Failure::broken(&problem.to_string()))?;
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (SIGNATURE, signature)];
        Ok((headers, body).into_response())
    }
}

impl ManagedStepUp {
    /// Who asks.
    pub(crate) fn manager(&self) -> &Manager {
        match self {
            Self::ByBody(call) => &call.manager,
            Self::ByAssertion(asked) => &asked.manager,
        }
    }

    /// An answer, signed for those that know what that is.
    pub(crate) fn answer(&self, app: &App, said: &impl Serialize) -> Result<Response, Failure> {
        match self {
            Self::ByBody(call) => call.answer(app, said),
            Self::ByAssertion(_) => Ok(Json(said).into_response()),
        }
    }
}

/// What a call names its project by beside path and host.
pub(crate) fn config_id(headers: &HeaderMap) -> Option<&str> {
    let named = |name: &str| headers.contains_key(name).then(|| single(headers, name).unwrap_or("?"));
    named(CONFIG_ID).or_else(|| named(API_KEY))
}
