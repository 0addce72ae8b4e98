//! The gateway: a call whose caller was proved goes on to the customer's own API, and the answer comes back, both as streams.
//!
//! What leaves here carries our word for who calls, and nothing that the caller could have written in its place. [`Gateway::forward`] is the
//! only way out. Whoever calls it has proved the caller, chosen the [`Hop`], and made the headers that say who it is.

mod clients;
mod connector;
mod counts;
mod download;
mod expectation;
pub(crate) mod failure;
pub(crate) mod guard;
pub(crate) mod handle;
mod headers;
pub(crate) mod hop;
mod origin;
mod stillness;
mod tunnel;
mod upload;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, StatusCode, Version, request::Parts},
    response::Response,
};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use ipnet::IpNet;

use self::{
    clients::Clients,
    counts::Counts,
    download::Download,
    expectation::Expectation,
    failure::GatewayFailure,
    guard::Guard,
    hop::Hop,
    stillness::still_for,
    tunnel::Tunnel,
    upload::{Progress, Upload},
};

/// A reverse proxy, with the connections that it keeps.
pub(crate) struct Gateway {
    clients: Clients,
    counts: Arc<Counts>,
    /// Peers whose word is taken for where a call comes from.
    trusted_proxies: Vec<IpNet>,
}

impl Gateway {
    pub(crate) fn new(trusted_proxies: Vec<IpNet>) -> Self {
        Self { clients: Clients::default(), counts: Arc::new(Counts::new()), trusted_proxies }
    }

    /// Sends a request on and gives the answer back once its head is there. `identity` says who calls; `guard`, for how long.
    pub(crate) async fn forward(
        &self,
        request: Request,
        hop: Hop,
        identity: HeaderMap,
        guard: Guard,
    ) -> Result<Response, GatewayFailure> {
        let answer = self.pass(request, hop, identity, guard).await;
        self.counts.answered(answer.as_ref().map(Response::status));
        answer
    }

    async fn pass(
        &self,
        request: Request,
        hop: Hop,
        identity: HeaderMap,
        guard: Guard,
    ) -> Result<Response, GatewayFailure> {
        let (mut parts, body) = request.into_parts();
        // An upstream that plays a request back would show the caller what only it should see; a tunnel to anywhere is no call of an API.
        if matches!(parts.method, Method::TRACE | Method::CONNECT) {
            return Err(GatewayFailure::Method);
        }
        let socket = tunnel::wanted(&mut parts, &body);
        let manner = if socket.is_some() { hop.manner.for_socket() } else { hop.manner };
        let expectation = Expectation::of(&parts, manner);
        headers::leave(&mut parts, &body, manner, &self.trusted_proxies, identity);
        if socket.is_some() {
            headers::ask_for_socket(&mut parts.headers);
        }
        let (upload, progress) = Upload::new(body, &guard, hop.idle_timeout, expectation.as_ref());
        let mut request = outgoing(parts, &hop, upload);
        if let Some(expectation) = &expectation {
            expectation.listen(&mut request);
        }
        let sending = self.clients.send(manner, request);
        let sending = sending.map_err(|problem| GatewayFailure::Unreachable(format!("{hop}: {problem}")))?;
        let sent = self.first_of(sending, &hop, guard.clone(), progress.as_deref()).await;
        if let Some(expectation) = expectation {
            expectation.end();
        }
        self.answer(sent?, socket, &hop, guard)
    }

    /// The head of the answer, unless it takes too long or the caller may no longer have it.
    async fn first_of(
        &self,
        sending: clients::Sending,
        hop: &Hop,
        mut guard: Guard,
        progress: Option<&Progress>,
    ) -> Result<Response<Incoming>, GatewayFailure> {
        tokio::select! {
            biased;
            sent = sending => sent.map_err(|error| match progress.and_then(Progress::failure) {
                Some(failure) => failure,
                None => GatewayFailure::of(&error, hop),
            }),
            () = guard.broken() => Err(GatewayFailure::Revoked),
            () = still_for(hop.timeout, || progress.map_or(0, Progress::moved)) => Err(match progress {
                Some(progress) if progress.waits_for_caller() => GatewayFailure::CallerStalled,
                _ => GatewayFailure::TimedOut(format!("{hop} began no answer within {:?}", hop.timeout)),
            }),
        }
    }

    fn answer(
        &self,
        sent: Response<Incoming>,
        socket: Option<OnUpgrade>,
        hop: &Hop,
        guard: Guard,
    ) -> Result<Response, GatewayFailure> {
        let (mut parts, body) = sent.into_parts();
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            let (Some(caller), Some(upstream), true) = (socket, upgrade, tunnel::agrees(&parts.headers)) else {
                return Err(GatewayFailure::NotHttp(format!("{hop} switched to a protocol that nobody asked for")));
            };
            headers::come_back(&mut parts.headers);
            headers::ask_for_socket(&mut parts.headers);
            Tunnel { caller, upstream, guard, idle_timeout: hop.idle_timeout, counts: Arc::clone(&self.counts) }.open();
            return Ok(incoming(parts.status, parts.headers, Body::empty()));
        }
        headers::come_back(&mut parts.headers);
        let body = Body::new(Download::new(body, guard, hop.idle_timeout, &self.counts));
        Ok(incoming(parts.status, parts.headers, body))
    }
}

/// Nothing goes on that was put beside the request for us, or stands beside the answer.
fn outgoing(parts: Parts, hop: &Hop, body: Upload) -> hyper::Request<Upload> {
    let mut request = hyper::Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = hop.uri.clone();
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = parts.headers;
    request
}

fn incoming(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests;
