//! What a user is known by, on their own page.

use axum::{extract::State, response::Response};
use countersign_domain::{
    identity::{IdentityKind, IdentityRecord},
    message::Channel,
};
use countersign_service::browser::{
    account_mistake::AccountMistake,
    contact::{Contact, OwnContacts, Wish},
};

use super::{
    account_words::AccountWords, authorize::go_on, form::OwnForm, refused::Refused, response::see_other,
    visitor::Visitor,
};
use crate::app::App;

/// `POST /account/contact`: asks for a code, or shows one.
pub(crate) async fn change(State(app): State<App>, OwnForm { visitor, form }: OwnForm) -> Result<Response, Refused> {
    let text = |name| form.text(name).unwrap_or_default();
    let (token, browser) = (text("form"), visitor.browser());
    let done = match text("do") {
        "ask" => {
            let wish = Wish { kind: text("kind"), to: text("to"), replaces: text("replaces") };
            app.service.ask_contact(&visitor.address, wish, token, browser, &visitor.caller).await
        }
        "prove" => {
            let (kind, code) = (text("kind"), text("code"));
            app.service.prove_contact(&visitor.address, kind, code, token, browser, &visitor.caller).await
        }
        _ => return Err(Refused::unreadable(visitor)),
    };
    match done {
        Ok(Contact::Done) => Ok(see_other(&format!("{}/account", visitor.at()))),
        Ok(Contact::Failed(mistake)) => Ok(failed(&visitor, mistake)),
        Ok(Contact::SignIn(authorized)) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

/// Back to the page, which says what was wrong.
pub(super) fn failed(visitor: &Visitor, mistake: AccountMistake) -> Response {
    see_other(&format!("{}/account?m={}", visitor.at(), mistake.as_str()))
}

/// What the page says of it.
pub(super) fn said(words: AccountWords, mistake: AccountMistake) -> String {
    match mistake {
        AccountMistake::NoAddress => words.no_address(),
        AccountMistake::NoNumber => words.no_number(),
        AccountMistake::Yours => words.yours(),
        AccountMistake::Gone => words.gone(),
        AccountMistake::NoMail => words.no_mail(),
        AccountMistake::NoSms => words.no_sms(),
        AccountMistake::Wait => words.wait(),
        AccountMistake::WrongCode => words.wrong_code(),
        AccountMistake::CodeOver => words.code_over(),
        AccountMistake::Taken => words.taken(),
        AccountMistake::Unconfirmed => words.unconfirmed(),
    }
}

/// What a user is known by, as people read it.
pub(super) struct Contacts {
    pub(super) rows: Vec<Row>,
    pub(super) pending: Vec<Pending>,
    pub(super) may_add_email: bool,
    pub(super) may_add_phone: bool,
}

/// An address or a number.
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) is_proved: bool,
    pub(super) is_email: bool,
    pub(super) may_change: bool,
}

/// A code that is to be shown.
pub(super) struct Pending {
    pub(super) kind: &'static str,
    pub(super) sent: String,
}

impl Contacts {
    pub(super) fn of(words: AccountWords, own: OwnContacts) -> Self {
        let has = |channel| own.channels.contains(&channel);
        let of_kind = |kind| own.all.iter().any(|record| record.identity.kind() == kind);
        let row = |record: &IdentityRecord| {
            let is_email = record.identity.kind() == IdentityKind::Email;
            Row {
                kind: record.identity.kind().as_str(),
                value: record.identity.value().to_owned(),
                is_proved: record.verified_at.is_some(),
                is_email,
                may_change: has(if is_email { Channel::Email } else { Channel::Sms }),
            }
        };
        Self {
            rows: own.all.iter().map(row).collect(),
            may_add_email: has(Channel::Email) && !of_kind(IdentityKind::Email),
            may_add_phone: has(Channel::Sms) && !of_kind(IdentityKind::Phone),
            pending: own
                .pending
                .into_iter()
                .map(|it| Pending { kind: it.kind.as_str(), sent: words.code_sent(&it.destination) })
                .collect(),
        }
    }
}
