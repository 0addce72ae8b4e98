//! The whole API on one page.

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};

use crate::{
    app::App,
    client_api,
    error::{client_api::Failure as ClientApiFailure, vouch::Failure as VouchFailure},
    layer::observe::{Observe, is_door_one},
    ops, vouch,
};

/// Every path there is.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(doors(""))
        .merge(doors("/p/{project}"))
        .route("/health/live", get(ops::health::live))
        .route("/health/ready", get(ops::health::ready))
        .route("/metrics", get(ops::metrics::handle))
        .route("/openapi.json", get(ops::document::handle))
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(Observe::new(app.clone()))
        .with_state(app)
}

/// What stands at the root and under each project.
fn doors(at: &str) -> Router<App> {
    Router::new()
        .merge(vouch_door(&format!("{at}/auth")))
        .merge(vouch_door(&format!("{at}/api/auth")))
        .merge(client_door(at))
        .route(&format!("{at}/.well-known/jwks.json"), get(ops::jwks::handle))
}

/// Door 2.
fn client_door(at: &str) -> Router<App> {
    use client_api::users;
    Router::new()
        .route(&format!("{at}/v1/me"), get(client_api::me::handle))
        .route(&format!("{at}/users"), get(users::list::handle).post(users::create::handle))
        .route(
            &format!("{at}/users/{{id}}"),
            get(users::show::handle).post(users::set::handle).delete(users::delete::handle),
        )
        .route(&format!("{at}/verify"), any(client_api::verify::handle))
        .route(&format!("{at}/verify/{{*path}}"), any(client_api::verify::handle))
}

/// Door 1.
fn vouch_door(at: &str) -> Router<App> {
    Router::new()
        .route(&format!("{at}/v1/private/signin"), post(vouch::sign_in::handle))
        .route(&format!("{at}/v1/private/signup"), post(vouch::sign_up::handle))
        .route(&format!("{at}/v1/refreshtoken"), post(vouch::refresh::handle))
        .route(&format!("{at}/v1beta/refreshtoken"), post(vouch::refresh::handle))
        .route(&format!("{at}/v1/signout"), post(vouch::sign_out::handle))
        .route(&format!("{at}/v1beta/authprofile"), post(vouch::profile::handle))
        .route(&format!("{at}/v1/user/{{uid}}/sessions"), get(vouch::sessions::handle))
}

async fn no_such_path(request: Request) -> Response {
    if is_door_one(request.uri().path()) {
        VouchFailure::no_such_path().into_response()
    } else {
        ClientApiFailure::no_such_path().into_response()
    }
}

async fn wrong_method(request: Request) -> Response {
    if is_door_one(request.uri().path()) {
        VouchFailure::wrong_method().into_response()
    } else {
        ClientApiFailure::wrong_method().into_response()
    }
}
