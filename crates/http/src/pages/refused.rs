//! Pages that say why there is no other, and what to do.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_domain::locale::Locale;
use countersign_service::{
    browser::{Look, PageRefused},
    error::Outage,
    oauth::{
        authorization::{AuthorizationRefused, PageProblem},
        response::Redirect,
    },
    sign_in::Denial,
};

use super::{
    Frame,
    protection::Needs,
    response::{back_to_app, page},
    visitor::Visitor,
    words::Words,
};
use crate::error::Cause;

/// A page that says no.
pub(crate) struct Refused {
    visitor: Visitor,
    problem: Problem,
}

enum Problem {
    /// Not a form of ours, or none that can be read.
    Unreadable,
    Forged,
    Of(PageRefused),
}

impl Refused {
    pub(super) fn unreadable(visitor: Visitor) -> Self {
        Self { visitor, problem: Problem::Unreadable }
    }

    pub(super) fn forged(visitor: Visitor) -> Self {
        Self { visitor, problem: Problem::Forged }
    }

    pub(super) fn of(visitor: Visitor, refused: PageRefused) -> Self {
        Self { visitor, problem: Problem::Of(refused) }
    }
}

/// Where no project lends its own.
pub(super) fn plain_look() -> Look {
    #[expect(clippy::expect_used, reason = "a constant")]
    let color = "#0b57b5".parse().expect("a colour");
    Look { name: "Countersign".to_owned(), logo: None, color }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { visitor, problem } = self;
        if let Problem::Of(refused) = &problem
            && let Some(way) = refused.redirect()
        {
            return back_to_app(&visitor, &way);
        }
        let words = Words(visitor.locale());
        let (status, title, said) = match &problem {
            Problem::Unreadable => (StatusCode::BAD_REQUEST, words.unreadable_title(), words.unreadable()),
            Problem::Forged | Problem::Of(PageRefused::Forged) => {
                (StatusCode::FORBIDDEN, words.forged_title(), words.forged())
            }
            Problem::Of(PageRefused::Over) => (StatusCode::GONE, words.over_title(), words.over()),
            Problem::Of(PageRefused::TooMany(_)) => {
                (StatusCode::TOO_MANY_REQUESTS, words.too_many_title(), words.too_many())
            }
            Problem::Of(PageRefused::Request(AuthorizationRefused::Page(problem))) => {
                (StatusCode::BAD_REQUEST, words.request_title(), of_request(words, *problem))
            }
            Problem::Of(PageRefused::Request(AuthorizationRefused::Client(_))) => {
                (StatusCode::BAD_REQUEST, words.request_title(), words.unreadable())
            }
            Problem::Of(PageRefused::Outage(outage) | PageRefused::Request(AuthorizationRefused::Outage(outage))) => {
                let status = match outage {
                    Outage::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
                    _ => StatusCode::SERVICE_UNAVAILABLE,
                };
                (status, words.outage_title(), words.outage())
            }
        };
        let mut response = sentence(&visitor, status, title, said);
        match problem {
            Problem::Of(PageRefused::TooMany(too_many)) => {
                let seconds = too_many.retry_after.as_secs() + 1;
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Problem::Of(PageRefused::Outage(outage) | PageRefused::Request(AuthorizationRefused::Outage(outage))) => {
                response.extensions_mut().insert(Cause(outage.to_string()));
            }
            _ => {}
        }
        response
    }
}

fn of_request(words: Words, problem: PageProblem) -> String {
    match problem {
        PageProblem::NoSuchProject => words.no_project(),
        PageProblem::UnknownClient => words.unknown_client(),
        PageProblem::BadRedirectUri => words.bad_redirect_uri(),
    }
}

/// Somebody may not come in.
pub(super) fn denied(visitor: &Visitor, lang: Locale, denial: Denial, back: Option<&Redirect>) -> Response {
    let words = Words(lang);
    let (title, said) = match denial {
        Denial::NoAccount => (words.no_account_title(), words.no_account()),
        Denial::Disabled => (words.disabled_title(), words.disabled()),
        Denial::OtherUser => (words.other_user_title(), words.other_user()),
        Denial::NoEmail => (words.no_email_title(), words.no_email()),
    };
    sentence_in(visitor, lang, StatusCode::FORBIDDEN, title, said, back)
}

/// A link from a message that isn't this browser's.
pub(super) fn link_elsewhere(visitor: &Visitor) -> Response {
    let words = Words(visitor.locale());
    let (title, said) = (words.link_elsewhere_title(), words.link_elsewhere());
    sentence(visitor, StatusCode::GONE, title, said)
}

/// A page with one thing to say.
pub(super) fn sentence(visitor: &Visitor, status: StatusCode, title: String, said: String) -> Response {
    sentence_in(visitor, visitor.locale(), status, title, said, None)
}

fn sentence_in(
    visitor: &Visitor,
    lang: Locale,
    status: StatusCode,
    title: String,
    said: String,
    back: Option<&Redirect>,
) -> Response {
    let look = visitor.look.clone().unwrap_or_else(plain_look);
    let frame = Frame::new(&visitor.at(), look, lang, title);
    let (link, form) = match back {
        Some(Redirect::Uri(uri)) => (Some(uri.as_str()), None),
        Some(Redirect::FormPost { action, fields }) => (None, Some((action.as_str(), fields.as_slice()))),
        None => (None, None),
    };
    let template = Sentence { frame, said, link, form };
    let needs =
        Needs { logo: template.frame.look.logo.as_ref(), leads_to: form.map(|(action, _)| action), script: false };
    page(status, &template, &needs)
}

#[derive(Template)]
#[template(path = "pages/sentence.html")]
struct Sentence<'a> {
    frame: Frame,
    said: String,
    link: Option<&'a str>,
    form: Option<(&'a str, &'a [(&'static str, String)])>,
}
