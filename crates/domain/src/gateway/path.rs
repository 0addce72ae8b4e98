//! Paths that can be judged: what an upstream could read as another path than we do is none.

use std::borrow::Cow;

/// The path of a call, looked at. It is passed on as it was written.
#[derive(Debug, Clone)]
pub struct ClearPath<'p> {
    written: &'p str,
    /// Escapes read for as long as there are any, for readers who read them more than once.
    read: Cow<'p, [u8]>,
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnclearPath {
    /// It doesn't begin with a slash: `OPTIONS *`, `CONNECT`.
    #[error("it must begin with a slash")]
    NoSlash,
    /// A percent sign without two hexadecimal digits.
    #[error("it holds a percent sign without two hexadecimal digits")]
    BrokenEscape,
    /// A control character, escaped or not.
    #[error("it holds a control character")]
    ControlCharacter,
    /// A backslash, escaped or not: a slash to some.
    #[error("it holds a backslash")]
    Backslash,
    /// An escaped slash where the project doesn't take them.
    #[error("it holds an escaped slash")]
    EncodedSlash,
    /// `.` or `..`, in any spelling.
    #[error("it holds a dot segment")]
    DotSegment,
    /// An ASCII character in more bytes than it has (RFC 3629 §3): a slash or a dot to some, nothing to others.
    #[error("it holds an overlong encoding")]
    Overlong,
}

impl<'p> ClearPath<'p> {
    /// Looks at a path as it stands in the request, without its query. `encoded_slashes`: whether `%2F` may stand in it.
    pub fn read(written: &'p str, encoded_slashes: bool) -> Result<Self, UnclearPath> {
        if !written.starts_with('/') {
            return Err(UnclearPath::NoSlash);
        }
        let once = unescape_once(written).ok_or(UnclearPath::BrokenEscape)?;
        if once.contains(&b'\\') {
            return Err(UnclearPath::Backslash);
        }
        // Each percent sign begins an escape: there is no broken one.
        let is_slash = |escape: &[u8]| matches!(escape, [b'%', b'2', b'f' | b'F']);
        if !encoded_slashes && written.as_bytes().windows(3).any(is_slash) {
            return Err(UnclearPath::EncodedSlash);
        }
        let read = unescape_fully(written);
        if read.iter().any(u8::is_ascii_control) {
            return Err(UnclearPath::ControlCharacter);
        }
        if has_overlong(&read) {
            return Err(UnclearPath::Overlong);
        }
        let path = Self { written, read };
        // Servers that know parameters of segments cut them off first: `..;x` is `..` to them.
        if path.loose_segments().any(|segment| matches!(segment, b"." | b"..")) {
            return Err(UnclearPath::DotSegment);
        }
        Ok(path)
    }

    /// As it stands in the request.
    pub const fn as_written(&self) -> &'p str {
        self.written
    }

    /// Its segments, each with the escapes that it was written with. `/` has one, which is empty.
    pub(super) fn segments(&self) -> impl Iterator<Item = &'p str> + use<'p> {
        self.written.split('/').skip(1)
    }

    /// The segments that the loosest reader sees: escapes read however often, what is an escaped slash to others a slash, parameters cut
    /// off, empty segments left out.
    pub(super) fn loose_segments(&self) -> impl Iterator<Item = &[u8]> {
        let pieces = self.read.split(|b| matches!(b, b'/' | b'\\'));
        let bare = pieces.map(|piece| piece.split(|b| *b == b';').next().unwrap_or_default());
        bare.filter(|piece| !piece.is_empty())
    }

    /// What is left without the first segments, as it was written: `/` at least.
    pub(super) fn without_first(&self, count: usize) -> &'p str {
        let Some(last) = count.checked_sub(1) else { return self.written };
        let end = self.written.match_indices('/').skip(1).nth(last).map(|(at, _)| at);
        end.map_or("/", |end| &self.written[end..])
    }
}

/// Is it a path of plain segments, as operators write them? `/` isn't: it has no segment.
pub(super) fn is_plain(path: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&b);
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
    path.strip_prefix('/').is_some_and(|segments| segments.split('/').all(is_segment))
}

/// Does a segment as it was written say this?
pub(super) fn says(segment: &str, wanted: &str) -> bool {
    unescape_once(segment).is_some_and(|said| *said == *wanted.as_bytes())
}

/// Reads escapes as RFC 3986 §2.1 has it: none where one is broken.
fn unescape_once(text: &str) -> Option<Cow<'_, [u8]>> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return Some(Cow::Borrowed(bytes));
    }
    let mut read = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, others)) = rest.split_first() {
        if *first == b'%' {
            read.push(escaped(others)?);
            rest = &others[2..];
        } else {
            read.push(*first);
            rest = others;
        }
    }
    Some(Cow::Owned(read))
}

/// Reads escapes for as long as there are any, each byte once: an escape ends with the byte just read, or doesn't end yet.
fn unescape_fully(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut read = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        read.push(byte);
        while let [.., b'%', high, low] = read[..]
            && let Some(byte) = escaped(&[high, low])
        {
            read.truncate(read.len() - 3);
            read.push(byte);
        }
    }
    Cow::Owned(read)
}

