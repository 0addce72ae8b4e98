//! `explain`.

use std::io::Read;

use clap::Args;
use countersign_http::extract::written::WrittenHeaders;
use countersign_service::explain::{Explanation, Verdict};
use serde_json::json;

use super::Desk;
use crate::error::Failure;

#[derive(Args)]
pub(super) struct Explain {
    /// A header that the app sent, as `X-PROFICIENT-API-KEY: pk_…`; may be said several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Read headers from standard input, one a line, as a log or `curl -v` has them: what is on the command line, others may see
    #[arg(long, required_unless_present = "headers")]
    stdin: bool,
}

/// As much as the API takes.
const LONGEST: u64 = 64 * 1024;

impl Explain {
    /// 0: the call would be accepted. 1: it would be refused.
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let written = WrittenHeaders::new(self.read(&mut std::io::stdin().lock())?);
        let project = desk.project().await?;
        let Explanation { verdict, reasons } = desk.service.explain_by_hand(&project, &written.call()).await?;
        let reason =
            |it: &countersign_service::explain::Reason| json!({ "code": it.code.as_str(), "message": it.message });
        let reasons: Vec<_> = reasons.iter().map(reason).collect();
        desk.output.print(&json!({ "verdict": verdict.as_str(), "reasons": reasons }))?;
        match verdict {
            Verdict::Accepted => Ok(()),
            Verdict::Refused => Err(Failure::Failed("the call would be refused".to_owned())),
        }
    }

    fn read(&self, stdin: &mut impl Read) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let mut headers = Vec::new();
        for line in &self.headers {
            headers.push(header(line.as_bytes()).ok_or_else(no_header)?);
        }
        if self.stdin {
            let mut bytes = Vec::new();
            let read = stdin.take(LONGEST + 1).read_to_end(&mut bytes);
            let length = read.map_err(|problem| Failure::failed("can't read standard input", problem))?;
            if length as u64 > LONGEST {
                return Err(Failure::Usage("standard input is longer than 64 KiB".to_owned()));
            }
            headers.extend(lines(&bytes)?);
        }
        Ok(headers)
    }
}

/// The headers of a request: without the marks that `curl -v` puts before them, the line above them, and what stands below an empty line.
fn lines(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let unmarked = |line| <[u8]>::strip_prefix(line, b">").map_or(line, <[u8]>::trim_ascii_start);
    let lines = bytes.split(|b| *b == b'\n').map(unmarked).map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut headers = Vec::new();
    for line in lines.skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()) {
        if headers.is_empty() && is_request_line(line) {
            continue;
        }
        headers.push(header(line).ok_or_else(no_header)?);
    }
    Ok(headers)
}

/// `GET /users HTTP/1.1` (RFC 9112 §3).
fn is_request_line(line: &[u8]) -> bool {
    line.rsplit(|b| *b == b' ').next().is_some_and(|version| version.starts_with(b"HTTP/"))
}

/// What is no header may be a secret that stands in the wrong place: it isn't repeated.
fn no_header() -> Failure {
    Failure::Usage("a header is written `NAME: VALUE`, each on a line of its own".to_owned())
}

fn header(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|b| *b == b':')?;
    let name = std::str::from_utf8(&line[..colon]).ok()?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
    is_name.then(|| (name.to_owned(), line[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let text_of = |(name, value): (String, Vec<u8>)| (name, String::from_utf8(value).unwrap());
        let read = lines(text.as_bytes()).map_err(|problem| problem.to_string())?;
        Ok(read.into_iter().map(text_of).collect())
    }

    fn two() -> Vec<(String, String)> {
        vec![("Host".to_owned(), " a:7420".to_owned()), ("X-A".to_owned(), "b".to_owned())]
    }

    #[test]
    fn headers_are_read_from_a_request_however_it_was_copied() {
        for text in [
            "Host: a:7420\nX-A:b",
            "Host: a:7420\r\nX-A:b\r\n\r\nnot a header\r\n",
            "\n\nGET /users?a:b HTTP/1.1\nHost: a:7420\nX-A:b\n",
            "> GET /users HTTP/2\r\n> Host: a:7420\r\n> X-A:b\r\n>\r\n",
        ] {
            assert_eq!(read(text), Ok(two()), "{text:?}");
        }
        assert_eq!(read(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_header_is_refused_and_not_repeated() {
        for text in ["sk_secret", "Host: a\nsk_secret", ": sk_secret", "sk_secret : a", "Host: a\n folded: sk_secret"] {
            let problem = read(text).unwrap_err();
            assert!(!problem.contains("secret"), "{text:?}: {problem}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_a_value_all_the_same() {
        assert_eq!(lines(b"A: Zo\xeb").unwrap(), [("A".to_owned(), b" Zo\xeb".to_vec())]);
    }

    #[test]
    fn more_than_the_api_takes_is_refused() {
        let explain = Explain { headers: Vec::new(), stdin: true };
        let long = format!("A: {}", "a".repeat(64 * 1024));
        assert!(matches!(explain.read(&mut long.as_bytes()), Err(Failure::Usage(_))));
        assert_eq!(explain.read(&mut &long.as_bytes()[..1000]).unwrap().len(), 1);
    }
}
