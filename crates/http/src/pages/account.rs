//! `/account`: a user's own page.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use countersign_domain::{clock::Timestamp, oauth::form::Form};
use countersign_service::browser::{
    account::{Account, AccountView, Place},
    account_mistake::AccountMistake,
    mistake::Mistake,
};

use super::{
    Frame,
    account_contact::{Contacts, said},
    account_words::AccountWords,
    authorize::go_on,
    consents,
    factors::Factors,
    form::OwnForm,
    passkeys::{Passkeys, script_path},
    protection::Needs,
    refused::Refused,
    response::{page, see_other, with_cookie},
    visitor::Visitor,
    words::{Words, factors::FactorWords},
};
use crate::app::App;

/// `GET`
pub(crate) async fn get(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Refused> {
    let query = Form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let asked = query.text("m");
    let mistake = (asked.and_then(Mistake::read), asked.and_then(AccountMistake::read));
    match app.service.account(&visitor.address, visitor.browser(), &visitor.caller).await {
        Ok(Account::Page(view)) => Ok(show(&visitor, *view, mistake)),
        Ok(Account::SignIn(authorized)) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

/// `POST`: signs out somewhere.
pub(crate) async fn post(State(app): State<App>, OwnForm { visitor, form }: OwnForm) -> Result<Response, Refused> {
    let text = |name| form.text(name).unwrap_or_default();
    let (place, token) = (text("place"), text("form"));
    match app.service.sign_out_at(&visitor.address, place, token, visitor.browser(), &visitor.caller).await {
        Ok(true) => {
            let words = Words(visitor.locale());
            let (title, said) = (words.signed_out_title(), words.signed_out());
            let response = super::refused::sentence(&visitor, StatusCode::OK, title, said);
            Ok(with_cookie(response, visitor.cookies.session.unset()))
        }
        Ok(false) => Ok(see_other(&format!("{}/account", visitor.at()))),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

fn show(visitor: &Visitor, view: AccountView, mistakes: (Option<Mistake>, Option<AccountMistake>)) -> Response {
    let (words, own) = (Words(view.locale), AccountWords(view.locale));
    let AccountView { look, locale, known_as, form_token, places, passkeys, factors, contacts, consents } = view;
    let at = visitor.at();
    let frame = Frame::new(&at, look, locale, words.account_title());
    let logo = frame.look.logo.clone();
    let rows = places.into_iter().map(|place| Row::of(words, place)).collect();
    let may_add = passkeys.may_add;
    let template = Page {
        frame,
        own,
        known_as,
        token: form_token,
        action: format!("{at}/account"),
        rows,
        passkeys: Passkeys::of(words, passkeys),
        factors: Factors::of(FactorWords(locale), factors),
        consents: consents.into_iter().map(|allowed| consents::Row::of(words, allowed)).collect(),
        contacts: Contacts::of(own, contacts),
        problem: mistakes.1.map(|mistake| said(own, mistake)).or_else(|| {
            mistakes.0.map(|mistake| match mistake {
                Mistake::Passkey => words.passkey_not_changed(),
                _ => FactorWords(locale).not_set_up(),
            })
        }),
        script: may_add.then(|| script_path(&at)),
    };
    page(StatusCode::OK, &template, &Needs { logo: logo.as_ref(), script: may_add, ..Needs::default() })
}

#[derive(Template)]
#[template(path = "pages/account.html")]
struct Page {
    frame: Frame,
    own: AccountWords,
    known_as: String,
    token: String,
    action: String,
    rows: Vec<Row>,
    passkeys: Passkeys,
    factors: Factors,
    contacts: Contacts,
    consents: Vec<consents::Row>,
    problem: Option<String>,
    script: Option<String>,
}

/// A place, as people read it.
struct Row {
    id: String,
    name: String,
    since: String,
    is_here: bool,
}

impl Row {
    fn of(words: Words, place: Place) -> Self {
        let browser = || Some(browser(&place.agent)).filter(|name| !name.is_empty());
        let name = place.client.or_else(browser).unwrap_or_else(|| words.some_browser());
        Self { id: place.id, name, since: words.since(&moment(place.since)), is_here: place.is_here }
    }
}

/// What people call a browser, from what it calls itself: as much as helps to tell one from another.
pub(super) fn browser(agent: &str) -> String {
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name);
    let program = named(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = named(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

/// The day and the hour, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{} UTC", text.replacen('T', " ", 1).get(..16).unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_as_people_call_it() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome, Linux");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(browser(safari), "Safari, iPhone");
        assert_eq!(browser("curl/8.0"), "curl/8.0");
        assert_eq!(moment(Timestamp::from_seconds(1_800_000_000)), "2027-01-15 08:00 UTC");
    }
}
