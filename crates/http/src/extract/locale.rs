//! In which language somebody is to be written to.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use countersign_domain::locale::Locale;

use super::caller::single;
use crate::app::App;

/// The best of our languages, as `Accept-Language` has it (RFC 9110 §12.5.4).
pub(crate) struct LocaleOf(pub(crate) Locale);

impl FromRequestParts<App> for LocaleOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self(Locale::best_of(None, single(&parts.headers, header::ACCEPT_LANGUAGE.as_str()))))
    }
}
