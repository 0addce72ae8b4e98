//! What a mail server's refusal means, and what may be said of it.

use countersign_service::deliver::carrier::{Fault, NotSent};
use lettre::transport::smtp::Error as SmtpError;

/// How far a conversation had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connecting,
    Authenticating,
    Sender,
    Recipient,
    Content,
}

/// Up to the sender a refusal would meet every message; from the recipient on it is about this one. A server that is just going away
/// (421) says so at any time.
pub(super) fn failure(step: Step, problem: &SmtpError) -> NotSent {
    let answer = problem.status().map(|_| shown(&source(problem)));
    let code = problem.status().map(|code| code.to_string());
    let is_about_message = matches!(step, Step::Recipient | Step::Content) && code.as_deref() != Some("421");
    let fault = match code {
        Some(_) if is_about_message && problem.is_permanent() => Fault::MessageForGood,
        Some(_) if is_about_message => Fault::MessageNow,
        _ => Fault::Channel,
    };
    let what = match step {
        Step::Connecting => "the mail server can't be reached",
        Step::Authenticating => "the mail server doesn't take user and password",
        Step::Sender => "the mail server doesn't take mail from mail.from",
        Step::Recipient => "the mail server doesn't take mail for this address",
        Step::Content => "the mail server doesn't take the message",
    };
    NotSent { fault, cause: format!("{what}: {}", detail(problem)), answer }
}

/// Codes, and what our own side says: what the server says in words may repeat addresses, and more.
fn detail(problem: &SmtpError) -> String {
    match problem.status() {
        Some(code) => {
            let said = source(problem);
            let enhanced = said.split_whitespace().next().filter(|word| is_enhanced(word)).unwrap_or_default();
            format!("{code} {enhanced}").trim_end().to_owned()
        }
        None if problem.is_response() => "it says what no mail server says".to_owned(),
        None if is_broken_off(problem) => "it broke off".to_owned(),
        None => shown(&problem.to_string()),
    }
}

/// What the layers below say of that differs, and one of them would explain itself at length.
fn is_broken_off(problem: &SmtpError) -> bool {
    use std::io::{
        Error,
        ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof},
    };
    let below = std::error::Error::source(problem).and_then(<dyn std::error::Error>::downcast_ref::<Error>);
    below.is_some_and(|it| matches!(it.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
}

/// `5.1.1` (RFC 3463).
fn is_enhanced(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number)
}

fn source(problem: &SmtpError) -> String {
    std::error::Error::source(problem).map(ToString::to_string).unwrap_or_default()
}

/// As it can stand on a terminal and in a log: one line, not too long.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