/// The byte that two hexadecimal digits stand for.
fn escaped(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// Bytes that no UTF-8 has, and that careless readers take for an ASCII character or a shorter form.
fn has_overlong(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| matches!(pair, [0xc0 | 0xc1, 0x80..=0xbf] | [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(path: &str) -> Option<UnclearPath> {
        ClearPath::read(path, false).err()
    }

    #[test]
    fn paths_of_apis_are_clear() {
        for path in [
            "/",
            "/interactions",
            "/v2/agents/ag_1/messages",
            "/v2/",
            "//",
            "/a//b",
            "/.well-known/x",
            "/...",
            "/a.b/..c/d..",
            "/b%C3%BCcher/%E2%82%AC",
            "/%C0%20la%20carte",
            "/100%25",
            "/a%20b%2Bc",
            "/{id}|[x]",
            "/a;version=2/b",
            "/%2525",
        ] {
            assert_eq!(problem(path), None, "{path}");
        }
    }

    #[test]
    fn a_dot_segment_is_seen_in_every_spelling() {
        for path in [
            "/.",
            "/..",
            "/../etc/passwd",
            "/v2/../admin",
            "/v2/./admin",
            "/v2/%2e%2e/admin",
            "/v2/.%2E/admin",
            "/v2/%2e./admin",
            "/v2/%2E",
            "/v2/..;/admin",
            "/v2/..;x=1/admin",
            "/v2/.;/admin",
            "/v2/%2e%2e%3b/admin",
            "/v2/%252e%252e/admin",
            "/v2/%25252e./admin",
            "/v2/%%32%65%2e/admin",
            "/v2/..%252fadmin",
            "/v2/..%255cadmin",
        ] {
            let expected = if path.contains("%%") { UnclearPath::BrokenEscape } else { UnclearPath::DotSegment };
            assert_eq!(problem(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_some_read_as_a_slash_or_an_end_is_refused() {
        for (path, expected) in [
            ("/v2%2fadmin", UnclearPath::EncodedSlash),
            ("/v2%2Fadmin", UnclearPath::EncodedSlash),
            ("/v2/..%2fadmin", UnclearPath::EncodedSlash),
            ("/v2\\admin", UnclearPath::Backslash),
            ("/v2%5cadmin", UnclearPath::Backslash),
            ("/v2%5C..%5Cadmin", UnclearPath::Backslash),
            ("/v2%00/admin", UnclearPath::ControlCharacter),
            ("/v2%2500", UnclearPath::ControlCharacter),
            ("/v2%0d%0aX-Countersign-User:%20u_1", UnclearPath::ControlCharacter),
            ("/v2%7f", UnclearPath::ControlCharacter),
            ("/v2\t", UnclearPath::ControlCharacter),
            ("/v2%", UnclearPath::BrokenEscape),
            ("/v2%2", UnclearPath::BrokenEscape),
            ("/v2%zz", UnclearPath::BrokenEscape),
            ("/v2%u002e", UnclearPath::BrokenEscape),
            ("/v2%+2e", UnclearPath::BrokenEscape),
            ("/%c0%ae%c0%ae/admin", UnclearPath::Overlong),
            ("/v2%c0%afadmin", UnclearPath::Overlong),
            ("/v2%e0%80%af", UnclearPath::Overlong),
            ("/v2%f0%80%80%af", UnclearPath::Overlong),
            ("", UnclearPath::NoSlash),
            ("*", UnclearPath::NoSlash),
            ("v2", UnclearPath::NoSlash),
        ] {
            assert_eq!(problem(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn where_escaped_slashes_are_let_through_dot_segments_are_still_seen_behind_them() {
        let problem = |path| ClearPath::read(path, true).err();
        for path in ["/files/a%2Fb", "/files/%2F", "/files/a%2f.b"] {
            assert_eq!(problem(path), None, "{path}");
        }
        for path in ["/files/a%2F..%2Fb", "/files/..%2Fb", "/files/a%2F.", "/files/a%2f%2e%2e", "/files%252f.."] {
            assert_eq!(problem(path), Some(UnclearPath::DotSegment), "{path}");
        }
        assert_eq!(problem("/files/a%5cb"), Some(UnclearPath::Backslash));
    }

    #[test]
    fn segments_come_off_as_they_were_written() {
        let path = ClearPath::read("/v%32//a%20b/", false).unwrap();
        let left: Vec<&str> = (0..6).map(|count| path.without_first(count)).collect();
        assert_eq!(left, ["/v%32//a%20b/", "//a%20b/", "/a%20b/", "/", "/", "/"]);
    }

    #[test]
    fn a_path_of_escapes_of_escapes_is_read_in_one_go() {
        let nested = format!("/{}", "%25".repeat(20_000));
        assert_eq!(problem(&nested), None);
        let deep = format!("/%{}2e%2e", "25".repeat(30_000));
        assert_eq!(problem(&deep), Some(UnclearPath::DotSegment));
    }

    /// Reads escapes as often as an upstream might, the slow way.
    fn read_often(path: &str) -> Vec<u8> {
        let mut read = path.as_bytes().to_vec();
        loop {
            let mut next = Vec::new();
            let mut rest = &read[..];
            while let [first, others @ ..] = rest {
                let byte = (*first == b'%').then(|| escaped(others)).flatten();
                next.push(byte.unwrap_or(*first));
                rest = if byte.is_some() { &others[2..] } else { others };
            }
            if next == read {
                return read;
            }
            read = next;
        }
    }

    proptest! {
        #[test]
        fn reading_at_once_is_reading_often(path in "/[%2ef5/.c0a]{0,24}") {
            prop_assert_eq!(unescape_fully(&path).into_owned(), read_often(&path));
        }

        #[test]
        fn what_is_clear_leaves_no_reader_a_dot_segment(path in "/([a.]|/|;|%2e|%2E|%2f|%25|%5c|\\\\){0,12}", slashes: bool) {
            if ClearPath::read(&path, slashes).is_ok() {
                for read in [path.clone().into_bytes(), unescape_once(&path).unwrap().into_owned(), read_often(&path)] {
                    for segment in read.split(|b| matches!(b, b'/' | b'\\')) {
                        prop_assert!(!matches!(segment, b"." | b".."));
                        prop_assert!(!segment.starts_with(b".;") && !segment.starts_with(b"..;"));
                    }
                }
            }
        }
    }
}
