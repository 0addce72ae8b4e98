//! `/sign-in/step-up`: where apps send users who are to prove a change that a backend asked for.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use countersign_domain::oauth::form::Form;

use super::{authorize::go_on, refused::Refused, visitor::Visitor};
use crate::app::App;

/// `GET`: with `start_token`; the way back is `client_id`, `redirect_uri`, `state` and `response_mode` (`query` or `form_post`).
pub(crate) async fn get(
    State(app): State<App>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let Ok(form) = Form::parse(query.unwrap_or_default().as_bytes()).and_then(Form::unambiguous) else {
        return Err(Refused::unreadable(visitor));
    };
    let visitor = visitor.reading(form.text("ui_locales"));
    match app.service.begin_step_up_in_browser(&visitor.address, &form, visitor.browser(), &visitor.caller).await {
        Ok(authorized) => Ok(go_on(&visitor, &authorized)),
        Err(refused) => Err(Refused::of(visitor, refused)),
    }
}
