//! The whole API on one page.

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, Method, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_http::cors::{Any, CorsLayer};

use crate::{
    app::App,
    client_api,
    error::{client_api::Failure as ClientApiFailure, vouch::Failure as VouchFailure},
    layer::{
        headers,
        observe::{is_door_one, observe},
    },
    ops, vouch,
};

/// Every path there is.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(doors())
        .nest("/p/{project}", doors())
        .route("/health/live", get(ops::health::live))
        .route("/health/ready", get(ops::health::ready))
        .route("/metrics", get(ops::metrics::handle))
        .route("/openapi.json", get(ops::document::handle))
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(headers::add))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// What stands at the root and under each project.
fn doors() -> Router<App> {
    Router::new()
        .nest("/auth", vouch_door())
        .nest("/api/auth", vouch_door())
        .route("/v1/me", get(client_api::me::handle).layer(for_browsers()))
        .route("/.well-known/jwks.json", get(ops::jwks::handle).layer(for_browsers()))
}

/// Door 1.
fn vouch_door() -> Router<App> {
    let for_backends = Router::new()
        .route("/v1/private/signin", post(vouch::sign_in::handle))
        .route("/v1/private/signup", post(vouch::sign_up::handle));
    let for_apps = Router::new()
        .route("/v1/refreshtoken", post(vouch::refresh::handle))
        .route("/v1beta/refreshtoken", post(vouch::refresh::handle))
        .route("/v1/signout", post(vouch::sign_out::handle))
        .route("/v1beta/authprofile", post(vouch::profile::handle))
        .route("/v1/user/{uid}/sessions", get(vouch::sessions::handle))
        .layer(for_browsers());
    for_backends.merge(for_apps)
}

/// Any page may call what an app calls: there are no cookies, so a page can use only what it holds itself.
fn for_browsers() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
        .max_age(std::time::Duration::from_hours(1))
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
