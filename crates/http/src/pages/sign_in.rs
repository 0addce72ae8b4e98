//! `/sign-in/{id}`: signing in, one question after the other.

use askama::Template;
use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::Response,
};
use countersign_domain::{mfa::FactorKind, oauth::form::Form, risk::Reason};
use countersign_service::{
    browser::{
        PageRefused,
        act::{Act, Acted, To},
        mistake::Mistake,
        page::{Stage, View},
    },
    deliver::health::ChannelState,
};
use serde::Deserialize;

use super::{
    Frame,
    form::OwnForm,
    passkeys::script_path,
    protection::Needs,
    refused::{Refused, denied},
    response::{back_to_app, page, see_other, with_cookie},
    second::{self, Parts},
    visitor::Visitor,
    words::{Words, factors::FactorWords},
};
use crate::app::App;

/// Which sign-in.
#[derive(Deserialize)]
pub(crate) struct Which {
    pub(super) id: String,
}

/// `GET`: where the sign-in has got to.
pub(crate) async fn get(
    State(app): State<App>,
    Path(Which { id }): Path<Which>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Refused> {
    let query = Form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let is_other = query.text("other").is_some();
    match app.service.sign_in_page(&visitor.address, &id, is_other, visitor.browser()).await {
        Ok(view) => Ok(show(&visitor, view, query.text("m").and_then(Mistake::read))),
        Err(refused) => Err(no(&app, visitor, &id, refused).await),
    }
}

/// `POST`: the next step.
pub(crate) async fn post(
    State(app): State<App>,
    Path(Which { id }): Path<Which>,
    OwnForm { visitor, form }: OwnForm,
) -> Result<Response, Refused> {
    let text = |name| form.text(name).unwrap_or_default();
    let act = match text("do") {
        "email" => Act::Email(text("email")),
        "resend" => Act::Resend,
        "code" => Act::Code(text("code")),
        "link" => Act::Link(text("k")),
        "passkey" => Act::Passkey(text("passkey")),
        "totp" => Act::Second(FactorKind::Totp),
        "sms_code" => Act::Second(FactorKind::Sms),
        "email_code" => Act::Second(FactorKind::Email),
        "phone" => Act::Phone(text("phone")),
        "recovery_code" => Act::RecoveryCode(text("code")),
        "continue" => Act::Continue,
        "allow" => Act::Allow,
        "deny" => Act::Deny,
        "cancel" => Act::Cancel,
        _ => return Err(Refused::unreadable(visitor)),
    };
    let (token, browser) = (text("form"), visitor.browser());
    match app.service.act_on_sign_in(&visitor.address, &id, token, act, browser, &visitor.caller).await {
        Ok(acted) => Ok(go_on(&visitor, &id, act, acted)),
        Err(refused) => Err(no(&app, visitor, &id, refused).await),
    }
}

/// In the language that the app asked for, as long as it is known what the sign-in is for.
async fn no(app: &App, visitor: Visitor, id: &str, refused: PageRefused) -> Refused {
    let locale = app.service.locale_of_sign_in(&visitor.address, id, visitor.browser()).await;
    Refused::of(visitor.spoken_to_in(locale), refused)
}

/// `GET /sign-in/{id}/link`: what a link in a message leads to. It does nothing but ask, so that whoever looks at links in mail burns none.
pub(crate) async fn link(
    State(app): State<App>,
    Path(Which { id }): Path<Which>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Refused> {
    let query = Form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    match app.service.sign_in_page(&visitor.address, &id, false, visitor.browser()).await {
        Ok(view) => {
            let words = Words(view.locale);
            let frame = Frame::new(&visitor.at(), view.look, view.locale, words.sign_in_title());
            let action = format!("{}/sign-in/{id}", visitor.at());
            let secret = query.text("k").unwrap_or_default();
            let template = Link { frame, client: view.client, action, token: view.form_token, secret };
            let needs =
                Needs { logo: template.frame.look.logo.as_ref(), leads_to: view.returns_to.as_deref(), script: false };
            Ok(page(StatusCode::OK, &template, &needs))
        }
        Err(PageRefused::Over) => Ok(super::refused::link_elsewhere(&visitor)),
        Err(refused) => Err(no(&app, visitor, &id, refused).await),
    }
}

fn go_on(visitor: &Visitor, id: &str, act: Act<'_>, acted: Acted) -> Response {
    let here = format!("{}/sign-in/{id}", visitor.at());
    match acted {
        Acted::Asked(mistake) => {
            // Whoever mistyped another address is asked for it again.
            let is_other = matches!((act, mistake), (Act::Email(_), Some(_)));
            let other = if is_other { "&other=1" } else { "" };
            see_other(&mistake.map_or(here.clone(), |mistake| format!("{here}?m={}{other}", mistake.as_str())))
        }
        Acted::Denied { denial, back, locale } => denied(visitor, locale, denial, back.as_ref()),
        Acted::Done { cookie, to } => {
            let response = match to {
                To::Client(way) => back_to_app(visitor, &way),
                To::Consent => see_other(&here),
                To::Account => see_other(&format!("{}/account", visitor.at())),
            };
            with_cookie(response, cookie.and_then(|cookie| visitor.cookies.session.set(&cookie)))
        }
    }
}

fn show(visitor: &Visitor, view: View, mistake: Option<Mistake>) -> Response {
    let words = Words(view.locale);
    let View { id, look, client, returns_to, form_token, known_as, mail, has_passkeys, risk, stage, .. } = view;
    let title = match &stage {
        Stage::Who { .. } => words.sign_in_title(),
        Stage::Code { .. } => words.code_title(),
        Stage::Choose { .. } | Stage::Second { .. } | Stage::SetUpTotp { .. } | Stage::SetUpPhone { .. } => {
            second::title(view.locale, &stage)
        }
        Stage::Consent { .. } => words.consent_title(client.as_deref().unwrap_or_default()),
    };
    let frame = Frame::new(&visitor.at(), look, view.locale, title);
    let logo = frame.look.logo.clone();
    let needs = Needs { logo: logo.as_ref(), leads_to: returns_to.as_deref(), script: has_passkeys };
    let action = format!("{}/sign-in/{id}", visitor.at());
    let script = has_passkeys.then(|| script_path(&visitor.at()));
    let common = Common { action, token: form_token, client, has_passkeys, script };
    match stage {
        Stage::Who { prefilled } => {
            let problem = mistake.map(|mistake| of_mistake(words, mistake));
            let has_mail = mail != ChannelState::Absent;
            let is_invalid = mistake == Some(Mistake::NoAddress);
            let template = Who { frame, common, prefilled, known_as, problem, is_invalid, has_mail };
            page(StatusCode::OK, &template, &needs)
        }
        Stage::Code { destination, length, resend_in, tries, tries_left } => {
            let wrong = (tries > 0 && tries_left > 0).then(|| words.wrong_code(&tries_left.to_string()));
            let over = (tries_left == 0).then(|| words.code_over());
            let template = Code {
                frame,
                common,
                destination,
                length,
                resend_in: resend_in.as_secs() + u64::from(resend_in.subsec_nanos() > 0),
                problem: over.or(wrong).or_else(|| mistake.map(|mistake| of_mistake(words, mistake))),
                is_over: tries_left == 0,
                is_late: mail == ChannelState::Fails,
                is_guessed_at: risk.reasons().contains(&Reason::ManyFailures),
                known_as,
            };
            page(StatusCode::OK, &template, &needs)
        }
        stage @ (Stage::Choose { .. } | Stage::Second { .. } | Stage::SetUpTotp { .. } | Stage::SetUpPhone { .. }) => {
            let problem = mistake.map(|mistake| of_mistake(words, mistake));
            second::show(Parts { frame, common, problem, is_late: mail == ChannelState::Fails }, stage, &needs)
        }
        Stage::Consent { known_as, scopes } => {
            let scopes = scopes.iter().filter_map(|scope| of_scope(words, scope)).collect();
            page(StatusCode::OK, &Consent { frame, common, known_as, scopes }, &needs)
        }
    }
}

fn of_mistake(words: Words, mistake: Mistake) -> String {
    match mistake {
        Mistake::NoAddress => words.no_address(),
        Mistake::WrongCode => words.no_code(),
        Mistake::CodeOver => words.code_over(),
        Mistake::Wait => words.wait(),
        Mistake::TooManyCodes => words.too_many_codes(),
        Mistake::NoMail => words.no_mail(),
        Mistake::Passkey => words.wrong_passkey(),
        Mistake::NoPhone => FactorWords(words.0).no_phone(),
        Mistake::RecoveryCode => FactorWords(words.0).wrong_recovery_code(),
    }
}

/// What an app asks for, as people say it. That it may know who they are is said anyway.
pub(super) fn of_scope(words: Words, scope: &str) -> Option<String> {
    match scope {
        "openid" => None,
        "profile" => Some(words.scope_profile()),
        "email" => Some(words.scope_email()),
        "phone" => Some(words.scope_phone()),
        "address" => Some(words.scope_address()),
        "offline_access" => Some(words.scope_offline()),
        other => Some(words.scope_other(other)),
    }
}

/// What all pages of a sign-in have.
pub(super) struct Common {
    pub(super) action: String,
    pub(super) token: String,
    pub(super) client: Option<String>,
    has_passkeys: bool,
    /// What shows them.
    script: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/who.html")]
struct Who {
    frame: Frame,
    common: Common,
    prefilled: String,
    known_as: Option<String>,
    problem: Option<String>,
    /// What is wrong is the address.
    is_invalid: bool,
    has_mail: bool,
}

#[derive(Template)]
#[template(path = "pages/code.html")]
struct Code {
    frame: Frame,
    common: Common,
    destination: String,
    length: usize,
    resend_in: u64,
    problem: Option<String>,
    is_over: bool,
    is_late: bool,
    /// Somebody has shown wrong codes for this address.
    is_guessed_at: bool,
    known_as: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/consent.html")]
struct Consent {
    frame: Frame,
    common: Common,
    known_as: String,
    scopes: Vec<String>,
}

#[derive(Template)]
#[template(path = "pages/link.html")]
struct Link<'a> {
    frame: Frame,
    client: Option<String>,
    action: String,
    token: String,
    secret: &'a str,
}
