//! What is none of our own paths: proved here, and passed on to the customer's API.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Response},
};
use countersign_domain::gateway::{
    path::ClearPath,
    routes::{Found, Routes},
};
use countersign_service::address::Address;

use super::{guard::Guard, hop::Hop};
use crate::{
    app::App,
    dpop_nonce::NextNonce,
    error::{client_api::Failure, vouch},
    extract::{
        actor::prove_with_ticket,
        address::host,
        ticket::{ticket_in, without_ticket},
    },
    identity_headers::identity_headers,
    layer::{RouteLabel, observe::is_door_one},
};

/// How metrics and the log call what goes through here.
const LABEL: RouteLabel = RouteLabel("gateway");

/// What no route of ours takes, on a host that isn't the gateway's alone.
pub(crate) async fn elsewhere(State(app): State<App>, request: Request) -> Response {
    if is_door_one(request.uri().path()) {
        return vouch::Failure::no_such_path().into_response();
    }
    let (_, path) = within_project(request.uri().path());
    let is_ours =
        ClearPath::read(path, true).is_ok_and(|path| matches!(Routes::default().find(None, None, &path), Found::Ours));
    if is_ours || !app.service.has_gateway() {
        return Failure::no_such_path().into_response();
    }
    whole_host(State(app), request).await
}

/// Everything, on a host that is the gateway's alone.
pub(crate) async fn whole_host(State(app): State<App>, request: Request) -> Response {
    let mut response = pass(app, request).await.unwrap_or_else(IntoResponse::into_response);
    response.extensions_mut().insert(LABEL);
    // Which headers of the API a page needs only the API knows.
    let headers = response.headers_mut();
    headers.entry(header::ACCESS_CONTROL_EXPOSE_HEADERS).or_insert(HeaderValue::from_static("*"));
    headers.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
    response
}

async fn pass(app: App, request: Request) -> Result<Response, Failure> {
    // Before the proof is judged: what is revoked between the two must not be missed.
    let news = app.service.news();
    let (head, body) = request.into_parts();
    let (address, path) = addressed(&head, &app);
    // Only a `GET`: what a page can be made to send without headers must not do anything.
    let ticket = head.uri.query().filter(|_| head.method == Method::GET).and_then(ticket_in);
    let actor = prove_with_ticket(&head, ticket, &address, &app).await?;
    let project = Arc::clone(actor.project());
    let settings = &project.settings;
    let path = ClearPath::read(&path, settings.gateway_encoded_slashes)?;
    let no_routes = Routes::default();
    let all = settings.gateway_routes.as_ref().unwrap_or(&no_routes);
    let way = match all.find(settings.gateway_upstream.as_ref(), address.host.as_deref(), &path) {
        Found::Way(way) => way,
        Found::Ours | Found::Nowhere => return Err(Failure::no_such_path()),
        Found::TwoWays => return Err(Failure::two_ways()),
    };
    if !way.accepts.contains(actor.credential()) {
        return Err(Failure::other_credential());
    }
    let query = head.uri.query().and_then(without_ticket);
    let hop = Hop::along(&way, &path, query.as_deref(), settings)?;
    let origin = way.upstream.origin();
    let audience = settings.gateway_audience.as_deref().unwrap_or(&origin);
    let identity = identity_headers(&app, &actor, Some(audience)).await?;
    let nonce = NextNonce::of(&actor);
    let (service, standing) = (app.service.clone(), app.service.standing(actor));
    let guard = Guard::new(news, move || service.still_stands(&standing));
    let answer = app.gateway.forward(Request::from_parts(head, body), hop, identity, guard).await?;
    Ok((nonce, answer).into_response())
}

/// To which project, and which of its paths. No route has looked at this one, so it is taken apart here.
fn addressed(parts: &Parts, app: &App) -> (Address, String) {
    let host = host(parts, app);
    let is_whole_host = host.as_deref().is_some_and(|host| app.service.is_gateway_host(host));
    let (project, path) = match parts.uri.path() {
        path if is_whole_host => (None, path),
        path => within_project(path),
    };
    (Address { path: project.map(str::to_owned), host }, path.to_owned())
}

/// `/p/{project}/…` as the project and what follows.
fn within_project(path: &str) -> (Option<&str>, &str) {
    let Some(rest) = path.strip_prefix("/p/") else { return (None, path) };
    match rest.find('/') {
        Some(end) => (Some(&rest[..end]), &rest[end..]),
        None => (Some(rest), "/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_projects_or_the_default_ones() {
        assert_eq!(within_project("/interactions"), (None, "/interactions"));
        assert_eq!(within_project("/p/p1/interactions/7"), (Some("p1"), "/interactions/7"));
        assert_eq!(within_project("/p/p1"), (Some("p1"), "/"));
        assert_eq!(within_project("/p/"), (Some(""), "/"));
        assert_eq!(within_project("/pp/p1"), (None, "/pp/p1"));
    }
}
