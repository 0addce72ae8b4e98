//! Reading JSON objects from strangers: every member by its name, every mistake named after its member.
//!
//! A member that stands twice is refused when it is read: one reader might take the first and another the second, and an attacker lives in
//! between. Members that nobody reads are let pass, as the published guides promise.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// Why a body can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It isn't a JSON object at all (RFC 8259).
    #[error("The body must be a JSON object in UTF-8")]
    NotAnObject,
    /// A member is missing, or isn't what it must be.
    #[error("`{name}` {problem}")]
    Field {
        /// The member, with the objects it stands in: `userAttributes.givenName`.
        name: String,
        /// What it must be. Never what it was.
        problem: String,
    },
}

/// A JSON object whose members are read one by one.
#[derive(Debug)]
pub struct Object {
    /// Where it stands in the body: empty, or a name with a dot.
    path: String,
    members: BTreeMap<String, Json>,
}

#[derive(Debug, Clone)]
enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    Number,
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
    /// Its name stands more than once.
    Twice,
}

impl Object {
    /// Reads a body. Depth is bounded by the JSON reader, length by whoever received the bytes.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        match serde_json::from_slice(body) {
            Ok(Json::Object(members)) => Ok(Self { path: String::new(), members }),
            _ => Err(BodyError::NotAnObject),
        }
    }

    /// A mistake in a member of this object.
    pub fn error(&self, name: &str, problem: impl fmt::Display) -> BodyError {
        BodyError::Field { name: format!("{}{name}", self.path), problem: problem.to_string() }
    }

    /// Does anything stand under this name?
    pub fn names(&self, name: &str) -> bool {
        !matches!(self.members.get(name), None | Some(Json::Null))
    }

    /// A member that may be missing; `null` counts as missing.
    fn optional(&self, name: &str) -> Result<Option<&Json>, BodyError> {
        match self.members.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Twice) => Err(self.error(name, "stands there twice")),
            Some(value) => Ok(Some(value)),
        }
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, BodyError> {
        value.ok_or_else(|| self.error(name, "is missing"))
    }

    /// A text that may be missing.
    pub fn optional_text(&self, name: &str) -> Result<Option<&str>, BodyError> {
        match self.optional(name)? {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(name, "must be a string")),
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<&str, BodyError> {
        let text = self.optional_text(name)?;
        self.required(name, text)
    }

    /// A text that means something, and may be missing.
    pub fn optional_parsed<T>(&self, name: &str) -> Result<Option<T>, BodyError>
    where
        T: std::str::FromStr<Err: fmt::Display>,
    {
        let text = self.optional_text(name)?;
        text.map(|text| text.parse().map_err(|problem| self.error(name, problem))).transpose()
    }

    /// A text that means something.
    pub fn parsed<T>(&self, name: &str) -> Result<T, BodyError>
    where
        T: std::str::FromStr<Err: fmt::Display>,
    {
        let value = self.optional_parsed(name)?;
        self.required(name, value)
    }

    /// `true` or `false`, and may be missing.
    pub fn optional_boolean(&self, name: &str) -> Result<Option<bool>, BodyError> {
        match self.optional(name)? {
            None => Ok(None),
            Some(Json::Boolean(value)) => Ok(Some(*value)),
            Some(_) => Err(self.error(name, "must be `true` or `false`")),
        }
    }

    /// A whole number, and may be missing.
    pub fn optional_integer(&self, name: &str) -> Result<Option<i64>, BodyError> {
        match self.optional(name)? {
            None => Ok(None),
            Some(Json::Integer(value)) => Ok(Some(*value)),
            Some(_) => Err(self.error(name, "must be a whole number")),
        }
    }

    /// A list of texts that mean something; missing, it is empty.
    pub fn parsed_list<T>(&self, name: &str, most: usize) -> Result<Vec<T>, BodyError>
    where
        T: std::str::FromStr<Err: fmt::Display>,
    {
        let Some(value) = self.optional(name)? else {
            return Ok(Vec::new());
        };
        let Json::List(items) = value else {
            return Err(self.error(name, "must be a list of strings"));
        };
        if items.len() > most {
            return Err(self.error(name, format_args!("must have at most {most} items")));
        }
        let read = |item: &Json| match item {
            Json::Text(text) => text.parse().map_err(|problem| self.error(name, problem)),
            _ => Err(self.error(name, "must be a list of strings")),
        };
        items.iter().map(read).collect()
    }

    /// An object; missing, it is empty.
    pub fn object(&self, name: &str) -> Result<Self, BodyError> {
        let path = format!("{}{name}.", self.path);
        match self.optional(name)? {
            None => Ok(Self { path, members: BTreeMap::new() }),
            Some(Json::Object(members)) => Ok(Self { path, members: members.clone() }),
            Some(_) => Err(self.error(name, "must be an object")),
        }
    }

    /// An object of texts, and lists of texts, by names that anybody may choose: each name with each of its texts. What is wrong is said
    /// without the names, which are as foreign as the texts.
    pub fn texts_by_name(&self, name: &str) -> Result<Vec<(String, String)>, BodyError> {
        let wrong = || self.error(name, "must be an object of strings, and lists of strings, each name once");
        let value = self.optional(name)?;
        let Json::Object(members) = self.required(name, value)? else {
            return Err(wrong());
        };
        let mut texts = Vec::new();
        for (name, value) in members {
            let values = match value {
                Json::Null => continue,
                Json::List(values) => values,
                value => std::slice::from_ref(value),
            };
            for value in values {
                let Json::Text(text) = value else { return Err(wrong()) };
                texts.push((name.clone(), text.clone()));
            }
        }
        Ok(texts)
    }

    /// Is a member this number, or this text?
    pub fn is(&self, name: &str, number: i64, text: &str) -> Result<bool, BodyError> {
        match self.optional(name)? {
            None => Err(self.error(name, "is missing")),
            Some(Json::Integer(value)) => Ok(*value == number),
            Some(Json::Text(value)) => Ok(value == text),
            Some(_) => Ok(false),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Number, Json::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry::<String, Json>()? {
            members.entry(name).and_modify(|value| *value = Json::Twice).or_insert(value);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(body: &str) -> Object {
        Object::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = "[".repeat(20_000);
        let deep_object = "{\"a\":".repeat(20_000);
        let bodies: [&[u8]; 13] = [
            b"",
            b"null",
            b"[]",
            b"\"a\"",
            b"4",
            b"{",
            b"{}{}",
            b"{} x",
            b"{\"a\":1,}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\\ud800\"}",
            deep.as_bytes(),
            deep_object.as_bytes(),
        ];
        for body in bodies {
            assert_eq!(Object::parse(body).unwrap_err(), BodyError::NotAnObject);
        }
    }

    #[test]
    fn a_member_is_named_when_it_is_wrong() {
        let body = object(r#"{"text": 4, "number": "4", "flag": "yes", "inner": {"text": []}, "list": [4]}"#);
        let name = |result: Result<(), BodyError>| match result {
            Err(BodyError::Field { name, .. }) => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(name(body.text("text").map(drop)), "text");
        assert_eq!(name(body.text("missing").map(drop)), "missing");
        assert_eq!(name(body.optional_integer("number").map(drop)), "number");
        assert_eq!(name(body.optional_boolean("flag").map(drop)), "flag");
        assert_eq!(name(body.object("inner").unwrap().text("text").map(drop)), "inner.text");
        assert_eq!(name(body.object("text").map(drop)), "text");
        assert_eq!(name(body.parsed_list::<String>("list", 4).map(drop)), "list");
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_and_one_that_nobody_reads_is_let_pass() {
        let body =
            object(r#"{"email": "a@b.c", "email": "d@e.f", "other": 1, "other": 2, "inner": {"x": "1", "x": "2"}}"#);
        let twice = BodyError::Field { name: "email".to_owned(), problem: "stands there twice".to_owned() };
        assert_eq!(body.text("email").unwrap_err(), twice);
        assert!(body.object("inner").unwrap().text("x").is_err());
        assert_eq!(object(r#"{"a": "1", "unread": 1, "unread": 2}"#).text("a"), Ok("1"));
    }

    #[test]
    fn null_counts_as_missing() {
        let body = object(r#"{"a": null}"#);
        assert_eq!(body.optional_text("a"), Ok(None));
        assert!(body.text("a").is_err());
    }

    #[test]
    fn a_number_is_whole_or_no_number() {
        for number in ["4.0", "1e3", "9223372036854775808", "-0.1"] {
            assert!(object(&format!("{{\"a\": {number}}}")).optional_integer("a").is_err(), "{number}");
        }
        assert_eq!(object("{\"a\": -4}").optional_integer("a"), Ok(Some(-4)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Object::parse(&body);
        }
    }
}
