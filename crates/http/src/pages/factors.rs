//! Second factors on a user's own page.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use countersign_domain::mfa::{Factor, FactorKind, Preference};
use countersign_service::browser::{
    factors::{CodesView, FactorChange, FactorChanged, OwnFactors, SetUpView},
    mistake::Mistake,
};

use super::{
    Frame,
    account::moment,
    authorize::go_on,
    form::OwnForm,
    protection::Needs,
    refused::Refused,
    response::{page, see_other},
    second::NewTotp,
    visitor::Visitor,
    words::{Words, factors::FactorWords},
};
use crate::app::App;

/// `POST /account/factors`: sets one up, takes one away, says when to be asked, makes recovery codes.
pub(crate) async fn change(State(app): State<App>, OwnForm { visitor, form }: OwnForm) -> Result<Response, Refused> {
    let text = |name| form.text(name).unwrap_or_default();
    let change = match text("do") {
        "new_totp" => FactorChange::NewTotp,
        "add_totp" => FactorChange::AddTotp { sealed: text("sealed"), code: text("code") },
        "remove" => FactorChange::Remove { kind: text("kind") },
        "prefer" => FactorChange::Prefer { preference: text("preference") },
        "codes" => FactorChange::MakeCodes,
        _ => return Err(Refused::unreadable(visitor)),
    };
    let account = format!("{}/account", visitor.at());
    let (token, browser) = (text("form"), visitor.browser());
    match app.service.change_factors(&visitor.address, change, token, browser, &visitor.caller).await {
        Ok(FactorChanged::Done) => Ok(see_other(&account)),
        Ok(FactorChanged::Failed) => Ok(see_other(&format!("{account}?m={}", Mistake::WrongCode.as_str()))),
        Ok(FactorChanged::SetUp(view)) => Ok(set_up(&visitor, *view)),
        Ok(FactorChanged::Codes(view)) => Ok(codes(&visitor, *view)),
        Ok(FactorChanged::SignIn(authorized)) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

fn set_up(visitor: &Visitor, view: SetUpView) -> Response {
    let words = FactorWords(view.locale);
    let frame = Frame::new(&visitor.at(), view.look, view.locale, words.add_totp());
    let logo = frame.look.logo.clone();
    let template = SetUp {
        frame,
        words,
        action: format!("{}/account/factors", visitor.at()),
        token: view.form_token,
        sealed: view.sealed,
        new: NewTotp::of(view.secret.danger_expose(), view.otpauth_uri.danger_expose().to_owned()),
        problem: view.is_mistaken.then(|| words.not_the_code()),
        account: format!("{}/account", visitor.at()),
    };
    page(StatusCode::OK, &template, &Needs { logo: logo.as_ref(), ..Needs::default() })
}

fn codes(visitor: &Visitor, view: CodesView) -> Response {
    let words = FactorWords(view.locale);
    let frame = Frame::new(&visitor.at(), view.look, view.locale, words.codes_title());
    let logo = frame.look.logo.clone();
    let shown = view.codes.iter().map(|code| code.danger_expose().to_owned()).collect();
    let account = format!("{}/account", visitor.at());
    page(StatusCode::OK, &Codes { frame, words, shown, account }, &Needs { logo: logo.as_ref(), ..Needs::default() })
}

/// The second factors on a user's own page.
pub(super) struct Factors {
    pub(super) words: FactorWords,
    pub(super) rows: Vec<Row>,
    pub(super) may_add_totp: bool,
    pub(super) recovery: String,
    /// What is sent, and said, and whether it is so now.
    pub(super) preferences: Vec<(&'static str, String, bool)>,
}

/// A factor, as people read it.
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) used: String,
}

impl Factors {
    pub(super) fn of(words: FactorWords, own: OwnFactors) -> Self {
        let state = own.state;
        let wished = state.preference.unwrap_or(Preference::Always);
        let preferences = [
            (Preference::Always, words.always()),
            (Preference::RiskOnly, words.risk_only()),
            (Preference::None, words.never()),
        ];
        Self {
            words,
            rows: state.factors.iter().map(|factor| Row::of(words, factor)).collect(),
            may_add_totp: own.addable.contains(&FactorKind::Totp),
            recovery: words.recovery_left(&state.recovery_codes.to_string()),
            preferences: preferences.map(|(it, said)| (it.as_str(), said, it == wished)).into(),
        }
    }
}

impl Row {
    fn of(words: FactorWords, factor: &Factor) -> Self {
        let to = factor.contact.as_ref().map(|contact| contact.value().to_owned()).unwrap_or_default();
        let pages = Words(words.0);
        Self {
            kind: factor.kind.as_str(),
            name: match factor.kind {
                FactorKind::Totp => words.totp_name(),
                FactorKind::Sms => words.sms_name(&to),
                FactorKind::Email => words.email_name(&to),
            },
            used: factor.last_used_at.map_or_else(|| pages.never_used(), |at| pages.last_used(&moment(at))),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/account_totp.html")]
struct SetUp {
    frame: Frame,
    words: FactorWords,
    action: String,
    token: String,
    sealed: String,
    new: NewTotp,
    problem: Option<String>,
    account: String,
}

#[derive(Template)]
#[template(path = "pages/account_codes.html")]
struct Codes {
    frame: Frame,
    words: FactorWords,
    shown: Vec<String>,
    account: String,
}
