//! The outbox of development: messages that didn't leave.

use serde::Serialize;

/// All of them, the newest first.
#[derive(Serialize)]
pub struct Outbox {
    /// The messages.
    pub messages: Vec<OutboxMessage>,
}

/// One of them.
#[derive(Serialize)]
pub struct OutboxMessage {
    /// Its identifier.
    pub id: String,
    /// `email` or `sms`.
    pub channel: &'static str,
    /// The address or number.
    pub to: String,
    /// Empty for a text message.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML; empty for a text message.
    pub html: String,
    /// The code that it brings; null: none.
    pub code: Option<String>,
    /// The link that it brings; null: none.
    pub link: Option<String>,
    /// When it was written, in seconds since 1970.
    pub at: i64,
}
