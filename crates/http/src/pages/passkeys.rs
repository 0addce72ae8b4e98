//! What the script of our pages asks for, and what a user does with their passkeys.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_domain::passkey::Passkey;
use countersign_service::browser::{
    PageRefused,
    mistake::Mistake,
    passkeys::{Change, Changed, OwnPasskeys, Question},
};

use super::{
    account::{browser, moment},
    account_words::AccountWords,
    authorize::go_on,
    form::OwnForm,
    protection::{Needs, protect},
    refused::Refused,
    response::see_other,
    sign_in::Which,
    visitor::Visitor,
    words::Words,
};
use crate::{app::App, error::add_retry_after, layer::ForOwnPagesAlone};

const SCRIPT: &str = include_str!("../../templates/pages/passkey.js");

/// Where the script is that shows passkeys.
pub(super) fn script_path(at: &str) -> String {
    format!("{at}/sign-in/passkey.js?v={}-{}", env!("CARGO_PKG_VERSION"), SCRIPT.len())
}

/// `GET /sign-in/passkey.js`
pub(crate) async fn script() -> Response {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    let mut response = ([kind], SCRIPT).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response.extensions_mut().insert(ForOwnPagesAlone);
    response
}

/// `POST /sign-in/{id}/passkey`: what a passkey is to answer.
pub(crate) async fn of_sign_in(
    State(app): State<App>,
    Path(Which { id }): Path<Which>,
    OwnForm { visitor, form }: OwnForm,
) -> Response {
    let token = form.text("form").unwrap_or_default();
    let asked =
        app.service.passkey_question_of_page(&visitor.address, &id, token, visitor.browser(), &visitor.caller).await;
    question(visitor, asked)
}

/// `POST /account/passkeys/question`: what a new passkey is to answer.
pub(crate) async fn of_account(State(app): State<App>, OwnForm { visitor, form }: OwnForm) -> Response {
    let token = form.text("form").unwrap_or_default();
    let asked = app.service.passkey_question_of_account(&visitor.address, token, visitor.browser()).await;
    question(visitor, asked)
}

fn question(visitor: Visitor, asked: Result<Question, PageRefused>) -> Response {
    let mut response = match asked {
        Ok(Question::Asked(options)) => Json(options).into_response(),
        Ok(Question::Wait(wait)) => {
            let mut response = StatusCode::TOO_MANY_REQUESTS.into_response();
            add_retry_after(&mut response, wait);
            response
        }
        Ok(Question::No) => StatusCode::CONFLICT.into_response(),
        Err(refused) => return Refused::of(visitor, refused).into_response(),
    };
    protect(&mut response, &Needs::default());
    response
}

/// `POST /account/passkeys`: adds one, calls one something else, locks one out, lets one in again, takes one away.
pub(crate) async fn change(State(app): State<App>, OwnForm { visitor, form }: OwnForm) -> Result<Response, Refused> {
    let text = |name| form.text(name).unwrap_or_default();
    let id = text("id");
    let change = match text("do") {
        "add" => Change::Add { response: text("passkey") },
        "rename" => Change::Rename { id, name: text("name") },
        "remove" => Change::Remove { id },
        "revoke" => Change::Revoke { id },
        "unrevoke" => Change::Unrevoke { id },
        _ => return Err(Refused::unreadable(visitor)),
    };
    let (token, browser) = (text("form"), visitor.browser());
    match app.service.change_passkeys(&visitor.address, change, token, browser, &visitor.caller).await {
        Ok(Changed::Done) => Ok(see_other(&format!("{}/account", visitor.at()))),
        Ok(Changed::Failed) => Ok(see_other(&format!("{}/account?m={}", visitor.at(), Mistake::Passkey.as_str()))),
        Ok(Changed::SignIn(authorized)) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

/// The passkeys on a user's own page.
pub(super) struct Passkeys {
    pub(super) rows: Vec<Row>,
    pub(super) may_add: bool,
    pub(super) is_locked: bool,
}

/// A passkey, as people read it.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) since: String,
    pub(super) used: String,
    pub(super) is_revoked: bool,
}

impl Passkeys {
    pub(super) fn of(words: Words, own: OwnPasskeys) -> Self {
        let rows = own.all.into_iter().map(|passkey| Row::of(words, passkey)).collect();
        Self { rows, may_add: own.may_add, is_locked: own.is_locked }
    }
}

impl Row {
    fn of(words: Words, passkey: Passkey) -> Self {
        let Passkey { id, name, created_at, last_used_at, last_attempted_at, revoked_at, user_agent, .. } = passkey;
        let own = AccountWords(words.0);
        let used = last_used_at.map_or_else(|| words.never_used(), |at| words.last_used(&moment(at)));
        let tried = last_attempted_at.filter(|at| Some(*at) > last_used_at);
        let with = Some(browser(&user_agent)).filter(|agent| !agent.is_empty() && last_attempted_at.is_some());
        let said = [Some(used), tried.map(|at| own.last_attempted(&moment(at))), with.map(|it| own.used_with(&it))];
        let name = name.as_str().trim();
        Self {
            id: id.to_string(),
            name: if name.is_empty() { words.some_passkey() } else { name.to_owned() },
            since: words.since(&moment(created_at)),
            used: said.into_iter().flatten().collect::<Vec<_>>().join(", "),
            is_revoked: revoked_at.is_some(),
        }
    }
}
