//! All that is kept of a user, on their own page: a copy of it, and its end.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_service::browser::own_data::{Copy, Erased};

use super::{
    account_contact::failed,
    account_words::AccountWords,
    authorize::go_on,
    form::OwnForm,
    protection::{Needs, protect},
    refused::{Refused, sentence},
    response::with_cookie,
};
use crate::app::App;

/// `POST /account/copy`: a file with all that is kept of whoever asks.
pub(crate) async fn copy(State(app): State<App>, OwnForm { visitor, form }: OwnForm) -> Result<Response, Refused> {
    let token = form.text("form").unwrap_or_default();
    match app.service.copy_own_data(&visitor.address, token, visitor.browser(), &visitor.caller).await {
        Ok(Copy::Made(copy)) => Ok(file(&format!("{copy:#}\n"))),
        Ok(Copy::Failed(mistake)) => Ok(failed(&visitor, mistake)),
        Ok(Copy::SignIn(authorized)) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}

fn file(text: &str) -> Response {
    let named = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"account.json\"")),
    ];
    let mut response = (named, text.to_owned()).into_response();
    protect(&mut response, &Needs::default());
    response
}

/// `POST /account/erase`: forgets whoever asks.
pub(crate) async fn erase(State(app): State<App>, OwnForm { visitor, form }: OwnForm) -> Result<Response, Refused> {
    let (typed, token) = (form.text("known_as").unwrap_or_default(), form.text("form").unwrap_or_default());
    match app.service.erase_own_account(&visitor.address, typed, token, visitor.browser(), &visitor.caller).await {
        Ok(Erased::Done) => {
            let words = AccountWords(visitor.locale());
            let response = sentence(&visitor, StatusCode::OK, words.erased_title(), words.erased());
            Ok(with_cookie(response, visitor.cookies.session.unset()))
        }
        Ok(Erased::Failed(mistake)) => Ok(failed(&visitor, mistake)),
        Ok(Erased::SignIn(authorized)) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}
