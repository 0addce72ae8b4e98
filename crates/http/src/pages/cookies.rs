//! The cookies of our pages. No script reads them, no other site's form sends them, and over TLS no other host of the domain can set them
//! (RFC 6265bis §4.1.3.2, the prefix `__Host-`).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use countersign_service::browser::NewCookie;

/// A project's cookies.
pub(super) struct Cookies {
    pub(super) visit: Name,
    pub(super) session: Name,
}

/// A cookie by its name.
pub(super) struct Name {
    name: String,
    is_secure: bool,
}

/// Each project has its own, though several may answer at one host.
pub(super) fn names(project: &str, is_secure: bool) -> Cookies {
    let prefix = if is_secure { "__Host-" } else { "" };
    let name = |what: &str| Name { name: format!("{prefix}countersign-{what}-{project}"), is_secure };
    Cookies { visit: name("visit"), session: name("session") }
}

impl Name {
    /// What the browser says. Twice is as good as never: who knows which of them is ours?
    pub(super) fn read(&self, headers: &HeaderMap) -> Option<String> {
        let said = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = said.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value.to_owned()),
            _ => None,
        }
    }

    pub(super) fn set(&self, cookie: &NewCookie) -> Option<HeaderValue> {
        self.header(cookie.value.danger_expose(), (!cookie.max_age.is_zero()).then_some(cookie.max_age))
    }

    pub(super) fn unset(&self) -> Option<HeaderValue> {
        self.header("", Some(Duration::ZERO))
    }

    fn header(&self, value: &str, max_age: Option<Duration>) -> Option<HeaderValue> {
        let max_age = max_age.map(|span| format!("; Max-Age={}", span.as_secs())).unwrap_or_default();
        let secure = if self.is_secure { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{max_age}{secure}", self.name);
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use countersign_crypto::secret::SecretText;

    use super::*;

    fn said(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (header::COOKIE, line.parse().unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_once() {
        let visit = names("p1", true).visit;
        let read = |lines: &[&str]| visit.read(&said(lines));
        assert_eq!(read(&["a=b; __Host-countersign-visit-p1=abc"]).as_deref(), Some("abc"));
        assert_eq!(read(&["a=b", "__Host-countersign-visit-p1=abc;c=d"]).as_deref(), Some("abc"));
        assert_eq!(read(&["__Host-countersign-visit-p1=abc; __Host-countersign-visit-p1=def"]), None);
        assert_eq!(read(&["countersign-visit-p1=abc", "__Host-countersign-visit-p12=abc", "=;;="]), None);
    }

    #[test]
    fn a_cookie_is_for_this_host_and_no_script() {
        let new = NewCookie { value: SecretText::new("abc".to_owned()), max_age: Duration::from_mins(1) };
        let set = names("p1", true).visit.set(&new).unwrap();
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-countersign-visit-p1=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        let until_closed = NewCookie { max_age: Duration::ZERO, ..new };
        let set = names("p1", false).session.set(&until_closed).unwrap();
        assert_eq!(set.to_str().unwrap(), "countersign-session-p1=abc; Path=/; HttpOnly; SameSite=Lax");
        let unset = names("p1", false).session.unset().unwrap();
        assert_eq!(unset.to_str().unwrap(), "countersign-session-p1=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
