//! Headers that somebody has written down, read as the doors read those of a request: what Explain judges.

use axum::http::{HeaderName, header};
use countersign_service::{
    explain::{Header, WrittenCall},
    proof::client_call::{ClientCall, Shown},
};

use super::{
    actor::{API_KEY, EXTERNAL_ID, FORWARDED_URI, HMAC},
    address::host_name,
    forwarded,
    ticket::ticket_in,
};

/// Headers, in whatever order and case.
pub struct WrittenHeaders(Vec<Written>);

struct Written {
    /// In lower case (RFC 9110 §5.1).
    name: String,
    /// As it would arrive.
    value: Vec<u8>,
    is_sendable: bool,
}

/// What people write for the headers, without hyphens, underscores and case.
const LOOKALIKES: [(Header, &[&str]); 3] = [
    (
        Header::ApiKey,
        &[
            "xproficientapikey",
            "xcountersignapikey",
            "proficientapikey",
            "countersignapikey",
            "xproficientpublishablekey",
            "xcountersignpublishablekey",
            "xapikey",
            "apikey",
        ],
    ),
    (
        Header::ExternalId,
        &[
            "xproficientuserexternalid",
            "xcountersignuserexternalid",
            "proficientuserexternalid",
            "countersignuserexternalid",
            "xproficientexternalid",
            "xcountersignexternalid",
            "xproficientuserid",
            "xcountersignuserid",
            "xuserexternalid",
            "userexternalid",
            "externalid",
        ],
    ),
    (
        Header::Hmac,
        &[
            "xproficientuserhmac",
            "xcountersignuserhmac",
            "proficientuserhmac",
            "countersignuserhmac",
            "xproficienthmac",
            "xcountersignhmac",
            "xuserhmac",
            "userhmac",
            "xhmac",
            "hmac",
        ],
    ),
];

impl WrittenHeaders {
    /// Takes headers in: a name that stands there more than once is as many of them.
    pub fn new<V: Into<Vec<u8>>>(headers: impl IntoIterator<Item = (String, V)>) -> Self {
        Self(headers.into_iter().map(|(name, value)| Written::new(&name, &value.into())).collect())
    }

    /// The call that they make.
    pub fn call(&self) -> WrittenCall<'_> {
        let host = self.once("host").and_then(|host| std::str::from_utf8(host).ok());
        WrittenCall {
            client: ClientCall {
                publishable_key: self.shown(&API_KEY),
                external_id: self.shown(&EXTERNAL_ID),
                hmac: self.shown(&HMAC),
            },
            authorization: self.shown(&[header::AUTHORIZATION]),
            ticket: self.ticket(),
            host: host.map(host_name),
            origin: self.named("origin").next(),
            dpop: self.once("dpop"),
            misspelt: LOOKALIKES.iter().filter(|(_, names)| self.has_lookalike(names)).map(|(it, _)| *it).collect(),
            unsendable: self.unsendable(),
        }
    }

    /// Where proxies put the address that they were asked for.
    fn ticket(&self) -> Option<&str> {
        let text = |name: &&str| std::str::from_utf8(self.once(name)?).ok().filter(|text| text.is_ascii());
        let (_, query) = FORWARDED_URI.iter().find_map(|name| text(name)?.split_once('?'))?;
        // One that is shown with anything but a GET is as good as a wrong one.
        let is_get =
            self.named(forwarded::METHOD).all(|method| method == b"GET") && self.named(forwarded::METHOD).count() < 2;
        ticket_in(query).map(|ticket| if is_get { ticket } else { "" })
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(move |it| it.name == name).map(|it| it.value.as_slice())
    }

    fn once(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.named(name);
        values.next().filter(|_| values.next().is_none())
    }

    fn shown(&self, names: &[HeaderName]) -> Shown<'_> {
        let mut values = self.0.iter().filter(|it| names.iter().any(|name| *name == it.name.as_str()));
        match (values.next(), values.next()) {
            (None, _) => Shown::Absent,
            (Some(it), None) => Shown::Once(&it.value),
            (Some(_), Some(_)) => Shown::Repeated,
        }
    }

    /// One that is read isn't a lookalike, however it is written.
    fn has_lookalike(&self, names: &[&str]) -> bool {
        let is_read = |name: &str| [&API_KEY, &EXTERNAL_ID, &HMAC].into_iter().flatten().any(|it| *it == name);
        let folded = |name: &str| -> String { name.chars().filter(char::is_ascii_alphanumeric).collect() };
        self.0.iter().any(|it| !is_read(&it.name) && names.contains(&folded(&it.name).as_str()))
    }

    fn unsendable(&self) -> Vec<Header> {
        let is_among = |names: &[HeaderName]| {
            self.0.iter().any(|it| !it.is_sendable && names.iter().any(|name| *name == it.name.as_str()))
        };
        let authorization = [header::AUTHORIZATION];
        let headers: [(Header, &[HeaderName]); 4] = [
            (Header::ApiKey, &API_KEY),
            (Header::ExternalId, &EXTERNAL_ID),
            (Header::Hmac, &HMAC),
            (Header::Authorization, &authorization),
        ];
        headers.into_iter().filter(|(_, names)| is_among(names)).map(|(header, _)| header).collect()
    }
}

