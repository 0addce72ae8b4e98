//! A form of one of our pages.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{header, request::Parts, uri::Authority},
};
use bytes::Bytes;
use countersign_domain::oauth::form::Form;

use super::{refused::Refused, visitor::Visitor};
use crate::{
    app::App,
    extract::{body::read_in_time, caller::single, client::is_form},
};

/// A form that a page of ours sent, as far as the browser says; what it carries says it beyond doubt.
pub(crate) struct OwnForm {
    pub(super) visitor: Visitor,
    pub(super) form: Form,
}

/// A form that any page may send.
pub(crate) struct AnyForm {
    pub(super) visitor: Visitor,
    pub(super) form: Form,
    /// As it was sent.
    pub(super) body: Bytes,
}

impl FromRequest<App> for AnyForm {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        let (mut parts, body) = request.into_parts();
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, app).await;
        if !is_form(&parts.headers) {
            return Err(Refused::unreadable(visitor));
        }
        let Ok(body) = read_in_time(Request::from_parts(parts, body), app).await else {
            return Err(Refused::unreadable(visitor));
        };
        match Form::parse(&body) {
            Ok(form) => Ok(Self { visitor, form, body }),
            Err(_) => Err(Refused::unreadable(visitor)),
        }
    }
}

impl FromRequest<App> for OwnForm {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        let AnyForm { visitor, form, .. } = AnyForm::from_request(request, app).await?;
        if !visitor.is_own_page {
            return Err(Refused::forged(visitor));
        }
        if form.has_twice() { Err(Refused::unreadable(visitor)) } else { Ok(Self { visitor, form }) }
    }
}

/// A browser says from where it asks (Fetch Metadata, `Sec-Fetch-Site`; Fetch standard, `Origin`). Who says nothing is let through here: there
/// are browsers that don't, and the form carries what no other page knows.
pub(super) fn is_own_page(parts: &Parts, app: &App) -> bool {
    let said = |name: &str| parts.headers.contains_key(name).then(|| single(&parts.headers, name).unwrap_or_default());
    let is_same_site = said("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let asked = parts.uri.authority().map(Authority::as_str);
    let asked = asked.or_else(|| single(&parts.headers, header::HOST.as_str())).unwrap_or_default();
    // A proxy may ask by another name than the browser did; then the public one counts.
    let is_asked = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| host.eq_ignore_ascii_case(asked));
    let is_ours = |origin: &str| is_asked(origin) || origin == app.service.public_url();
    is_same_site && (said("sec-fetch-site").is_some() || said(header::ORIGIN.as_str()).is_none_or(is_ours))
}
