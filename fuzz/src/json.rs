//! A second reader of JSON (RFC 8259), for comparison: it keeps every member, however often its name stands there.

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    /// With a fraction, an exponent, or beyond 64 bits.
    Number,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// The members of an object.
pub type Members = [(String, Json)];

/// How deep a body may be nested.
pub const DEEPEST: usize = 127;

/// The value that a body is.
pub fn read(body: &[u8]) -> Option<Json> {
    let mut reader = Reader { rest: std::str::from_utf8(body).ok()?, depth: 0 };
    let value = reader.value()?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

/// The one value of a member: none where it is missing or null.
pub fn single<'m>(members: &'m Members, name: &str) -> Option<&'m Json> {
    let mut values = members.iter().filter(|(it, _)| it == name).map(|(_, value)| value);
    let value = values.next().filter(|value| **value != Json::Null);
    assert!(values.next().is_none(), "`{name}` stands there twice and was read");
    value
}

/// The one text of a member.
pub fn text<'m>(members: &'m Members, name: &str) -> Option<&'m str> {
    match single(members, name)? {
        Json::Text(text) => Some(text),
        other => panic!("`{name}` is {other:?} and was read as a text"),
    }
}

struct Reader<'b> {
    rest: &'b str,
    depth: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Json> {
        self.skip_space();
        match self.rest.as_bytes().first()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::list),
            b'"' => self.string().map(Json::Text),
            b'n' => self.literal("null").map(|()| Json::Null),
            b't' => self.literal("true").map(|()| Json::Boolean(true)),
            b'f' => self.literal("false").map(|()| Json::Boolean(false)),
            _ => self.number(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Json>) -> Option<Json> {
        self.depth += 1;
        let value = (self.depth <= DEEPEST).then(|| read(self))??;
        self.depth -= 1;
        Some(value)
    }

    fn object(&mut self) -> Option<Json> {
        self.literal("{")?;
        let mut members = Vec::new();
        while !self.closes("}", members.is_empty())? {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.literal(":")?;
            members.push((name, self.value()?));
        }
        Some(Json::Object(members))
    }

    fn list(&mut self) -> Option<Json> {
        self.literal("[")?;
        let mut items = Vec::new();
        while !self.closes("]", items.is_empty())? {
            items.push(self.value()?);
        }
        Some(Json::List(items))
    }

    /// The end, or the comma before another item.
    fn closes(&mut self, end: &str, is_first: bool) -> Option<bool> {
        self.skip_space();
        if self.literal(end).is_some() {
            return Some(true);
        }
        if is_first { Some(false) } else { self.literal(",").map(|()| false) }
    }

    fn string(&mut self) -> Option<String> {
        self.literal("\"")?;
        let mut text = String::new();
        loop {
            match self.character()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => return None,
                plain => text.push(plain),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.character()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            same @ ('"' | '\\' | '/') => same,
            'u' => return self.utf16(),
            _ => return None,
        })
    }

    fn utf16(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(u32::from(first));
        }
        self.literal("\\u")?;
        let second = self.four_digits()?;
        char::decode_utf16([first, second]).next()?.ok()
    }

    fn four_digits(&mut self) -> Option<u16> {
        let digits = self.rest.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.rest = &self.rest[4..];
        u16::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<Json> {
        let length = self.rest.bytes().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
        let (number, rest) = self.rest.split_at(length);
        self.rest = rest;
        let unsigned = number.strip_prefix('-').unwrap_or(number);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_whole = is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
        let is_exponent = is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        if !is_whole || !is_digits(fraction) || !is_exponent || number.parse::<f64>().ok()?.is_infinite() {
            return None;
        }
        let integer = (number != "-0" && whole == unsigned).then(|| number.parse().ok()).flatten();
        Some(integer.map_or(Json::Number, Json::Integer))
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    fn character(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let first = characters.next();
        self.rest = characters.as_str();
        first
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }
}
