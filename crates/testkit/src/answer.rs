//! What a server answered.

use std::fmt;

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer, read to its end.
#[derive(Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The status, as a number.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body, which must be JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("the body is no JSON: {self}"))
    }

    /// A member of the body that must be a text.
    #[track_caller]
    pub fn text(&self, member: &str) -> String {
        let json = self.json();
        json[member].as_str().unwrap_or_else(|| panic!("{member} is no text: {self}")).to_owned()
    }

    /// This must be an error of door 2, in its shape, which is all there is.
    #[track_caller]
    pub fn denied(&self, status: u16, code: &str) {
        let json = self.json();
        assert_eq!((self.status(), &json["error"]["code"]), (status, &code.into()), "{self}");
        let names = |it: &Value| it.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        assert_eq!(
            (names(&json), names(&json["error"])),
            (vec!["error".to_owned()], vec!["code".to_owned(), "message".to_owned()])
        );
        assert_eq!(self.header("content-type"), "application/json");
        // A browser hides what doesn't say that pages may read it.
        assert_eq!(self.header("access-control-allow-origin"), "*");
    }

    /// `code` of door 1's errors.
    #[track_caller]
    pub fn code(&self) -> i64 {
        self.json()["code"].as_i64().unwrap_or_else(|| panic!("there is no code: {self}"))
    }

    /// A header that must stand there once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let mut all = self.headers.get_all(name).iter();
        match (all.next(), all.next()) {
            (Some(value), None) => value.to_str().expect("a header of ASCII"),
            _ => panic!("{name} doesn't stand there once: {self}"),
        }
    }

    /// This must be 200.
    #[track_caller]
    #[must_use]
    pub fn ok(self) -> Self {
        self.is_ok();
        self
    }

    /// This must be 200.
    #[track_caller]
    pub fn is_ok(&self) {
        assert!(self.status == StatusCode::OK, "this should have been 200: {self}");
    }

    /// This must be an error of door 1, in its shape, which is all there is. Gives the message.
    #[track_caller]
    pub fn refused(&self, status: u16, code: i64) -> String {
        assert!(self.status() == status && self.code() == code, "this should have been {status} with {code}: {self}");
        let json = self.json();
        let members: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(
            members.iter().all(|member| ["code", "message", "reason"].contains(member)),
            "an error has other members: {self}"
        );
        assert_eq!(self.header("content-type"), "application/json");
        self.text("message")
    }

    /// This must be the refusal of a session with this `reason`.
    #[track_caller]
    pub fn gone(&self, reason: &str) {
        self.refused(400, 100_049);
        assert_eq!(self.text("reason"), reason, "{self}");
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), String::from_utf8_lossy(&self.body))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
