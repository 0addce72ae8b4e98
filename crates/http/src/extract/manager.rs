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
    delegated::Delegated,
    possession::possession_of,
};
use crate::{app::App, error::management::Failure};

/// What old clients name their project by.
const API_KEY: &str = "apikey";
const VERSION: &str = "x-hawcx-protocol-version";
/// What sealed calls have, and no others.
const ENC_ALG: &str = "x-enc-alg";
/// Where the first clients have their assertion.
const ASSERTION: &str = "x-client-assertion";
/// What says of an answer that it is ours.
const SIGNATURE: HeaderName = HeaderName::from_static("x-response-signature");

/// A proved manager, and what it asks.
pub(crate) struct Managed {
    pub(crate) manager: Manager,
    way: Way,
}

/// How it proved itself, and is answered.
enum Way {
    /// By an assertion beside this body.
    Signed(Bytes),
    /// By an envelope.
    Sealed(Delegated),
}

/// The same, also from the first clients, which say everything in an assertion and are answered without a signature.
pub(crate) enum ManagedStepUp {
    ByBody(Managed),
    ByAssertion(Box<AskedInAssertion>),
}

impl FromRequest<App> for Managed {
    /// Sealed, for whoever seals.
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        if request.headers().contains_key(ENC_ALG) {
            if request.headers().contains_key(header::AUTHORIZATION) {
                let twice = "The call is proved in two ways at once: who knows which is meant?";
                return Err(Failure::invalid(twice).into_response());
            }
            let delegated = Delegated::from_request(request, app).await?;
            let manager = Manager::from(&delegated.0.provider);
            return Ok(Self { manager, way: Way::Sealed(delegated) });
        }
        signed(request, app).await.map_err(IntoResponse::into_response)
    }
}

async fn signed(request: Request, app: &App) -> Result<Managed, Failure> {
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
    Ok(Managed { manager, way: Way::Signed(body) })
}

impl FromRequest<App> for ManagedStepUp {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        if !request.headers().contains_key(ASSERTION) {
            return Ok(Self::ByBody(Managed::from_request(request, app).await?));
        }
        let asked = by_assertion(request, app).await.map_err(IntoResponse::into_response)?;
        Ok(Self::ByAssertion(Box::new(asked)))
    }
}

async fn by_assertion(request: Request, app: &App) -> Result<AskedInAssertion, Failure> {
    let (mut parts, _) = request.into_parts();
    let (Ok(AddressOf(address)), Ok(CallerOf(caller))) =
        (AddressOf::from_request_parts(&mut parts, app).await, CallerOf::from_request_parts(&mut parts, app).await);
    let possession = possession_of(&parts, app);
    let at =
        CallAt { address: &address, config_id: config_id(&parts.headers), path: parts.uri.path(), caller: &caller };
    let assertion = single(&parts.headers, ASSERTION).unwrap_or_default();
    Ok(app.service.prove_manager_by_header(at, assertion, possession.as_ref()).await?)
}

impl Managed {
    /// What it asks.
    pub(crate) fn body(&self) -> &[u8] {
        match &self.way {
            Way::Signed(body) => body,
            Way::Sealed(delegated) => delegated.0.text(),
        }
    }

    /// The answer: sealed, or signed over the bytes that it is sent in.
    pub(crate) fn answer(&self, app: &App, outcome: Result<impl Serialize, Failure>) -> Response {
        match &self.way {
            Way::Sealed(delegated) => delegated.answer(app, outcome.map_err(Into::into)),
            Way::Signed(_) => {
                let signed = outcome.and_then(|said| self.signed(app, &said));
                signed.unwrap_or_else(IntoResponse::into_response)
            }
        }
    }

    fn signed(&self, app: &App, said: &impl Serialize) -> Result<Response, Failure> {
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

    /// The answer, signed or sealed for those that know what that is.
    pub(crate) fn answer(&self, app: &App, outcome: Result<impl Serialize, Failure>) -> Response {
        match self {
            Self::ByBody(call) => call.answer(app, outcome),
            Self::ByAssertion(_) => outcome.map(Json).into_response(),
        }
    }
}

/// What a call names its project by beside path and host.
pub(crate) fn config_id(headers: &HeaderMap) -> Option<&str> {
    let named = |name: &str| headers.contains_key(name).then(|| single(headers, name).unwrap_or("?"));
    named(CONFIG_ID).or_else(|| named(API_KEY))
}
