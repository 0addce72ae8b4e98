//! What the request to a provider holds: a form or a JSON text in which number, text and sender have their places.

use serde_json::Value;

use crate::error::Failure;

/// What is filled in.
pub(super) struct Values<'a> {
    pub(super) to: &'a str,
    pub(super) text: &'a str,
    pub(super) from: &'a str,
}

/// A body with places for them.
pub(super) enum Body {
    /// Names and values.
    Form(Vec<(String, String)>),
    /// In its strings.
    Json(Value),
}

const NAMES: [&str; 3] = ["to", "text", "from"];

impl Body {
    /// Reads the one of them that is given.
    pub(super) fn read(form: &[String], json: Option<&str>) -> Result<Self, Failure> {
        let body = if let Some(json) = json {
            // The parser's own words would repeat what may hold a secret.
            Self::Json(serde_json::from_str(json).map_err(|_| bad("sms.json must be JSON"))?)
        } else {
            let field = |line: &String| {
                let (name, value) =
                    line.split_once('=').ok_or_else(|| bad("sms.form must be fields like `To={to}`"))?;
                Ok((name.to_owned(), value.to_owned()))
            };
            Self::Form(form.iter().map(field).collect::<Result<_, Failure>>()?)
        };
        if let Some(unknown) = body.texts().into_iter().flat_map(places).find(|name| !NAMES.contains(name)) {
            return Err(Failure::Usage(format!(
                "sms.form and sms.json know {{to}}, {{text}} and {{from}}, but no {{{unknown}}}"
            )));
        }
        if !body.uses("to") || !body.uses("text") {
            return Err(bad("sms.form or sms.json must have a place for {to} and one for {text}"));
        }
        Ok(body)
    }

    pub(super) fn uses(&self, name: &str) -> bool {
        self.texts().into_iter().flat_map(places).any(|place| place == name)
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Json(_) => "application/json",
        }
    }

    /// What is filled in stays where it was put, whatever it holds.
    pub(super) fn write(&self, values: &Values<'_>) -> String {
        match self {
            Self::Form(fields) => {
                let pair =
                    |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(&fill(value, values)));
                fields.iter().map(pair).collect::<Vec<_>>().join("&")
            }
            Self::Json(json) => filled(json, values).to_string(),
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Form(fields) => fields.iter().map(|(_, value)| value.as_str()).collect(),
            Self::Json(json) => strings(json),
        }
    }
}

fn strings(json: &Value) -> Vec<&str> {
    match json {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

fn filled(json: &Value, values: &Values<'_>) -> Value {
    match json {
        Value::String(text) => Value::String(fill(text, values)),
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, values)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The names in braces.
fn places(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).filter(is_name)
}

fn fill(text: &str, values: &Values<'_>) -> String {
    let value = |name: &str| match name {
        "to" => Some(values.to),
        "text" => Some(values.text),
        "from" => Some(values.from),
        _ => None,
    };
    fill_by(text, value)
}

/// A header with the secret in its place.
pub(super) fn fill_secret(text: &str, secret: Option<&str>) -> Result<String, Failure> {
    if let Some(unknown) = places(text).find(|name| *name != "secret") {
        return Err(Failure::Usage(format!("sms.headers know {{secret}}, but no {{{unknown}}}")));
    }
    if places(text).next().is_some() && secret.is_none() {
        return Err(bad(
            "sms.headers have a place for {secret}, and there is none: sms.secret_file or COUNTERSIGN_SMS__SECRET",
        ));
    }
    Ok(fill_by(text, |name| secret.filter(|_| name == "secret")))
}

/// In one go: what was filled in isn't read again.
fn fill_by<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        if let Some((value, after)) = after.split_once('}').and_then(|(name, after)| Some((value(name)?, after))) {
            filled.push_str(value);
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// As forms have it (URL standard, `application/x-www-form-urlencoded`).
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'*' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

fn bad(problem: &str) -> Failure {
    Failure::Usage(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: Values<'static> =
        Values { to: "+15551234567", text: "a&To=+1 \"{from}\"\\ \n{to} é", from: "Shop & Sons" };

    fn form(lines: &[&str]) -> Result<Body, String> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        Body::read(&lines, None).map_err(|problem| problem.to_string())
    }

    fn json(text: &str) -> Result<Body, String> {
        Body::read(&[], Some(text)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_form_is_encoded_whatever_is_filled_in() {
        let body = form(&["To={to}", "Body=<{text}>", "From={from}"]).unwrap();
        let expected =
            "To=%2B15551234567&Body=%3Ca%26To%3D%2B1+%22%7Bfrom%7D%22%5C+%0A%7Bto%7D+%C3%A9%3E&From=Shop+%26+Sons";
        assert_eq!(body.write(&HOSTILE), expected);
    }

    #[test]
    fn json_is_filled_in_its_strings_and_stays_json() {
        let body =
            json(r#"{"messages":[{"to":"{to}","n":1,"content":{"text":"{text}"},"{to}":null}],"from":"{from}"}"#)
                .unwrap();
        let written: Value = serde_json::from_str(&body.write(&HOSTILE)).unwrap();
        let expected = serde_json::json!({
            "messages": [{ "to": HOSTILE.to, "n": 1, "content": { "text": HOSTILE.text }, "{to}": null }],
            "from": HOSTILE.from,
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn a_body_without_its_places_or_with_others_is_refused() {
        let refused = |read: Result<Body, String>| read.err().expect("it was taken");
        assert!(refused(form(&["To={to}"])).contains("a place for {to} and one for {text}"));
        assert!(refused(form(&["To={to}", "Body={txt}", "B={text}"])).contains("no {txt}"));
        assert!(refused(form(&["To"])).contains("fields like"));
        assert!(refused(json("{\"to\": secret}")).ends_with("sms.json must be JSON"));
        assert!(refused(json(r#"{"{to}":"{text}"}"#)).contains("a place for {to}"));
        assert!(form(&["To={to}", "Body={text} { } {} {a b}"]).is_ok());
    }

    #[test]
    fn a_header_gets_the_secret_and_nothing_else() {
        assert_eq!(fill_secret("Key {secret}", Some("a{secret}b")).unwrap(), "Key a{secret}b");
        assert_eq!(fill_secret("plain", None).unwrap(), "plain");
        assert!(fill_secret("{secret}", None).is_err() && fill_secret("{to}", Some("x")).is_err());
    }
}
