//! The whole API on one page.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};

use tower::Service;

use crate::{
    app::App,
    bootstrap, client_api, delegation, dev,
    error::{
        client_api::Failure as ClientApiFailure, delegation::Failure as DelegationFailure,
        vouch::Failure as VouchFailure,
    },
    extract::address::host_of,
    gateway,
    layer::observe::{Observe, is_delegated, is_door_one},
    management, oauth, ops, pages, vouch,
};

/// Everything that is answered: on most hosts our doors, on some the gateway alone.
#[derive(Clone)]
pub struct Hosts {
    app: App,
    doors: Router,
    gateway: Router,
}

/// Every path there is.
pub fn router(app: App) -> Hosts {
    let observe = Observe::new(app.clone());
    let doors = Router::new()
        .merge(doors(""))
        .merge(doors("/p/{project}"))
        .merge(inserted_metadata())
        .route("/health/live", get(ops::health::live))
        .route("/health/ready", get(ops::health::ready))
        .route("/metrics", get(ops::metrics::handle))
        .route("/dev/outbox", get(dev::outbox::handle))
        .route("/dev/outbox.css", get(dev::outbox::style))
        .route("/openapi.json", get(ops::document::handle))
        .fallback(gateway::handle::elsewhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(observe.clone())
        .with_state(app.clone());
    let gateway = Router::new().fallback(gateway::handle::whole_host).layer(observe).with_state(app.clone());
    Hosts { app, doors, gateway }
}

impl Service<Request> for Hosts {
    type Response = Response;
    type Error = Infallible;
    type Future = <Router as Service<Request>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_gateways = self.app.service.has_gateway_hosts() && self.is_gateways(&request);
        if is_gateways { self.gateway.call(request) } else { self.doors.call(request) }
    }
}

impl Hosts {
    fn is_gateways(&self, request: &Request) -> bool {
        let host = host_of(request.uri(), request.headers(), request.extensions(), &self.app);
        host.is_some_and(|host| self.app.service.is_gateway_host(&host))
    }
}

/// What stands at the root and under each project.
fn doors(at: &str) -> Router<App> {
    Router::new()
        .merge(vouch_door(&format!("{at}/auth")))
        .merge(vouch_door(&format!("{at}/api/auth")))
        .merge(client_door(at))
        .merge(provider(at))
        .merge(management(at))
        .merge(delegated(at))
        .merge(own_pages(at))
        .route(&format!("{at}/.well-known/jwks.json"), get(ops::jwks::handle))
}

/// Door 3: the OpenID provider.
fn provider(at: &str) -> Router<App> {
    Router::new()
        .route(&format!("{at}/oauth2/authorize-challenge"), post(oauth::authorize_challenge::handle))
        .route(&format!("{at}/oauth2/token"), post(oauth::token::handle))
        .route(&format!("{at}/oauth2/userinfo"), get(oauth::userinfo::handle).post(oauth::userinfo::handle))
        .route(&format!("{at}/oauth2/introspect"), post(oauth::introspect::handle))
        .route(&format!("{at}/oauth2/revoke"), post(oauth::revoke::handle))
        .route(&format!("{at}/.well-known/openid-configuration"), get(oauth::discovery::handle))
        .route(&format!("{at}/.well-known/oauth-authorization-server"), get(oauth::discovery::handle))
}

/// Door 3: what backends do with users.
fn management(at: &str) -> Router<App> {
    use management::{policy, step_up, users};
    Router::new()
        .route(&format!("{at}/bootstrap/challenge"), post(bootstrap::challenge::handle))
        .route(&format!("{at}/bootstrap/exchange"), post(bootstrap::exchange::handle))
        .route(&format!("{at}/bootstrap/token"), post(bootstrap::token::handle))
        .route(&format!("{at}/oauth/revoke"), post(bootstrap::revoke::handle))
        .route(&format!("{at}/v1/management/policy"), post(policy::handle))
        .route(&format!("{at}/v1/management/stepup/start-token"), post(step_up::start::handle))
        .route(&format!("{at}/v1/management/stepup/consume"), post(step_up::consume::handle))
        .route(&format!("{at}/v1/management/users/mfa-enforcement"), post(users::mfa_enforcement::handle))
        .route(&format!("{at}/v1/management/users/phone"), post(users::phone::handle))
}

