//! A delegated call: sealed to us, and signed by a service provider. Its answer is sealed and signed as well, whatever it says.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_service::{
    error::Outage,
    proof::delegation::{DelegatedCall, Delegation, SealedAnswer, ServiceProvider},
};
use serde::Serialize;

use super::{address::AddressOf, body::read_in_time, caller::caller_of};
use crate::{app::App, error::delegation::Failure};

const SP_ID: HeaderName = HeaderName::from_static("x-sp-id");
const CONFIG_ID: HeaderName = HeaderName::from_static("x-config-id");
const API_KEY: HeaderName = HeaderName::from_static("apikey");
const KEY_ID: HeaderName = HeaderName::from_static("x-key-id");
const ENC_ALG: HeaderName = HeaderName::from_static("x-enc-alg");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-timestamp");
const SIGNATURE_ALG: HeaderName = HeaderName::from_static("x-signature-alg");
const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");

/// A delegated call: proved, opened, and used up. Whoever has one answers by it.
pub(crate) struct Delegated(pub(crate) Delegation);

impl FromRequest<App> for Delegated {
    /// Sealed, once it is known for whom.
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(AddressOf(address)) = AddressOf::from_request_parts(&mut parts, app).await;
        let caller = caller_of(&parts, app);
        let headers = parts.headers.clone();
        let body = read_in_time(Request::from_parts(parts, body), app).await.map_err(plain)?;
        let call = read(&headers, &body).map_err(plain)?;
        let (provider, verified) = app.service.prove_delegation(&address, &call, &caller).map_err(plain)?;
        match app.service.open_delegation(&provider, &verified, &body).await {
            Ok(call) => Ok(Self(call)),
            Err(refused) => Err(sealed(app, &provider, Err::<(), Failure>(refused.into()))),
        }
    }
}

impl Delegated {
    /// The answer to this call.
    pub(crate) fn answer(&self, app: &App, outcome: Result<impl Serialize, Failure>) -> Response {
        sealed(app, &self.0.provider, outcome)
    }
}

fn plain(refused: impl Into<Failure>) -> Response {
    refused.into().into_response()
}

fn read<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Result<DelegatedCall<'a>, Failure> {
    Ok(DelegatedCall {
        sp_id: once(headers, &SP_ID)?,
        config_id: once(headers, &CONFIG_ID)?,
        api_key: once(headers, &API_KEY)?,
        key_id: once(headers, &KEY_ID)?,
        enc_alg: once(headers, &ENC_ALG)?,
        timestamp: once(headers, &TIMESTAMP)?,
        signature_alg: once(headers, &SIGNATURE_ALG)?,
        signature: once(headers, &SIGNATURE)?,
        body,
    })
}

/// A header that stands there twice can be read in two ways.
fn once<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Failure> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Failure::unclear_header(name)),
        (Some(_), Some(_)) => Err(Failure::unclear_header(name)),
    }
}

fn sealed(app: &App, to: &ServiceProvider, outcome: Result<impl Serialize, Failure>) -> Response {
    match outcome {
        Ok(answer) => match seal(app, to, &answer) {
            Ok(body) => with_headers(StatusCode::OK.into_response(), body),
            Err(outage) => Failure::from(outage).into_response(),
        },
        Err(failure) => match seal(app, to, &failure.body()) {
            Ok(body) => with_headers(failure.into_empty_response(), body),
            Err(_) => failure.into_response(),
        },
    }
}

fn seal(app: &App, to: &ServiceProvider, answer: &impl Serialize) -> Result<SealedAnswer, Outage> {
    let text = serde_json::to_vec(answer).map_err(|problem| Outage::Fault(problem.to_string()))?;
    app.service.seal_answer(to, text)
}

fn with_headers(mut response: Response, sealed: SealedAnswer) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ENC_ALG, HeaderValue::from_static(sealed.enc_alg));
    headers.insert(SIGNATURE_ALG, HeaderValue::from_static(sealed.signature_alg));
    let said = [(TIMESTAMP, sealed.timestamp), (SIGNATURE, sealed.signature), (KEY_ID, sealed.key_id)];
    for (name, value) in said {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    *response.body_mut() = sealed.body.into();
    response
}
