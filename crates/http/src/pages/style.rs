//! How pages look: one style sheet, in the project's colour.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use countersign_domain::page_look::PageColor;

use super::visitor::Visitor;
use crate::{app::App, layer::ForOwnPagesAlone};

const STYLE: &str = include_str!("../../templates/pages/style.css");
/// So that a browser fetches it again when this program, or the colour, is another.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a project's style sheet is.
pub(super) fn style_path(at: &str, color: PageColor) -> String {
    let color = color.to_string();
    format!("{at}/sign-in/style.css?v={VERSION}-{}-{}", STYLE.len(), color.trim_start_matches('#'))
}

/// `GET /sign-in/style.css`
pub(crate) async fn handle(State(_): State<App>, visitor: Visitor) -> Response {
    let color = visitor.look.map(|look| look.color);
    let color = color.map(|color| format!(":root {{ --accent: {color}; --on-accent: {}; }}\n", color.ink()));
    let style = format!("{STYLE}\n{}", color.unwrap_or_default());
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    let mut response = ([kind], style).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response.extensions_mut().insert(ForOwnPagesAlone);
    response
}

/// `GET /sign-in/post.js`: sends the one form of a page that does nothing else.
pub(crate) async fn post_script() -> Response {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    let mut response = ([kind], "document.forms[0].submit();\n").into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response.extensions_mut().insert(ForOwnPagesAlone);
    response
}
