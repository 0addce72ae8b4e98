//! Pages, and ways on, as answers.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use countersign_service::oauth::response::Redirect;

use super::{
    Frame,
    protection::{Needs, protect},
    visitor::Visitor,
    words::Words,
};
use crate::error::Cause;

/// A page. One that can't be rendered is a fault of ours, and says no more.
pub(super) fn page(status: StatusCode, template: &impl Template, needs: &Needs<'_>) -> Response {
    let mut response = match template.render() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(problem) => {
            let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            response.extensions_mut().insert(Cause(problem.to_string()));
            response
        }
    };
    protect(&mut response, needs);
    response
}

/// To another page: 303, so that a reload asks for that one and sends no form again (RFC 9110 §15.4.4).
pub(super) fn see_other(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    match HeaderValue::try_from(location) {
        Ok(location) => drop(response.headers_mut().insert(header::LOCATION, location)),
        Err(problem) => {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.extensions_mut().insert(Cause(problem.to_string()));
        }
    }
    protect(&mut response, &Needs::default());
    response
}

pub(super) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Back to the app.
pub(super) fn back_to_app(visitor: &Visitor, way: &Redirect) -> Response {
    match way {
        Redirect::Uri(uri) => see_other(uri),
        Redirect::FormPost { action, fields } => {
            let lang = visitor.locale();
            let words = Words(lang);
            let look = visitor.look.clone().unwrap_or_else(super::refused::plain_look);
            let at = visitor.at();
            let frame = Frame::new(&at, look, lang, words.going_back());
            let template = FormPost { frame, action, fields, script: format!("{at}/sign-in/post.js") };
            let needs = Needs { logo: template.frame.look.logo.as_ref(), leads_to: Some(action), script: true };
            page(StatusCode::OK, &template, &needs)
        }
    }
}

/// A form that goes to the app by itself, and by a button where no script runs (OAuth 2.0 Form Post Response Mode).
#[derive(Template)]
#[template(path = "pages/form_post.html")]
struct FormPost<'a> {
    frame: Frame,
    action: &'a str,
    fields: &'a [(&'static str, String)],
    script: String,
}