/// Door 3: what a customer's backend does for its users, sealed and signed.
fn delegated(at: &str) -> Router<App> {
    Router::new()
        .route(&format!("{at}/hc_auth/v5/update/initiate"), post(delegation::initiate::handle))
        .route(&format!("{at}/hc_auth/v5/update/verify"), post(delegation::verify::handle))
        .route(&format!("{at}/hc_auth/v5/update/get-creds"), post(delegation::get_creds::handle))
        .route(&format!("{at}/hc_auth/v5/update/set-suggest-mfa"), post(delegation::set_suggest_mfa::handle))
        .route(&format!("{at}/hc_auth/v5/update/get-suggested-mfa"), post(delegation::get_suggested_mfa::handle))
        .route(&format!("{at}/mfa/update"), post(delegation::mfa_update::handle))
        .route(&format!("{at}/mfa/get"), post(delegation::mfa_get::handle))
        .route(&format!("{at}/hc_auth/v5/manage/devices"), post(delegation::devices::handle))
        .route(&format!("{at}/hc_auth/v5/manage/revoke"), post(delegation::revoke_device::handle))
        .route(&format!("{at}/hc_auth/v5/manage/unrevoke"), post(delegation::unrevoke_device::handle))
        .route(&format!("{at}/hc_auth/v5/manage/delete"), post(delegation::delete_device::handle))
        .route(&format!("{at}/device/revoke"), post(delegation::device_revoke::handle))
}

/// For people.
fn own_pages(at: &str) -> Router<App> {
    use pages::{
        account, account_contact, account_data, authorize, consents, factors, passkeys, sign_in, step_up, style,
    };
    Router::new()
        .route(&format!("{at}/oauth2/authorize"), get(authorize::get).post(authorize::post))
        .route(&format!("{at}/sign-in/step-up"), get(step_up::get))
        .route(&format!("{at}/sign-in/{{id}}"), get(sign_in::get).post(sign_in::post))
        .route(&format!("{at}/sign-in/{{id}}/link"), get(sign_in::link))
        .route(&format!("{at}/sign-in/{{id}}/passkey"), post(passkeys::of_sign_in))
        .route(&format!("{at}/sign-in/style.css"), get(style::handle))
        .route(&format!("{at}/sign-in/post.js"), get(style::post_script))
        .route(&format!("{at}/sign-in/passkey.js"), get(passkeys::script))
        .route(&format!("{at}/account"), get(account::get).post(account::post))
        .route(&format!("{at}/account/contact"), post(account_contact::change))
        .route(&format!("{at}/account/copy"), post(account_data::copy))
        .route(&format!("{at}/account/erase"), post(account_data::erase))
        .route(&format!("{at}/account/consents"), post(consents::take_back))
        .route(&format!("{at}/account/factors"), post(factors::change))
        .route(&format!("{at}/account/passkeys"), post(passkeys::change))
        .route(&format!("{at}/account/passkeys/question"), post(passkeys::of_account))
}

/// For an issuer with a path its metadata stands before that path, too (RFC 8414 §3.1).
fn inserted_metadata() -> Router<App> {
    Router::new()
        .route("/.well-known/openid-configuration/p/{project}", get(oauth::discovery::handle))
        .route("/.well-known/oauth-authorization-server/p/{project}", get(oauth::discovery::handle))
}

/// Door 2.
fn client_door(at: &str) -> Router<App> {
    use client_api::users;
    Router::new()
        .route(&format!("{at}/v1/me"), get(client_api::me::handle))
        .route(&format!("{at}/v1/explain"), post(client_api::explain::handle))
        .route(&format!("{at}/v1/sessions"), post(client_api::sessions::handle))
        .route(&format!("{at}/v1/tickets"), post(client_api::tickets::handle))
        .route(&format!("{at}/users"), get(users::list::handle).post(users::create::handle))
        .route(
            &format!("{at}/users/{{id}}"),
            get(users::show::handle).post(users::set::handle).delete(users::delete::handle),
        )
        .route(&format!("{at}/verify"), any(client_api::verify::handle))
        .route(&format!("{at}/verify/"), any(client_api::verify::handle))
        .route(&format!("{at}/verify/{{*path}}"), any(client_api::verify::handle))
}

/// Door 1.
fn vouch_door(at: &str) -> Router<App> {
    Router::new()
        .route(&format!("{at}/v1/private/signin"), post(vouch::sign_in::handle))
        .route(&format!("{at}/v1/private/signup"), post(vouch::sign_up::handle))
        .route(&format!("{at}/v1/sendverificationtoken"), post(vouch::send_code::handle))
        .route(&format!("{at}/v1/signin"), post(vouch::code_sign_in::handle))
        .route(&format!("{at}/v1/signup"), post(vouch::code_sign_up::handle))
        .route(&format!("{at}/v1/check-auth-attributes"), post(vouch::attributes::handle))
        .route(&format!("{at}/v1/refreshtoken"), post(vouch::refresh::handle))
        .route(&format!("{at}/v1beta/refreshtoken"), post(vouch::refresh::handle))
        .route(&format!("{at}/v1/signout"), post(vouch::sign_out::handle))
        .route(&format!("{at}/v1beta/authprofile"), post(vouch::profile::handle))
        .route(&format!("{at}/v1/user/{{uid}}/sessions"), get(vouch::sessions::handle))
}

async fn wrong_method(request: Request) -> Response {
    if is_door_one(request.uri().path()) {
        VouchFailure::wrong_method().into_response()
    } else if is_delegated(request.uri().path()) {
        DelegationFailure::wrong_method().into_response()
    } else {
        ClientApiFailure::wrong_method().into_response()
    }
}
