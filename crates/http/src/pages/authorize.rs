//! `/oauth2/authorize`: where apps send their users (RFC 6749 §3.1).

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use countersign_domain::oauth::form::Form;
use countersign_service::browser::authorize::Authorized;
use countersign_wire::oauth::authorization::AuthorizationSchema;

use super::{
    form::AnyForm,
    refused::Refused,
    response::{back_to_app, see_other, with_cookie},
    visitor::Visitor,
};
use crate::app::App;

/// Send a user here
///
/// An authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1), for a browser: an app sends its user here, and gets them back at
/// `redirect_uri` with `code`, `state` and `iss` (RFC 9207), or with `error` in the place of `code`: `login_required`, `consent_required` and
/// `account_selection_required` where `prompt=none` asks for what only a person can give; `access_denied`, `invalid_request`, `invalid_scope`,
/// `unauthorized_client`, `unsupported_response_type`, `invalid_target`, `request_not_supported`, `request_uri_not_supported`,
/// `registration_not_supported`. Who isn't signed in sees pages of ours before that. The code is good for a minute, at `/oauth2/token`.
#[utoipa::path(
    get, path = "/oauth2/authorize", operation_id = "authorize", tag = "OpenID provider",
    params(
        AuthorizationSchema,
        ("Accept-Language" = Option<String>, Header, description = "In which language the pages are, where `ui_locales` names none that there is."),
    ),
    responses(
        (status = 200, description = "`response_mode=form_post`: a page whose form goes to `redirect_uri` by itself (OAuth 2.0 Form Post Response Mode).", body = String, content_type = "text/html"),
        (status = 303, description = "Back to `redirect_uri`, with a code or an error; or to the page on which the user signs in.",
            headers(("Location" = String, description = "Where to."))),
        (status = 400, description = "A page for the person: `client_id` or `redirect_uri` isn't registered, so the app isn't told.", body = String, content_type = "text/html"),
        (status = 429, description = "A page for the person: too many sign-ins begun by this network; `Retry-After`.", body = String, content_type = "text/html"),
        (status = 500, description = "A page for the person: the server failed.", body = String, content_type = "text/html"),
        (status = 503, description = "A page for the person: the server can't answer now.", body = String, content_type = "text/html"),
    ),
)]
pub(crate) async fn get(
    State(app): State<App>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let Ok(form) = Form::parse(query.unwrap_or_default().as_bytes()) else {
        return Err(Refused::unreadable(visitor));
    };
    let visitor = visitor.reading(form.text("ui_locales"));
    match app.service.authorize(&visitor.address, &form, visitor.browser(), &visitor.caller).await {
        Ok(authorized) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

/// Send a user here by a form
///
/// The same as `GET /oauth2/authorize` (OpenID Connect Core §3.1.2.1), to which the browser is sent on with what the form says.
#[utoipa::path(
    post, path = "/oauth2/authorize", operation_id = "authorizeByPost", tag = "OpenID provider",
    request_body(content = AuthorizationSchema, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To `GET /oauth2/authorize`.", headers(("Location" = String, description = "Where to."))),
        (status = 400, description = "A page for the person: this is no form that can be read, of at most 64 KiB.", body = String, content_type = "text/html"),
    ),
)]
pub(crate) async fn post(AnyForm { visitor, body, .. }: AnyForm) -> Result<Response, Refused> {
    // The form comes from another site, so our cookies don't come with it. They do with what a browser asks for by itself.
    let is_query = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'#' | b'"' | b'<' | b'>');
    match str::from_utf8(&body) {
        Ok(query) if body.iter().all(is_query) => Ok(see_other(&format!("{}/oauth2/authorize?{query}", visitor.at()))),
        _ => Err(Refused::unreadable(visitor)),
    }
}

pub(super) fn go_on(visitor: &Visitor, authorized: &Authorized) -> Response {
    match authorized {
        Authorized::Back(way) => back_to_app(visitor, way),
        Authorized::SignIn { id, visit } => {
            let response = see_other(&format!("{}/sign-in/{id}", visitor.at()));
            with_cookie(response, visitor.cookies.visit.set(visit))
        }
    }
}
