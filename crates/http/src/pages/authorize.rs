//! `/oauth2/authorize`: where apps send their users (RFC 6749 §3.1).

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use countersign_domain::oauth::form::Form;
use countersign_service::browser::authorize::Authorized;

use super::{
    form::AnyForm,
    refused::Refused,
    response::{back_to_app, see_other, with_cookie},
    visitor::Visitor,
};
use crate::app::App;

/// `GET`: who is signed in goes straight back to the app.
pub(crate) async fn get(
    State(app): State<App>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let Ok(form) = Form::parse(query.unwrap_or_default().as_bytes()) else {
        return Err(Refused::unreadable(visitor));
    };
    match app.service.authorize(&visitor.address, &form, visitor.browser(), &visitor.caller).await {
        Ok(authorized) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

/// `POST` (OpenID Connect Core §3.1.2.1). The form comes from another site, so our cookies don't come with it. They do with what a browser asks
/// for by itself, so it is told to ask again.
pub(crate) async fn post(AnyForm { visitor, body, .. }: AnyForm) -> Result<Response, Refused> {
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