impl Written {
    /// White space around a value is no part of it (RFC 9110 §5.5), and other control characters never arrive (RFC 9110 §5.5, RFC 9112 §2.2).
    fn new(name: &str, value: &[u8]) -> Self {
        let trimmed = trim(value, |b| matches!(b, b' ' | b'\t'));
        let is_sendable = !trimmed.iter().any(|b| b.is_ascii_control() && *b != b'\t');
        let value = trim(trimmed, |b| b == b' ' || b.is_ascii_control()).to_vec();
        Self { name: name.to_ascii_lowercase(), value, is_sendable }
    }
}

fn trim(value: &[u8], goes: impl Fn(u8) -> bool) -> &[u8] {
    let start = value.iter().position(|b| !goes(*b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !goes(*b)).map_or(start, |last| last + 1);
    &value[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(written: &[(&str, &str)]) -> WrittenHeaders {
        WrittenHeaders::new(written.iter().map(|(name, value)| ((*name).to_owned(), *value)))
    }

    #[test]
    fn headers_are_read_in_any_case_and_under_both_names() {
        let written = headers(&[
            ("x-Proficient-Api-Key", "pk_1"),
            ("X-COUNTERSIGN-USER-EXTERNAL-ID", " ada\t"),
            ("X-PROFICIENT-USER-HMAC", ""),
            ("Host", "Shop.Example:8443"),
            ("accept", "*/*"),
        ]);
        let call = written.call();
        let client = call.client;
        assert_eq!(client.publishable_key, Shown::Once(b"pk_1"));
        assert_eq!(client.external_id, Shown::Once(b"ada"), "white space around a value never arrives");
        assert_eq!(client.hmac, Shown::Once(b""));
        assert_eq!(call.authorization, Shown::Absent);
        assert_eq!(call.host.as_deref(), Some("shop.example"));
        assert!(call.misspelt.is_empty() && call.unsendable.is_empty());
    }

    #[test]
    fn a_header_under_both_names_is_there_twice() {
        let written = headers(&[("x-proficient-user-hmac", "a"), ("X-COUNTERSIGN-USER-HMAC", "a"), ("ORIGIN", "x")]);
        let call = written.call();
        assert_eq!(call.client.hmac, Shown::Repeated);
        assert_eq!(call.origin, Some(&b"x"[..]));
    }

    #[test]
    fn a_ticket_is_where_a_proxy_puts_it() {
        let written = headers(&[("X-Original-Uri", "/a"), ("X-Original-Url", "/a?b&countersign_ticket=tkt_1")]);
        assert_eq!(written.call().ticket, Some("tkt_1"));
        let written = headers(&[("X-Forwarded-Uri", "/a?b"), ("X-Original-Uri", "/a?countersign_ticket=tkt_1")]);
        assert_eq!(written.call().ticket, None, "the first that has a query is the one");
        let asked = ("X-Original-Uri", "/a?countersign_ticket=tkt_1");
        for (more, ticket) in [
            (&[("x-forwarded-method", "GET")][..], "tkt_1"),
            (&[("x-forwarded-method", "POST")], ""),
            (&[("x-forwarded-method", "GET"), ("x-forwarded-method", "GET")], ""),
        ] {
            assert_eq!(headers(&[&[asked], more].concat()).call().ticket, Some(ticket), "{more:?}");
        }
    }

    #[test]
    fn a_name_with_underscores_is_another_name() {
        let written = headers(&[("X_PROFICIENT_API_KEY", "pk_1"), ("X-User-Hmac", "a"), ("X-External-Idea", "b")]);
        let call = written.call();
        assert_eq!(call.client.publishable_key, Shown::Absent);
        assert_eq!(call.misspelt, [Header::ApiKey, Header::Hmac]);
    }

    #[test]
    fn what_no_request_can_carry_is_named_and_the_rest_is_read() {
        let written = headers(&[("x-proficient-api-key", "pk_1\r\n"), ("authorization", "Bearer a\0b"), ("x", "\n")]);
        let call = written.call();
        assert_eq!(call.unsendable, [Header::ApiKey, Header::Authorization]);
        assert_eq!(call.client.publishable_key, Shown::Once(b"pk_1"));
        assert_eq!(call.authorization, Shown::Once(b"Bearer a\0b"));
    }
}
