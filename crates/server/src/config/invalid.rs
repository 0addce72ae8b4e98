//! What is wrong with a configuration, without what stands there: it may be a password, and messages end up in logs.

use toml::de::Error;

use crate::error::Failure;

/// The file isn't TOML. The parser would show the line.
pub(super) fn file(name: &str, text: &str, problem: &Error) -> Failure {
    let before = problem.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Failure::Usage(format!("{name}, line {line}: {}", problem.message()))
}

/// A setting isn't what it must be. serde would show what it is.
pub(super) fn setting(problem: &Error) -> Failure {
    let shown = problem.to_string();
    let place = shown.lines().last().and_then(|line| line.strip_prefix("in ")).map(|name| format!(", {name}"));
    let is_of_value = |what: &str| what.starts_with("invalid type: ") || what.starts_with("invalid value: ");
    let message = match problem.message().rsplit_once(", expected ") {
        Some((what, expected)) if is_of_value(what) => format!("must be {expected}"),
        _ => problem.message().to_owned(),
    };
    Failure::Usage(format!("configuration{}: {message}", place.unwrap_or_default()))
}
