//! A person's browser that asks for a page.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use countersign_domain::locale::Locale;
use countersign_service::{
    address::Address,
    browser::{Browser, Look},
    caller::Caller,
};

use super::cookies::{Cookies, names};
use crate::{
    app::App,
    extract::{
        address::AddressOf,
        caller::{caller_of, single},
    },
};

/// A browser, with what it shows of itself.
pub(crate) struct Visitor {
    pub(super) address: Address,
    pub(super) caller: Caller,
    /// How the pages look here; none: there is no such project.
    pub(super) look: Option<Look>,
    pub(super) cookies: Cookies,
    visit: Option<String>,
    session: Option<String>,
    accept_language: Option<String>,
    /// In which language the app asks for pages, where that is known.
    asked_for: Option<Locale>,
    /// Does a page of ours ask? Only forms must: see [`super::form`].
    pub(super) is_own_page: bool,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let Ok(AddressOf(address)) = AddressOf::from_request_parts(parts, app).await;
        let project = app.service.project(&address).ok();
        let id = project.as_ref().map(|project| project.project.id.as_str()).unwrap_or_default();
        let cookies = names(id, app.service.is_public_over_tls());
        Ok(Self {
            caller: caller_of(parts, app),
            look: app.service.look_at_address(&address),
            visit: cookies.visit.read(&parts.headers),
            session: cookies.session.read(&parts.headers),
            accept_language: single(&parts.headers, header::ACCEPT_LANGUAGE.as_str()).map(str::to_owned),
            asked_for: None,
            is_own_page: super::form::is_own_page(parts, app),
            cookies,
            address,
        })
    }
}

impl Visitor {
    pub(super) fn browser(&self) -> Browser<'_> {
        Browser {
            visit: self.visit.as_deref(),
            session: self.session.as_deref(),
            accept_language: self.accept_language.as_deref(),
        }
    }

    /// The same, whom an app wants to be spoken to so.
    pub(super) fn spoken_to_in(self, locale: Option<Locale>) -> Self {
        Self { asked_for: locale.or(self.asked_for), ..self }
    }

    /// The same, sent by an app that asks for these languages.
    pub(super) fn reading(self, ui_locales: Option<&str>) -> Self {
        let locale = Locale::best_of(ui_locales, self.accept_language.as_deref());
        self.spoken_to_in(Some(locale))
    }

    /// In which language a page speaks that isn't about a sign-in, or doesn't know about which.
    pub(super) fn locale(&self) -> Locale {
        self.asked_for.unwrap_or_else(|| Locale::best_of(None, self.accept_language.as_deref()))
    }

    /// What the paths of this project's pages begin with.
    pub(super) fn at(&self) -> String {
        // Nothing but the name of a project that is there: what else a path says doesn't come back in one.
        let project = self.address.path.as_deref().filter(|_| self.look.is_some());
        project.map(|project| format!("/p/{project}")).unwrap_or_default()
    }
}
