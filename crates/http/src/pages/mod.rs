//! Pages for people: signing in, and their own account. Rendered here, whole without a script; what they say stands in [`words`], how they look in
//! `templates/pages`.

pub(crate) mod account;
pub(crate) mod account_contact;
pub(crate) mod account_data;
mod account_words;
pub(crate) mod authorize;
pub(crate) mod consents;
mod cookies;
pub(crate) mod factors;
mod form;
pub(crate) mod passkeys;
mod protection;
mod refused;
mod response;
mod second;
pub(crate) mod sign_in;
pub(crate) mod step_up;
pub(crate) mod style;
mod visitor;
mod words;

use countersign_domain::locale::Locale;
use countersign_service::browser::Look;

use self::{style::style_path, words::Words};

/// What all pages have.
struct Frame {
    words: Words,
    lang: Locale,
    title: String,
    look: Look,
    style: String,
}

impl Frame {
    fn new(at: &str, look: Look, lang: Locale, title: String) -> Self {
        Self { words: Words(lang), lang, title, style: style_path(at, look.color), look }
    }

    fn logo(&self) -> Option<&str> {
        self.look.logo.as_ref().map(countersign_domain::page_look::PageLogo::as_str)
    }
}
