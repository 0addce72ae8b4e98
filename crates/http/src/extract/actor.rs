//! Whoever calls: an app that names its user, the bearer of an access token, or the customer's backend. The type says which are let in.

use std::convert::Infallible;

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
        ticket::TicketFor,
    },
};

use super::{
    address::AddressOf,
    bearer::{bearer_token, dpop_token},
    caller::{caller_of, single},
    forwarded,
    possession::{possession_asked_about, possession_of},
    ticket::ticket_in,
};
use crate::{
    app::App,
    error::client_api::{Failure, ToldToProxy},
};

/// The headers of the client API, each under the published name and under ours.
pub(super) const API_KEY: [HeaderName; 2] =
    [HeaderName::from_static("x-proficient-api-key"), HeaderName::from_static("x-countersign-api-key")];
pub(super) const EXTERNAL_ID: [HeaderName; 2] = [
    HeaderName::from_static("x-proficient-user-external-id"),
    HeaderName::from_static("x-countersign-user-external-id"),
];
pub(super) const HMAC: [HeaderName; 2] =
    [HeaderName::from_static("x-proficient-user-hmac"), HeaderName::from_static("x-countersign-user-hmac")];

/// In which a proxy says what it was asked for.
pub(super) const FORWARDED_URI: [&str; 3] = ["x-forwarded-uri", "x-original-uri", "x-original-url"];

/// Anybody who proved who they are.
pub(crate) struct ProvedActor(pub(crate) Actor);

/// The same, of a call that a proxy asks about.
pub(crate) struct ForwardedActor(pub(crate) Actor);

impl FromRequestParts<App> for ForwardedActor {
    type Rejection = ToldToProxy;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ToldToProxy> {
        let Ok(AddressOf(address)) = AddressOf::from_request_parts(parts, app).await;
        // Where the proxy puts it: in a header, or in the query of its own question. Whoever asks without a proxy may as well.
        let forwarded = FORWARDED_URI.iter().find_map(|name| single(&parts.headers, name)?.split_once('?'));
        let query = forwarded.map(|(_, query)| query).or(parts.uri.query());
        // The question may be a `GET` where the call isn't.
        let is_get = forwarded::method(&parts.headers).unwrap_or(parts.method.as_str()) == "GET";
        let ticket = query.and_then(ticket_in).map(|ticket| if is_get { ticket } else { "" });
        let possession = possession_asked_about(parts, app);
        Ok(Self(prove_shown(parts, ticket, possession.as_ref(), &address, app).await?))
    }
}

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

/// A ticket that stands for the credentials of a call.
pub(crate) struct TicketOf(pub(crate) String);

impl FromRequestParts<App> for TicketOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let Credentials { client, .. } = credentials(&parts.headers, None, None);
        let made_of = match (bearer_token(&parts.headers), dpop_token(&parts.headers)) {
            (Some(token), _) | (None, Some(token)) => TicketFor::Token(token),
            (None, None) => TicketFor::Client(client),
        };
        Ok(Self(app.service.make_ticket(&made_of)))
    }
}

/// Whoever makes a call, which is addressed there.
pub(crate) async fn prove(parts: &Parts, address: &Address, app: &App) -> Result<Actor, Failure> {
    prove_with_ticket(parts, None, address, app).await
}

/// The same, of a call whose query may hold a ticket.
pub(crate) async fn prove_with_ticket(
    parts: &Parts,
    ticket: Option<&str>,
    address: &Address,
    app: &App,
) -> Result<Actor, Failure> {
    prove_shown(parts, ticket, possession_of(parts, app).as_ref(), address, app).await
}

async fn prove_shown(
    parts: &Parts,
    ticket: Option<&str>,
    possession: Option<&UnverifiedPossession>,
    address: &Address,
    app: &App,
) -> Result<Actor, Failure> {
    let shown = credentials(&parts.headers, ticket, possession);
    Ok(app.service.prove(address, &shown, &caller_of(parts, app)).await?)
}

/// What a call shows, as bytes that nobody has judged.
fn credentials<'a>(
    headers: &'a HeaderMap,
    ticket: Option<&'a str>,
    possession: Option<&'a UnverifiedPossession>,
) -> Credentials<'a> {
    Credentials {
        client: ClientCall {
            publishable_key: shown(headers, &API_KEY),
            external_id: shown(headers, &EXTERNAL_ID),
            hmac: shown(headers, &HMAC),
        },
        authorization: shown(headers, &[header::AUTHORIZATION]),
        ticket,
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
