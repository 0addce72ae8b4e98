//! Whoever calls: an app that names its user, the bearer of an access token, or the customer's backend. The type says which are let in.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use countersign_service::{
    address::Address,
    proof::{
        actor::{Actor, Credentials},
        client_call::{ClientCall, Shown},
        possession::UnverifiedPossession,
        secret_key::Backend,
    },
};

use super::{
    address::AddressOf,
    caller::caller_of,
    possession::{possession_asked_about, possession_of},
};
use crate::{app::App, error::client_api::Failure};

/// The headers of the client API, each under the published name and under ours.
const API_KEY: [HeaderName; 2] =
    [HeaderName::from_static("x-proficient-api-key"), HeaderName::from_static("x-countersign-api-key")];
const EXTERNAL_ID: [HeaderName; 2] = [
    HeaderName::from_static("x-proficient-user-external-id"),
    HeaderName::from_static("x-countersign-user-external-id"),
];
const HMAC: [HeaderName; 2] =
    [HeaderName::from_static("x-proficient-user-hmac"), HeaderName::from_static("x-countersign-user-hmac")];

/// Anybody who proved who they are.
pub(crate) struct ProvedActor(pub(crate) Actor);

/// The same, of a call that a proxy got and asks about.
pub(crate) struct ActorAskedAbout(pub(crate) Actor);

/// A user, by whichever proof.
pub(crate) struct ProvedUser(pub(crate) Actor);

/// The customer's backend.
pub(crate) struct ProvedBackend(pub(crate) Backend);

impl FromRequestParts<App> for ProvedActor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Ok(AddressOf(address)) = AddressOf::from_request_parts(parts, app).await;
        Ok(Self(prove(parts, &address, app).await?))
    }
}

impl FromRequestParts<App> for ActorAskedAbout {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Ok(AddressOf(address)) = AddressOf::from_request_parts(parts, app).await;
        let possession = possession_asked_about(parts, app);
        Ok(Self(prove_with(parts, &address, possession.as_ref(), app).await?))
    }
}

impl FromRequestParts<App> for ProvedUser {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        match ProvedActor::from_request_parts(parts, app).await? {
            ProvedActor(Actor::Backend(_)) => Err(Failure::for_users()),
            ProvedActor(actor) => Ok(Self(actor)),
        }
    }
}

impl FromRequestParts<App> for ProvedBackend {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        match ProvedActor::from_request_parts(parts, app).await? {
            ProvedActor(Actor::Backend(backend)) => Ok(Self(backend)),
            ProvedActor(_) => Err(Failure::for_backends()),
        }
    }
}

/// Whoever makes a call, which is addressed there.
pub(crate) async fn prove(parts: &Parts, address: &Address, app: &App) -> Result<Actor, Failure> {
    prove_with(parts, address, possession_of(parts, app).as_ref(), app).await
}

async fn prove_with(
    parts: &Parts,
    address: &Address,
    possession: Option<&UnverifiedPossession>,
    app: &App,
) -> Result<Actor, Failure> {
    let shown = credentials(&parts.headers, possession);
    Ok(app.service.prove(address, &shown, &caller_of(parts, app)).await?)
}

/// What a call shows, as bytes that nobody has judged.
fn credentials<'a>(headers: &'a HeaderMap, possession: Option<&'a UnverifiedPossession>) -> Credentials<'a> {
    Credentials {
        client: ClientCall {
            publishable_key: shown(headers, &API_KEY),
            external_id: shown(headers, &EXTERNAL_ID),
            hmac: shown(headers, &HMAC),
        },
        authorization: shown(headers, &[header::AUTHORIZATION]),
        possession,
    }
}

fn shown<'h>(headers: &'h HeaderMap, names: &[HeaderName]) -> Shown<'h> {
    let mut values = names.iter().flat_map(|name| headers.get_all(name));
    match (values.next(), values.next()) {
        (None, _) => Shown::Absent,
        (Some(value), None) => Shown::Once(value.as_bytes()),
        (Some(_), Some(_)) => Shown::Repeated,
    }
}
