//! What a mail server says before the way to it is secured (RFC 5321 §4.2). The library reads the rest.

/// A reply, to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// What stands behind the code, line by line.
    pub lines: Vec<String>,
}

/// It isn't what mail servers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unintelligible;

/// As much as is listened to.
pub const LONGEST: usize = 8 * 1024;

/// Reads what was heard so far; none: the reply isn't whole. Whoever says more than a reply, in the clear and unasked, wants it to be taken
/// for what is said later, when the way is secured: that is no reply.
pub fn read(heard: &[u8]) -> Result<Option<Reply>, Unintelligible> {
    let mut reply: Option<Reply> = None;
    let mut rest = heard;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        rest = &rest[end + 1..];
        let (code, is_last, text) = read_line(line)?;
        let whole = reply.get_or_insert_with(|| Reply { code, lines: Vec::new() });
        if whole.code != code {
            return Err(Unintelligible);
        }
        whole.lines.push(text);
        if is_last {
            return if rest.is_empty() { Ok(reply) } else { Err(Unintelligible) };
        }
    }
    if heard.len() > LONGEST { Err(Unintelligible) } else { Ok(None) }
}

/// `250-text`, `250 text` or `250`.
fn read_line(line: &[u8]) -> Result<(u16, bool, String), Unintelligible> {
    let digits = line.get(..3).filter(|it| it.iter().all(u8::is_ascii_digit)).ok_or(Unintelligible)?;
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let (is_last, text) = match line.get(3) {
        None => (true, &line[3..]),
        Some(b' ') => (true, &line[4..]),
        Some(b'-') => (false, &line[4..]),
        Some(_) => return Err(Unintelligible),
    };
    Ok((code, is_last, String::from_utf8_lossy(text).into_owned()))
}

impl Reply {
    /// Is this among what the server offers? The first line is its name.
    pub fn offers(&self, extension: &str) -> bool {
        self.lines.iter().skip(1).any(|line| line.trim().eq_ignore_ascii_case(extension))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16, line: &str) -> Reply {
        Reply { code, lines: vec![line.to_owned()] }
    }

    #[test]
    fn a_reply_is_read_once_it_is_whole() {
        let whole = b"250-mail.test\r\n250-SIZE 100\r\n250 STARTTLS\r\n";
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), Ok(None), "{length}");
        }
        let reply = read(whole).unwrap().unwrap();
        assert!(reply.offers("starttls") && !reply.offers("mail.test") && !reply.offers("SIZE"));
        assert_eq!(read(b"220 mail.test ready\n"), Ok(Some(of(220, "mail.test ready"))));
        assert_eq!(read(b"220\r\n"), Ok(Some(of(220, ""))));
    }

    #[test]
    fn what_is_said_beyond_a_reply_makes_it_none() {
        for heard in [
            "220 ready\r\n250-mail.test\r\n250 AUTH PLAIN\r\n",
            "220 ready\r\n2",
            "220 ready\r\n\r\n",
            "250-one\r\n220 two\r\n",
            "22 ready\r\n",
            "2200 ready\r\n",
            "220_ready\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
            "\r\n",
        ] {
            assert_eq!(read(heard.as_bytes()), Err(Unintelligible), "{heard:?}");
        }
        assert_eq!(read(&vec![b'2'; LONGEST + 1]), Err(Unintelligible));
    }
}
