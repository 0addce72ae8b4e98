//! Parameters of the provider's endpoints: `application/x-www-form-urlencoded`, from a query or a body (RFC 6749 §B), each at most once.

use std::collections::BTreeMap;

/// Parameters that were read, and are believed no further than that.
#[derive(Clone, Default)]
pub struct Form(BTreeMap<String, Field>);

#[derive(Clone)]
enum Field {
    Once(String),
    Twice,
}

/// Why parameters can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// No form: an escape that is none, bytes that aren't UTF-8, control characters, or far too much of it.
    #[error("the parameters are no form in UTF-8")]
    NotAForm,
    /// One reader would take the first and another the last (RFC 6749 §3.1, §3.2).
    #[error("a parameter stands twice")]
    Twice,
    /// It must be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
}

/// More than any call needs.
const MOST: usize = 64;

impl Form {
    /// Reads a query or a body.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut fields = BTreeMap::new();
        for pair in bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (name, value) = (decode(&pair[..at])?, decode(pair.get(at + 1..).unwrap_or_default())?);
            if fields.len() == MOST {
                return Err(FormError::NotAForm);
            }
            let field = if fields.contains_key(&name) { Field::Twice } else { Field::Once(value) };
            fields.insert(name, field);
        }
        Ok(Self(fields))
    }

    /// No parameter stands twice, whoever reads it or not.
    pub fn unambiguous(self) -> Result<Self, FormError> {
        if self.has_twice() { Err(FormError::Twice) } else { Ok(self) }
    }

    /// Does any parameter stand twice?
    pub fn has_twice(&self) -> bool {
        self.0.values().any(|field| matches!(field, Field::Twice))
    }

    /// A parameter; without a value it is as good as not there (RFC 6749 §3.1). One that stands twice is neither here nor there.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Field::Once(value) if !value.is_empty() => Some(value),
            Field::Once(_) | Field::Twice => None,
        }
    }

    /// Does it stand there twice?
    pub fn is_twice(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Field::Twice))
    }

    /// Does it stand there at all?
    pub fn names(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A parameter that must be there.
    pub fn required(&self, name: &'static str) -> Result<&str, FormError> {
        self.text(name).ok_or(FormError::Missing(name))
    }
}

/// Undoes percent-encoding, with `+` for a space. Half an escape is a mistake and not a percent sign.
pub fn decode(bytes: &[u8]) -> Result<String, FormError> {
    // Tokens and codes have nothing to undo.
    let is_plain = !bytes.iter().any(|b| matches!(b, b'+' | b'%'));
    let plain = if is_plain { bytes.to_vec() } else { unescape(bytes)? };
    let text = String::from_utf8(plain).map_err(|_| FormError::NotAForm)?;
    let has_control =
        if text.is_ascii() { text.bytes().any(|b| b.is_ascii_control()) } else { text.chars().any(char::is_control) };
    if has_control { Err(FormError::NotAForm) } else { Ok(text) }
}

fn unescape(bytes: &[u8]) -> Result<Vec<u8>, FormError> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(b) = rest.next() {
        plain.push(match b {
            b'+' => b' ',
            b'%' => match (rest.next().copied().and_then(hex), rest.next().copied().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(FormError::NotAForm),
            },
            other => *other,
        });
    }
    Ok(plain)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Percent-encodes all but what stands for itself everywhere (RFC 3986 §2.3).
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(b));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(b >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(b & 15)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_read_by_their_names() {
        let form = Form::parse(b"a=1&b=x+y%2Bz&c=&d&%65=%C3%BC&&f==").unwrap();
        let read: Vec<Option<&str>> = ["a", "b", "c", "d", "e", "f", "g"].map(|name| form.text(name)).into();
        assert_eq!(read, [Some("1"), Some("x y+z"), None, None, Some("ü"), Some("="), None]);
        assert!(form.names("c") && !form.names("g"));
        assert_eq!(form.required("a"), Ok("1"));
        assert_eq!(form.required("c"), Err(FormError::Missing("c")));
        assert!(form.unambiguous().is_ok());
    }

    #[test]
    fn a_parameter_that_stands_twice_is_neither_value() {
        for text in ["a=1&a=2", "a=1&a=1", "a&a", "a=1&%61=2"] {
            let form = Form::parse(text.as_bytes()).unwrap();
            assert_eq!(form.text("a"), None, "{text}");
            assert!(form.is_twice("a") && form.has_twice());
            assert_eq!(form.unambiguous().err(), Some(FormError::Twice), "{text}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let many = (0..65).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        for bytes in [
            &b"a=%"[..],
            b"a=%4",
            b"a=%zz",
            b"a=%+1",
            b"a=\xff",
            b"a=%FF",
            b"a=%00",
            b"a=\n",
            b"%0A=1",
            many.as_bytes(),
        ] {
            assert_eq!(Form::parse(bytes).err(), Some(FormError::NotAForm), "{}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(text in "[^\\pC]{0,40}") {
            let encoded = encode(&text);
            prop_assert!(encoded.is_ascii() && !encoded.contains(['&', '=', '+', ' ', '#']));
            prop_assert_eq!(decode(encoded.as_bytes()), Ok(text));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Form::parse(&bytes);
        }
    }
}
