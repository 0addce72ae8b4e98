use askama::Template;
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use countersign_domain::message::Destination;
use countersign_service::deliver::content::Message;
use countersign_wire::outbox::{Outbox, OutboxMessage};
use serde::Deserialize;

use super::developer::Developer;
use crate::{app::App, error::client_api::Failure, layer::ForOwnPagesAlone};

/// For whom the messages are that are asked for.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    to: String,
}

/// `GET /dev/outbox`: JSON for scripts, a page for people.
pub(crate) async fn handle(
    _: Developer,
    State(app): State<App>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Query(Wanted { to }) = wanted.map_err(|_| Failure::unclear_destination())?;
    let destination = destination(&to)?;
    let messages = app.service.outbox(destination.as_ref()).await?;
    let messages = messages.into_iter().map(shown).collect();
    let mut response = if wants_page(&headers) {
        Page { to: &to, messages }.into_response()
    } else {
        Json(Outbox { messages }).into_response()
    };
    protect(&mut response);
    Ok(response)
}

/// `GET /dev/outbox.css`
pub(crate) async fn style(_: Developer) -> Response {
    let mut response =
        ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/dev/outbox.css"))
            .into_response();
    protect(&mut response);
    response
}

/// A `+` in an address is a space to whoever reads a query as a form: numbers begin with one, so it is taken for what was meant.
fn destination(to: &str) -> Result<Option<Destination>, Failure> {
    if to.is_empty() {
        return Ok(None);
    }
    let meant = to.replace(' ', "+");
    meant.parse().map(Some).map_err(|_| Failure::unclear_destination())
}

fn shown(message: Message) -> OutboxMessage {
    let content = message.content;
    OutboxMessage {
        id: message.id.to_string(),
        channel: message.to.channel().as_str(),
        to: message.to.as_str().to_owned(),
        subject: content.subject,
        text: content.text,
        html: content.html,
        code: content.code,
        link: content.link,
        at: message.at.seconds(),
    }
}

/// Browsers name HTML when they are asked for a page; scripts take what comes.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/html")
}

/// No script, nothing from elsewhere, in nobody's frame; the links in messages don't tell where they were followed from.
fn protect(response: &mut Response) {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    response.extensions_mut().insert(ForOwnPagesAlone);
}

#[derive(Template)]
#[template(path = "dev/outbox.html")]
struct Page<'a> {
    to: &'a str,
    messages: Vec<OutboxMessage>,
}

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        match self.render() {
            Ok(page) => Html(page).into_response(),
            Err(problem) => Failure::broken(&problem.to_string()).into_response(),
        }
    }
}

/// Messages stay for a day: the hour says it all.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass by reference")]
fn clock(seconds: &i64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02} UTC", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_said_as_clocks_say_it() {
        assert_eq!(clock(&1_800_000_000), "08:00:00 UTC");
        assert_eq!(clock(&1_800_003_661), "09:01:01 UTC");
    }

    #[test]
    fn a_page_is_for_those_who_ask_for_one() {
        let asks = |accept: &str| wants_page(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]));
        assert!(
            asks("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8") && asks("*/*, text/html;q=0.1")
        );
        assert!(!asks("*/*") && !asks("application/json") && !asks("text/htmlx") && !wants_page(&HeaderMap::new()));
    }

    #[test]
    fn nothing_in_a_message_is_read_as_html() {
        let hostile = "<script>alert(1)</script>\"'&";
        let message = OutboxMessage {
            id: "msg_1".to_owned(),
            channel: "email",
            to: hostile.to_owned(),
            subject: hostile.to_owned(),
            text: hostile.to_owned(),
            html: hostile.to_owned(),
            code: Some(hostile.to_owned()),
            link: Some("https://x.example/\"onclick=".to_owned()),
            at: 0,
        };
        let page = Page { to: hostile, messages: vec![message] }.render().unwrap();
        assert!(!page.contains("<script") && !page.contains("\"onclick"), "{page}");
        assert_eq!(page.matches("&#60;script&#62;").count(), 6, "{page}");
    }
}
