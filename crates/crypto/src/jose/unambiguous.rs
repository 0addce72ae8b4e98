//! JSON that says each thing once. Where a member stands twice, one reader takes the first and another the last, and a signature covers both.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// The members of an object. None: it isn't one, isn't UTF-8, or a member stands twice at some depth.
pub(crate) fn members(json: &[u8]) -> Option<Map<String, Value>> {
    let json = str::from_utf8(json).ok()?;
    serde_json::from_str(json).ok().map(|Object(members)| members)
}

/// An object among other things. Left alone, serde takes a list for a struct.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Object(pub(crate) Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Unambiguous::deserialize(deserializer)? {
            Unambiguous(Value::Object(members)) => Ok(Self(members)),
            Unambiguous(_) => Err(D::Error::custom("not an object")),
        }
    }
}

struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading).map(Self)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON in which no member stands twice")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Unambiguous(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Unambiguous(value))) = map.next_entry::<String, Unambiguous>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_reads_as_it_is_written() {
        let json = r#" {"a": [1, -2, 3.5, true, null, "ü"], "b": {"a": {}}} "#;
        assert_eq!(Value::Object(members(json.as_bytes()).unwrap()), serde_json::from_str::<Value>(json).unwrap());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let deep = format!("{}{}", "{\"a\":".repeat(200), "}".repeat(200));
        for json in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"b": {"a": 1, "a": 2}}"#,
            r#"{"b": [{"a": 1, "a": 2}]}"#,
            "{\"a\": \"\u{0}\"}",
            "{} {}",
            "[]",
            "1",
            "",
            &deep,
        ] {
            assert_eq!(members(json.as_bytes()), None, "{json}");
        }
        assert_eq!(members(b"{\"a\": \"\xaa\"}"), None);
    }
}
