//! Signing in on pages of our own, in a browser: the same machine ([`crate::sign_in`]) that an app's own screens drive, and what comes before and
//! after it. Pages only show what these use cases say.

pub mod account;
pub mod account_mistake;
pub mod act;
pub mod authorize;
pub mod contact;
mod contact_proof;
pub mod factors;
pub mod mistake;
pub mod own_data;
pub mod page;
pub mod passkeys;
pub(crate) mod session;
mod step_up;

use std::{sync::Arc, time::Duration};

use countersign_crypto::{browser_cookie::Visit, secret::SecretText};
use countersign_domain::{
    locale::Locale,
    page_look::{PageColor, PageLogo},
};

use crate::{
    Service,
    address::{Address, Misaddressed},
    directory::ProjectView,
    error::Outage,
    limits::TooMany,
    oauth::authorization::{AuthorizationRefused, PageProblem},
};

/// What a browser shows of itself. All of it is anybody's to write.
#[derive(Clone, Copy, Default)]
pub struct Browser<'a> {
    /// The cookie of a visit.
    pub visit: Option<&'a str>,
    /// The cookie of whoever is signed in.
    pub session: Option<&'a str>,
    /// In which language it reads.
    pub accept_language: Option<&'a str>,
}

/// A cookie that the browser is to keep.
pub struct NewCookie {
    /// What it says.
    pub value: SecretText,
    /// For how long; zero: until it is closed.
    pub max_age: Duration,
}

/// How a project's pages look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What people call the project.
    pub name: String,
    /// Its logo.
    pub logo: Option<PageLogo>,
    /// The colour of its buttons.
    pub color: PageColor,
}

/// Why there is no page but one that says so.
#[derive(Debug, thiserror::Error)]
pub enum PageRefused {
    /// The app that sent the person here made a mistake.
    #[error(transparent)]
    Request(#[from] AuthorizationRefused),
    /// The sign-in is over, or belongs to another browser.
    #[error("the sign-in is over, or was begun in another browser")]
    Over,
    /// A form came from somewhere else.
    #[error("the form was not sent by a page of ours")]
    Forged,
    /// Too many begin here.
    #[error("too many sign-ins begun by this network")]
    TooMany(TooMany),
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl PageRefused {
    /// As metrics have it.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Request(_) => "invalid_request",
            Self::Over => "invalid_session",
            Self::Forged => "forged_form",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}

impl Service {
    pub(crate) fn page_project(&self, address: &Address) -> Result<Arc<ProjectView>, PageRefused> {
        self.fresh()?;
        let found = self.addressed(address, None);
        found.map_err(|_: Misaddressed| AuthorizationRefused::from(PageProblem::NoSuchProject).into())
    }

    /// How the pages look that answer at an address; none: there is no project.
    pub fn look_at_address(&self, address: &Address) -> Option<Look> {
        self.addressed(address, None).ok().map(|project| look(&project))
    }

    /// Whether browsers reach this server over TLS alone, so that its cookies may travel over nothing else.
    pub fn is_public_over_tls(&self) -> bool {
        self.config.public_url.starts_with("https://")
    }
}

fn look(project: &ProjectView) -> Look {
    let settings = &project.settings;
    Look { name: shown_name(project), logo: settings.page_logo.clone(), color: settings.page_color }
}

pub(crate) fn shown_name(project: &ProjectView) -> String {
    let name = project.project.name.as_str().trim();
    if name.is_empty() { project.project.id.to_string() } else { name.to_owned() }
}

/// The visit that the browser is on, or a new one.
pub(crate) fn visit_of(service: &Service, browser: Browser<'_>) -> Visit {
    browser.visit.and_then(Visit::read).unwrap_or_else(|| Visit::generate(&service.entropy))
}

/// In which language a page speaks: as the app asks, or as the browser says.
fn locale_of(ui_locales: &[String], browser: Browser<'_>) -> Locale {
    Locale::best_of(Some(&ui_locales.join(" ")), browser.accept_language)
}
